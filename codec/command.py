"""The command: one request or response, whatever its code and whichever way its header is written.

``Command`` is for everything that is not hot: calls to peers, answers to them, tests. A server
reads requests through ``typed_decoders``, which skip the map of ext fields, and writes answers with
``encode_response``. Answers are written in the encoding of their request.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec import Struct

from codec.codes import CURRENT_VERSION, ONEWAY_FLAG, RESPONSE_FLAG, LanguageCode
from codec.command_binary import decode_binary, encode_binary
from codec.command_json import (
    TextCommand,
    TypedCommand,
    decode_json,
    encode_json,
    language_code,
    typed_json_decoder,
    typed_of,
)
from codec.errors import CodecError
from codec.frame import JSON, ROCKETMQ, Frame, build_frame

S = TypeVar("S", bound=Struct)

_LANGUAGE_NAMES = {language.value: language.name for language in LanguageCode}


class Command(Struct):
    """One request or response with its body. Source: RemotingCommand.java, 5.3.3."""

    code: int
    """RequestCode in a request, ResponseCode in a response."""
    opaque: int = 0
    """Pairs a response with its request; each sender counts its own."""
    flag: int = 0
    version: int = CURRENT_VERSION
    language: int = LanguageCode.PYTHON
    remark: str | None = None
    ext_fields: dict[str, str] = {}
    body: bytes = b""
    encoding: int = JSON

    @property
    def is_response(self) -> bool:
        """Whether this answers a request."""
        return self.flag & RESPONSE_FLAG != 0

    @property
    def is_oneway(self) -> bool:
        """Whether the sender wants no answer."""
        return self.flag & ONEWAY_FLAG != 0


def decode_command(frame: Frame) -> Command:
    """Read a command of any code.

    :raises CodecError: the header is broken.
    """
    return command_of(decode_text(frame), frame)


def command_of(header: TextCommand, frame: Frame) -> Command:
    """The command whose header was read from ``frame``."""
    return Command(
        header.code,
        header.opaque,
        header.flag,
        header.version,
        language_code(header.language),
        header.remark,
        header.ext_fields,
        frame.body,
        frame.encoding,
    )


def decode_text(frame: Frame) -> TextCommand:
    """Read a frame's header, ext fields as text.

    :raises CodecError: the header is broken.
    """
    if frame.encoding == JSON:
        return decode_json(frame.header)
    if frame.encoding == ROCKETMQ:
        return decode_binary(frame.header)
    raise CodecError(f"header encoding {frame.encoding}, expected 0 (JSON) or 1 (ROCKETMQ)")


def encode_command(command: Command) -> bytes:
    """Write a whole frame, length included.

    :raises CodecError: something does not fit its field.
    """
    encode = encode_json if command.encoding == JSON else encode_binary
    header = encode(
        command.code,
        command.opaque,
        command.flag,
        command.remark,
        command.ext_fields,
        _LANGUAGE_NAMES.get(command.language, "OTHER"),
        command.version,
    )
    return build_frame(command.encoding, header, command.body)


def encode_response(
    encoding: int,
    opaque: int,
    code: int,
    remark: str | None = None,
    ext_fields: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> bytes:
    """Write the whole frame of an answer to the request that had this encoding and opaque.

    :raises CodecError: something does not fit its field.
    """
    encode = encode_json if encoding == JSON else encode_binary
    return build_frame(encoding, encode(code, opaque, RESPONSE_FLAG, remark, ext_fields), body)


def typed_decoders(
    header_class: type[S],
) -> tuple[Callable[[bytes], TypedCommand[S]], Callable[[Frame], TypedCommand[S]]]:
    """Give two readers of commands whose ext fields are ``header_class``.

    The first takes a JSON header and is the fast one, the second any frame. Both raise HeaderError
    if the command can be read but not its ext fields, else CodecError.
    """
    from_json = typed_json_decoder(header_class)

    def from_frame(frame: Frame) -> TypedCommand[S]:
        if frame.encoding == JSON:
            return from_json(frame.header)
        return typed_of(decode_text(frame), header_class)

    return from_json, from_frame
