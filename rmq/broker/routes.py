"""Where the queues of a topic are, on all brokers: asked of the NameServers, one by one."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeAlias

from codec.bodies import decode_body
from codec.bodies.message_queue import MessageQueue
from codec.bodies.route import MASTER_ID, TopicRouteData
from codec.bodies.topics import PERM_READ, PERM_WRITE
from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.errors import CodecError
from codec.headers.fields import ext_fields_of
from codec.headers.namesrv import GetRouteInfoRequestHeader
from rmq.base.errors import CallError

logger = logging.getLogger(__name__)

TIMEOUT_MS = 3_000

Call: TypeAlias = Callable[[str, Command, int], Awaitable[Command]]
"""Sends to an address and gives the answer within milliseconds, or fails with ``CallError``."""


class Writable(NamedTuple):
    """A queue that can be written, and the address of its master."""

    queue: MessageQueue
    address: str


class Routes:
    """Asks each time: a client wants it every 20 s. Source: TopicRouteInfoManager.java, 5.3.3."""

    def __init__(self, call: Call, name_servers: Callable[[], Sequence[str]]) -> None:
        """``name_servers``: their addresses as of now."""
        self._call = call
        self._name_servers = name_servers

    async def readable_queues(self, topic: str) -> list[MessageQueue] | None:
        """The queues of a topic that can be read, in order; None if nobody knows the topic."""
        route = await self._route(topic)
        return None if route is None else _readable(topic, route)

    async def writable_queues(self, topic: str) -> list[Writable]:
        """The queues of a topic that a master lets be written; none if nobody knows the topic."""
        route = await self._route(topic)
        return [] if route is None else _writable(topic, route)

    async def _route(self, topic: str) -> TopicRouteData | None:
        header = GetRouteInfoRequestHeader(topic=topic, accept_standard_json_only=True)
        for address in self._name_servers():
            command = Command(
                code=RequestCode.GET_ROUTEINFO_BY_TOPIC, ext_fields=ext_fields_of(header)
            )
            try:
                answer = await self._call(address, command, TIMEOUT_MS)
                if answer.code == ResponseCode.SUCCESS:
                    return decode_body(TopicRouteData, answer.body)
            except (CallError, CodecError) as error:
                logger.warning("event=route_unknown topic=%s cause=%s", topic, error)
        return None


def _readable(topic: str, route: TopicRouteData) -> list[MessageQueue]:
    return [
        MessageQueue(topic=topic, broker_name=data.broker_name, queue_id=queue_id)
        for data in sorted(route.queue_datas, key=lambda data: data.broker_name)
        if data.perm & PERM_READ
        for queue_id in range(data.read_queue_nums)
    ]


def _writable(topic: str, route: TopicRouteData) -> list[Writable]:
    masters = {
        broker.broker_name: broker.broker_addrs[MASTER_ID]
        for broker in route.broker_datas
        if MASTER_ID in broker.broker_addrs
    }
    return [
        Writable(
            MessageQueue(topic=topic, broker_name=data.broker_name, queue_id=queue_id),
            masters[data.broker_name],
        )
        for data in sorted(route.queue_datas, key=lambda data: data.broker_name)
        if data.perm & PERM_WRITE and data.broker_name in masters
        for queue_id in range(data.write_queue_nums)
    ]
