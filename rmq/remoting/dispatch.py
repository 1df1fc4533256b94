"""From a frame to a handler and back: the only place where a refusal becomes a response.

For each frame: peek at its code, decode the header straight into the class that the handler
declared, call the handler, encode what it says. An answer to one of our own calls goes to who
waits for it.

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
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import msgspec
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from codec.codes import ONEWAY_FLAG, RESPONSE_FLAG, ResponseCode
from codec.command import (
    Command,
    command_of,
    decode_text,
    encode_response,
    typed_decoders,
)
from codec.command_json import TypedCommand
from codec.errors import CodecError, HeaderError
from codec.frame import JSON, Frame
from codec.headers.fields import RequestHeader, ext_fields_of
from rmq.base.errors import CallError, CommandError
from rmq.remoting.channel import Channel
from rmq.remoting.handling import Handler, HandlerTable, Request, Response

log = logging.getLogger(__name__)


STARTS_AT = len(b'{"code":')
CODE_WIDTH = 4
STARTS_END = STARTS_AT + CODE_WIDTH
"""Where in a JSON header that begins with its code a route can be told by four bytes, ``310,``."""


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

    code: int
    start: bytes | None
    answer: Callable[[Any], Any]
    answer_run: Callable[[Sequence[Any]], Sequence[Any]] | None
    from_json: Callable[[bytes], TypedCommand[RequestHeader]]
    from_frame: Callable[[Frame], TypedCommand[RequestHeader]]
    name: str


class Dispatcher:
    """Answers the frames of any number of connections by one role's table."""

    def __init__(self, table: HandlerTable) -> None:
        self._routes = {code: _route(handler) for code, handler in table.items()}
        self._routes_by_start = {
            route.start: route for route in self._routes.values() if route.start is not None
        }

    def answer_round(
        self, frames: Sequence[Frame], peer: Peer, ready: list[bytes], bytes_max: int
    ) -> int:
        """Answer frames in order, until more than ``bytes_max`` are ready; how many were answered.

        Encoded responses are added to ``ready``.

        :raises CodecError: a header is broken; the frames before it were answered.
        """
        done = size = 0
        count = len(frames)
        while done < count and size <= bytes_max:
            if done + 1 < count:
                requests = self._run(frames, done, peer)
                if len(requests) > 1:
                    done += len(requests)
                    size += _answer_run(requests, self._routes[requests[0].code], peer, ready)
                    continue
            reply = self.answer(frames[done], peer)
            done += 1
            if reply is not None:
                ready.append(reply)
                size += len(reply)
        return done

    def _run(self, frames: Sequence[Frame], begin: int, peer: Peer) -> list[Request[RequestHeader]]:
        """The requests from ``begin`` on that one handler can answer at once; none if it cannot.

        Whatever is unusual ends the run, and is then answered alone.
        """
        requests: list[Request[RequestHeader]] = []
        start = frames[begin][1][STARTS_AT:STARTS_END]
        route = self._routes_by_start.get(start)
        if route is None or route.answer_run is None:
            return requests
        from_json = route.from_json
        for number in range(begin, len(frames)):
            frame = frames[number]
            encoding, raw_header, _ = frame
            if raw_header[STARTS_AT:STARTS_END] != start or encoding != JSON:
                break
            try:
                command = from_json(raw_header)
            except CodecError:
                break
            if command.code != route.code or command.flag & RESPONSE_FLAG:
                break
            requests.append(_request_of(command, frame, peer))
        return requests

    def answer(self, frame: Frame, peer: Peer) -> bytes | None:
        """The encoded response, or None if there is none, or none yet.

        :raises CodecError: the header is broken; the connection must be closed.
        """
        encoding, raw_header, _ = frame
        route = self._routes_by_start.get(raw_header[STARTS_AT:STARTS_END])
        if route is None or encoding != JSON:
            return self._answer_unusual(frame, peer)
        try:
            command = route.from_json(raw_header)
        except HeaderError:
            return self._answer_unusual(frame, peer)
        if command.code != route.code or command.flag & RESPONSE_FLAG:
            return self._answer_unusual(frame, peer)
        return _answer_by(route, command, frame, peer)

    def _answer_unusual(self, frame: Frame, peer: Peer) -> bytes | None:
        """Answer what is not a request whose JSON header begins with its code."""
        text = decode_text(frame)
        if text.flag & RESPONSE_FLAG:
            peer.answered(command_of(text, frame))
            return None
        route = self._routes.get(text.code)
        if route is None:
            remark = f" request type {text.code} not supported"
            refusal = Response(code=ResponseCode.REQUEST_CODE_NOT_SUPPORTED, remark=remark)
        else:
            try:
                return _answer_by(route, route.from_frame(frame), frame, peer)
            except HeaderError as error:
                refusal = Response(code=ResponseCode.SYSTEM_ERROR, remark=str(error))
        if text.flag & ONEWAY_FLAG:
            return None
        return _encode(refusal, frame.encoding, text.opaque)


