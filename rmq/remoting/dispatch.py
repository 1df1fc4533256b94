"""From a frame to a handler and back: the only place where a refusal becomes a response.

For each frame: peek at its code, decode the header straight into the class that the handler declared,
call the handler, encode what it says. An answer to one of our own calls goes to who waits for it.

Whose fault it is decides what happens:

=========================  =============================================================
broken frame or header     CodecError leaves ``answer``; the connection closes itself
a field of a wrong value   response SYSTEM_ERROR with the field's name
a body that is no body     the same, with the place
refused                    the code and remark of the handler's ``CommandError``
our own failure            response SYSTEM_ERROR, traceback in the log
=========================  =============================================================

A one-way request gets no response, whatever happened.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from codec.codes import ONEWAY_FLAG, RESPONSE_FLAG, ResponseCode
from codec.command import Command, decode_command, encode_response, typed_decoders
from codec.command_binary import peek_code as peek_binary_code
from codec.command_json import TypedCommand, peek_code
from codec.errors import CodecError, HeaderError
from codec.frame import JSON, Frame
from codec.headers.fields import RequestHeader, ext_fields_of
from rmq.base.errors import CallError, CommandError
from rmq.remoting.channel import Channel
from rmq.remoting.handling import Handler, HandlerTable, Request, Response

log = logging.getLogger(__name__)


class Peer(Channel, Protocol):
    """What the dispatcher needs of a connection besides what handlers do."""

    def reply(self, encoded: bytes) -> None:
        """Send an answer that became ready later."""
        ...

    def answered(self, command: Command) -> None:
        """Take an answer to one of our calls."""
        ...


class Route(msgspec.Struct, frozen=True):
    """A handler with the decoders of its header."""

    answer: Callable[[Any], Any]
    from_json: Callable[[bytes], TypedCommand[RequestHeader]]
    from_frame: Callable[[Frame], TypedCommand[RequestHeader]]
    name: str


class Dispatcher:
    """Answers the frames of any number of connections by one role's table."""

    def __init__(self, table: HandlerTable) -> None:
        self._routes = {code: _route(handler) for code, handler in table.items()}

    def answer(self, frame: Frame, peer: Peer) -> bytes | None:
        """The encoded response, or None if there is none, or none yet.

        :raises CodecError: the header is broken; the connection must be closed.
        """
        encoding, raw_header, body = frame
        code = peek_code(raw_header) if encoding == JSON else peek_binary_code(raw_header)
        if code is None:
            code = decode_command(frame).code
        route = self._routes.get(code)
        if route is None:
            return _answer_unrouted(frame, peer)
        try:
            command = route.from_json(raw_header) if encoding == JSON else route.from_frame(frame)
        except HeaderError as error:
            return _answer_wrong_field(frame, peer, error)
        flag = command.flag
        if flag & RESPONSE_FLAG:
            peer.answered(decode_command(frame))
            return None
        request = Request(
            command.ext_fields,
            body,
            peer,
            command.code,
            command.opaque,
            command.version,
            command.language,
            encoding,
            raw_header,
            flag & ONEWAY_FLAG != 0,
        )
        try:
            response = route.answer(request)
        except Exception as error:  # noqa: BLE001 - the one place where any failure becomes a response
            response = _failed(error, route.name)
        if response.__class__ is Response:
            if flag & ONEWAY_FLAG:
                return None
            return _encode(response, encoding, command.opaque)
        if response is not None:
            _answer_later(response, request, peer, route.name)
        return None


def _route(handler: Handler) -> Route:
    from_json, from_frame = typed_decoders(handler.header)
    return Route(handler.answer, from_json, from_frame, handler.name)


def _answer_unrouted(frame: Frame, peer: Peer) -> bytes | None:
    command = decode_command(frame)
    if command.flag & RESPONSE_FLAG:
        peer.answered(command)
        return None
    if command.flag & ONEWAY_FLAG:
        return None
    remark = f" request type {command.code} not supported"
    refusal = Response(code=ResponseCode.REQUEST_CODE_NOT_SUPPORTED, remark=remark)
    return _encode(refusal, frame.encoding, command.opaque)


def _answer_wrong_field(frame: Frame, peer: Peer, error: HeaderError) -> bytes | None:
    if error.flag & RESPONSE_FLAG:
        peer.answered(decode_command(frame))
        return None
    if error.flag & ONEWAY_FLAG:
        return None
    refusal = Response(code=ResponseCode.SYSTEM_ERROR, remark=str(error))
    return _encode(refusal, frame.encoding, error.opaque)


def _encode(response: Response, encoding: int, opaque: int) -> bytes:
    header = response.header
    ext_fields = response.ext_fields
    if header is not None:
        own = ext_fields_of(header)
        ext_fields = own if ext_fields is None else own | ext_fields
    return encode_response(
        encoding, opaque, response.code, response.remark, ext_fields, response.body
    )


def _failed(error: Exception, name: str) -> Response:
    """The response to a handler that raised. Refusals are expected, the rest is our own failure."""
    if isinstance(error, CommandError):
        return Response(code=error.code, remark=error.remark, ext_fields=error.ext_fields)
    if isinstance(error, CodecError):
        return Response(code=ResponseCode.SYSTEM_ERROR, remark=f"request cannot be read: {error}")
    if isinstance(error, CallError):
        return Response(code=ResponseCode.SYSTEM_ERROR, remark=str(error))
    log.error("handler failed name=%s", name, exc_info=error)
    return Response(code=ResponseCode.SYSTEM_ERROR, remark=f"{type(error).__name__}: {error}")


def _answer_later(
    awaited: Awaitable[Response], request: Request[RequestHeader], peer: Peer, name: str
) -> None:
    """Send the response when the handler has it."""
    deferred = awaited if isinstance(awaited, Deferred) else ensureDeferred(_await(awaited))

    def done(response: Response | None) -> None:
        if response is not None and not request.oneway:
            peer.reply(_encode(response, request.encoding, request.opaque))

    def failed(failure: Failure) -> None:
        error = failure.value
        done(_failed(error if isinstance(error, Exception) else RuntimeError(repr(error)), name))

    deferred.addCallbacks(done, failed).addErrback(
        lambda failure: log.error("response lost name=%s cause=%s", name, failure.value)
    )


async def _await(awaited: Awaitable[Response]) -> Response:
    return await awaited
