"""Putting: the hot path of a send, and why a put is refused.

Room is made first, in log, queue and index: where the disk is full an ``OSError`` says so before
anything is written. Then record, unit and keys are written, which cannot fail.

While the store has a dispatch limit only the record is written, see ``rmq.store.dispatching``.
"""

from collections.abc import Callable, Sequence
from zlib import crc32

from codec.disk.consume_queue import UNIT_SIZE
from codec.message.batch import BatchItem
from codec.message.java_hash import tags_code
from codec.message.properties import PROPERTIES_MAX, PROPERTY_SEPARATOR, join
from codec.message.record import (
    BLANK_SIZE,
    TOPIC_V1_MAX,
    reserve_crc,
    seal,
)
from codec.message.sysflag import (
    BORN_HOST_V6,
    STORE_HOST_V6,
    TRANSACTION_MASK,
    TRANSACTION_ROLLBACK,
)
from rmq.base.errors import StoreError
from rmq.base.ports import Clock
from rmq.store.commit_log import CommitLog, fixed_part
from rmq.store.consume_queue import ConsumeQueue
from rmq.store.dispatch import (
    SCHEDULE_TOPIC,
    WANTED,
    delivery_time,
    key_hashes,
    wanted_properties,
)
from rmq.store.dispatching import NOT_QUEUED, Dispatcher, Entry
from rmq.store.gate import Gate
from rmq.store.index import Index
from rmq.store.messages import PutMessage, PutResult, PutStatus
from rmq.store.queue_table import TOPIC_BYTES_MAX, QueueTable
from rmq.store.settings import StoreSettings
from rmq.store.stats import StoreStats

Part = tuple[bytes, bytes, int, int, dict[bytes, bytes], Sequence[int]]
"""What is a record's own in a batch: body, properties, flag, size of the record, the properties
that queue and index want, hashes of its keys."""
RunRecord = tuple[ConsumeQueue, int, int, PutMessage, dict[bytes, bytes]]
"""A record of a run: queue, position, size, message, and what queue and index want of it."""
RunKey = tuple[int, int]
"""A key's hash and its record's position."""
EXTRA_SIZE_MAX = 65_536
"""Bytes a record may be longer than the largest body. Source: MessageExtEncoder.java, 5.3.3."""
_NOT_HOSTS = ~(BORN_HOST_V6 | STORE_HOST_V6)
_PUT_OK = PutStatus.PUT_OK
_NO_RESULT = PutResult(PutStatus.UNKNOWN_ERROR)


