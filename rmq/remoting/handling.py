"""How a request becomes a call of a method, and what the method gives back.

A *processor* is a plain object whose methods are marked with the request code they answer::

    class OffsetProcessor:
        @handles(RequestCode.GET_MAX_OFFSET, GetMaxOffsetRequestHeader)
        def max_offset(self, request: Request[GetMaxOffsetRequestHeader]) -> Response: ...

The mark registers nothing. A role's table is built once, by :func:`handler_table`, from the list of
its processors; two answers to one code stop the start.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar, cast

import msgspec
from twisted.internet.defer import Deferred

from codec.codes import DLedgerRequestCode, RequestCode, ResponseCode
from codec.headers.fields import RequestHeader, ResponseHeader
from rmq.base.errors import CommandError
from rmq.remoting.channel import Channel

H = TypeVar("H", bound=RequestHeader)
P = TypeVar("P")


class Request(msgspec.Struct, Generic[H]):
    """One request, decoded and checked.

    The garbage collector must see it (no ``gc=False``): a request that waits holds its channel,
    and the channel leads back to whoever lets it wait.
    """

    header: H
    body: bytes
    channel: Channel
    code: int
    opaque: int
    version: int
    language: str
    encoding: int
    raw_header: bytes
    oneway: bool = False

    @property
    def ext_fields(self) -> dict[str, str]:
        """All text fields as sent, also those that the header class does not declare."""
        return ext_fields_of_request(self.encoding, self.raw_header)


def text_of(request: Request[Any]) -> str:
    """The body of a request that sends a text.

    :raises CommandError: SYSTEM_ERROR, it is not UTF-8.
    """
    try:
        return request.body.decode()
    except UnicodeDecodeError as error:
        raise CommandError(ResponseCode.SYSTEM_ERROR, f"not UTF-8: {error}") from error


def ext_fields_of_request(encoding: int, raw_header: bytes) -> dict[str, str]:
    """The text fields of an encoded header.

    :raises CodecError: the header is broken.
    """
    from codec.command import decode_command  # noqa: PLC0415 - rarely needed, and not on the hot path
    from codec.frame import Frame  # noqa: PLC0415

    return decode_command(Frame(encoding, raw_header)).ext_fields or {}


class Response(msgspec.Struct, gc=False):
    """One answer; the dispatcher adds opaque, flag, version and encoding."""

    header: ResponseHeader | None = None
    code: int = ResponseCode.SUCCESS
    remark: str | None = None
    body: bytes = b""
    ext_fields: dict[str, str] | None = None


Answer: TypeAlias = Response | bytes | Awaitable[Response | bytes] | None
"""What a handler returns.

``bytes``: a whole frame, ready for this request's encoding and opaque (see ``codec.templates``).
None: the request wants no answer, being one-way by nature.
"""


class Handler(msgspec.Struct, frozen=True):
    """A row of a role's table: who answers a code, and who several requests of it at once."""

    code: int
    header: type[RequestHeader]
    answer: Callable[[Any], Answer]
    name: str
    answer_run: Callable[[Sequence[Any]], Sequence[Answer | Exception]] | None = None


HandlerTable: TypeAlias = Mapping[int, Handler]

_MARK = "__handles__"
_RUN_MARK = "__handles_runs__"


def handles(
    code: RequestCode | DLedgerRequestCode,
    header: type[H] = RequestHeader,  # type: ignore[assignment]  # a default for a type variable
) -> Callable[[Callable[[P, Request[H]], Answer]], Callable[[P, Request[H]], Answer]]:
    """Mark a method as the answer to ``code``; a method may carry several marks."""

    def mark(method: Callable[[P, Request[H]], Answer]) -> Callable[[P, Request[H]], Answer]:
        marks: list[tuple[int, type[RequestHeader]]] = getattr(method, _MARK, [])
        setattr(method, _MARK, [*marks, (code, header)])
        return method

    return mark


def handles_runs(
    code: RequestCode,
) -> Callable[
    [Callable[[P, Sequence[Request[H]]], Sequence[Answer | Exception]]],
    Callable[[P, Sequence[Request[H]]], Sequence[Answer | Exception]],
]:
    """Mark a method that answers several requests of ``code`` which came together, in order.

    What it gives is an answer for each, or the exception that the request alone would have caused.
    All came over one connection; the ``bytes`` of one answer may hold those of others, which are
    None then.
    The processor must also have a method that ``handles`` the code, for requests that come alone.
    """

    def mark(
        method: Callable[[P, Sequence[Request[H]]], Sequence[Answer | Exception]],
    ) -> Callable[[P, Sequence[Request[H]]], Sequence[Answer | Exception]]:
        setattr(method, _RUN_MARK, code)
        return method

    return mark


def handler_table(processors: Iterable[object]) -> dict[int, Handler]:
    """Gather the marked methods of a role's processors.

    :raises ValueError: two methods claim one code; the start must stop.
    """
    table: dict[int, Handler] = {}
    for processor in processors:
        for attribute in dir(type(processor)):
            method = getattr(type(processor), attribute)
            for code, header in getattr(method, _MARK, ()):
                name = f"{type(processor).__name__}.{attribute}"
                if code in table:
                    raise ValueError(f"{code!r} is answered by {table[code].name} and by {name}")
                bound = cast("Callable[[Any], Answer]", getattr(processor, attribute))
                table[code] = Handler(code, header, bound, name, _run_method(processor, code))
    return table


def _run_method(
    processor: object, code: int
) -> Callable[[Sequence[Any]], Sequence[Answer | Exception]] | None:
    """The method of a processor that is marked to answer runs of ``code``, if there is one."""
    for attribute in dir(type(processor)):
        if getattr(getattr(type(processor), attribute), _RUN_MARK, None) == code:
            return cast(
                "Callable[[Sequence[Any]], Sequence[Answer | Exception]]",
                getattr(processor, attribute),
            )
    return None


def without(table: HandlerTable, codes: Iterable[int]) -> dict[int, Handler]:
    """A table less some codes: the broker's fast port answers fewer."""
    left_out = set(codes)
    return {code: handler for code, handler in table.items() if code not in left_out}


__all__ = [
    "Answer",
    "Deferred",
    "Handler",
    "HandlerTable",
    "Request",
    "Response",
    "handler_table",
    "handles",
    "handles_runs",
    "without",
]
