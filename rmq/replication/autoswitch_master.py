"""The master's side of AutoSwitch replication: slaves are known by their ids, and counted.

A slave's connection is *new* until its greeting, which is answered with our epochs; then the first
report says where both logs are the same, and it is served from there. ``rmq.replication.serving``
has the rules of reports and chunks, more of them:

- who greets is another broker than we are, and greets before it reports; of two
  connections of one broker the newer counts. Java greets again while it waits for the answer: that
  is overlooked until the first report;
- a chunk is of one epoch. Who asks for what is older than all epochs gets heartbeats only;
- ``caught up``: when a slave has all that there was at a mark, it was caught up at the time of the
  mark, and the next mark is now. So one that is always a little behind is never late.

A master that comes back in an epoch of its own may have lost the end of its log with the machine,
and a slave may have that. So it tells each slave, the first time, that its log ends where it did
when it came back: what the slave has beyond is cut off there, and may be different here.

What is *confirmed* is told with each chunk, and nobody reads beyond it: see
``rmq.replication.sync_state``. While we are alone in the SyncStateSet, or senders are not promised
the whole set (allAckInSyncStateSet), that is all that we have: *open*, with dispatch in the put.

Source: AutoSwitchHAService.java, AutoSwitchHAConnection.java, 5.3.3. On purpose different: Java's
last chunk of an epoch carries the next one's number; and Java's master that comes back in its epoch
forgets where that began, so that slaves begin it anew, or find nothing common.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from codec.errors import CodecError
from codec.ha.autoswitch import (
    GREETING_SIZE,
    HANDSHAKE,
    REPORT_SIZE,
    STATE_SIZE,
    ChunkHeader,
    Greeting,
    pack_chunk_header,
    pack_epochs,
    parse_greeting,
    parse_report,
    parse_state,
)
from rmq.base.errors import StoreError
from rmq.base.periodic import Periodic
from rmq.base.ports import Clock
from rmq.replication.epochs import Epochs
from rmq.replication.mode import Wire
from rmq.replication.serving import HaSettings, Log, Served, Serving
from rmq.replication.sync_state import SyncState

log = logging.getLogger(__name__)

LEVEL_MS = 500
"""Who had all so short a time ago has nearly all."""

Proposal: TypeAlias = Callable[[frozenset[int]], None]
"""Told which SyncStateSet to propose to the Controllers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoSwitchSettings:
    """How brokers under Controllers replicate. The comments name RocketMQ's own keys."""

    ha: HaSettings = field(default_factory=HaSettings)
    all_ack: bool = False  # allAckInSyncStateSet
    late_ms: int = 15_000  # haMaxTimeSlaveNotCatchup
    check_ms: int = 5_000  # checkSyncStateSetPeriod
    from_last_file: bool = False  # syncFromLastFile
    is_learner: bool = False  # asyncLearner


class ConfirmedLog(Log, Protocol):
    """A store that lets nobody read what is not confirmed."""

    confirmed_position: int
    """Kept: all below is in the logs of the whole SyncStateSet."""

    def limit_dispatch(self, position: int | None) -> None:
        """Let nobody read beyond; None: no limit. Then ask for ``dispatch``.

        :raises StoreError: None, and the disk failed.
        """
        ...

    def dispatch(self) -> int:
        """Let all be read up to the limit.

        :raises StoreError: the disk failed.
        """
        ...


