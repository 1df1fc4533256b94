"""When what a leader wrote is agreed on by its group, for who keeps facts about it elsewhere.

The delivery offsets of delayed messages must not run ahead of the copies they speak of, in the file
or in a slave that may lead next: the copies could be cut away, and nobody would make them again.
"""

from typing import TypeVar

from twisted.internet.defer import Deferred, succeed

from codec.codes import ResponseCode
from rmq.base.errors import CommandError
from rmq.broker.role import Role, RoleHolder
from rmq.dledger.member import Member
from rmq.store.messages import PutStatus
from rmq.store.store import MessageStore

T = TypeVar("T")


class CommittedFlushing:
    """A ``rmq.broker.schedule.Flushing``: safe is what is committed. ``watch`` a store first."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._waiting: list[tuple[int, Deferred[PutStatus]]] = []

    def watch(self, store: MessageStore, role: RoleHolder) -> None:
        """Look at what ``store`` shows; whoever else shows it is told of commitments before."""
        self._store = store
        self._member.on_commit(self._committed)
        role.on_change(self._role_changed)

    def flushed(self, end: int) -> Deferred[PutStatus]:
        """Fires when all below ``end`` is committed, or this broker leads no more.

        Then with FLUSH_SLAVE_TIMEOUT.
        """
        if self._store.written_position >= end:
            return succeed(PutStatus.PUT_OK)
        done: Deferred[PutStatus] = Deferred()
        self._waiting.append((end, done))
        return done

    def settled(self, fact: T) -> Deferred[T]:
        """Fires with ``fact`` when all that is written now is committed.

        Fails with CommandError: SYSTEM_BUSY, this broker leads no more.
        """

        def told(status: PutStatus) -> T:
            if status is not PutStatus.PUT_OK:
                raise CommandError(ResponseCode.SYSTEM_BUSY, "the group has another leader")
            return fact

        return self.flushed(self._member.log.end_position).addCallback(told)

    def _committed(self, _index: int) -> None:
        if self._waiting:
            position = self._store.written_position
            ready = [done for end, done in self._waiting if end <= position]
            self._waiting = [one for one in self._waiting if one[0] > position]
            for done in ready:
                done.callback(PutStatus.PUT_OK)

    def _role_changed(self, _before: Role, after: Role) -> None:
        if not after.is_master:
            waiting, self._waiting = self._waiting, []
            for _, done in waiting:
                done.callback(PutStatus.FLUSH_SLAVE_TIMEOUT)