class Writer:
    """Appends messages and dispatches them."""

    def __init__(
        self,
        clock: Clock,
        settings: StoreSettings,
        gate: Gate,
        log: CommitLog,
        queues: QueueTable,
        index: Index,
        stats: StoreStats,
        dispatcher: Dispatcher,
    ) -> None:
        self.appended: list[Callable[[], None]] = []
        self._dispatcher = dispatcher
        self._later: Dispatcher | None = None
        self._listeners = dispatcher.listeners
        self._wall_ms = clock.wall_ms
        self._gate = gate
        self._log = log
        self._queues = queues
        self._by_key = queues.by_key
        self._index = index
        self._stats = stats
        self._settings = settings
        self._delay_levels_ms = settings.delay_levels_ms
        self._index_enabled = self._indexes_now = settings.index_enabled
        self._append_crc = self._is_careful = settings.append_crc
        self._body_max = settings.message_size_max
        self._record_max = min(
            settings.message_size_max + EXTRA_SIZE_MAX,
            settings.commit_log_file_size - BLANK_SIZE,
        )
        self._store_host = settings.store_host
        store_size = len(settings.store_host)
        self._host_flags = STORE_HOST_V6 if store_size == 20 else 0
        self._fixed_v4 = fixed_part(8, store_size)
        self._fixed_v6 = fixed_part(20, store_size)

    @property
    def dispatches_later(self) -> bool:
        """Whether puts leave dispatch to the ``Dispatcher``."""
        return self._later is not None

    def dispatch_later(self, later: bool) -> None:
        """Have, or no longer have, puts leave dispatch to the ``Dispatcher``."""
        self._later = self._dispatcher if later else None
        self._is_careful = later or self._append_crc
        self._indexes_now = self._index_enabled and not later

    def put(self, message: PutMessage) -> PutResult:
        """See ``MessageStore.put``."""
        queue = self._by_key.get((message.topic, message.queue_id))
        properties = message.properties
        if queue is None or self._is_careful or self._gate.refusal is not None:
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
        wanted = message.wanted
        if wanted is None:
            wanted = dict(WANTED.findall(PROPERTY_SEPARATOR + properties))
        hashes = (
            key_hashes(queue.topic_hash, wanted)
            if self._indexes_now and message.sys_flag & TRANSACTION_MASK != TRANSACTION_ROLLBACK
            else ()
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
            return self._refused(PutStatus.SERVICE_NOT_AVAILABLE, self._gate.no_room(error))
        now_ms = self._wall_ms()
        now_ms = max(now_ms, log.last_timestamp)
        position = log.position
        part = (body, properties, message.flag, size, wanted, hashes)
        offset = self._append(queue, message, part, now_ms)
        stats = self._stats
        stats.put_times += 1
        stats.put_bytes += size
        if self._is_careful:
            self._tell_appended()
        return PutResult(_PUT_OK, position, offset, size, now_ms, position + size)

    def _tell_appended(self) -> None:
        if self._later is not None:
            for listener in self.appended:
                listener()

    def put_run(self, messages: Sequence[PutMessage]) -> list[PutResult]:
        """Append messages that came together, each for itself: what ``put`` gives for each.

        As many as are plain are written in one go.
        """
        results: list[PutResult] = []
        while len(results) < len(messages):
            self._put_plain(messages[len(results) :], results)
            if len(results) < len(messages):
                results.append(self.put(messages[len(results)]))
        return results

    def _put_plain(self, messages: Sequence[PutMessage], results: list[PutResult]) -> None:
        """Write the first messages up to one that needs more than room already made.

        First all records, then all units and keys: no unit points beyond the log.
        """
        log, memory = self._log, self._log.memory
        if memory is None or self._append_crc or self._gate.refusal is not None:
            return
        now_ms = max(self._wall_ms(), log.last_timestamp)
        position = log.position
        pieces: list[bytes] = []
        records: list[RunRecord] = []
        keys: list[RunKey] = []
        later = self._later
        ahead = {} if later is None else later.counts_ahead()
        unit_size = UNIT_SIZE if later is None else 0  # no unit is written now
        for message in messages:
            queue = self._by_key.get((message.topic, message.queue_id))
            body, properties = message.body, message.properties
            if queue is None or len(message.born_host) != 8:
                break
            size = queue.fixed_size + 8 + len(body) + len(properties)
            before = ahead.get(queue, 0)
            if (
                position + size > log.writable_end
                or message.sys_flag & TRANSACTION_MASK in NOT_QUEUED
                or queue.write_at + (before + 1) * unit_size > queue.reserved
                or len(body) > self._body_max
                or len(properties) > PROPERTIES_MAX
                or size > self._record_max
                or queue.topic == SCHEDULE_TOPIC
            ):
                break
            ahead[queue] = before + 1
            wanted = wanted_properties(properties) if message.wanted is None else message.wanted
            if self._indexes_now and wanted:
                keys += [(hashed, position) for hashed in key_hashes(queue.topic_hash, wanted)]
            pieces += self._pieces(
                queue, message, (body, properties, message.flag), (position, size, now_ms), before
            )
            records.append((queue, position, size, message, wanted))
            position += size
        if records and self._has_room_for(keys):
            memory[log.position - log.start : position - log.start] = b"".join(pieces)
            log.position = position
            log.last_timestamp = now_ms
            if later is None:
                self._dispatch(records, keys, now_ms, results)
            else:
                self._leave(later, records, now_ms, results)

    def _has_room_for(self, keys: Sequence[RunKey]) -> bool:
        """Whether the index takes so many keys; if not, the puts one by one will say why."""
        try:
            if keys:
                self._index.make_room(len(keys))
        except OSError:
            return False
        return True

    def _dispatch(
        self,
        records: Sequence[RunRecord],
        keys: Sequence[RunKey],
        now_ms: int,
        results: list[PutResult],
    ) -> None:
        """Write the units and keys of records that are in the log."""
        listeners = self._listeners
        stats = self._stats
        for queue, position, size, message, wanted in records:
            code = tags_code(wanted.get(b"TAGS"))
            offset = queue.next_offset
            queue.append(position, size, code)
            if not queue.dirty:
                self._queues.note_dirty(queue)
            for listener in listeners:
                listener(queue.topic, queue.queue_id, offset + 1, code, now_ms, message.properties)
            stats.put_times += 1
            stats.put_bytes += size
            results.append(PutResult(_PUT_OK, position, offset, size, now_ms, position + size))
        if keys:
            try:
                self._index.put_run(keys, now_ms)
            except OSError as error:  # of a second file: the messages are stored, not all keys
                self._gate.no_room(error)

    def _leave(
        self,
        later: Dispatcher,
        records: Sequence[RunRecord],
        now_ms: int,
        results: list[PutResult],
    ) -> None:
        """Leave units and keys of records that are in the log to the dispatcher."""
        stats = self._stats
        for queue, position, size, message, wanted in records:
            topic, queue_id = queue.topic, queue.queue_id
            offset = later.next_offset(queue)
            properties = message.properties
            later.remember(
                queue,
                Entry(topic, queue_id, offset, position, size, 0, now_ms, properties, wanted),
            )
            stats.put_times += 1
            stats.put_bytes += size
            results.append(PutResult(_PUT_OK, position, offset, size, now_ms, position + size))
        self._tell_appended()

    def put_batch(self, message: PutMessage, items: Sequence[BatchItem]) -> PutResult:
        """See ``MessageStore.put_batch``."""
        refused, queue = self._check_rarely(message)
        if queue is None:
            return refused
        if not items or message.sys_flag & TRANSACTION_MASK:
            return self._no_batch(message, items)
        parts: list[Part] = []
        total = keys = 0
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
            wanted = wanted_properties(properties)
            hashes = key_hashes(queue.topic_hash, wanted) if self._indexes_now else ()
            keys += len(hashes)
            parts.append((item.body, properties, item.flag, size, wanted, hashes))
        log = self._log
        try:
            if log.position + total > log.writable_end:
                log.make_room(total)
            queue.make_room(len(parts))
            if keys:
                self._index.make_room(keys)
        except OSError as error:
            return self._refused(PutStatus.SERVICE_NOT_AVAILABLE, self._gate.no_room(error))
        now_ms = max(self._wall_ms(), log.last_timestamp)
        first = queue.next_offset if self._later is None else self._later.next_offset(queue)
        positions = []
        for part in parts:
            positions.append(log.position)
            self._append(queue, message, part, now_ms)
        self._stats.put_times += len(parts)
        self._stats.put_bytes += total
        self._tell_appended()
        return PutResult(
            _PUT_OK, positions[0], first, total, now_ms, log.position, "", tuple(positions)
        )

    def _append(self, queue: ConsumeQueue, message: PutMessage, part: Part, now_ms: int) -> int:
        """Write a record, its unit and its keys, for which room was made; its queue offset.

        The record is what ``pack_record`` builds; a test compares them.
        """
        body, properties, flag, size, wanted, hashes = part
        log = self._log
        position = log.position
        later = self._later
        is_queued = message.sys_flag & TRANSACTION_MASK not in NOT_QUEUED
        if not is_queued:
            offset = 0
        elif later is None:
            offset = queue.next_offset
        else:
            offset = later.next_offset(queue)
        record = b"".join(
            self._pieces(
                queue,
                message,
                (body, properties, flag),
                (position, size, now_ms),
                offset - queue.next_offset,
            )
        )
        if self._append_crc:
            record = seal(record)
        at = position - log.start
        memory = log.memory
        assert memory is not None, "room was made"
        memory[at : at + size] = record
        log.position = position + size
        log.last_timestamp = now_ms
        if later is not None:
            transaction = message.sys_flag & TRANSACTION_MASK
            entry = Entry(
                queue.topic,
                queue.queue_id,
                offset,
                position,
                size,
                transaction,
                now_ms,
                record[size - len(properties) :] if self._append_crc else properties,
                wanted,
            )
            later.remember(queue, entry)
            return offset
        if is_queued:
            code = tags_code(wanted.get(b"TAGS"))
            if queue.topic == SCHEDULE_TOPIC:
                code = delivery_time(properties, now_ms, self._delay_levels_ms) or code
            queue.append(position, size, code)
            if not queue.dirty:
                self._queues.note_dirty(queue)
            for listener in self._listeners:
                listener(queue.topic, queue.queue_id, offset + 1, code, now_ms, properties)
        if hashes:
            try:
                self._index.put(hashes, position, now_ms)
            except OSError as error:  # of a second file: the message is stored, not all its keys
                self._gate.no_room(error)
        return offset

    def _pieces(
        self,
        queue: ConsumeQueue,
        message: PutMessage,
        own: tuple[bytes, bytes, int],
        place: tuple[int, int, int],
        ahead: int,
    ) -> tuple[bytes, ...]:
        """A record in pieces, as ``pack_record`` builds it; a test compares them.

        ``own``: body, properties and flag; ``place``: position, size and store time. The message
        is ``ahead`` messages behind the queue's end.
        """
        body, properties, flag = own
        position, size, now_ms = place
        born_host = message.born_host
        sys_flag = message.sys_flag & _NOT_HOSTS | self._host_flags
        fixed = self._fixed_v4
        if len(born_host) != 8:
            sys_flag |= BORN_HOST_V6
            fixed = self._fixed_v6
        return (
            fixed.pack(
                size,
                queue.magic,
                crc32(body) & 0x7FFFFFFF,
                queue.queue_id,
                flag,
                queue.next_offset + ahead,
                position,
                sys_flag,
                message.born_timestamp,
                born_host,
                now_ms,
                self._store_host,
                message.reconsume_times,
                message.prepared_transaction_offset,
                len(body),
            ),
            body,
            queue.topic_field,
            len(properties).to_bytes(2, "big"),
            properties,
        )

    def _check_rarely(self, message: PutMessage) -> tuple[PutResult, ConsumeQueue | None]:
        """The checks that a put to a known queue of a healthy store skips."""
        refusal = self._gate.try_again()
        if refusal is not None:
            return self._refused(PutStatus.SERVICE_NOT_AVAILABLE, refusal), None
        size = len(message.topic.encode())
        long = message.topic.startswith("%RETRY%") and self._settings.version_by_topic_length
        limit = TOPIC_BYTES_MAX if long else TOPIC_V1_MAX
        if size > limit:
            text = f"topic of {size} bytes, at most {limit} are stored"
            return self._refused(PutStatus.MESSAGE_ILLEGAL, text), None
        try:
            return _NO_RESULT, self._queues.get_or_create(message.topic, message.queue_id)
        except StoreError as error:
            return self._refused(PutStatus.MESSAGE_ILLEGAL, str(error)), None

    def _no_batch(self, message: PutMessage, items: Sequence[BatchItem]) -> PutResult:
        text = f"a batch of {len(items)} with {message.sys_flag=}: not empty, no transaction"
        return self._refused(PutStatus.MESSAGE_ILLEGAL, text)

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
        self._stats.put_failed_times += 1
        return PutResult(status, remark=remark)
