"""When what was written is on disk: the store's flushing, driven by time and by who waits for it.

Group commit. A put that must survive waits for a position. The first to wait starts one sync at the
end of the reactor's turn, so that it covers every put of that turn; whoever comes while it runs
waits for the next one, which starts at once. Syncs run in a worker thread; everything else here
is the reactor's.

An error of a sync ends it: nothing that waited is acknowledged, and the store refuses all puts from
then on, for the system may have dropped the pages that it could not write.
"""

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rmq.base.periodic import Periodic
from rmq.base.ports import Clock, Timer
from rmq.remoting.together import TOGETHER
from rmq.store.flush import FlushWork
from rmq.store.messages import PutStatus
from rmq.store.store import MessageStore

log = logging.getLogger(__name__)

RESTART_PERIOD_MS = 10_000
"""How often queues and index are flushed whatever they hold: a start after a crash reads the log
again from the last time, at some 10 us a record, so that it takes seconds, not minutes."""


class Worker(Protocol):
    """Runs blocking calls beside the reactor."""

    def run(self, call: Callable[[], None]) -> Deferred[None]:
        """Run ``call`` in another thread; fires, or fails, in the reactor's."""
        ...


class Waiting:
    """A put that waits to be on disk."""

    __slots__ = ("done", "end", "timer")

    timer: Timer

    def __init__(self, end: int, done: Deferred[PutStatus]) -> None:
        self.end = end
        self.done = done


class Durability:
    """Flushes the store and tells who waits.

    ``flush_interval_ms`` is flushIntervalCommitLog (used when nobody waits),
    ``queue_interval_ms`` flushIntervalConsumeQueue, ``timeout_ms`` syncFlushTimeout.
    Source: CommitLog.java, GroupCommitService and FlushRealTimeService, 5.3.3.
    """

    def __init__(
        self,
        store: MessageStore,
        worker: Worker,
        clock: Clock,
        *,
        flush_interval_ms: int,
        queue_interval_ms: int,
        timeout_ms: int,
    ) -> None:
        self._store = store
        self._worker = worker
        self._clock = clock
        self._timeout_ms = timeout_ms
        self._waiting: deque[Waiting] = deque()
        self._running = 0
        self._has_failed = False
        self._log_running = False
        self._queues_running = False
        self._soon: Timer | None = None
        self._idle: list[Deferred[None]] = []
        self._log_timer = Periodic(clock, flush_interval_ms, self._flush_log)
        self._queue_timer = Periodic(clock, queue_interval_ms, self._flush_queues)
        self._restart_timer = Periodic(clock, RESTART_PERIOD_MS, self._flush_queues_fully)

    def start(self) -> None:
        """Begin to flush by time."""
        self._log_timer.start()
        self._queue_timer.start()
        self._restart_timer.start()

    def stop(self) -> Deferred[None]:
        """Flush no more by time; fires when no sync is running, so that the store can be closed."""
        self._log_timer.stop()
        self._queue_timer.stop()
        self._restart_timer.stop()
        quiet: Deferred[None] = Deferred()
        if self._running:
            self._idle.append(quiet)
        else:
            quiet.callback(None)
        return quiet

    def is_settled(self, end: int) -> bool:  # noqa: ARG002 - the log is nobody else's
        """Whether nobody can cut off the log any more what lies below ``end``: nobody but us."""
        return True

    def flushed(self, end: int) -> Deferred[PutStatus]:
        """Fires when all of the log below ``end`` is on disk.

        With PUT_OK then, FLUSH_DISK_TIMEOUT when it took too long (the message stays, and will
        most likely be flushed), SERVICE_NOT_AVAILABLE when the disk failed.
        """
        done: Deferred[PutStatus] = Deferred()
        if self._store.flushed_position >= end:
            done.callback(PutStatus.PUT_OK)
            return done
        if self._has_failed:
            done.callback(PutStatus.SERVICE_NOT_AVAILABLE)
            return done
        waiting = Waiting(end, done)
        waiting.timer = self._clock.call_later(self._timeout_ms, partial(self._late, waiting))
        self._waiting.append(waiting)
        if self._soon is None and not self._log_running:
            self._soon = self._clock.call_later(0, self._flush_for_waiting)
        return done

    def _late(self, waiting: Waiting) -> None:
        self._waiting.remove(waiting)
        waiting.done.callback(PutStatus.FLUSH_DISK_TIMEOUT)

    def _flush_for_waiting(self) -> None:
        self._soon = None
        if self._waiting and not self._log_running:
            self._start(self._store.flush_work(at_once=True))

    def _flush_log(self) -> None:
        if not self._log_running:
            self._start(self._store.flush_work())

    def _flush_queues(self) -> None:
        if not self._queues_running:
            self._start(self._store.queue_flush_work())

    def _flush_queues_fully(self) -> None:
        if not self._queues_running:
            self._start(self._store.queue_flush_work(at_once=True))

    def _start(self, work: FlushWork | None) -> None:
        if work is None:
            return
        self._running += 1
        if work.of_log:
            self._log_running = True
        else:
            self._queues_running = True
        self._worker.run(work.sync).addCallbacks(
            lambda _: self._store.flushed(work), partial(self._failed, work)
        ).addErrback(_broke).addCallback(lambda _: self._ended(work))

    def _failed(self, work: FlushWork, failure: Failure) -> None:
        cause = failure.value
        if not isinstance(cause, OSError):
            cause = OSError(f"{type(cause).__name__}: {cause}")
        log.error("sync failed position=%d cause=%s", work.position, cause)
        self._store.sync_failed(work, cause)
        self._has_failed = True
        waiting, self._waiting = self._waiting, deque()
        for one in waiting:
            one.timer.cancel()
            one.done.callback(PutStatus.SERVICE_NOT_AVAILABLE)

    def _ended(self, work: FlushWork) -> None:
        self._running -= 1
        if work.of_log:
            self._log_running = False
        else:
            self._queues_running = False
        with TOGETHER:
            while self._waiting and self._waiting[0].end <= self._store.flushed_position:
                one = self._waiting.popleft()
                one.timer.cancel()
                one.done.callback(PutStatus.PUT_OK)
        if self._waiting and not self._log_running:
            self._flush_for_waiting()
        if not self._running:
            idle, self._idle = self._idle, []
            for quiet in idle:
                quiet.callback(None)


def _broke(failure: Failure) -> None:
    """What is no trouble of the disk but ours: who waits is told by the timeout."""
    log.error("flush broke", exc_info=failure.value)
