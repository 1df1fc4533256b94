"""The message store: puts, gets, and the order commit log -> dispatch -> queues."""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet

from codec.message.batch import BatchItem
from rmq.base.errors import StoreError
from rmq.base.ports import Clock, Disk
from rmq.store import recovery
from rmq.store.checkpoint import CheckpointFile
from rmq.store.commit_log import CommitLog
from rmq.store.consume_queue import ConsumeQueue
from rmq.store.dispatch import SCHEDULE_TOPIC
from rmq.store.dispatching import Arrival, Dispatcher, TopicSeen
from rmq.store.flush import FlushWork
from rmq.store.flushing import Flusher
from rmq.store.following import Follower
from rmq.store.gate import Gate
from rmq.store.index import Index
from rmq.store.ledger import Ledger, LedgerView, LedgerWriter
from rmq.store.loading import Loader
from rmq.store.messages import (
    GetResult,
    PutMessage,
    PutResult,
    QueryResult,
    QueueState,
    RecordFilter,
)
from rmq.store.queue_table import QueueTable
from rmq.store.reader import QueueReader
from rmq.store.recovery import RecoveryReport
from rmq.store.retention import DiskState, files_to_delete
from rmq.store.segments import Holds
from rmq.store.settings import StoreSettings
from rmq.store.stats import StoreStats
from rmq.store.writer import Writer


