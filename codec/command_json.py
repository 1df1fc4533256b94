"""Header encoding 0: a command's header as JSON text.

===========================  ======  =========================================================
key                          value   absent or null
===========================  ======  =========================================================
``code``                     int32   0
``extFields``                object  no fields
``flag``                     int32   0
``language``                 name    JAVA if absent, OTHER if null or a name nobody knows
``opaque``                   int32   0
``remark``                   string  none
``serializeTypeCurrentRPC``  name    written, never read
``version``                  int32   0
===========================  ======  =========================================================

Keys come in any order; written they are in Java's, which is alphabetical. Values in ``extFields``
should be strings; numbers and booleans count as their text, as fastjson has it.

There are two readers. ``typed_json_decoder`` goes straight from bytes to the header class a handler
declared; what it cannot take goes to ``decode_json`` and ``decode_header``, which judge. Invalid
UTF-8 is refused, Java would read it as U+FFFD.
Source: RemotingCommand.java, headerDecode(); RemotingSerializable.java, 5.3.3.
"""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from codec.codes import CURRENT_VERSION, LanguageCode
from codec.errors import CodecError, HeaderError
from codec.headers.fields import Int32, decode_header, flags_of, plan_of

H = TypeVar("H")
S = TypeVar("S", bound=Struct)


class TypedCommand(Struct, Generic[H], gc=False, rename={"ext_fields": "extFields"}):
    """A command's header; its ext fields are a header class, or text by name."""

    ext_fields: H
    code: Int32 = 0
    opaque: Int32 = 0
    """Pairs a response with its request; chosen by who asks."""
    flag: Int32 = 0
    version: Int32 = 0
    """MQVersion ordinal of the sender."""
    language: str = "JAVA"
    """As the sender wrote it, see ``language_code``."""
    remark: str | None = None


TextCommand = TypedCommand[dict[str, str]]
"""A command's header with its ext fields as text."""


class _Bare(Struct, gc=False):
    """A header without ext fields, as many answers have."""

    code: Int32 = 0
    opaque: Int32 = 0
    flag: Int32 = 0
    version: Int32 = 0
    language: str = "JAVA"
    remark: str | None = None


class _Written(Struct, gc=False, omit_defaults=True):
    """What is written, in Java's order of keys."""

    code: int | UnsetType = UNSET
    extFields: Mapping[str, str] | UnsetType = UNSET  # noqa: N815 - the wire's own name
    flag: int | UnsetType = UNSET
    language: str | UnsetType = UNSET
    opaque: int | UnsetType = UNSET
    remark: str | UnsetType = UNSET
    serializeTypeCurrentRPC: str | UnsetType = UNSET  # noqa: N815 - the wire's own name
    version: int | UnsetType = UNSET


_DECODER = msgspec.json.Decoder(TextCommand, strict=False)
_BARE = msgspec.json.Decoder(_Bare, strict=False)
_FIELDS_KEY = b'"extFields"'
_RAW_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_INT32 = msgspec.json.Decoder(Int32, strict=False)
_STRING = msgspec.json.Decoder(str)
_ENCODER = msgspec.json.Encoder()
_LANGUAGES = LanguageCode.__members__


def language_code(name: str) -> LanguageCode:
    """Give the code of a language's name, OTHER if nobody knows it."""
    return _LANGUAGES.get(name, LanguageCode.OTHER)


def decode_json(header: bytes) -> TextCommand:
    """Read a JSON header, ext fields as text.

    :raises CodecError: the header is not JSON, not an object, or a value is not what it must be.
    """
    _check_text(header)
    try:
        if _FIELDS_KEY not in header and b"\\" not in header:
            bare = _BARE.decode(header)
            return TextCommand(
                {}, bare.code, bare.opaque, bare.flag, bare.version, bare.language, bare.remark
            )
        return _DECODER.decode(header)
    except (msgspec.DecodeError, RecursionError):
        return _judge(header)


