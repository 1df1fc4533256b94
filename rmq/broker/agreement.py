"""When what a master wrote is agreed on by its group, for who keeps facts about it elsewhere.

How far delayed delivery is, or the checks of transactions, must not run ahead of the copies that
were put meanwhile, in a file or in a slave that may lead next: the copies could be cut away, and
nobody would make them again.
"""

from typing import TypeVar

from twisted.internet.defer import Deferred, gatherResults, succeed

from codec.codes import ResponseCode
from rmq.base.errors import CommandError
from rmq.base.ports import Clock, Timer
from rmq.broker.controlled.acks import Confirming
from rmq.broker.replicas import Wait
from rmq.broker.role import Role, RoleHolder
from rmq.dledger.member import Member
from rmq.store.messages import PutStatus
from rmq.store.store import MessageStore

T = TypeVar("T")


class Agreement:
    """A ``rmq.broker.schedule.Flushing`` of a group. Call ``moved`` when more is agreed on."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, Deferred[PutStatus]]] = []

    @property
    def agreed_position(self) -> int:
        """All of the log below is agreed on, and can be read."""
        raise NotImplementedError

    @property
    def end_position(self) -> int:
        """Where the log ends now."""
        raise NotImplementedError

    def flushed(self, end: int) -> Deferred[PutStatus]:
        """Fires when all below ``end`` is agreed on, or this broker leads no more.

        Then with FLUSH_SLAVE_TIMEOUT.
        """
        if self.is_settled(end):
            return succeed(PutStatus.PUT_OK)
        done: Deferred[PutStatus] = Deferred()
        self._waiting.append((end, done))
        return done

    def is_settled(self, end: int) -> bool:
        """Whether all below ``end`` is agreed on: who leads next has it, too."""
        return self.agreed_position >= end

    def settled(self, fact: T) -> Deferred[T]:
        """Fires with ``fact`` when all that is written now is agreed on.

        Fails with CommandError: SYSTEM_BUSY, this broker leads no more.
        """

        def told(status: PutStatus) -> T:
            if status is not PutStatus.PUT_OK:
                raise CommandError(
                    ResponseCode.SYSTEM_BUSY, "another broker leads, or will: ask it, or again"
                )
            return fact

        return Agreement.flushed(self, self.end_position).addCallback(told)

    def moved(self) -> None:
        """Tell who waits for no more than what is agreed on now."""
        if self._waiting:
            position = self.agreed_position
            ready = [done for end, done in self._waiting if end <= position]
            self._waiting = [one for one in self._waiting if one[0] > position]
            for done in ready:
                done.callback(PutStatus.PUT_OK)

    def role_changed(self, _before: Role, after: Role) -> None:
        """Tell all who wait that nobody knows, if this broker leads no more."""
        if not after.is_master:
            waiting, self._waiting = self._waiting, []
            for _, done in waiting:
                done.callback(PutStatus.FLUSH_SLAVE_TIMEOUT)


class CommittedFlushing(Agreement):
    """That of a DLedger group: agreed on is what is committed. ``watch`` a store first."""

    def __init__(self, member: Member) -> None:
        super().__init__()
        self._member = member

    def watch(self, store: MessageStore, role: RoleHolder) -> None:
        """Look at what ``store`` shows; whoever else shows it is told of commitments before."""
        self._store = store
        self._member.on_commit(lambda _index: self.moved())
        role.on_change(self.role_changed)

    @property
    def agreed_position(self) -> int:
        """What is committed."""
        return self._store.written_position

    @property
    def end_position(self) -> int:
        """Where the last entry ends, committed or not."""
        return self._member.log.end_position


class ConfirmedFlushing(Agreement):
    """That of a master under Controllers: agreed on is what all of the SyncStateSet have.

    Where nothing is promised, all that is written. It is told a moment later than senders are,
    when it is dispatched as well.
    """

    def __init__(
        self,
        clock: Clock,
        replication: Confirming,
        store: MessageStore,
        role: RoleHolder,
        on_disk: Wait,
    ) -> None:
        """``on_disk`` fires when the log is on this broker's own disk."""
        super().__init__()
        self._clock = clock
        self._store = store
        self._on_disk = on_disk
        self._soon: Timer | None = None
        replication.on_confirm(self._confirmed)
        role.on_change(self.role_changed)

    @property
    def agreed_position(self) -> int:
        """What can be read."""
        return self._store.dispatched_position

    @property
    def end_position(self) -> int:
        """Where the log ends."""
        return self._store.written_position

    def flushed(self, end: int) -> Deferred[PutStatus]:
        """Fires when that is also on this broker's disk, with the worse status."""
        return gatherResults([self._on_disk(end), super().flushed(end)]).addCallback(max)

    def _confirmed(self) -> None:
        if self._waiting and self._soon is None:
            self._soon = self._clock.call_later(0, self._look)

    def _look(self) -> None:
        self._soon = None
        self.moved()
