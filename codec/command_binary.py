"""Header encoding 1, ROCKETMQ: a command's header in binary.

=================  =======  ===================================================================
field              width    content
=================  =======  ===================================================================
code               int16    POP's codes do not fit and are cut, see ``CUT_CODES``
language           int8     LanguageCode
version            int16    MQVersion ordinal
opaque             int32
flag               int32
remark             int32 n  then n bytes of UTF-8; 0 means none
ext fields         int32 n  then n bytes of entries: int16 n, key; int32 n, value
=================  =======  ===================================================================

``BINARY_HEADER`` is the judge, ``decode_binary`` and ``encode_binary`` its twins. An entry whose
key or value is empty counts as absent, as in Java. Where Java would read on into the body, on a
length that is negative or passes its block's end, both refuse.
Source: RocketMQSerializable.java, 5.3.3.
"""

from collections.abc import Mapping
from struct import Struct as Layout
from struct import error as LayoutError  # noqa: N812 - an exception class

from construct import (
    FocusedSeq,
    GreedyBytes,
    GreedyRange,
    Int8sb,
    Int16sb,
    Int32sb,
    Prefixed,
    Struct,
    Terminated,
)

from codec.codes import CURRENT_VERSION, RESPONSE_FLAG, LanguageCode, RequestCode
from codec.command_json import TextCommand, language_code
from codec.errors import CodecError

_ENTRY = Struct(
    "key" / Prefixed(Int16sb, GreedyBytes),
    "value" / Prefixed(Int32sb, GreedyBytes),
)

BINARY_HEADER = Struct(
    "code" / Int16sb,
    "language" / Int8sb,
    "version" / Int16sb,
    "opaque" / Int32sb,
    "flag" / Int32sb,
    "remark" / Prefixed(Int32sb, GreedyBytes),
    "ext_fields"
    / Prefixed(Int32sb, FocusedSeq("entries", "entries" / GreedyRange(_ENTRY), Terminated)),
    Terminated,
)
"""A whole header; texts are still bytes. Source: RocketMQSerializable.java, 5.3.3."""

CUT_CODES = {code & 0xFFFF: int(code) for code in RequestCode if code >= RequestCode.POP_MESSAGE}
"""The int16 that is left of a POP code, and the code that was meant.

Java encodes the former and then answers REQUEST_CODE_NOT_SUPPORTED; no other code has these
numbers, so we can understand them.
"""

_FIXED = Layout(">hbhiii")
"""Code, language, version, opaque, flag, length of the remark."""
_INT16 = Layout(">h")
_INT32 = Layout(">i")
_LANGUAGE_NAMES = {language.value: language.name for language in LanguageCode}


def decode_binary(header: bytes) -> TextCommand:
    """Read a binary header. Twin of ``BINARY_HEADER.parse``.

    :raises CodecError: a length points outside, or a text is not UTF-8.
    """
    try:
        code, language, version, opaque, flag, length = _FIXED.unpack_from(header)
        end = _FIXED.size + length
        if length < 0:
            raise CodecError(f"remark of {length} bytes")
        block_end = end + 4 + _INT32.unpack_from(header, end)[0]
        if block_end != len(header):
            raise CodecError(f"ext fields end at {block_end} of a header of {len(header)} bytes")
        remark = str(header[_FIXED.size : end], "utf-8")
        ext_fields = _entries(header, end + 4)
    except LayoutError as error:
        raise CodecError(f"binary header of {len(header)} bytes: {error}") from None
    except UnicodeDecodeError as error:
        raise CodecError(f"binary header has text that is not UTF-8: {error}") from None
    if not flag & RESPONSE_FLAG:
        code = CUT_CODES.get(code, code)
    name = _LANGUAGE_NAMES.get(language, "OTHER")
    return TextCommand(ext_fields, code, opaque, flag, version, name, remark or None)


def _entries(header: bytes, position: int) -> dict[str, str]:
    """Read the entries from ``position`` to the header's end.

    :raises CodecError: a length points outside.
    :raises struct.error: an entry is cut.
    :raises UnicodeDecodeError: a text is not UTF-8.
    """
    ext_fields: dict[str, str] = {}
    end = len(header)
    while position < end:
        key_length: int = _INT16.unpack_from(header, position)[0]
        value_at = position + 2 + key_length
        if key_length < 0:
            raise CodecError(f"key of {key_length} bytes at {position}")
        value_length: int = _INT32.unpack_from(header, value_at)[0]
        next_at = value_at + 4 + value_length
        if value_length < 0 or next_at > end:
            raise CodecError(f"value of {value_length} bytes at {value_at} of {end}")
        key = str(header[position + 2 : value_at], "utf-8")
        value = str(header[value_at + 4 : next_at], "utf-8")
        if key and value:
            ext_fields[key] = value
        position = next_at
    return ext_fields


def encode_binary(
    code: int,
    opaque: int,
    flag: int,
    remark: str | None = None,
    ext_fields: Mapping[str, str] | None = None,
    language: str = LanguageCode.PYTHON.name,
    version: int = CURRENT_VERSION,
) -> bytes:
    """Write a binary header; a POP request's code is cut as Java does. Twin of ``.build``.

    :raises CodecError: a number or a key is too large, or a text cannot be written as UTF-8.
    """
    if code & 0xFFFF in CUT_CODES and not flag & RESPONSE_FLAG:
        code &= 0xFFFF
    try:
        note = (remark or "").encode()
        block = b"".join(
            b"".join((_INT16.pack(len(name)), name, _INT32.pack(len(text)), text))
            for name, text in (
                (key.encode(), value.encode()) for key, value in (ext_fields or {}).items()
            )
        )
        fixed = _FIXED.pack(code, language_code(language), version, opaque, flag, len(note))
    except LayoutError as error:
        raise CodecError(f"does not fit a binary header: {error}") from None
    except UnicodeEncodeError as error:
        raise CodecError(f"a text that is not Unicode: {error}") from None
    return b"".join((fixed, note, _INT32.pack(len(block)), block))