class MessageStore:
    """Everything a broker keeps: commit log, consume queues, index, checkpoint.

    One thread calls it. ``load`` first, ``close`` last. Nothing here blocks on a sync: ask
    ``flush_work`` (log) and ``queue_flush_work`` (queues, index, checkpoint) from timers, sync the
    work's files in a thread, then say ``flushed`` or ``sync_failed``.
    """

    def __init__(
        self, disk: Disk, clock: Clock, settings: StoreSettings, ledger: Ledger | None = None
    ) -> None:
        self._disk = disk
        self._clock = clock
        self._settings = settings
        self._holds = Holds()
        folder = settings.commit_log_folder or f"{settings.root}/commitlog"
        self._log = CommitLog(disk, folder, settings.commit_log_file_size, self._holds)
        self._queues = QueueTable(disk, settings, self._holds)
        self._index = Index(disk, clock, settings, self._holds)
        self._reader = QueueReader(self._log, self._queues.by_key, settings)
        self._checkpoint: CheckpointFile | None = None
        self.stats = StoreStats(clock.wall_ms())
        self._flusher = Flusher(clock, settings, self._holds, self._log, self._queues, self._index)
        self._abort_path = f"{settings.root}/abort"
        self._unlock: Callable[[], None] | None = None
        self._gate = Gate(clock, settings)
        shared = (settings, self._gate, self._log, self._queues, self._index, self.stats)
        self._dispatcher = Dispatcher(*shared)
        self._view: LedgerView | None = None
        self._writer = Writer(clock, *shared, self._dispatcher)
        if ledger is not None:
            self._writer = writer = LedgerWriter(clock, *shared, self._dispatcher)
            writer.use(ledger, settings.commit_log_file_size)
            self._view = LedgerView(ledger, self._log, self._queues, self._index, self._dispatcher)
        self._follower = Follower(
            self._gate, self._log, self._queues, self._index, self._dispatcher, self._writer
        )
        self.put_run = self._writer.put_run
        self.put: Callable[[PutMessage], PutResult] = self._writer.put
        """Append one message; it can be read at once. Never raises for a full disk: see status.

        Source: CommitLog.java, asyncPutMessage(), 5.3.3.
        """

    # Start and stop

    def load(self) -> RecoveryReport:
        """Take the lock, read what is on disk, cut it to the last good record, rebuild the rest.

        :raises StoreError: locked by another process, or files that cannot be a store's.
        """
        root = self._settings.root
        try:
            self._unlock = self._disk.lock(f"{root}/lock")
        except BlockingIOError as error:
            raise StoreError(f"{root}/lock is held: is another broker running there?") from error
        try:
            report = self._recover()
            self._disk.replace(self._abort_path, str(self._settings.process_id).encode())
        except BaseException as error:
            self._unlock()
            if isinstance(error, OSError):
                raise StoreError(f"cannot load the store in {root}: {error}") from error
            raise
        self._gate.open()
        return report

    def _recover(self) -> RecoveryReport:
        dirty = self._disk.exists(self._abort_path)
        if self._view is not None:
            self._view.open()
        self._checkpoint = CheckpointFile(self._disk, f"{self._settings.root}/checkpoint")
        loader = Loader(
            self._log,
            self._queues,
            self._index,
            self._dispatcher,
            check_crc=self._settings.check_crc_on_recover,
        )
        synced_ms = self._checkpoint.values.min_timestamp
        report = loader.load(dirty=dirty, synced_ms=synced_ms, view=self._view)
        self._follower.begin()
        return report

    def close(self) -> None:
        """Sync and close everything; with the abort file gone the next start is a clean one.

        After a failed sync the abort file stays. Harmless when closed.

        :raises StoreError: the last sync failed.
        """
        if self._unlock is None:
            return
        was_whole = not self._gate.final
        self._gate.shut("the store is closed")
        try:
            if was_whole:
                self._sync_all()
                self._disk.delete(self._abort_path)
        except OSError as error:
            raise StoreError(f"cannot sync the store in {self._settings.root}: {error}") from error
        finally:
            self._release_all()

    def _sync_all(self) -> None:
        self._flusher.forget()  # who syncs them need not come back
        for make_work in (self.flush_work, self.queue_flush_work, self.queue_flush_work):
            work = make_work(at_once=True)
            if work is not None:
                work.sync()
                self.flushed(work)

    def _release_all(self) -> None:
        self._log.segments.close()
        for queue in self._queues:
            queue.segments.close()
        self._index.close()
        if self._checkpoint is not None:
            self._holds.close(self._checkpoint.file)
        if self._unlock is not None:
            self._unlock()
            self._unlock = None

    # Putting

    def on_arrival(self, listener: Arrival) -> None:
        """Have ``listener`` called for every message that becomes readable, not in a load."""
        self._dispatcher.listeners.append(listener)

    def on_append(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called after each put that leaves dispatch for later.

        For who copies the log: with a dispatch limit, arrivals come only when the copies are there.
        It may move the limit and dispatch. Without a limit each put is an arrival.
        """
        self._writer.appended.append(listener)

    def put_batch(self, message: PutMessage, items: Sequence[BatchItem]) -> PutResult:
        """Append all items or none; ``message`` gives what they share, its body is ignored.

        Source: CommitLog.java, asyncPutMessages(), doAppend() of a batch, 5.3.3.
        """
        return self._writer.put_batch(message, items)

    @property
    def refusal(self) -> str | None:
        """Why puts are refused now (disk full, sync failed, ...); None while they are taken."""
        return self._gate.refusal

    # Reading

    def get(
        self,
        topic: str,
        queue_id: int,
        offset: int,
        max_count: int,
        max_bytes: int = 134_217_728,
        tags: AbstractSet[int] | None = None,
        matching: RecordFilter | None = None,
    ) -> GetResult:
        """Read messages of a queue from ``offset`` on, at least one if there is one.

        ``tags``: tag hashes wanted, None for all. ``matching``: whose records are wanted, in
        place of tags.
        Source: DefaultMessageStore.java, getMessage(), 5.3.3.
        """
        result = self._reader.get(topic, queue_id, offset, max_count, max_bytes, tags, matching)
        stats = self.stats
        if result.count:
            stats.get_times_found += 1
            stats.get_messages += result.count
            stats.get_bytes += result.size
        else:
            stats.get_times_miss += 1
        return result

    def message_at(self, position: int) -> bytes | None:
        """The whole record that begins at ``position`` of the log, or None."""
        head = recovery.head_at(self._log, position)
        return None if head is None else self._log.read(position, head.total_size)

    def query(
        self, topic: str, key: str, count_max: int, begin_ms: int, end_ms: int
    ) -> QueryResult:
        """Find records by UNIQ_KEY or one of KEYS, stored between the times, newest first.

        Source: DefaultMessageStore.java, queryMessage(), 5.3.3.
        """
        count_max = min(count_max, self._settings.query_count_max)
        found = self._index.find(topic, key, count_max, begin_ms, end_ms)
        records = [(position, self.message_at(position)) for position in found]
        held = [(position, record) for position, record in records if record is not None]
        return QueryResult(
            [position for position, _ in held],
            [record for _, record in held],
            self._index.end_timestamp,
            max(self._index.end_position, 0),
        )

    def min_offset(self, topic: str, queue_id: int) -> int:
        """The first offset that can be read; 0 for an unknown queue."""
        queue = self._queues.by_key.get((topic, queue_id))
        return 0 if queue is None else queue.min_offset

    def max_offset(self, topic: str, queue_id: int) -> int:
        """The offset the next message gets; 0 for an unknown queue."""
        queue = self._queues.by_key.get((topic, queue_id))
        return 0 if queue is None else queue.next_offset

    def offset_by_time(
        self, topic: str, queue_id: int, timestamp_ms: int, *, upper: bool = False
    ) -> int:
        """Offset for a store time, by RocketMQ's LOWER (default) or UPPER rule; 0 if unknown.

        Source: ConsumeQueue.java, getOffsetInQueueByTime(), 5.3.3.
        """
        queue = self._queues.by_key.get((topic, queue_id))
        if queue is None:
            return 0
        return self._reader.offset_by_time(queue, timestamp_ms, upper=upper)

    def earliest_time(self, topic: str | None = None, queue_id: int = 0) -> int:
        """Store time of the first message of a queue, of the whole log if no topic; -1: none."""
        if topic is not None:
            return self.store_time(topic, queue_id, self.min_offset(topic, queue_id))
        if self._log.begin >= self._log.position:
            return -1
        head = recovery.head_at(self._log, self._log.begin + self._log.entry_header)
        return -1 if head is None else head.store_timestamp

    def store_time(self, topic: str, queue_id: int, offset: int) -> int:
        """Store time of a queue's message, -1 if it is not there."""
        queue = self._queues.by_key.get((topic, queue_id))
        return -1 if queue is None else self._reader.store_time(queue, offset)

    def position_of(self, topic: str, queue_id: int, offset: int) -> int:
        """Commit log position of a queue's message, -1 if it is not there."""
        queue = self._queues.by_key.get((topic, queue_id))
        unit = None if queue is None else queue.unit(offset)
        return -1 if unit is None else unit[0]

    def begins_in_memory(self, topic: str, queue_id: int) -> bool:
        """Whether message 0 is, by estimate, still in memory, or is not there at all.

        Source: DefaultMessageStore.java, checkInDiskByConsumeOffset() (negated), 5.3.3.
        """
        position = self.position_of(topic, queue_id, 0)
        return position < 0 or self._reader.is_in_memory(position)

    def consume_queue(self, topic: str, queue_id: int) -> ConsumeQueue | None:
        """One queue to read in, None if it is not there."""
        return self._queues.by_key.get((topic, queue_id))

    def consume_queues(self) -> Iterable[ConsumeQueue]:
        """All queues to read in."""
        return self._queues

    def queues(self) -> list[QueueState]:
        """All queues."""
        return [
            QueueState(queue.topic, queue.queue_id, queue.min_offset, queue.next_offset)
            for queue in self._queues
        ]

    def log_bytes(self, position: int, size_max: int) -> bytes:
        """The log's own bytes from ``position`` on, for a copy of it, at most ``size_max``.

        They end where the file or the log does; empty where nothing is (any more).
        Source: DefaultMessageStore.java, getCommitLogData(), 5.3.3.

        :raises OSError: the file cannot be mapped.
        """
        return self._log.bytes_from(position, size_max)

    @property
    def log_file_size(self) -> int:
        """Bytes of each file of the commit log."""
        return self._log.segments.file_size

    @property
    def min_position(self) -> int:
        """Where the commit log begins."""
        return self._log.begin

    @property
    def written_position(self) -> int:
        """Where the commit log ends; all below is in memory-mapped files."""
        return self._log.position

    @property
    def flushed_position(self) -> int:
        """All below is on disk."""
        return self._log.flushed_position

    # Following a master

    @property
    def follows(self) -> bool:
        """Whether bytes are taken, and no puts."""
        return self._follower.follows

    def follow(self, reason: str) -> None:
        """Take bytes by ``append_raw``, and no puts: SERVICE_NOT_AVAILABLE with ``reason``.

        Also allowed before ``load``; harmless when it follows.
        """
        self._follower.follow(reason)

    def lead(self) -> None:
        """Take puts, and no bytes; queue offsets go on where the log ends. Default after a load.

        Drops a torn tail. Without a limit all is dispatched afterwards. Harmless when it leads.

        :raises StoreError: something cannot be dispatched; it still follows.
        """
        self._follower.lead()

    def on_unknown_topic(self, known: AbstractSet[str], listener: TopicSeen) -> None:
        """Have ``listener`` called for each record that is dispatched while the store follows, if
        its topic is not in ``known``, which may change.
        """
        self._dispatcher.known_topics, self._dispatcher.topic_seen = known, listener

    def append_raw(self, position: int, data: bytes) -> None:
        """Add what the master's log has at ``position``: records, or parts of them, of one file.

        ``position`` is the log's end; in a log without files also the beginning of any file.
        Then ask for ``dispatch``.
        Source: CommitLog.java, appendData(), 5.3.3.

        :raises StoreError: it leads, or ``position`` is another, or ``data`` reach into the next
            file, or no room on the disk: nothing was added, and the same call may succeed later.
        """
        self._follower.append(position, data)

    def dispatch(self) -> int:
        """Give queues, index and listeners the whole records up to the limit; how many.

        For who appended bytes or moved the limit. A record of which a part is missing waits.
        Source: DefaultMessageStore.java, ReputMessageService, 5.3.3.

        :raises StoreError: no room on the disk, then the same call may succeed later; or something
            else than a record is in the log. What was dispatched before it stays.
        """
        return self._dispatcher.dispatch() if self._follower.is_behind else 0

    def limit_dispatch(self, position: int | None) -> None:
        """Let nobody read beyond ``position`` of the log, until it is moved; None: no limit.

        Queues, index, arrivals and offsets end there; the log does not. Moving it back takes
        nothing back. Call ``dispatch`` afterwards. Before a load: the load dispatches up to it.

        :raises StoreError: None, but the rest cannot be dispatched now; the old limit stays.
        """
        self._follower.limit(position)

    @property
    def dispatch_limit(self) -> int | None:
        """Nobody reads beyond; None: all can be read."""
        return self._dispatcher.limit

    @property
    def dispatched_position(self) -> int:
        """All records below were given to queues, index and listeners."""
        return self._follower.dispatched_position

    def show_committed(self) -> int:
        """Take in what a ledger's group agreed on, and dispatch it; how many records.

        For who is told that the ledger committed, was cut, or cleaned. See ``rmq.store.ledger``.

        :raises StoreError: no room on the disk, or something else than a record is in an entry.
        """
        assert self._view is not None, "the log is no ledger's"
        try:
            self._view.show()
        except OSError as error:
            raise StoreError(f"cannot follow the ledger: {error}") from error
        return self._dispatcher.dispatch()

    def truncate(self, position: int) -> None:
        """Forget what lies at ``position`` of the log and behind, in log, queues and index.

        For a store that follows or has a limit. Afterwards it is on disk: no crash brings back what
        was cut. A torn tail goes too.
        Source: DefaultMessageStore.java, truncateFiles(), 5.3.3.

        :raises StoreError: no record or file begins there, and the log does not end there; or the
            disk failed, then nothing is taken any more before a restart.
        """
        assert self._checkpoint is not None, "the store is loaded"
        self._flusher.forget()  # what they say is no longer true
        self._follower.truncate(position, self._checkpoint)

    def drop_torn_tail(self) -> int:
        """Cut what is no whole record or blank at the log's end; where it ends then.

        :raises StoreError: the disk failed, nothing is taken any more before a restart.
        """
        return self._follower.drop_torn_tail()

    @property
    def confirmed_position(self) -> int:
        """The confirm offset, kept in the checkpoint; below it all replicas had the log."""
        return 0 if self._checkpoint is None else self._checkpoint.values.confirm_phy_offset

    @confirmed_position.setter
    def confirmed_position(self, position: int) -> None:
        assert self._checkpoint is not None, "the store is loaded"
        self._checkpoint.set(confirmed=position)

    @property
    def master_flushed_position(self) -> int:
        """Where the log of a slave's master ended when it told; 0: unknown. In the checkpoint."""
        return 0 if self._checkpoint is None else self._checkpoint.values.master_flushed_offset

    @master_flushed_position.setter
    def master_flushed_position(self, position: int) -> None:
        assert self._checkpoint is not None, "the store is loaded"
        self._checkpoint.set(master_flushed=position)

    # Upkeep

    def flush_work(self, *, at_once: bool = False) -> FlushWork | None:
        """Log files to sync: any new byte if ``at_once``, else by pages and age; None if none.

        Only one such work is out at a time: None until it was ``flushed``.
        """
        return self._flusher.log_work(at_once=at_once)

    def queue_flush_work(self, *, at_once: bool = False) -> FlushWork | None:
        """The same for queues, index and checkpoint."""
        return self._flusher.queue_work(self._follower, self._checkpoint, at_once=at_once)

    def flushed(self, work: FlushWork) -> None:
        """Note that all files of ``work`` were synced; after ``close`` this only lets them go."""
        self._holds.release(work.files)
        if self._checkpoint is not None:
            self._flusher.flushed(work, self._checkpoint)

    def sync_failed(self, work: FlushWork, cause: OSError) -> None:
        """Refuse all puts until a restart: what was written since the last sync may be lost."""
        self._holds.release(work.files)
        self._gate.shut(f"sync failed, restart after repair: {cause}")

    def prepare_next(self) -> None:
        """Create the next log file ahead of need; call from a timer. A full disk is no error."""
        if self._gate.refusal is None:
            try:
                self._log.prepare_next()
            except OSError as error:
                self._gate.no_room(error)

    def delete_topics(self, topics: AbstractSet[str]) -> int:
        """Forget the queues of topics, files too; give the number of topics that had some."""
        count = self._queues.drop_topics(topics)
        self._follower.recount()
        return count

    def delete_expired_queues(self) -> list[tuple[str, int]]:
        """Forget queues of which the log holds no message any more, files too; which they were.

        Those of delayed messages stay: their offsets count on. The next message of a queue
        that was forgotten is number 0 again.
        Source: DefaultMessageStore.java, cleanExpiredConsumerQueue(), 5.3.3.

        :raises StoreError: a file cannot be deleted.
        """
        expired = [
            queue
            for queue in self._queues
            if queue.topic != SCHEDULE_TOPIC and 0 < queue.end_position <= self._log.begin
        ]
        for queue in expired:
            try:
                self._queues.drop(queue)
            except OSError as error:
                raise StoreError(f"cannot delete {queue.segments.folder}: {error}") from error
        self._follower.recount()
        return [(queue.topic, queue.queue_id) for queue in expired]

    def clean(self, *, at_once: bool = False) -> list[str]:
        """Delete what is too old, or anything if the disk is too full; the paths deleted.

        Also looks whether the disk is full (puts are refused) or has room again. To be called
        every cleanResourceInterval (10 s).

        :raises StoreError: a file cannot be deleted.
        """
        settings = self._settings
        segments = self._log.segments
        try:
            share = self._disk.used_share(segments.folder)
            entries = [
                entry for entry in self._disk.entries(segments.folder) if not entry.is_folder
            ]
            state = DiskState(
                self._clock.wall_ms(), share, [entry.modified_ms for entry in entries]
            )
            deleted = []
            in_use = min(self._log.start, segments.start_of(self.dispatched_position))
            if self._view is not None:
                in_use = segments.begin  # the ledger's owner cleans
            for _ in range(files_to_delete(state, settings, at_once=at_once)):
                if segments.begin >= in_use:
                    break
                deleted.append(segments.delete_first())
            if deleted:
                for queue in self._queues:
                    deleted += queue.delete_before(segments.begin)
                deleted += self._index.delete_before(segments.begin)
        except OSError as error:
            raise StoreError(f"cannot clean the store in {settings.root}: {error}") from error
        self._gate.note_share(share)
        return deleted
