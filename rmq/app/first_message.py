"""A first message, through real sockets: what a client does, seen from close by.

It asks the NameServer for the route of a topic, sends to the broker that the route names, pulls
the message back, and tells what happened. ``rmq dev --first-message`` shows it.
"""

import sys
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, inlineCallbacks

from codec.bodies import decode_body
from codec.bodies.route import TopicRouteData
from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.headers.fields import RequestHeader, decode_header, ext_fields_of
from codec.headers.namesrv import GetRouteInfoRequestHeader
from codec.headers.pull import PullMessageRequestHeader
from codec.headers.send import SendMessageRequestHeaderV2, SendMessageResponseHeader
from codec.message.record import Record, parse_record
from rmq.base.errors import CallError
from rmq.base.ports import Clock
from rmq.net.client import RemotingClient
from rmq.net.twisted_ports import Reactor

if TYPE_CHECKING:
    from rich.console import Console

TOPIC = "FirstTopic"
GROUP = "first_group"
BODY = b"Hello, RocketMQ"
TIMEOUT_MS = 3_000
ROUTE_TRIES_MAX = 50
ROUTE_WAIT_MS = 50
SUBSCRIPTION_INCLUDED = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """What happened to the message."""

    namesrv: str
    broker: str
    message_id: str
    queue_id: int
    queue_offset: int
    body: str
    sent_ms: int
    received_ms: int


class FirstMessage:
    """Sends one message and receives it."""

    def __init__(self, reactor: Reactor, clock: Clock, namesrv: str) -> None:
        """``namesrv`` is ``host:port``."""
        self._clock = clock
        self._namesrv = namesrv
        self._client = RemotingClient(reactor, clock)

    @inlineCallbacks
    def send_and_receive(self) -> Generator[Deferred[Any], Any, Seen]:
        """Do it; fails with ``CallError`` and the reason."""
        try:
            broker = yield self._route()
            begun_ms = self._clock.monotonic_ms()
            answer = yield self._ask(broker, RequestCode.SEND_MESSAGE_V2, self._sent(), BODY)
            sent = decode_header(SendMessageResponseHeader, answer.ext_fields)
            sent_ms = self._clock.monotonic_ms()
            pulled = yield self._ask(
                broker, RequestCode.PULL_MESSAGE, _pulled(sent.queue_id, sent.queue_offset)
            )
            record = parse_record(pulled.body, 0, len(pulled.body))
            assert isinstance(record, Record), "a pull gives records only"
            if record.body != BODY:
                raise CallError(f"{BODY!r} was sent, but {bytes(record.body)!r} came back")
            return Seen(
                self._namesrv,
                broker,
                sent.msg_id,
                sent.queue_id,
                sent.queue_offset,
                record.body.decode(errors="replace"),
                sent_ms - begun_ms,
                self._clock.monotonic_ms() - sent_ms,
            )
        finally:
            self._client.stop()

    @inlineCallbacks
    def _route(self) -> Generator[Deferred[Any], Any, str]:
        """The broker's address; the default topic's route is there once the broker registered."""
        for _ in range(ROUTE_TRIES_MAX):
            header = GetRouteInfoRequestHeader(topic="TBW102", accept_standard_json_only=True)
            answer = yield self._call(
                self._namesrv, RequestCode.GET_ROUTEINFO_BY_TOPIC, header, b""
            )
            if answer.code == ResponseCode.SUCCESS:
                route = decode_body(TopicRouteData, answer.body)
                return route.broker_datas[0].broker_addrs[0]
            pause: Deferred[None] = Deferred()
            self._clock.call_later(ROUTE_WAIT_MS, partial(pause.callback, None))
            yield pause
        raise CallError(f"no broker registered at {self._namesrv}")

    @inlineCallbacks
    def _ask(
        self, address: str, code: RequestCode, header: RequestHeader, body: bytes = b""
    ) -> Generator[Deferred[Any], Any, Command]:
        answer: Command = yield self._call(address, code, header, body)
        if answer.code != ResponseCode.SUCCESS:
            raise CallError(f"{address} refused {code.name}: {answer.code} {answer.remark}")
        return answer

    def _call(
        self, address: str, code: RequestCode, header: RequestHeader, body: bytes
    ) -> Deferred[Command]:
        command = Command(code=code, ext_fields=ext_fields_of(header), body=body)
        return self._client.call(address, command, TIMEOUT_MS)

    def _sent(self) -> SendMessageRequestHeaderV2:
        return SendMessageRequestHeaderV2(
            producer_group=GROUP,
            topic=TOPIC,
            default_topic="TBW102",
            default_topic_queue_nums=4,
            queue_id=0,
            sys_flag=0,
            born_timestamp=self._clock.wall_ms(),
            flag=0,
            properties="KEYS\x01first\x02TAGS\x01hello\x02",
        )


def _pulled(queue_id: int, offset: int) -> PullMessageRequestHeader:
    return PullMessageRequestHeader(
        consumer_group=GROUP,
        topic=TOPIC,
        queue_id=queue_id,
        queue_offset=offset,
        max_msg_nums=1,
        sys_flag=SUBSCRIPTION_INCLUDED,
        commit_offset=0,
        suspend_timeout_millis=0,
        subscription="*",
        sub_version=0,
        expression_type="TAG",
    )


def tell(seen: Seen, *, kept_in: str, stays: bool, console: "Console | None" = None) -> None:
    """Show what happened and what to point a client at; ``stays``: the server goes on."""
    from rich.console import Console  # noqa: PLC0415 - only for people, and slow to import
    from rich.panel import Panel  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = console or Console(file=sys.stdout)
    steps = Table.grid(padding=(0, 2))
    steps.add_column(style="cyan")
    steps.add_row("asked", f"NameServer {seen.namesrv}", "")
    steps.add_row("sent", f"{TOPIC}, queue {seen.queue_id} of {seen.broker}", _time(seen.sent_ms))
    steps.add_row("", f"id {seen.message_id}, offset {seen.queue_offset}", "")
    steps.add_row("received", Text(seen.body, style="bold green"), _time(seen.received_ms))
    steps.add_row("kept in", Text(kept_in), "")
    console.print(
        Panel(steps, title="a message went through", border_style="green", expand=False),
        highlight=False,
    )
    console.print(
        f"Point any RocketMQ client at [bold]{seen.namesrv}[/bold], in Java:\n"
        f'  producer.setNamesrvAddr("[bold]{seen.namesrv}[/bold]");',
        highlight=False,
        soft_wrap=True,
    )
    console.print("Ctrl-C stops the server." if stays else "That was all: the server stops now.")


def _time(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds else "under 1 ms"