class SwitchingSlave(Served):
    """One connection of a slave that speaks the AutoSwitch way; a ``Standing``."""

    __slots__ = (
        "_caught_up_ms",
        "_confirmed_told",
        "_greeting",
        "_mark",
        "_mark_ms",
        "_master",
        "has_caught_up",
        "may_join",
    )

    def __init__(self, master: "AutoSwitchMaster", wire: Wire, address: str, now_ms: int) -> None:
        super().__init__(master, wire, address, now_ms)
        self._master = master
        self._greeting: Greeting | None = None
        self._caught_up_ms = self._mark_ms = now_ms
        self._mark = 0
        self._confirmed_told = -1
        self.has_caught_up = False
        self.may_join = False

    @property
    def broker_id(self) -> int | None:
        """Who it is; None before it has greeted."""
        return None if self._greeting is None else self._greeting.broker_id

    @property
    def is_learner(self) -> bool:
        """Whether it never counts."""
        return self._greeting is not None and self._greeting.is_learner

    @property
    def has_reported(self) -> bool:
        """Whether it has said how far it is."""
        return self.position >= 0

    @property
    def caught_up_ms(self) -> int:
        """When it last had all; before it ever had, when it connected."""
        if self.has_reported and self.acked >= self._master.log.written_position:
            return self._master.now_ms()
        return self._caught_up_ms

    def take(self, data: bytes) -> bytes:
        """Read greetings and reports.

        :raises CodecError: they are none, or lie.
        """
        at = 0
        while len(data) - at >= STATE_SIZE and not self.is_gone:
            greets = parse_state(data[at : at + STATE_SIZE]) == HANDSHAKE
            end = at + (GREETING_SIZE if greets else REPORT_SIZE)
            if len(data) < end:
                break
            if greets:
                self._greeted(parse_greeting(data[at:end]))
            else:
                self._reported(parse_report(data[at:end]))
            at = end
        return data[at:]

    def header(self, size: int) -> bytes:
        """What the chunk is, of which epoch, and how much is confirmed."""
        epochs = self._master.epochs
        epoch = epochs.at(self.position)
        number, start = epochs.entries[0] if epoch is None else epoch[:2]
        self._confirmed_told = confirmed = self._master.confirm_position
        return pack_chunk_header(ChunkHeader(size, self.position, number, start, confirmed))

    def begin_of_empty(self) -> int:
        """Our first file, or the last if it wants that."""
        source = self._master.log
        if self._greeting is not None and self._greeting.from_last_file:
            end = source.written_position
            return end - end % source.log_file_size
        return source.min_position

    def chunk_size_max(self) -> int:
        """What is left of the epoch, if that is less."""
        size_max = super().chunk_size_max()
        epoch = self._master.epochs.at(self.position)
        if epoch is None:
            return 0
        return size_max if epoch.end is None else min(size_max, epoch.end - self.position)

    def scan(self, now_ms: int) -> None:
        """Tell also what was confirmed since, if nothing else is to be told."""
        super().scan(now_ms)
        if (
            self.has_reported
            and self._is_ready
            and not self.is_gone
            and self._confirmed_told != self._master.confirm_position
        ):
            self._send(b"")

    def _greeted(self, greeting: Greeting) -> None:
        if self._greeting is not None:
            if greeting != self._greeting or self.has_reported:
                raise CodecError(f"it greets again: {greeting} after {self._greeting}")
            return
        self._master.check_identity(greeting.broker_id)
        self._greeting = greeting
        log.info("slave greets address=%s %s", self.address, greeting)
        self._master.greeted(self, greeting.broker_id)
        end = self._master.end_told(greeting.broker_id)
        self._put_out(pack_epochs(self._master.epochs.entries, end))

    def _reported(self, position: int) -> None:
        if self._greeting is None:
            raise CodecError("it reports before it has greeted")
        is_first = not self.has_reported
        self.report(position)
        now_ms, end = self._master.now_ms(), self._master.log.written_position
        if is_first:
            self._mark, self._mark_ms = end, now_ms
            if self._master.epochs.at(self.position) is None:
                log.warning(
                    "slave asks for what is older than all epochs address=%s position=%d epochs=%s",
                    self.address,
                    self.position,
                    self._master.epochs.entries,
                )
        if position >= self._mark:
            self.has_caught_up = True
            self._caught_up_ms = now_ms if position >= end else self._mark_ms
            self._mark, self._mark_ms = end, now_ms
        self._master.reported(self, self._greeting.broker_id)