def _start_of(code: int) -> bytes | None:
    """What of a JSON header tells this code at once, if it is written first as Java and Go do."""
    start = b'%d,"' % code
    return start[:CODE_WIDTH] if len(start) <= CODE_WIDTH + 1 else None


def _route(handler: Handler) -> Route:
    from_json, from_frame = typed_decoders(handler.header)
    return Route(
        handler.code,
        _start_of(handler.code),
        handler.answer,
        handler.answer_run,
        from_json,
        from_frame,
        handler.name,
    )


def _request_of(
    command: TypedCommand[RequestHeader], frame: Frame, peer: Peer
) -> Request[RequestHeader]:
    """What a handler is asked by a frame."""
    encoding, raw_header, body = frame
    return Request(
        command.ext_fields,
        body,
        peer,
        command.code,
        command.opaque,
        command.version,
        command.language,
        encoding,
        raw_header,
        command.flag & ONEWAY_FLAG != 0,
    )


def _answer_by(
    route: Route, command: TypedCommand[RequestHeader], frame: Frame, peer: Peer
) -> bytes | None:
    """Call a handler and encode what it says."""
    request = _request_of(command, frame, peer)
    try:
        response = route.answer(request)
    except Exception as error:  # noqa: BLE001 - the one place where any failure becomes a response
        response = _failed(error, route.name)
    return _encoded(response, request, peer, route.name)


def _answer_run(
    requests: Sequence[Request[RequestHeader]], route: Route, peer: Peer, ready: list[bytes]
) -> int:
    """Call a handler with several requests; the bytes that its answers add to ``ready``."""
    assert route.answer_run is not None, f"{route.name} answers runs"
    try:
        responses = route.answer_run(requests)
    except Exception as error:  # noqa: BLE001 - as above
        responses = [_failed(error, route.name)] * len(requests)
    size = 0
    for request, response in zip(requests, responses, strict=True):
        if isinstance(response, Exception):
            response = _failed(response, route.name)
        reply = _encoded(response, request, peer, route.name)
        if reply is not None:
            ready.append(reply)
            size += len(reply)
    return size


def _encoded(response: Any, request: Request[RequestHeader], peer: Peer, name: str) -> bytes | None:
    """What to send for a handler's answer now; None if there is nothing, or nothing yet."""
    kind = response.__class__
    if request.oneway and (kind is bytes or kind is Response):
        return None
    if kind is bytes:
        encoded: bytes = response
        return encoded
    if kind is Response:
        return _encode(response, request.encoding, request.opaque)
    if response is not None:
        _answer_later(response, request, peer, name)
    return None


def frame_of(answer: Response | Exception, request: Request[Any], name: str) -> bytes:
    """The whole frame of an answer to a request, for a handler ``name`` that answers for several.

    What raised becomes the response that the dispatcher would have made of it.
    """
    response = _failed(answer, name) if isinstance(answer, Exception) else answer
    return _encode(response, request.encoding, request.opaque)


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
    awaited: Awaitable[Response | bytes], request: Request[RequestHeader], peer: Peer, name: str
) -> None:
    """Send the response when the handler has it."""
    deferred = awaited if isinstance(awaited, Deferred) else ensureDeferred(_await(awaited))

    def done(response: Response | bytes | None) -> None:
        if response is None or request.oneway:
            return
        if isinstance(response, bytes):
            peer.reply(response)
        else:
            peer.reply(_encode(response, request.encoding, request.opaque))

    def failed(failure: Failure) -> None:
        error = failure.value
        done(_failed(error if isinstance(error, Exception) else RuntimeError(repr(error)), name))

    deferred.addCallbacks(done, failed).addErrback(
        lambda failure: log.error("response lost name=%s cause=%s", name, failure.value)
    )


async def _await(awaited: Awaitable[Response | bytes]) -> Response | bytes:
    return await awaited
