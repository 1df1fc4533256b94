"""Coming on line in a group: nobody is told of this broker before it fits in.

A master has each slave that lives follow it, and takes over what was committed there in its
absence. A slave of a master that lives follows it. What does not work is tried again a second
later, until it works, or the NameServers know of nobody else. One thing is not waited for without
end: a peer that does not connect within ``FOLLOW_WAIT_MS`` may have another log, or no way to us,
and the group needs a master all the same.

On purpose different: Java waits without end, and does not come on line if a slave refuses to tell
one of its tables. Source: BrokerPreOnlineService.java, 5.3.3.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred

from codec.bodies import decode_body
from codec.bodies.data_version import DataVersion
from codec.bodies.offsets import ConsumerOffsetSerializeWrapper, DelayOffsetSerializeWrapper
from codec.codes import RequestCode
from codec.disk.timer_checkpoint import parse_timer_checkpoint
from codec.errors import CodecError
from rmq.base.ports import Clock
from rmq.broker.acting.acting import Acting
from rmq.broker.acting.exchange import Exchange, RefusedError
from rmq.broker.acting.group import Group
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.role import MASTER_ID, RoleHolder
from rmq.broker.rounds import Rounds
from rmq.broker.schedule import Schedule
from rmq.broker.timer_state import TimerState
from rmq.replication.mode import MasterState, SlaveState

logger = logging.getLogger(__name__)

RETRY_MS = 1_000
"""From a step that failed to the next attempt. Source: BrokerPreOnlineService.java, run()."""

FOLLOW_WAIT_MS = 10_000
"""How long a slave may take to connect: it tries every 5 s."""

LOOK_MS = 50
"""How often it is looked whether it has."""


class Connections(Protocol):
    """Who follows whom."""

    @property
    def slaves(self) -> list[SlaveState]:
        """Those that follow us."""
        ...

    @property
    def master(self) -> MasterState | None:
        """Whom we follow."""
        ...


class Committed(NamedTuple):
    """What a slave may know better than the master that comes back."""

    offsets: ConsumerOffsets
    schedule: Schedule
    timer: TimerState


@dataclass(frozen=True, slots=True)
class OwnAddresses:
    """Host:port for requests, and for slaves."""

    address: str
    ha_address: str


class OnLine:
    """Brings a broker on line, once."""

    def __init__(
        self,
        clock: Clock,
        role: RoleHolder,
        group: Group,
        exchange: Exchange,
        acting: Acting,
        connections: Connections,
        committed: Committed,
        own: OwnAddresses,
        end_position: Callable[[], int],
        enter: Callable[[], object],
    ) -> None:
        """``end_position``: where the log ended at the start.

        ``enter`` begins what a master does, and tells the NameServers; it may raise StoreError.
        """
        self._clock = clock
        self._role = role
        self._group = group
        self._exchange = exchange
        self._acting = acting
        self._connections = connections
        self._committed = committed
        self._own = own
        self._end_position = end_position
        self._enter = enter
        self._done: set[int] = set()
        self._rounds = Rounds(clock, RETRY_MS, self._attempt)

    def start(self) -> None:
        """Begin; the ports are open."""
        self._rounds.start()

    def stop(self) -> None:
        """Try no more."""
        self._rounds.stop()

    async def _attempt(self) -> None:
        role = self._role.now
        addresses = await self._group.addresses()
        others = {number: one for number, one in addresses.items() if number != role.broker_id}
        if role.is_master:
            await self._gather(others)
        elif MASTER_ID in others:
            await self._join(others[MASTER_ID])
        if self._rounds.running:
            everybody = others | {role.broker_id: self._own.address}
            smallest = min(everybody)
            self._enter()
            self._rounds.stop()
            self._acting.on_line(smallest, everybody[smallest])
            logger.info("event=on_line smallest_id=%d address=%s", smallest, everybody[smallest])

    async def _gather(self, slaves: Mapping[int, str]) -> None:
        """Have the slaves follow, and learn from them; each once."""
        for broker_id in sorted(slaves):
            if broker_id in self._done:
                continue
            slave = slaves[broker_id]
            await self._exchange.tell_slave(
                slave,
                address=self._own.address,
                ha_address=self._own.ha_address,
                end_position=self._end_position(),
            )
            await self._when(partial(self._is_followed_by, _host(slave)), f"slave {slave}")
            await self._learn(slave)
            self._done.add(broker_id)

    async def _join(self, master: str) -> None:
        """Follow the master."""
        said = await self._exchange.ask_master(master)
        if not said.master_ha_address:
            logger.warning("event=no_ha_address master=%s", master)
            return
        self._acting.cut_at(said.master_flush_offset or 0)
        self._acting.follow(said.master_address or master, said.master_ha_address)
        await self._when(self._is_following, f"master {master}")

    def _is_followed_by(self, host: str) -> bool:
        return any(
            _host(slave.address) == host and slave.position >= 0
            for slave in self._connections.slaves
        )

    def _is_following(self) -> bool:
        master = self._connections.master
        return master is not None and master.is_connected

    async def _when(self, holds: Callable[[], bool], whom: str) -> None:
        """Wait until something holds, or long enough."""
        end_ms = self._clock.monotonic_ms() + FOLLOW_WAIT_MS
        while not holds() and self._rounds.running:
            if self._clock.monotonic_ms() >= end_ms:
                logger.warning("event=not_connected whom=%s: coming on line without it", whom)
                return
            pause: Deferred[None] = Deferred()
            self._clock.call_later(LOOK_MS, partial(pause.callback, None))
            await pause

    async def _learn(self, slave: str) -> None:
        """Take over what a slave has committed, if it is as new as ours or newer."""
        offsets, schedule, timer = self._committed
        for code, take in (
            (RequestCode.GET_ALL_DELAY_OFFSET, partial(_take_delays, schedule)),
            (RequestCode.GET_ALL_CONSUMER_OFFSET, partial(_take_offsets, offsets)),
            (RequestCode.GET_TIMER_CHECK_POINT, partial(_take_timer, timer)),
        ):
            try:
                answer = await self._exchange.call(slave, code)
                if self._rounds.running and answer.body:
                    take(answer.body)
            except (RefusedError, CodecError) as error:
                logger.warning("event=not_learnt slave=%s cause=%s", slave, error)


def _take_delays(schedule: Schedule, body: bytes) -> None:
    theirs = decode_body(DelayOffsetSerializeWrapper, body)
    if _is_new(schedule.wrapper().data_version, theirs.data_version):
        schedule.adopt(theirs)


def _take_offsets(offsets: ConsumerOffsets, body: bytes) -> None:
    theirs = decode_body(ConsumerOffsetSerializeWrapper, body)
    if _is_new(offsets.data_version, theirs.data_version):
        offsets.adopt(theirs)


def _take_timer(timer: TimerState, body: bytes) -> None:
    theirs = parse_timer_checkpoint(body)
    if _is_new(timer.checkpoint.data_version, theirs.data_version):
        timer.adopt_checkpoint(theirs)
        timer.persist()


def _is_new(ours: DataVersion | None, theirs: DataVersion | None) -> bool:
    """Whether theirs is not older than ours.

    Of as many changes theirs are the later ones: a slave goes on when its master is gone. Java
    compares times then, and a master whose table was never saved takes its own for newer.
    Source: DataVersion.java, compare(), 5.3.3.
    """
    return theirs is not None and (ours is None or _rank(ours) <= _rank(theirs))


def _rank(version: DataVersion) -> tuple[int, int]:
    return version.state_version, version.counter


def _host(address: str) -> str:
    return address.rpartition(":")[0]
