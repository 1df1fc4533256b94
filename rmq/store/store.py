"""The message store: puts, gets, and the order commit log -> dispatch -> queues."""

from collections.abc import Callable, Sequence, Set as AbstractSet

from rmq.base.ports import Clock, Disk
from rmq.store.flush import FlushWork
from rmq.store.messages import (
    BatchItem,
    GetResult,
    PutMessage,
    PutResult,
    QueryResult,
    QueueState,
)
from rmq.store.recovery import RecoveryReport
from rmq.store.settings import StoreSettings

Arrival = Callable[[str, int, int, int, int, bytes], None]
"""Called after dispatch: topic, queue id, queue's new max offset, tag hash (Java's, sign-extended),
store timestamp, properties (encoded). Must not put or get."""


class MessageStore:
    """Everything a broker keeps: commit log, consume queues, index, checkpoint.

    One thread calls it. ``load`` first, ``close`` last. Nothing here blocks on a sync: ask
    ``flush_work`` (log) and ``queue_flush_work`` (queues, index, checkpoint) from timers, sync the
    work's files in a thread, then say ``flushed`` or ``sync_failed``.
    """

    def __init__(self, disk: Disk, clock: Clock, settings: StoreSettings) -> None:
        raise NotImplementedError

    refusal: str | None
    """Why puts are refused now (disk full, sync failed, ...); None while they are taken."""

    def load(self) -> RecoveryReport:
        """Take the lock, read what is on disk, cut it to the last good record, rebuild the rest.

        :raises StoreError: locked by another process, or files that cannot be a store's.
        """
        raise NotImplementedError

    def on_arrival(self, listener: Arrival) -> None:
        """Have ``listener`` called for every message that becomes readable, also in a load."""
        raise NotImplementedError

    def put(self, message: PutMessage) -> PutResult:
        """Append one message; it can be read at once. Never raises for a full disk: see status."""
        raise NotImplementedError

    def put_batch(self, message: PutMessage, items: Sequence[BatchItem]) -> PutResult:
        """Append all items (``message`` gives what they share; its body is ignored) or none."""
        raise NotImplementedError

    def get(
        self,
        topic: str,
        queue_id: int,
        offset: int,
        max_count: int,
        max_bytes: int = 134_217_728,
        tags: AbstractSet[int] | None = None,
    ) -> GetResult:
        """Read messages of a queue from ``offset`` on, at least one if there is one.

        ``tags``: tag hashes wanted, None for all.
        Source: DefaultMessageStore.java, getMessage(), 5.3.3.
        """
        raise NotImplementedError

    def message_at(self, position: int) -> bytes | None:
        """The whole record that begins at ``position`` of the log, or None."""
        raise NotImplementedError

    def query(
        self, topic: str, key: str, count_max: int, begin_ms: int, end_ms: int
    ) -> QueryResult:
        """Find records by UNIQ_KEY or one of KEYS, stored between the times, newest first."""
        raise NotImplementedError

    def min_offset(self, topic: str, queue_id: int) -> int:
        """The first offset that can be read; 0 for an unknown queue."""
        raise NotImplementedError

    def max_offset(self, topic: str, queue_id: int) -> int:
        """The offset the next message gets; 0 for an unknown queue."""
        raise NotImplementedError

    def offset_by_time(
        self, topic: str, queue_id: int, timestamp_ms: int, *, upper: bool = False
    ) -> int:
        """Offset for a store time, by RocketMQ's LOWER (default) or UPPER rule; 0 if unknown.

        Source: ConsumeQueue.java, getOffsetInQueueByTime(), 5.3.3.
        """
        raise NotImplementedError

    def earliest_time(self, topic: str | None = None, queue_id: int = 0) -> int:
        """Store time of the first message of a queue, of the whole log if no topic; -1: none."""
        raise NotImplementedError

    def store_time(self, topic: str, queue_id: int, offset: int) -> int:
        """Store time of a queue's message, -1 if it is not there."""
        raise NotImplementedError

    def position_of(self, topic: str, queue_id: int, offset: int) -> int:
        """Commit log position of a queue's message, -1 if it is not there."""
        raise NotImplementedError

    def begins_in_memory(self, topic: str, queue_id: int) -> bool:
        """Whether message 0 is, by estimate, still in memory, or is not there at all.

        Source: DefaultMessageStore.java, checkInDiskByConsumeOffset() (negated), 5.3.3.
        """
        raise NotImplementedError

    def queues(self) -> list[QueueState]:
        """All queues."""
        raise NotImplementedError

    def delete_topics(self, topics: AbstractSet[str]) -> int:
        """Forget the queues of topics, files too; give the number of topics that had some."""
        raise NotImplementedError

    def min_position(self) -> int:
        """Where the commit log begins."""
        raise NotImplementedError

    written_position: int
    """Where the commit log ends; all below is in memory-mapped files."""

    flushed_position: int
    """All below is on disk."""

    def flush_work(self, *, at_once: bool = False) -> FlushWork | None:
        """Log files to sync: any new byte if ``at_once``, else by pages and age; None if none.

        Only one such work is out at a time: None until it was ``flushed``.
        """
        raise NotImplementedError

    def queue_flush_work(self, *, at_once: bool = False) -> FlushWork | None:
        """The same for queues, index and checkpoint."""
        raise NotImplementedError

    def flushed(self, work: FlushWork) -> None:
        """Note that all files of ``work`` were synced."""
        raise NotImplementedError

    def sync_failed(self, work: FlushWork, cause: OSError) -> None:
        """Refuse all puts until a restart: what was written since the last sync may be lost."""
        raise NotImplementedError

    def prepare_next(self) -> None:
        """Create the next log file ahead of need; call from a timer."""
        raise NotImplementedError

    def clean(self, *, at_once: bool = False) -> list[str]:
        """Delete what is too old, or anything if the disk is too full; the paths deleted.

        Also looks whether the disk is full (puts are refused) or has room again. To be called
        every cleanResourceInterval (10 s).
        """
        raise NotImplementedError

    def close(self) -> None:
        """Sync and close everything; with the abort file gone the next start is a clean one."""
        raise NotImplementedError