class AutoSwitchMaster(Serving):
    """All slaves of a master under Controllers."""

    log: ConfirmedLog

    def __init__(
        self,
        source: ConfirmedLog,
        epochs: Epochs,
        state: SyncState,
        clock: Clock,
        settings: AutoSwitchSettings,
    ) -> None:
        """``source`` and ``epochs`` are loaded before ``lead``."""
        super().__init__(source, clock, settings.ha)
        self._source = source
        self.epochs = epochs
        self.sync_state = state
        self._all_ack = settings.all_ack
        self._by_id: dict[int, SwitchingSlave] = {}
        self._is_leading = False
        self._is_open = False
        self._confirmed = 0
        self._came_back_at: int | None = None
        self._followers: set[int] = set()
        self._on_confirm: list[Callable[[], None]] = []
        self._on_proposal: list[Proposal] = []
        self._check = Periodic(clock, settings.check_ms, self._look_at_set)

    def lead(self, confirmed: int, came_back_at: int | None) -> None:
        """Serve slaves; the epoch has begun, and ``confirmed`` was from before it.

        ``came_back_at``: in an epoch of our own that goes on, where the log ends now.

        :raises StoreError: what is confirmed cannot be dispatched.
        """
        self._is_leading = True
        self._is_open = False
        self._confirmed = confirmed
        self._came_back_at = came_back_at
        self._followers.clear()
        self._source.limit_dispatch(confirmed)
        self.settle()
        self._scan.start()
        self._check.start()

    def stop(self) -> None:
        """Drop all slaves; what was confirmed stays so."""
        self._close()
        self._is_leading = False
        self._check.stop()
        super().stop()
        self.sync_state.forget()

    def accept(self, wire: Wire, address: str) -> Served | None:
        """Serve a new connection; None when we do not lead, or there are too many."""
        return super().accept(wire, address) if self._is_leading else None

    def connection(self, wire: Wire, address: str) -> SwitchingSlave:
        """A connection of this kind."""
        return SwitchingSlave(self, wire, address, self.now_ms())

    def forget(self, slave: Served) -> None:
        """A slave is gone: if it is a member, it is to be none."""
        super().forget(slave)
        for broker_id, known in list(self._by_id.items()):
            if known is slave:
                del self._by_id[broker_id]
                self._review()

    def check_identity(self, broker_id: int) -> None:
        """Whether such a broker may be our slave.

        :raises CodecError: it may not.
        """
        if broker_id == self.sync_state.own_id:
            raise CodecError(f"it says that it is {broker_id}, which we are")

    def end_told(self, broker_id: int) -> int:
        """Where our log ends, for a slave that compares it with its own."""
        if self._came_back_at is None or broker_id in self._followers:
            return self.log.written_position
        return self._came_back_at

    def greeted(self, slave: SwitchingSlave, broker_id: int) -> None:
        """It is known who a slave is."""
        older = self._by_id.get(broker_id)
        self._by_id[broker_id] = slave
        if older is not None:
            older.drop("it has connected anew")

    def reported(self, slave: SwitchingSlave, broker_id: int) -> None:
        """A slave has said how far it is: see whether it may join, and what is confirmed."""
        state, now_ms = self.sync_state, self.now_ms()
        self._followers.add(broker_id)
        slave.may_join = (
            slave.has_caught_up
            and not slave.is_learner
            and now_ms - slave.caught_up_ms <= LEVEL_MS
            and slave.acked >= self.epochs.entries[-1].start_position
        )
        if slave.may_join and self._all_ack and broker_id not in state.counted:
            self._close()
            state.join(broker_id, now_ms)
        self._review()

    def told(self, members: frozenset[int], number: int) -> None:
        """The Controllers say who is in the SyncStateSet."""
        if self.sync_state.tell(members, number) and self._is_leading:
            self._review()

    def refused(self) -> None:
        """The Controllers did not change the set."""
        self.sync_state.refused()
        self._settle_or_log()

    @property
    def confirm_position(self) -> int:
        """All below may be read. Source: CommitLog.java, getConfirmOffset(), 5.3.3."""
        return self._source.written_position if self._is_open else self._confirmed

    def on_confirm(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when more is confirmed; not while all is."""
        self._on_confirm.append(listener)

    def on_proposal(self, listener: Proposal) -> None:
        """Have ``listener`` told which SyncStateSet to propose."""
        self._on_proposal.append(listener)

    def acked_by(self, count: int) -> int:
        """All below is in the logs of at least ``count`` (1 or more) slaves; learners do not count.

        Source: GroupTransferService.java, doWaitTransfer(), 5.3.3, which counts them.
        """
        assert count >= 1, f"{count=}"
        counted = [slave.acked for slave in self._by_id.values() if not slave.is_learner]
        counted.sort(reverse=True)
        return counted[count - 1] if count <= len(counted) else 0

    def is_in_sync(self, slave: Served, end: int) -> bool:  # noqa: ARG002 - the set is what counts
        """Whether it is in the set. Source: AutoSwitchHAService.java, getRuntimeInfo(), 5.3.3."""
        return any(self._by_id.get(member) is slave for member in self.sync_state.members)

    def settle(self) -> None:
        """Find what is confirmed now, tell who waits for that, and let it be read.

        :raises StoreError: it cannot be dispatched.
        """
        if not self._is_leading:
            return
        if not self._all_ack or self.sync_state.is_alone:
            if not self._is_open:
                self._source.limit_dispatch(None)
                self._is_open = True
                self._moved()
            return
        self._close()
        end = self._source.written_position
        confirmed = self.sync_state.confirmed(self._by_id, end, self._confirmed)
        if confirmed > self._confirmed:
            self._confirmed = confirmed
            self._source.confirmed_position = confirmed
            self._source.limit_dispatch(confirmed)
            self._moved()

    def _moved(self) -> None:
        for listener in self._on_confirm:
            listener()
        self._source.dispatch()

    def _close(self) -> None:
        """From now on more is confirmed only by acknowledgements."""
        if self._is_open:
            self._confirmed = self._source.written_position
            self._is_open = False
            self._source.confirmed_position = self._confirmed
            self._source.limit_dispatch(self._confirmed)

    def _review(self, *, again: bool = False) -> None:
        if not self._is_leading:
            return
        needed = self.confirm_position if self._all_ack else 0
        proposed = self.sync_state.review(self._by_id, self.now_ms(), needed, again=again)
        self._settle_or_log()
        if proposed is not None:
            for listener in self._on_proposal:
                listener(proposed)

    def _settle_or_log(self) -> None:
        try:
            self.settle()
        except StoreError as error:
            log.error("confirmed, but not dispatched: %s", error)  # noqa: TRY400 - the store knows

    def _look(self) -> None:
        super()._look()
        self._review()

    def _look_at_set(self) -> None:
        if self._is_open:
            self._source.confirmed_position = self._source.written_position
        self._review(again=True)
        self.epochs.forget_before(self._source.min_position)
