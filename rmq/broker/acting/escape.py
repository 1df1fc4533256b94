"""Sending away what an acting master cannot put: to the master of another broker name.

A message goes to a queue of its own topic, one after the other in turn; a topic that no other
master has does not escape. It is sent as any producer would send it, and does not wait there for
disk or slaves (WAIT=false), so whoever stored it says so. Routes are asked for again after
``ROUTE_LIFE_MS``, and after each failure.

What goes is ready to be consumed: the wish to be delayed is taken out, for it came true. A half
message goes as the producer sent it, so that the other broker makes a half message of it, and asks
the producer in the end. Source: EscapeBridge.java, putMessage(), putMessageToRemoteBroker();
TransactionalMessageUtil.java, buildTransactionalMessageFromHalfMessage(), 5.3.3.
"""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.headers.fields import ext_fields_of
from codec.headers.send import SendMessageRequestHeaderV2
from codec.message import properties as props
from codec.message.sysflag import (
    BORN_HOST_V6,
    STORE_HOST_V6,
    TRANSACTION_PREPARED,
    with_transaction_type,
)
from rmq.base.errors import CallError
from rmq.base.ports import Clock
from rmq.broker import names
from rmq.broker.delaying import TIMER_PROPERTIES
from rmq.broker.routes import Writable
from rmq.remoting.calls import Caller
from rmq.store.messages import PutMessage

logger = logging.getLogger(__name__)

TIMEOUT_MS = 3_000
"""Source: EscapeBridge.java, SEND_TIMEOUT, 5.3.3."""

ROUTE_LIFE_MS = 30_000
"""How long a route is believed. Source: ClientConfig.java, pollNameServerInterval, 5.3.3."""

ROUTES_MAX = 1_000
"""Routes remembered at once."""

DEFAULT_QUEUES = 8
"""Queues of a topic that the other broker makes. Source: BrokerOuterAPI.java, 5.3.3."""

STORED = (
    ResponseCode.SUCCESS,
    ResponseCode.FLUSH_DISK_TIMEOUT,
    ResponseCode.FLUSH_SLAVE_TIMEOUT,
    ResponseCode.SLAVE_NOT_AVAILABLE,
)
"""Answers of a broker that has the message."""


class WritableQueues(Protocol):
    """Where a topic can be written; ``rmq.broker.routes.Routes`` is one."""

    def writable_queues(self, topic: str) -> Awaitable[list[Writable]]:
        """All queues of masters, in order; none if nobody knows the topic."""
        ...


class Route(NamedTuple):
    """Where a topic goes, until a time of the monotonic clock."""

    queues: list[Writable]
    until_ms: int


class Escape:
    """Sends away; see the module."""

    def __init__(
        self,
        clock: Clock,
        caller: Caller,
        routes: WritableQueues,
        broker_name: str,
        broker_id: Callable[[], int],
        *,
        is_enabled: bool,
    ) -> None:
        """``is_enabled`` is enableRemoteEscape; without it nothing goes."""
        self._clock = clock
        self._caller = caller
        self._routes = routes
        self._broker_name = broker_name
        self._broker_id = broker_id
        self._is_enabled = is_enabled
        self._known: OrderedDict[str, Route] = OrderedDict()
        self._turn = 0
        self._last_cause = ""

    async def put(self, message: PutMessage) -> bool:
        """Have another master store a message; whether one has."""
        if not self._is_enabled:
            return False
        message, properties = _as_sent(message)
        queues = await self._queues(message.topic)
        if not queues:
            self._log(message.topic, "no other master has it")
            return False
        queue, address = queues[self._turn % len(queues)]
        self._turn += 1
        try:
            answer = await self._caller.call(
                address, self._command(message, properties, queue.queue_id), TIMEOUT_MS
            )
        except CallError as error:
            cause = str(error)
        else:
            if answer.code in STORED:
                self._last_cause = ""
                return True
            cause = f"refused with {answer.code}: {answer.remark}"
        self._known.pop(message.topic, None)
        self._log(message.topic, f"{address}: {cause}")
        return False

    def _log(self, topic: str, cause: str) -> None:
        """As a warning, unless the same was said last."""
        level = logging.DEBUG if cause == self._last_cause else logging.WARNING
        self._last_cause = cause
        logger.log(level, "event=not_escaped topic=%s cause=%s", topic, cause)

    async def _queues(self, topic: str) -> list[Writable]:
        route = self._known.get(topic)
        if route is not None and self._clock.monotonic_ms() < route.until_ms:
            return route.queues
        queues = [
            one
            for one in await self._routes.writable_queues(topic)
            if one.queue.broker_name != self._broker_name
        ]
        self._known.pop(topic, None)
        if queues:
            self._known[topic] = Route(queues, self._clock.monotonic_ms() + ROUTE_LIFE_MS)
            if len(self._known) > ROUTES_MAX:
                self._known.popitem(last=False)
        return queues

    def _command(self, message: PutMessage, properties: dict[str, str], queue_id: int) -> Command:
        group = properties.get("PGROUP")
        header = SendMessageRequestHeaderV2(
            producer_group=group or f"InnerProducerGroup_{self._broker_name}_{self._broker_id()}",
            topic=message.topic,
            default_topic=names.DEFAULT_TOPIC,
            default_topic_queue_nums=DEFAULT_QUEUES,
            queue_id=queue_id,
            sys_flag=message.sys_flag,
            born_timestamp=message.born_timestamp,
            flag=message.flag,
            properties=props.build(properties).decode(errors="replace"),
            reconsume_times=message.reconsume_times,
            batch=False,
        )
        return Command(
            code=RequestCode.SEND_MESSAGE_V2, ext_fields=ext_fields_of(header), body=message.body
        )


def _as_sent(message: PutMessage) -> tuple[PutMessage, dict[str, str]]:
    """A message as a producer would send it now, with its properties."""
    properties = props.parse(message.properties)
    for name in ("DELAY", *TIMER_PROPERTIES):
        properties.pop(name, None)
    properties["WAIT"] = "false"
    topic, sys_flag = message.topic, message.sys_flag & ~(BORN_HOST_V6 | STORE_HOST_V6)
    if topic == names.HALF_TOPIC:
        topic = properties.get("REAL_TOPIC", topic)
        properties["TRAN_MSG"] = "true"
        for name in ("TRAN_PREPARED_QUEUE_OFFSET", "REAL_QID"):
            properties.pop(name, None)
        sys_flag = with_transaction_type(sys_flag, TRANSACTION_PREPARED)
    sent = PutMessage(
        topic,
        message.queue_id,
        message.body,
        b"",
        message.flag,
        sys_flag,
        message.born_timestamp,
        message.born_host,
        message.reconsume_times,
    )
    return sent, properties
