"""Telling every NameServer about this broker: on start, on change, every 30 s, and goodbye.

Name servers are peers that do not talk; each is served by itself. For each, at most one
registration is under way; what changes meanwhile is told by the next, which begins when that one
is answered. After a failure the next registration is a full one: a NameServer that missed a change
and then saw a newer version would else never ask for it.

A change is told with the changed topics only, all of one reactor turn together.
Source: BrokerController.java, registerBrokerAll(), registerIncrementBrokerData();
BrokerOuterAPI.java, 5.3.3.
"""

import logging
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import batched
from typing import Protocol, TypeAlias

from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.python.failure import Failure

from codec.bodies import decode_body, encode_body
from codec.bodies.data_version import DataVersion
from codec.bodies.namesrv import KVTable
from codec.bodies.register import RegisterBrokerBody, encode_register_body
from codec.bodies.route import QueueData, TopicRouteData
from codec.bodies.topics import TopicConfig, TopicConfigAndMappingSerializeWrapper
from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.errors import CodecError
from codec.headers.fields import RequestHeader, decode_header, ext_fields_of
from codec.headers.namesrv import (
    BrokerHeartbeatRequestHeader,
    QueryDataVersionRequestHeader,
    QueryDataVersionResponseHeader,
    RegisterBrokerRequestHeader,
    RegisterBrokerResponseHeader,
    RegisterTopicRequestHeader,
    UnRegisterBrokerRequestHeader,
)
from rmq.base.errors import CallError
from rmq.base.periodic import Periodic
from rmq.base.ports import Clock
from rmq.conf.broker import BrokerConfig
from rmq.remoting.calls import Caller

logger = logging.getLogger(__name__)

FIRST_PERIOD_MS = 10_000
"""From the start to the second registration."""

PERIOD_MS_MIN = 10_000
PERIOD_MS_MAX = 60_000
"""Bounds of ``registerNameServerPeriod``."""

UNREGISTER_TIMEOUT_MS = 3_000
SINGLE_TOPIC_TIMEOUT_MS = 3_000
FIRST_HEARTBEAT_MS = 1_000

Answered: TypeAlias = Callable[[RegisterBrokerResponseHeader, Sequence[str]], None]
"""Told what a NameServer answered: the master's addresses, and which topics are ordered."""


class RegisteredTopics(Protocol):
    """What is registered: the broker's topics."""

    @property
    def table(self) -> Mapping[str, TopicConfig]:
        """All topics by name."""
        ...

    @property
    def data_version(self) -> DataVersion:
        """The version of the table."""
        ...

    def registration(
        self, topics: Iterable[TopicConfig] | None = None
    ) -> TopicConfigAndMappingSerializeWrapper:
        """All or some topics as a NameServer is told them."""
        ...

    def next_version(self) -> None:
        """Have the next registration look like a change."""
        ...


class _NameServer:
    """One NameServer: what it still has to be told."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.is_busy = False
        self.wants_all = True
        self.changed: dict[str, TopicConfig] = {}


class Registration:
    """Keeps all NameServers informed about this broker."""

    def __init__(
        self,
        config: BrokerConfig,
        clock: Clock,
        caller: Caller,
        topics: RegisteredTopics,
        *,
        address: str,
        ha_address: str,
        answered: Answered | None = None,
    ) -> None:
        """``address``, ``ha_address``: host:port that clients, and slaves, are told to go to."""
        self.config = config
        self._clock = clock
        self._caller = caller
        self._topics = topics
        self._address = address
        self._ha_address = ha_address
        self._answered = answered
        self._servers: dict[str, _NameServer] = {}
        self._changed: dict[str, TopicConfig] = {}
        self._running = False
        period_ms = max(PERIOD_MS_MIN, min(config.registerNameServerPeriod, PERIOD_MS_MAX))
        self._rounds = Periodic(clock, period_ms, self.register_all, first_ms=FIRST_PERIOD_MS)
        self._heartbeats = Periodic(
            clock, config.brokerHeartbeatInterval, self._heartbeat, first_ms=FIRST_HEARTBEAT_MS
        )

    @property
    def name_servers(self) -> list[str]:
        """The addresses of those that are told."""
        return list(self._servers)

    def set_name_servers(self, addresses: Iterable[str]) -> None:
        """Have these told from now on; new ones at once if the broker is registered."""
        wanted = list(dict.fromkeys(addresses))
        new = [address for address in wanted if address not in self._servers]
        self._servers = {
            address: self._servers.get(address) or _NameServer(address) for address in wanted
        }
        if self._running:
            for address in new:
                self._serve(self._servers[address])

    def start(self) -> Deferred[int]:
        """Register, then again and again; fires when each NameServer has answered or failed.

        The result counts those that accepted. Nobody need wait for it.
        """
        self._running = True
        self._rounds.start()
        if self.config.enableSlaveActingMaster:
            self._heartbeats.start()
        return self.register_all(force=True)

    def stop(self) -> Deferred[None]:
        """Register no more, say goodbye to all; fires when each has answered or failed (3 s)."""
        was_running, self._running = self._running, False
        self._rounds.stop()
        self._heartbeats.stop()
        if not was_running:
            return succeed(None)
        header = UnRegisterBrokerRequestHeader(
            cluster_name=self.config.brokerClusterName,
            broker_addr=self._address,
            broker_name=self.config.brokerName,
            broker_id=self.config.brokerId,
        )
        goodbyes = [
            self._call(address, RequestCode.UNREGISTER_BROKER, header, b"", UNREGISTER_TIMEOUT_MS)
            for address in self._servers
        ]
        done: Deferred[None] = gatherResults(
            [goodbye.addErrback(self._failed, "unregister") for goodbye in goodbyes]
        ).addCallback(lambda _: None)
        return done

    def register_all(self, *, force: bool | None = None) -> Deferred[int]:
        """Tell all NameServers everything; how many accepted, when each has answered or failed.

        Without ``force`` (default: ``forceRegister``) those whose version is ours are spared.
        """
        forced = self.config.forceRegister if force is None else force
        ...