def typed_json_decoder(header_class: type[S]) -> Callable[[bytes], TypedCommand[S]]:
    """Give the reader of JSON headers whose ext fields are ``header_class``.

    It raises HeaderError if the command can be read but not its ext fields, else CodecError.
    """
    decode = msgspec.json.Decoder(TypedCommand[header_class], strict=False).decode  # type: ignore[valid-type]  # a class only known at run time
    flags = flags_of(header_class)
    names = [field.wire_name for field in plan_of(header_class) if field.kind is bool]
    spelled = [b'"%b":"true"' % name.encode() for name in (*names, *names[:1])]

    def decode_typed(header: bytes) -> TypedCommand[S]:
        if not header.isascii():
            _check_text(header)
        try:
            command: TypedCommand[S] = decode(header)
        except (msgspec.DecodeError, RecursionError):
            return typed_of(decode_json(header), header_class)
        read = flags(command.ext_fields)
        if True in read:
            for text, is_true in zip(spelled, read, strict=True):
                if is_true and text not in header:  # it may be "1", which Java reads as false
                    return typed_of(decode_json(header), header_class)
        return command

    return decode_typed


def typed_of(command: TextCommand, header_class: type[S]) -> TypedCommand[S]:
    """Make the ext fields of a command their header class.

    :raises HeaderError: a field is missing or cannot be read; it names the command.
    """
    try:
        header = decode_header(header_class, command.ext_fields)
    except HeaderError as error:
        raise error.of(command.code, command.opaque, command.flag) from None
    return TypedCommand(
        header,
        command.code,
        command.opaque,
        command.flag,
        command.version,
        command.language,
        command.remark,
    )


def encode_json(
    code: int,
    opaque: int,
    flag: int,
    remark: str | None = None,
    ext_fields: Mapping[str, str] | None = None,
    language: str = LanguageCode.PYTHON.name,
    version: int = CURRENT_VERSION,
) -> bytes:
    """Write a JSON header as Java does: compact, keys in order, what is null or empty left out.

    :raises CodecError: a text cannot be written as UTF-8.
    """
    written = _Written(
        code,
        ext_fields or UNSET,
        flag,
        language,
        opaque,
        UNSET if remark is None else remark,
        "JSON",
        version,
    )
    try:
        return _ENCODER.encode(written)
    except UnicodeEncodeError as error:
        raise CodecError(f"a text that is not Unicode: {error}") from None


def _check_text(header: bytes) -> None:
    """Refuse what is not UTF-8, also where a reader would skip it.

    :raises CodecError: the bytes are not UTF-8.
    """
    try:
        str(header, "utf-8")
    except UnicodeDecodeError as error:
        raise CodecError(f"JSON header is not UTF-8: {error}") from None


def _judge(header: bytes) -> TextCommand:
    """Read a header value by value, coercing what fastjson coerces.

    :raises CodecError: the header is not JSON, not an object, or a value is not what it must be.
    """
    try:
        values = {k: v for k, v in _RAW_OBJECT.decode(header).items() if bytes(v) != b"null"}
        fields = _RAW_OBJECT.decode(values["extFields"]) if "extFields" in values else {}
        command = TextCommand(
            {name: _text(raw) for name, raw in fields.items() if bytes(raw) != b"null"}
        )
        for key in ("code", "opaque", "flag", "version"):
            if key in values:
                setattr(command, key, _INT32.decode(values[key]))
        if "remark" in values:
            command.remark = _text(values["remark"])
        command.language = _language(header, values.get("language"))
    except RecursionError:
        raise CodecError("JSON header is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise CodecError(f"JSON header: {error}") from None
    return command


def _text(raw: Raw) -> str:
    """Give a JSON value as fastjson puts it into a map of strings: other values are their text.

    :raises msgspec.DecodeError: a broken string.
    """
    encoded = bytes(raw)
    return _STRING.decode(encoded) if encoded.startswith(b'"') else str(encoded, "utf-8")


def _language(header: bytes, raw: Raw | None) -> str:
    """Give the name of a language, which fastjson also takes by number.

    :raises msgspec.DecodeError: a broken string.
    """
    if raw is None:
        return "OTHER" if "language" in _RAW_OBJECT.decode(header) else "JAVA"
    text = _text(raw)
    if text.isascii() and text.isdigit() and len(text) < 3 and int(text) < len(_LANGUAGES):
        return LanguageCode(int(text)).name
    return text
