"""Loading: the log's end is found, and queues and index are made to fit what the log holds."""

from codec.message.record import Record
from rmq.store import recovery
from rmq.store.commit_log import QUIET, CommitLog
from rmq.store.dispatching import Dispatcher, entry_of
from rmq.store.flush import PAGE_SIZE
from rmq.store.index import Index
from rmq.store.ledger import LedgerView
from rmq.store.queue_table import QueueTable
from rmq.store.recovery import RecoveryReport


class Loader:
    """Brings log, queues and index together, see ``rmq.store.recovery``."""

    def __init__(
        self,
        log: CommitLog,
        queues: QueueTable,
        index: Index,
        dispatcher: Dispatcher,
        *,
        check_crc: bool,
    ) -> None:
        self._log = log
        self._queues = queues
        self._index = index
        self._dispatcher = dispatcher
        self._check_crc = check_crc

    def load(
        self, *, dirty: bool, synced_ms: int, view: LedgerView | None = None
    ) -> RecoveryReport:
        """Read all, cut the log to its last good record, dispatch what was not, up to the limit.

        ``dirty``: the last run had not closed the store; ``synced_ms``: log and queues were on disk
        up to this store time.

        :raises StoreError: files that cannot be a store's.
        :raises OSError: the disk failed.
        """
        log, queues, index, dispatcher = self._log, self._queues, self._index, self._dispatcher
        log.segments.load()
        if view is not None:
            view.show()
        queues.load()
        index.load()
        start = -1 if dirty else recovery.start_after_clean(log, queues)
        if start < 0:
            dirty = True
            start = recovery.start_after_crash(log, queues, synced_ms)
            for queue in queues:
                queue.truncate(start)
                queues.note_dirty(queue)
            start = recovery.index_start(log, index, start)
        dispatcher.position = start
        log.last_timestamp = dispatcher.timestamp = recovery.last_time(log, queues)
        if view is not None:
            return self._dispatch_shown(dirty)
        report = recovery.scan(log, start, self._dispatch, check_crc=self._check_crc)
        self._cut(report.position, dirty=dirty)
        if dirty:
            log.flushed_position = start
        if dispatcher.limit is None or dispatcher.position > report.position:
            dispatcher.position = report.position
        return RecoveryReport(not dirty, report.records, report.position, report.cut_reason)

    def _dispatch_shown(self, dirty: bool) -> RecoveryReport:
        """Dispatch what a ledger shows, which nobody cuts here."""
        records = self._dispatcher.dispatch(is_news=False)
        for queue in self._queues:
            queue.correct_min(self._log.begin)
        return RecoveryReport(not dirty, records, self._log.position, "end of what is committed")

    def _dispatch(self, record: Record) -> None:
        log, dispatcher = self._log, self._dispatcher
        log.last_timestamp = max(log.last_timestamp, record.store_timestamp)
        end = record.position + record.total_size
        if dispatcher.limit is None or end <= dispatcher.limit:
            dispatcher.give(entry_of(record), is_news=False)
            dispatcher.position = end
            dispatcher.timestamp = record.store_timestamp

    def _cut(self, position: int, *, dirty: bool) -> None:
        """End the log at ``position``; the queues already do, where reading began or later."""
        log = self._log
        segments = log.segments
        segments.delete_from(position)
        if position < segments.end:
            segments.clear(position, QUIET if dirty else PAGE_SIZE)
        log.start_at(position)
        for queue in list(self._queues):
            if segments.begin == segments.end:
                self._queues.drop(queue)
            queue.correct_min(log.begin)
