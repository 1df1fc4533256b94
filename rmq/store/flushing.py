"""Which files are synced next, and what is known to be on disk afterwards."""

from typing import Protocol

from codec.disk.consume_queue import UNIT_SIZE
from rmq.base.ports import Clock
from rmq.store.checkpoint import CheckpointFile
from rmq.store.commit_log import CommitLog
from rmq.store.flush import FlushPolicy, FlushWork
from rmq.store.index import Index
from rmq.store.queue_table import QueueTable
from rmq.store.segments import Holds
from rmq.store.settings import StoreSettings


class Dispatched(Protocol):
    """How far queues and index are."""

    @property
    def dispatched_position(self) -> int:
        """All records below are in them."""
        ...

    @property
    def dispatched_timestamp(self) -> int:
        """Store time (ms) of the last one."""
        ...


class Flusher:
    """One work for the log and one for the rest can be out at a time."""

    def __init__(
        self,
        clock: Clock,
        settings: StoreSettings,
        holds: Holds,
        log: CommitLog,
        queues: QueueTable,
        index: Index,
    ) -> None:
        self._clock = clock
        self._holds = holds
        self._log = log
        self._queues = queues
        self._index = index
        self._index_enabled = settings.index_enabled
        now_ms = clock.monotonic_ms()
        self._log_policy = FlushPolicy(
            settings.flush_least_pages, settings.flush_thorough_ms, now_ms
        )
        self._queue_policy = FlushPolicy(
            settings.queue_flush_least_pages, settings.queue_flush_thorough_ms, now_ms
        )
        self._log_work: FlushWork | None = None
        self._queue_work: FlushWork | None = None

    def forget(self) -> None:
        """Believe nothing that works which are out will say."""
        self._log_work = self._queue_work = None

    def log_work(self, *, at_once: bool) -> FlushWork | None:
        """See ``MessageStore.flush_work``."""
        log = self._log
        if self._log_work is not None or log.flushed_position >= log.position:
            return None
        thorough = self._log_policy.is_thorough(self._clock.monotonic_ms())
        if not (
            at_once or thorough or self._log_policy.is_enough(log.flushed_position, log.position)
        ):
            return None
        files = log.dirty_files(log.flushed_position)
        self._log_work = FlushWork(files, log.position, log.last_timestamp, of_log=True)
        self._holds.hold(files)
        return self._log_work

    def queue_work(
        self, dispatched: Dispatched, checkpoint: CheckpointFile | None, *, at_once: bool
    ) -> FlushWork | None:
        """See ``MessageStore.queue_flush_work``. Queues count as synced up to ``dispatched``."""
        if self._queue_work is not None or checkpoint is None:
            return None
        thorough = at_once or self._queue_policy.is_thorough(self._clock.monotonic_ms())
        marks = self._queues.to_flush(None if thorough else self._queue_policy)
        files = [
            file
            for queue, _ in marks
            for file in queue.segments.mapped(
                queue.flushed_offset * UNIT_SIZE, queue.next_offset * UNIT_SIZE
            )
        ]
        if thorough:
            files += self._index.dirty_files()
        if checkpoint.dirty:
            files.append(checkpoint.file)
            checkpoint.dirty = False
        if not files:
            return None
        self._queue_work = FlushWork(
            tuple(files),
            dispatched.dispatched_position,
            dispatched.dispatched_timestamp,
            of_log=False,
            marks=tuple(marks),
            all_queues=thorough,
        )
        self._holds.hold(self._queue_work.files)
        return self._queue_work

    def flushed(self, work: FlushWork, checkpoint: CheckpointFile) -> None:
        """See ``MessageStore.flushed``. A ledger syncs its files itself."""
        if work is self._log_work:
            self._log_work = None
            self._log.flushed_position = max(self._log.flushed_position, work.position)
            checkpoint.set(log=work.store_timestamp)
        elif work is self._queue_work:
            self._queue_work = None
            for queue, offset in work.marks:
                queue.flushed_offset = max(queue.flushed_offset, min(offset, queue.next_offset))
            if work.all_queues:
                checkpoint.set(queues=work.store_timestamp)
                if self._log.entry_header:
                    checkpoint.set(log=work.store_timestamp)
                if self._index_enabled:
                    checkpoint.set(index=self._index.full_timestamp)
