"""When what was written is in enough logs: the sends of a SYNC_MASTER wait for its slaves.

Puts wait in the order of the log, and as long as each other: so whoever is served or late is always
the first, and one timer does for all.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from twisted.internet.defer import Deferred, gatherResults

from rmq.base.ports import Clock, Timer
from rmq.broker.role import Role, RoleHolder
from rmq.remoting.together import TOGETHER
from rmq.store.messages import PutStatus

Wait: TypeAlias = Callable[[int], Deferred[PutStatus]]
"""Fires when all of the log below a position is safe, or will not be in time."""


class Acks(Protocol):
    """How far slaves are."""

    def acked_by(self, count: int) -> int:
        """All below is in the logs of at least ``count`` slaves."""
        ...

    def on_ack(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when a slave has more than before."""
        ...


class Waiting(NamedTuple):
    """A put that waits for slaves."""

    end: int
    deadline_ms: int
    done: Deferred[PutStatus]


class Replicas:
    """Tells who waits that ``count`` (1 or more) slaves have the log up to a position.

    ``count`` is inSyncReplicas less the master, ``timeout_ms`` slaveTimeout. Source:
    GroupTransferService.java, doWaitTransfer(), 5.3.3.
    """

    def __init__(self, acks: Acks, clock: Clock, *, count: int, timeout_ms: int) -> None:
        self._acks = acks
        self._clock = clock
        self._count = count
        self._timeout_ms = timeout_ms
        self._acked = 0
        self._waiting: deque[Waiting] = deque()
        self._timer: Timer | None = None
        acks.on_ack(self._moved)

    def replicated(self, end: int) -> Deferred[PutStatus]:
        """Fires with PUT_OK when the slaves have all below ``end``, never less than asked before.

        With FLUSH_SLAVE_TIMEOUT when that took too long, be it that no slave is there: the message
        stays, and they will most likely get it.
        """
        done: Deferred[PutStatus] = Deferred()
        if self._acked >= end:
            done.callback(PutStatus.PUT_OK)
            return done
        deadline_ms = self._clock.monotonic_ms() + self._timeout_ms
        self._waiting.append(Waiting(end, deadline_ms, done))
        if self._timer is None:
            self._timer = self._clock.call_later(self._timeout_ms, self._expire)
        return done

    def refuse(self) -> None:
        """Tell all who wait SERVICE_NOT_AVAILABLE: this broker is not their master any more.

        Acknowledgements from before say nothing about the log that will be.
        """
        self._acked = 0
        waiting, self._waiting = self._waiting, deque()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for one in waiting:
            one.done.callback(PutStatus.SERVICE_NOT_AVAILABLE)

    def _moved(self) -> None:
        self._acked = max(self._acked, self._acks.acked_by(self._count))
        waiting = self._waiting
        if not waiting or waiting[0].end > self._acked:
            return
        with TOGETHER:
            while waiting and waiting[0].end <= self._acked:
                waiting.popleft().done.callback(PutStatus.PUT_OK)

    def _expire(self) -> None:
        self._timer = None
        now_ms = self._clock.monotonic_ms()
        waiting = self._waiting
        while waiting and waiting[0].deadline_ms <= now_ms:
            waiting.popleft().done.callback(PutStatus.FLUSH_SLAVE_TIMEOUT)
        if waiting:
            self._timer = self._clock.call_later(waiting[0].deadline_ms - now_ms, self._expire)


def all_of(waits: Sequence[Wait]) -> Wait | None:
    """Wait for all; the worst answer counts. None if there is nothing to wait for.

    Java lets that of the slaves win; here a failed disk is not hidden by them.
    Source: CommitLog.java, handleDiskFlushAndHA(), 5.3.3.
    """
    if len(waits) <= 1:
        return waits[0] if waits else None

    def wait(end: int) -> Deferred[PutStatus]:
        return gatherResults([one(end) for one in waits]).addCallback(max)

    return wait


class Waits(Protocol):
    """Who knows of other logs. ``Replicas`` does."""

    def replicated(self, end: int) -> Deferred[PutStatus]:
        """Fires when enough logs have all below ``end``, or will not in time."""
        ...

    def refuse(self) -> None:
        """Tell who waits that this broker is not their master any more."""
        ...


class Sender(Protocol):
    """Whoever stores messages for others; obeys an assigned ``safe`` at once."""

    safe: Wait | None


class Safety:
    """What senders wait for, by the role of now; None: for nothing, a written message is safe.

    A SYNC_MASTER waits for its slaves. Source: CommitLog.java, needHandleHA(), handleHA(), 5.3.3.
    """

    def __init__(self, role: RoleHolder, flushed: Wait | None, replicas: Waits | None) -> None:
        """``flushed``: for the disk; ``replicas``: for slaves; None where that is not wanted."""
        self._flushed = flushed
        self._replicas = replicas
        self._senders: list[Sender] = []
        self.wait = self._wait_of(role.now)
        role.on_change(self._role_changed)

    def follow(self, *senders: Sender) -> None:
        """Assign ``safe`` of each of them, now and at every change."""
        self._senders += senders
        for sender in senders:
            sender.safe = self.wait

    def _role_changed(self, before: Role, after: Role) -> None:
        self.wait = self._wait_of(after)
        for sender in self._senders:
            sender.safe = self.wait
        if self._replicas is not None and before.is_master != after.is_master:
            self._replicas.refuse()

    def _wait_of(self, role: Role) -> Wait | None:
        replicas = self._replicas if role.kind == "SYNC_MASTER" else None
        waits = (self._flushed, None if replicas is None else replicas.replicated)
        return all_of([wait for wait in waits if wait is not None])
