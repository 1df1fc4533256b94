"""The message store: puts, gets, and the order commit log -> dispatch -> queues."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from codec.disk.consume_queue import UNIT_SIZE
from codec.message.properties import PROPERTIES_MAX, join
from codec.message.record import (
    BLANK_SIZE,
    TOPIC_V1_MAX,
    Record,
    pack_record,
    reserve_crc,
    seal,
)
from codec.message.sysflag import (
    BORN_HOST_V6,
    STORE_HOST_V6,
    TRANSACTION_MASK,
    TRANSACTION_PREPARED,
    TRANSACTION_ROLLBACK,
)
from rmq.base.errors import StoreError
from rmq.base.ports import Clock, Disk
from rmq.store import recovery
from rmq.store.checkpoint import CheckpointFile
from rmq.store.commit_log import QUIET, CommitLog
from rmq.store.consume_queue import ConsumeQueue
from rmq.store.dispatch import key_hashes, queue_tags_code
from rmq.store.flush import PAGE_SIZE, FlushPolicy, FlushWork
from rmq.store.index import Index
from rmq.store.messages import (
    BatchItem,
    GetResult,
    PutMessage,
    PutResult,
    PutStatus,
    QueryResult,
    QueueState,
)
from rmq.store.queue_table import TOPIC_BYTES_MAX, QueueTable
from rmq.store.reader import QueueReader
from rmq.store.recovery import RecoveryReport
from rmq.store.retention import DiskState, files_to_delete
from rmq.store.segments import Holds
from rmq.store.settings import StoreSettings
from rmq.store.stats import StoreStats

Arrival = Callable[[str, int, int, int, int, bytes], None]
"""Called after dispatch: topic, queue id, queue's new max offset, tag hash (Java's, sign-extended),
store timestamp, properties (encoded). Must not put."""

_NOT_QUEUED = (TRANSACTION_PREPARED, TRANSACTION_ROLLBACK)
_NOT_HOSTS = ~(BORN_HOST_V6 | STORE_HOST_V6)
_PUT_OK = PutStatus.PUT_OK
_NO_RESULT = PutResult(PutStatus.UNKNOWN_ERROR)
EXTRA_SIZE_MAX = 65_536
"""Bytes a record may be longer than the largest body. Source: MessageExtEncoder.java, 5.3.3."""


class MessageStore:
    """Everything a broker keeps: commit log, consume queues, index, checkpoint.

    One thread calls it. ``load`` first, ``close`` last. Nothing here blocks on a sync: ask
    ``flush_work`` (log) and ``queue_flush_work`` (queues, index, checkpoint) from timers, sync the
    work's files in a thread, then say ``flushed`` or ``sync_failed``.

    ``refusal`` says why puts are refused now (disk full, sync failed, ...), None while they are
    taken; reads go on either way.
    """

    def __init__(self, disk: Disk, clock: Clock, settings: StoreSettings) -> None:
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
        self._listeners: list[Arrival] = []
        now_ms = clock.monotonic_ms()
        self._log_policy = FlushPolicy(
            settings.flush_least_pages, settings.flush_thorough_ms, now_ms
        )
        self._queue_policy = FlushPolicy(
            settings.queue_flush_least_pages, settings.queue_flush_thorough_ms, now_ms
        )
        self._log_work: FlushWork | None = None
        self._queue_work: FlushWork | None = None
        self._abort_path = f"{settings.root}/abort"
        self._unlock: Callable[[], None] | None = None
        self.stats = StoreStats(clock.wall_ms())
        self.refusal: str | None = "the store is not loaded"
        self._final = True
        self._retry_at_ms = 0
        self._disk_full = False
        self._record_max = min(
            settings.message_size_max + EXTRA_SIZE_MAX,
            settings.commit_log_file_size - BLANK_SIZE,
        )
        self._body_max = settings.message_size_max
        self._append_crc = settings.append_crc
        self._index_enabled = settings.index_enabled
        self._delay_levels_ms = settings.delay_levels_ms
        self._store_host = settings.store_host
        self._host_flags = STORE_HOST_V6 if len(settings.store_host) == 20 else 0

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
        self.refusal = None
        self._final = False
        return report

    def _recover(self) -> RecoveryReport:
        dirty = self._disk.exists(self._abort_path)
        log, queues, index = self._log, self._queues, self._index
        log.segments.load()
        queues.load()
        index.load()
        self._checkpoint = CheckpointFile(self._disk, f"{self._settings.root}/checkpoint")
        start = -1 if dirty else recovery.start_after_clean(log, queues)
        if start < 0:
            dirty = True
            start = recovery.start_after_crash(log, queues, self._checkpoint.values.min_timestamp)
            for queue in queues:
                queue.truncate(start)
            start = self._index_start(start)
        report = recovery.scan(
            log, start, self._dispatch_again, check_crc=self._settings.check_crc_on_recover
        )
        self._cut(report.position, dirty=dirty)
        if dirty:
            log.flushed_position = start
        return RecoveryReport(not dirty, report.records, report.position, report.cut_reason)

    def _index_start(self, start: int) -> int:
        """Cut the index to ``start``; the record from which to read so that it gets whole."""
        indexed = self._index.truncate(start)
        if indexed >= start:
            return start
        return indexed if recovery.head_at(self._log, indexed) else self._log.begin

    def _cut(self, position: int, *, dirty: bool) -> None:
        """End the log at ``position``."""
        log = self._log
        segments = log.segments
        segments.delete_from(position)
        if position < segments.end:
            segments.clear(position, QUIET if dirty else PAGE_SIZE)
        log.start_at(position)
        for queue in list(self._queues):
            if segments.begin == segments.end:
                self._queues.drop(queue)
            elif queue.end_position > position:
                queue.truncate(position)
            queue.correct_min(log.begin)

    def _dispatch_again(self, record: Record) -> None:
        """Give queue and index what they do not have yet of a record that was read again."""
        log = self._log
        log.last_timestamp = max(log.last_timestamp, record.store_timestamp)
        topic = record.topic.decode(errors="replace")
        transaction = record.sys_flag & TRANSACTION_MASK
        try:
            queue = self._queue(topic, record.queue_id)
        except StoreError:
            return
        if transaction not in _NOT_QUEUED:
            code = queue_tags_code(
                topic, record.properties, record.store_timestamp, self._settings.delay_levels_ms
            )
            if queue.put_at(record.queue_offset, record.position, record.total_size, code):
                self._queues.note_dirty(queue)
        if (
            self._settings.index_enabled
            and transaction != TRANSACTION_ROLLBACK
            and record.position > self._index.end_position
        ):
            hashes = key_hashes(queue.topic_hash, record.properties)
            if hashes:
                self._index.put(hashes, record.position, record.store_timestamp)

    def close(self) -> None:
        """Sync and close everything; with the abort file gone the next start is a clean one.

        After a failed sync the abort file stays. Harmless when closed.

        :raises StoreError: the last sync failed.
        """
        if self._unlock is None:
            return
        was_whole = not self._final
        self.refusal = self.refusal or "the store is closed"
        self._final = True
        try:
            if was_whole:
                self._sync_all()
                self._disk.delete(self._abort_path)
        except OSError as error:
            raise StoreError(f"cannot sync the store in {self._settings.root}: {error}") from error
        finally:
            self._release_all()

    def _sync_all(self) -> None:
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
        self._listeners.append(listener)

    def put(self, message: PutMessage) -> PutResult:
        """Append one message; it can be read at once. Never raises for a full disk: see status.

        Source: CommitLog.java, asyncPutMessage(), 5.3.3.
        """
        queue = self._queues.by_key.get((message.topic, message.queue_id))
        properties = message.properties
        if queue is None or self._append_crc or self.refusal is not None:
            refused, queue = self._check_rarely(message)
            if queue is None:
                return refused
            if self._append_crc:
                properties = reserve_crc(properties)
        body = message.body
        size = queue.fixed_size + len(message.born_host) + len(body) + len(properties)
        if (
            len(body) > self._body_max
            or len(properties) > PROPERTIES_MAX
            or size > self._record_max
        ):
            return self._too_long(len(body), len(properties), size)
        transaction = message.sys_flag & TRANSACTION_MASK
        hashes = (
            key_hashes(queue.topic_hash, properties)
            if self._index_enabled and transaction != TRANSACTION_ROLLBACK
            else None
        )
        log = self._log
        try:
            if log.position + size > log.writable_end:
                log.make_room(size)
            if queue.write_at >= queue.reserved:
                queue.make_room(1)
            if hashes:
                self._index.make_room(len(hashes))
        except OSError as error:
            return self._no_room(error)
        now_ms = self._clock.wall_ms()
        now_ms = max(now_ms, log.last_timestamp)
        position = log.position
        offset = self._append(queue, message, body, properties, message.flag, now_ms, hashes)
        stats = self.stats
        stats.put_times += 1
        stats.put_bytes += size
        return PutResult(_PUT_OK, position, offset, size, now_ms, position + size)

    def put_batch(self, message: PutMessage, items: Sequence[BatchItem]) -> PutResult:
        """Append all items or none; ``message`` gives what they share, its body is ignored.

        Source: CommitLog.java, asyncPutMessages(), doAppend() of a batch, 5.3.3.
        """
        refused, queue = self._check_rarely(message)
        if queue is None:
            return refused
        if not items or message.sys_flag & TRANSACTION_MASK:
            return self._refused(
                PutStatus.MESSAGE_ILLEGAL, "a batch is not empty and not transactional"
            )
        parts: list[tuple[BatchItem, bytes, list[int] | None]] = []
        total = 0
        for item in items:
            properties = join(item.properties, message.properties)
            if self._append_crc:
                properties = reserve_crc(properties)
            size = queue.fixed_size + len(message.born_host) + len(item.body) + len(properties)
            total += size
            if (
                len(item.body) > self._body_max
                or len(properties) > PROPERTIES_MAX
                or total > self._record_max
            ):
                return self._too_long(len(item.body), len(properties), total)
            hashes = key_hashes(queue.topic_hash, properties) if self._index_enabled else None
            parts.append((item, properties, hashes))
        log = self._log
        try:
            if log.position + total > log.writable_end:
                log.make_room(total)
            queue.make_room(len(parts))
            self._index.make_room(sum(len(hashes or ()) for _, _, hashes in parts))
        except OSError as error:
            return self._no_room(error)
        now_ms = max(self._clock.wall_ms(), log.last_timestamp)
        first = queue.next_offset
        positions = []
        for item, properties, hashes in parts:
            positions.append(log.position)
            self._append(queue, message, item.body, properties, item.flag, now_ms, hashes)
        self.stats.put_times += len(parts)
        self.stats.put_bytes += total
        return PutResult(
            _PUT_OK, positions[0], first, total, now_ms, log.position, "", tuple(positions)
        )

    def _append(
        self,
        queue: ConsumeQueue,
        message: PutMessage,
        body: bytes,
        properties: bytes,
        flag: int,
        now_ms: int,
        hashes: list[int] | None,
    ) -> int:
        """Write a record, its unit and its keys, for which room was made; its queue offset."""
        log = self._log
        position = log.position
        sys_flag = message.sys_flag & _NOT_HOSTS | self._host_flags
        if len(message.born_host) != 8:
            sys_flag |= BORN_HOST_V6
        is_queued = sys_flag & TRANSACTION_MASK not in _NOT_QUEUED
        offset = queue.next_offset if is_queued else 0
        record = pack_record(
            body=body,
            topic=queue.topic_bytes,
            properties=properties,
            queue_id=queue.queue_id,
            flag=flag,
            queue_offset=offset,
            position=position,
            sys_flag=sys_flag,
            born_timestamp=message.born_timestamp,
            born_host=message.born_host,
            store_timestamp=now_ms,
            store_host=self._store_host,
            reconsume_times=message.reconsume_times,
            prepared_transaction_offset=message.prepared_transaction_offset,
        )
        if self._append_crc:
            record = seal(record)
        memory = log.memory
        assert memory is not None, "room was made"
        size = len(record)
        at = position - log.start
        memory[at : at + size] = record
        log.position = position + size
        log.last_timestamp = now_ms
        if is_queued:
            code = queue_tags_code(queue.topic, properties, now_ms, self._delay_levels_ms)
            queue.append(position, size, code)
            if not queue.dirty:
                self._queues.note_dirty(queue)
            for listener in self._listeners:
                listener(queue.topic, queue.queue_id, offset + 1, code, now_ms, properties)
        if hashes:
            self._index.put(hashes, position, now_ms)
        return offset

    def _check_rarely(self, message: PutMessage) -> tuple[PutResult, ConsumeQueue | None]:
        """The checks that a put to a known queue of a healthy store skips."""
        if self.refusal is not None and not self._may_try_again():
            return self._refused(PutStatus.SERVICE_NOT_AVAILABLE, self.refusal), None
        topic_size = len(message.topic.encode())
        limit = (
            TOPIC_BYTES_MAX
            if message.topic.startswith("%RETRY%") and self._settings.version_by_topic_length
            else TOPIC_V1_MAX
        )
        if topic_size > limit:
            text = f"topic of {topic_size} bytes, at most {limit} are stored"
            return self._refused(PutStatus.MESSAGE_ILLEGAL, text), None
        try:
            return _NO_RESULT, self._queue(message.topic, message.queue_id)
        except StoreError as error:
            return self._refused(PutStatus.MESSAGE_ILLEGAL, str(error)), None

    def _may_try_again(self) -> bool:
        if self._final or self._disk_full or self._clock.monotonic_ms() < self._retry_at_ms:
            return False
        self.refusal = None
        return True

    def _no_room(self, error: OSError) -> PutResult:
        self.refusal = f"{error.strerror or error}: {self._settings.root}"
        self._retry_at_ms = self._clock.monotonic_ms() + self._settings.retry_reserve_ms
        return self._refused(PutStatus.SERVICE_NOT_AVAILABLE, self.refusal)

    def _too_long(self, body_size: int, properties_size: int, size: int) -> PutResult:
        if properties_size > PROPERTIES_MAX:
            text = f"properties of {properties_size} bytes, at most {PROPERTIES_MAX} are stored"
            return self._refused(PutStatus.PROPERTIES_SIZE_EXCEEDED, text)
        text = (
            f"body of {body_size} bytes in {size} bytes to write, "
            f"at most {self._body_max} and {self._record_max} are stored"
        )
        return self._refused(PutStatus.MESSAGE_ILLEGAL, text)

    def _refused(self, status: PutStatus, remark: str) -> PutResult:
        self.stats.put_failed_times += 1
        return PutResult(status, remark=remark)

    def _queue(self, topic: str, queue_id: int) -> ConsumeQueue:
        queue = self._queues.by_key.get((topic, queue_id))
        return self._queues.create(topic, queue_id) if queue is None else queue

    # Reading

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
        result = self._reader.get(topic, queue_id, offset, max_count, max_bytes, tags)
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
        head = recovery.head_at(self._log, self._log.begin)
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

    def queues(self) -> list[QueueState]:
        """All queues."""
        return [
            QueueState(queue.topic, queue.queue_id, queue.min_offset, queue.next_offset)
            for queue in self._queues
        ]

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

    # Upkeep

    def flush_work(self, *, at_once: bool = False) -> FlushWork | None:
        """Log files to sync: any new byte if ``at_once``, else by pages and age; None if none.

        Only one such work is out at a time: None until it was ``flushed``.
        """
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

    def queue_flush_work(self, *, at_once: bool = False) -> FlushWork | None:
        """The same for queues, index and checkpoint."""
        if self._queue_work is not None or self._checkpoint is None:
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
        index_dirty = thorough and self._index.dirty
        if index_dirty:
            files += self._index.dirty_files()
        if self._checkpoint.dirty:
            files.append(self._checkpoint.file)
            self._checkpoint.dirty = False
        if not files:
            return None
        self._queue_work = FlushWork(
            tuple(files),
            self._log.position,
            self._log.last_timestamp,
            of_log=False,
            marks=tuple(marks),
            all_queues=thorough,
        )
        self._holds.hold(self._queue_work.files)
        return self._queue_work

    def flushed(self, work: FlushWork) -> None:
        """Note that all files of ``work`` were synced."""
        self._holds.release(work.files)
        assert self._checkpoint is not None, "work comes from a loaded store"
        if work.of_log:
            self._log_work = None
            self._log.flushed_position = max(self._log.flushed_position, work.position)
            self._checkpoint.set(log=work.store_timestamp)
            return
        self._queue_work = None
        for queue, offset in work.marks:
            queue.flushed_offset = max(queue.flushed_offset, min(offset, queue.next_offset))
        if work.all_queues:
            self._checkpoint.set(queues=work.store_timestamp)
            if self._settings.index_enabled:
                self._checkpoint.set(index=self._index.full_timestamp)

    def sync_failed(self, work: FlushWork, cause: OSError) -> None:
        """Refuse all puts until a restart: what was written since the last sync may be lost."""
        self._holds.release(work.files)
        self._final = True
        self.refusal = f"sync failed, restart after repair: {cause}"

    def prepare_next(self) -> None:
        """Create the next log file ahead of need; call from a timer. A full disk is no error."""
        if self.refusal is None:
            try:
                self._log.prepare_next()
            except OSError as error:
                self._no_room(error)

    def delete_topics(self, topics: AbstractSet[str]) -> int:
        """Forget the queues of topics, files too; give the number of topics that had some."""
        return self._queues.drop_topics(topics)

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
            for _ in range(files_to_delete(state, settings, at_once=at_once)):
                if segments.begin + segments.file_size >= self._log.start:
                    break
                deleted.append(segments.delete_first())
            if deleted:
                for queue in self._queues:
                    deleted += queue.delete_before(segments.begin)
                deleted += self._index.delete_before(segments.begin)
        except OSError as error:
            raise StoreError(f"cannot clean the store in {settings.root}: {error}") from error
        self._note_share(share)
        return deleted

    def _note_share(self, share: float) -> None:
        """Source: DefaultMessageStore.java, isSpaceToDelete(), 5.3.3."""
        full = share > self._settings.used_share_full
        if full:
            self.refusal = self.refusal or (
                f"the disk of {self._settings.root} is {share:.0%} full, writes stop at "
                f"{self._settings.used_share_full:.0%}"
            )
        elif self._disk_full and not self._final:
            self.refusal = None
        self._disk_full = full
