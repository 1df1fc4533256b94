"""A broker of a DLedger group plays what its member of the group is.

A follower, or a candidate, is a slave. A leader becomes master when all of its log is committed and
dispatched, so that queue offsets go on where the last master's ended; it learns of each commitment
at once, where Java looks every 100 ms. NameServers are told at once.

A slave learns its master's address from what NameServers answer to its registration, and so it asks
them again when a new leader has had the time to register. Source: DLedgerRoleChangeHandler.java,
5.3.3.

A master announces itself again when a member has joined it. If that member led before and was cut
off, its last registration as master may reach a NameServer late, and take the place of ours;
its next one, as slave, then leaves that place empty. A registration tells no term by which the
NameServer could know better, and Apache's master is missing until it registers by its period, 30 s.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rmq.base.errors import StoreError
from rmq.base.ports import Clock, Timer
from rmq.broker.role import RoleHolder, Switch
from rmq.raft.messages import Role as MemberRole

logger = logging.getLogger(__name__)

RETRY_MS = 1_000
"""Pause after a failure of the store."""

AGAIN_MS = (1_000, 4_000, 8_000, 15_000)
"""When NameServers are told again: by a slave, after it has got a leader, to hear its master's
address; by a master, after a member joined it, whose own word may come still later."""

SHARED_MS = 500
"""They are told at multiples of this, so that what happens at about the same time shares it."""


class GroupMember(Protocol):
    """What a broker sees of ``rmq.dledger.member.Member``."""

    @property
    def role(self) -> MemberRole:
        """What it is now."""
        ...

    @property
    def leader_id(self) -> str | None:
        """Who leads."""
        ...

    def catch_up(self) -> None:
        """See what time it is, now."""
        ...

    def on_commit(self, listener: Callable[[int], None]) -> None:
        """Tell ``listener`` of what is committed."""
        ...

    def on_role(self, listener: Callable[[MemberRole, int], None]) -> None:
        """Tell ``listener`` role and term when they, or the leader, are others."""
        ...

    def on_joined(self, listener: Callable[[str], None]) -> None:
        """Tell ``listener`` which member accepts this leader now and did not before."""
        ...


class AgreedLog(Protocol):
    """What a leader must know of its log."""

    @property
    def is_agreed(self) -> bool:
        """Whether all of it is committed."""
        ...


class ShownStore(Protocol):
    """The store over the group's log."""

    def show_committed(self) -> int:
        """Dispatch what is committed.

        :raises StoreError: it cannot now.
        """
        ...


class GroupRole:
    """Switches a broker's role as its member's changes."""

    def __init__(
        self,
        clock: Clock,
        member: GroupMember,
        log: AgreedLog,
        store: ShownStore,
        role: RoleHolder,
        switch: Switch,
        *,
        broker_id: int,
        announce: Callable[[], object],
    ) -> None:
        """``broker_id``: as a slave; ``announce`` tells the NameServers what we are."""
        self._clock = clock
        self._member = member
        self._log = log
        self._store = store
        self._role = role
        self._switch = switch
        self._broker_id = broker_id
        self._announce = announce
        self._is_running = False
        self._is_told = False
        """Whether this is a call of the member's, which must not be called back meanwhile."""
        self._term = 0
        self._is_shown = True
        self._leader_id: str | None = None
        self._retry: Timer | None = None
        self._announcements: dict[int, Timer] = {}
        """By when they are due, ms of the monotonic clock."""
        member.on_commit(self._committed)
        member.on_role(self._changed)
        member.on_joined(self._joined)

    def start(self) -> None:
        """Follow the member from now on; the store is loaded, the member not yet started."""
        self._is_running = True

    def stop(self) -> None:
        """Change nothing any more."""
        self._is_running = False
        self._announce_no_more()
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def catch_up(self) -> None:
        """Have the role that is right now, before it is told to others: who slept leads no more."""
        if self._is_running and not self._is_told:
            self._member.catch_up()

    def _committed(self, _index: int) -> None:
        if self._is_running:
            self._is_told = True
            self._show()
            if self._member.role is MemberRole.LEADER and not self._role.now.is_master:
                self._lead()
            self._is_told = False

    def _changed(self, role: MemberRole, term: int) -> None:
        if self._is_running:
            self._is_told = True
            self._play(role, term)
            self._is_told = False

    def _joined(self, _member: str) -> None:
        if self._is_running and self._member.role is MemberRole.LEADER:
            self._announce_later()

    def _play(self, role: MemberRole, term: int) -> None:
        self._announce_no_more()
        if role is MemberRole.LEADER:
            self._term = term
            self._show()
            self._lead()
            return
        now = self._role.now
        if role is MemberRole.FOLLOWER:
            self._follow(max(term, now.epoch))
        elif now.is_master:
            self._follow(now.epoch)  # the term of a candidate may be one it has only heard of
        self._show()

    def _follow(self, epoch: int) -> None:
        """Be a slave, of nobody until the NameServers tell where the new leader is."""
        self._told(
            self._switch.become_slave(
                master_address=None, ha_address=None, epoch=epoch, broker_id=self._broker_id
            )
        )
        if self._member.leader_id is not None:
            self._announce_later()

    def _lead(self) -> None:
        """Be master, if all of the log is committed and dispatched."""
        if self._is_shown and self._log.is_agreed and not self._role.now.is_master:
            self._told(self._switch.become_master(epoch=self._term, sync_master=True))
            if not self._role.now.is_master:
                self._later()

    def _show(self) -> None:
        """Dispatch what is committed, or try again."""
        try:
            self._store.show_committed()
        except StoreError as error:
            if self._is_shown:
                logger.error("event=committed_not_dispatched cause=%s", error)  # noqa: TRY400 - expected of a disk
            self._is_shown = False
            self._later()
        else:
            self._is_shown = True

    def _later(self) -> None:
        if self._retry is None:
            self._retry = self._clock.call_later(RETRY_MS, self._again)

    def _again(self) -> None:
        self._retry = None
        self._committed(-1)

    def _announce_later(self) -> None:
        """Tell NameServers again what we are by then, some times, unless the role changes."""
        now_ms = self._clock.monotonic_ms()
        for ms in AGAIN_MS:
            due_ms = -(-(now_ms + ms) // SHARED_MS) * SHARED_MS
            if due_ms not in self._announcements:
                self._announcements[due_ms] = self._clock.call_later(
                    due_ms - now_ms, partial(self._announce_again, due_ms)
                )

    def _announce_again(self, due_ms: int) -> None:
        del self._announcements[due_ms]
        self._announce()

    def _announce_no_more(self) -> None:
        for timer in self._announcements.values():
            timer.cancel()
        self._announcements.clear()

    def _told(self, done: Deferred[None]) -> None:
        done.addErrback(_refused)


def _refused(failure: Failure) -> Failure | None:
    """The store could not, and has said so; it is tried again."""
    return None if isinstance(failure.value, StoreError) else failure
