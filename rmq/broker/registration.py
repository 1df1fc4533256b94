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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeAlias

from twisted.internet.defer import Deferred, ensureDeferred, gatherResults, succeed

from codec.bodies import decode_body, encode_body
from codec.bodies.data_version import DataVersion
from codec.bodies.kv import KVTable
from codec.bodies.register import RegisterBrokerBody, encode_register_body, register_crc
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
from rmq.broker.role import RoleHolder
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


@dataclass(slots=True)
class _NameServer:
    """One NameServer: what it still has to be told, and whether it is being told something."""

    address: str
    is_busy: bool = False
    wants_all: bool = True
    changed: dict[str, TopicConfig] = field(default_factory=dict)
    waiting: list[Callable[[], None]] = field(default_factory=list)
    """Called once, when it is told nothing any more."""


class Registration:
    """Keeps all NameServers informed about this broker."""

    def __init__(
        self,
        config: BrokerConfig,
        clock: Clock,
        caller: Caller,
        topics: RegisteredTopics,
        *,
        role: RoleHolder,
        address: str,
        ha_address: str,
        answered: Answered | None = None,
    ) -> None:
        """``address``, ``ha_address``: host:port that clients, and slaves, are told to go to.

        ``config`` may be replaced while running: assign the attribute. Periods stay as they were.
        ``role`` says under which brokerId; after a change ``register_all`` must be called.
        """
        self.config = config
        self._clock = clock
        self._caller = caller
        self._topics = topics
        self._role = role
        self._address = address
        self._ha_address = ha_address
        self._answered = answered
        self.before: Callable[[], None] = lambda: None
        """Called before anything is told: who slept for long may not be what it was."""
        self._servers: dict[str, _NameServer] = {}
        self._changed: dict[str, TopicConfig] = {}
        self._is_running = False
        period_ms = max(PERIOD_MS_MIN, min(config.registerNameServerPeriod, PERIOD_MS_MAX))
        self._rounds = Periodic(clock, period_ms, self._round, first_ms=FIRST_PERIOD_MS)
        self._heartbeats = Periodic(
            clock, config.brokerHeartbeatInterval, self._heartbeat, first_ms=FIRST_HEARTBEAT_MS
        )

    @property
    def name_servers(self) -> list[str]:
        """The addresses of those that are told."""
        return list(self._servers)

    def set_name_servers(self, addresses: Iterable[str]) -> None:
        """Have these told from now on; new ones at once if the broker is registered."""
        before = self._servers
        self._servers = {
            address: before.get(address) or _NameServer(address) for address in addresses
        }
        if self._is_running:
            for address, server in self._servers.items():
                if address not in before:
                    self._serve(server)

    def start(self) -> Deferred[int]:
        """Register, then again and again; fires when each NameServer has answered or failed.

        The result counts those that accepted. Nobody need wait for it.
        """
        self._is_running = True
        self._rounds.start()
        if self.config.enableSlaveActingMaster:
            self._heartbeats.start()
        return self.register_all()

    def stop(self) -> Deferred[None]:
        """Register no more, say goodbye to all; fires when each has answered or failed (3 s)."""
        self._rounds.stop()
        self._heartbeats.stop()
        if not self._is_running:
            return succeed(None)
        self._is_running = False
        goodbyes = [ensureDeferred(self._unregister(address)) for address in self._servers]
        done: Deferred[None] = gatherResults(goodbyes).addCallback(lambda _: None)
        return done

    def register_all(self) -> Deferred[int]:
        """Tell all NameServers everything; how many accepted, when each has answered or failed.

        One that is being told something is told everything after that, and counts as failed.
        """
        served = []
        for server in self._servers.values():
            server.wants_all = True
            served.append(self._serve(server))
        counted: Deferred[int] = gatherResults(served).addCallback(sum)
        return counted

    def topics_changed(self, topics: Sequence[TopicConfig]) -> None:
        """Tell all NameServers of new or changed topics, those of one reactor turn together."""
        if not self._is_running:
            return
        if not self._changed:
            self._clock.call_later(0, self._tell_changes)
        for topic in topics:
            self._changed[topic.topic_name] = topic

    def when_told(self, limit_ms: int) -> Deferred[None]:
        """Fires when each NameServer knows all changes up to now, or failed; after ``limit_ms``
        in any case.
        """
        told: Deferred[None] = Deferred()
        left = set(self._servers) if self._is_running else set()

        def fire() -> None:
            timer.cancel()
            if not told.called:
                told.callback(None)

        def done(address: str) -> None:
            left.discard(address)
            if not left:
                fire()

        def look() -> None:
            for address in list(left):
                server = self._servers.get(address)
                if server is not None and server.is_busy:
                    server.waiting.append(partial(done, address))
                else:
                    done(address)

        timer = self._clock.call_later(limit_ms, fire)
        if left:
            self._clock.call_later(0, look)  # after those who tell the changes of this turn
        else:
            fire()
        return told

    def _tell_changes(self) -> None:
        changed, self._changed = self._changed, {}
        for server in self._servers.values():
            server.changed.update(changed)
            self._serve(server)

    def _round(self) -> None:
        """What happens every period: all again, or only where it is needed."""
        if self.config.forceRegister:
            self.register_all()
            return
        for server in self._servers.values():
            self._serve(server, ask_first=True)

    def _serve(self, server: _NameServer, *, ask_first: bool = False) -> Deferred[bool]:
        """Tell one NameServer what it has to be told; whether it accepted."""
        if server.is_busy or not self._is_running:
            return succeed(False)
        server.is_busy = True
        return ensureDeferred(self._tell(server, ask_first=ask_first))

    async def _tell(self, server: _NameServer, *, ask_first: bool) -> bool:
        try:
            if ask_first and not server.wants_all and not server.changed:
                server.wants_all = await self._is_behind(server.address)
            while self._is_running and (server.wants_all or server.changed):
                told_all, changed = server.wants_all, server.changed
                server.wants_all, server.changed = False, {}
                await self._register(server.address, None if told_all else changed.values())
        except (CallError, CodecError) as error:
            server.wants_all = True
            logger.warning("event=register_failed namesrv=%s cause=%s", server.address, error)
            return False
        finally:
            server.is_busy = False
            waiting, server.waiting = server.waiting, []
            for call in waiting:
                call()
        return True

    async def _register(self, address: str, topics: Iterable[TopicConfig] | None) -> None:
        """Tell some topics (None: all), in as many requests as it takes.

        :raises CallError: refused, or no answer in time.
        :raises CodecError: the answer is broken.
        """
        if topics is not None and self.config.enableSingleTopicRegister:
            for topic in topics:
                await self._register_single(address, topic)
            return
        for part in self._parts(topics):
            body = RegisterBrokerBody(topic_config_serialize_wrapper=part)
            await self._register_part(address, body)
        logger.debug("event=registered namesrv=%s", address)

    def _parts(
        self, topics: Iterable[TopicConfig] | None
    ) -> Iterator[TopicConfigAndMappingSerializeWrapper]:
        """All topics in one, unless split: each part is then of a version of its own.

        Source: BrokerController.java, registerBrokerAll(), 5.3.3.
        """
        if topics is not None or not self.config.enableSplitRegistration:
            yield self._topics.registration(topics)
            return
        everything = list(self._topics.table.values())
        size = self.config.splitRegistrationSize
        for start in range(0, len(everything), size):
            yield self._topics.registration(everything[start : start + size])
            self._topics.next_version()

    async def _register_part(self, address: str, registered: RegisterBrokerBody) -> None:
        config = self.config
        self.before()
        compressed = config.compressedRegister
        body = encode_register_body(registered, compressed=compressed)
        acting = config.enableSlaveActingMaster
        header = RegisterBrokerRequestHeader(
            broker_name=config.brokerName,
            broker_addr=self._address,
            cluster_name=config.brokerClusterName,
            ha_server_addr=self._ha_address,
            broker_id=self._role.now.broker_id,
            heartbeat_timeout_millis=config.brokerNotActiveTimeoutMillis if acting else None,
            enable_acting_master=acting,
            compressed=compressed,
            body_crc32=register_crc(body),
        )
        answer = await self._ask(
            address, RequestCode.REGISTER_BROKER, header, body, config.registerBrokerTimeoutMills
        )
        if self._answered is not None:
            ordered = decode_body(KVTable, answer.body).table if answer.body else {}
            addresses = decode_header(RegisterBrokerResponseHeader, answer.ext_fields)
            self._answered(addresses, list(ordered))

    async def _register_single(self, address: str, topic: TopicConfig) -> None:
        """Tell one topic alone, as a route.

        Source: BrokerOuterAPI.java, registerSingleTopicAll(), 5.3.3.
        """
        told = self._topics.registration([topic]).topic_config_table[topic.topic_name]
        queues = QueueData(
            broker_name=self.config.brokerName,
            perm=told.perm,
            read_queue_nums=told.read_queue_nums,
            write_queue_nums=told.write_queue_nums,
            topic_sys_flag=told.topic_sys_flag,
        )
        await self._ask(
            address,
            RequestCode.REGISTER_TOPIC_IN_NAMESRV,
            RegisterTopicRequestHeader(topic=topic.topic_name),
            encode_body(TopicRouteData(queue_datas=[queues])),
            SINGLE_TOPIC_TIMEOUT_MS,
        )

    async def _is_behind(self, address: str) -> bool:
        """Whether a NameServer has another version than ours. Source: needRegister()."""
        ours = self._topics.data_version
        answer = await self._ask(
            address,
            RequestCode.QUERY_DATA_VERSION,
            self._query_header(),
            encode_body(ours),
            self.config.registerBrokerTimeoutMills,
        )
        header = decode_header(QueryDataVersionResponseHeader, answer.ext_fields)
        if header.changed or not answer.body:
            return header.changed
        return decode_body(DataVersion, answer.body) != ours

    async def _unregister(self, address: str) -> None:
        header = UnRegisterBrokerRequestHeader(
            cluster_name=self.config.brokerClusterName,
            broker_addr=self._address,
            broker_name=self.config.brokerName,
            broker_id=self._role.now.broker_id,
        )
        try:
            await self._ask(
                address, RequestCode.UNREGISTER_BROKER, header, b"", UNREGISTER_TIMEOUT_MS
            )
        except CallError as error:
            logger.warning("event=unregister_failed namesrv=%s cause=%s", address, error)

    def _heartbeat(self) -> None:
        """Say that this broker lives; old NameServers take a version query for it.

        Source: BrokerController.java, sendHeartbeat(), 5.3.3.
        """
        for address in self._servers:
            self._caller.send(address, self._heartbeat_command())

    def _heartbeat_command(self) -> Command:
        if self.config.compatibleWithOldNameSrv:
            body = encode_body(self._topics.data_version)
            return _command(RequestCode.QUERY_DATA_VERSION, self._query_header(), body)
        header = BrokerHeartbeatRequestHeader(
            cluster_name=self.config.brokerClusterName,
            broker_addr=self._address,
            broker_name=self.config.brokerName,
        )
        return _command(RequestCode.BROKER_HEARTBEAT, header, b"")

    def _query_header(self) -> QueryDataVersionRequestHeader:
        return QueryDataVersionRequestHeader(
            broker_name=self.config.brokerName,
            broker_addr=self._address,
            cluster_name=self.config.brokerClusterName,
            broker_id=self._role.now.broker_id,
        )

    async def _ask(
        self, address: str, code: RequestCode, header: RequestHeader, body: bytes, timeout_ms: int
    ) -> Command:
        """Call a NameServer and have its answer.

        :raises CallError: refused, or no answer in time.
        """
        answer = await self._caller.call(address, _command(code, header, body), timeout_ms)
        if answer.code != ResponseCode.SUCCESS:
            raise CallError(f"{code.name} refused with {answer.code}: {answer.remark}")
        return answer


def _command(code: RequestCode, header: RequestHeader, body: bytes) -> Command:
    return Command(code=code, ext_fields=ext_fields_of(header), body=body)
