"""Dispatching: what queues, index and listeners are told of the records of the log, in its order.

A plain master does it within the put (``rmq.store.writer``), and all of its log is dispatched
always. In all other cases the log comes first and dispatch later, here and in one way:

- a start reads records again that queues or index may lack,
- a slave has bytes of its master's log, whole records or not yet,
- a master with a *limit* must not let anybody read what its slaves may not have.

``position``: all records below were dispatched, ``position <= log.position``. What lies above is
remembered from the puts while it is little, and read again from the log where it is not: what
lies below ``_forgotten_end``, and is not remembered, is read.
``follows``: records come from a master, and count as puts.
``ahead``: for queues of which records lie above, the offset that the next message gets; for all
others the queue knows itself.
"""

import struct
from collections import deque
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from msgspec import Struct

from codec.disk.dledger import ENTRY_HEADER_SIZE, is_blank, parse_entry_header
from codec.errors import CodecError
from codec.message.record import (
    BLANK_SIZE,
    MAGIC_BLANK,
    MAGIC_V1,
    MAGIC_V2,
    Blank,
    Outline,
    Record,
    parse_outline,
)
from codec.message.sysflag import (
    TRANSACTION_MASK,
    TRANSACTION_PREPARED,
    TRANSACTION_ROLLBACK,
)
from rmq.base.errors import StoreError
from rmq.store.commit_log import CommitLog
from rmq.store.consume_queue import ConsumeQueue
from rmq.store.dispatch import key_hashes, queue_tags_code, wanted_properties
from rmq.store.gate import Gate
from rmq.store.index import Index
from rmq.store.queue_table import QueueTable
from rmq.store.settings import StoreSettings
from rmq.store.stats import StoreStats

Arrival = Callable[[str, int, int, int, int, bytes], None]
"""Called after dispatch: topic, queue id, queue's new max offset, tag hash (Java's, sign-extended),
store timestamp, properties (encoded). Must not put."""
TopicSeen = Callable[[str, bytes], None]
"""Called after dispatch with topic and properties (encoded) of a record. Must not put."""
NOT_QUEUED = (TRANSACTION_PREPARED, TRANSACTION_ROLLBACK)
"""Transaction types of records that are in no consume queue."""
REMEMBERED_MAX = 16_384
"""Records remembered between put and dispatch: a quarter of a second of a busy broker."""
REMEMBERED_BYTES_MAX = 16 << 20
"""Bytes of their properties."""
_PREFIX = struct.Struct(">iI")


class Entry(Struct, frozen=True, gc=False):
    """What dispatch needs of one record; ``wanted`` is None where nobody looked yet."""

    topic: str
    queue_id: int
    queue_offset: int
    position: int
    size: int
    transaction: int
    store_timestamp: int
    properties: bytes
    wanted: dict[bytes, bytes] | None = None


def entry_of(record: Record | Outline) -> Entry:
    """The entry of a record that was read from the log."""
    return Entry(
        record.topic.decode(errors="replace"),
        record.queue_id,
        record.queue_offset,
        record.position,
        record.total_size,
        record.sys_flag & TRANSACTION_MASK,
        record.store_timestamp,
        record.properties,
    )


def read_whole(log: CommitLog, position: int, end: int) -> Outline | Blank | None:
    """What begins at ``position`` and ends at or below ``end``; None if it is not all there.

    Bodies are not checked: who sent them did.

    :raises CodecError: neither a record nor a blank begins there.
    """
    segments = log.segments
    at = position % segments.file_size
    rest = segments.file_size - at
    there = min(rest, end - position)
    if log.entry_header:
        return _read_entry(log, position, at, rest)
    if there < BLANK_SIZE:
        return None
    memory = segments.file(position).memory
    size, magic = _PREFIX.unpack_from(memory, at)
    if magic == MAGIC_BLANK:
        return Blank(rest) if there == rest else None
    if magic not in (MAGIC_V1, MAGIC_V2) or size > rest - BLANK_SIZE:
        raise CodecError(f"no record at {position}: {magic=:#x}, {size=}")
    if size > there:
        return None
    record = parse_outline(memory, at, at + there)
    assert isinstance(record, Outline), "its magic was not a blank's"
    if record.position != position:
        raise CodecError(f"record at {position} says it lies at {record.position}")
    return record


def _read_entry(log: CommitLog, position: int, at: int, rest: int) -> Outline | Blank:
    """The record in the entry of a ledger at ``position``; what to pass, if there is none.

    Of a ledger only committed entries are in sight, and they are whole.
    """
    memory = log.segments.file(position).memory
    if is_blank(memory, at):
        return Blank(rest)
    header = parse_entry_header(memory, at)
    if not header.body_length:
        return Blank(header.size)
    record = parse_outline(memory, at + ENTRY_HEADER_SIZE, at + header.size)
    if (
        isinstance(record, Blank)
        or record.position != position + ENTRY_HEADER_SIZE
        or record.total_size != header.body_length
    ):
        raise CodecError(
            f"entry {header.index} at {position} holds no record of its place and size"
        )
    return record


class Dispatcher:
    """Gives records to queues, index and listeners, after the put."""

    def __init__(
        self,
        settings: StoreSettings,
        gate: Gate,
        log: CommitLog,
        queues: QueueTable,
        index: Index,
        stats: StoreStats,
    ) -> None:
        self.listeners: list[Arrival] = []
        self.limit: int | None = None
        self.position = 0
        self.timestamp = 0
        self.ahead: dict[ConsumeQueue, int] = {}
        self.follows = False
        self.known_topics: AbstractSet[str] = frozenset()
        self.topic_seen: TopicSeen | None = None
        self._gate = gate
        self._log = log
        self._queues = queues
        self._index = index
        self._stats = stats
        self._index_enabled = settings.index_enabled
        self._delay_levels_ms = settings.delay_levels_ms
        self._remembered: deque[Entry] = deque()
        self._remembered_bytes = 0
        self._forgotten_end = 0
        self._keys: list[tuple[int, int]] = []
        """Hashes and positions for which the index has room, to be put into it together."""
        self._keys_timestamp = 0

    def give(self, entry: Entry, *, is_news: bool) -> None:
        """Give queue and index what they do not have yet of a record.

        If it ``is_news``, listeners hear of what was new to the queue. A record of a topic that
        cannot be stored is passed over.

        :raises OSError: no room on the disk; nothing was done.
        """
        self._give(entry, is_news=is_news)
        self._put_keys()

    def _give(self, entry: Entry, *, is_news: bool) -> None:
        """The same, but for the index's keys, which wait for ``_put_keys``."""
        try:
            queue = self._queues.get_or_create(entry.topic, entry.queue_id)
        except StoreError:
            return
        properties = entry.properties
        wanted = wanted_properties(properties) if entry.wanted is None else entry.wanted
        position, time = entry.position, entry.store_timestamp
        hashes = []
        if (
            self._index_enabled
            and entry.transaction != TRANSACTION_ROLLBACK
            and position > self._index.end_position
        ):
            hashes = key_hashes(queue.topic_hash, wanted)
            if hashes:
                self._make_room(len(hashes), time)
        if entry.transaction not in NOT_QUEUED:
            code = queue_tags_code(entry.topic, properties, wanted, time, self._delay_levels_ms)
            if queue.put_at(entry.queue_offset, position, entry.size, code):
                if not queue.dirty:
                    self._queues.note_dirty(queue)
                if self.ahead and self.ahead.get(queue) == queue.next_offset:
                    del self.ahead[queue]
                if is_news:
                    for listener in self.listeners:
                        listener(
                            entry.topic, entry.queue_id, queue.next_offset, code, time, properties
                        )
        for hashed in hashes:
            self._keys.append((hashed, position))

    def _make_room(self, count: int, timestamp: int) -> None:
        """Let the index take ``count`` more keys, of a record stored then.

        :raises OSError: no room on the disk.
        """
        keys, index = self._keys, self._index
        if timestamp != self._keys_timestamp or not index.has_room(len(keys) + count):
            self._put_keys()
            index.make_room(count)
            self._keys_timestamp = timestamp

    def _put_keys(self) -> None:
        """Put into the index what waits."""
        keys = self._keys
        if keys:
            self._keys = []
            try:
                self._index.put_run(keys, self._keys_timestamp)
            except OSError as error:  # of a second file: the message is stored, not all its keys
                self._gate.no_room(error)

    def dispatch(self, *, is_news: bool = True) -> int:
        """Give all whole records between ``position`` and the limit; how many.

        :raises StoreError: no room on the disk, or something else than a record is in the log.
        """
        log = self._log
        end = log.position if self.limit is None else min(self.limit, log.position)
        done = 0
        try:
            while self.position < end:
                entry = self._next(end)
                if entry is None:
                    break
                self._give(entry, is_news=is_news)
                if self._remembered:
                    self._remembered.popleft()
                    self._remembered_bytes -= len(entry.properties)
                self.position = entry.position + entry.size
                self.timestamp = max(self.timestamp, entry.store_timestamp)
                done += 1
                if self.follows:
                    self._stats.put_times += 1
                    self._stats.put_bytes += entry.size
                    if entry.topic not in self.known_topics and self.topic_seen is not None:
                        self.topic_seen(entry.topic, entry.properties)
        except OSError as error:
            raise StoreError(f"cannot dispatch: {self._gate.no_room(error)}") from error
        except CodecError as error:
            raise StoreError(f"cannot dispatch: {error}") from error
        finally:
            self._put_keys()
        return done

    def _next(self, end: int) -> Entry | None:
        """The next record if it ends by ``end``; passes blanks."""
        if self._remembered:
            entry = self._remembered[0]
            return entry if entry.position + entry.size <= end else None
        log = self._log
        while self.position < end:
            found = read_whole(log, self.position, end)
            if isinstance(found, Outline):
                log.last_timestamp = max(log.last_timestamp, found.store_timestamp)
                return entry_of(found)
            if found is None:
                break
            self.position += found.remaining
        return None

    def next_offset(self, queue: ConsumeQueue) -> int:
        """The offset that the next message put into a queue gets."""
        return self.ahead.get(queue, queue.next_offset)

    def counts_ahead(self) -> dict[ConsumeQueue, int]:
        """How many offsets beyond its end were given out, by queue; the caller's own."""
        return {queue: offset - queue.next_offset for queue, offset in self.ahead.items()}

    def remember(self, queue: ConsumeQueue, entry: Entry) -> None:
        """Note a record that was just put at the log's end."""
        if entry.transaction not in NOT_QUEUED:
            self.ahead[queue] = entry.queue_offset + 1
        if (
            self.position < self._forgotten_end
            or len(self._remembered) >= REMEMBERED_MAX
            or self._remembered_bytes >= REMEMBERED_BYTES_MAX
        ):
            self._forgotten_end = entry.position + entry.size
            return
        self._remembered.append(entry)
        self._remembered_bytes += len(entry.properties)

    def recount(self) -> int:
        """Learn from the log what lies above ``position``; where its last whole record ends.

        Nothing is remembered any more.
        """
        self.ahead.clear()
        self._remembered.clear()
        self._remembered_bytes = 0
        log = self._log
        position = self.position
        while position < log.position:
            try:
                found = read_whole(log, position, log.position)
            except CodecError:
                break
            if found is None:
                break
            if isinstance(found, Blank):
                position += found.remaining
                continue
            position += found.total_size
            log.last_timestamp = max(log.last_timestamp, found.store_timestamp)
            entry = entry_of(found)
            if entry.transaction in NOT_QUEUED:
                continue
            try:
                queue = self._queues.get_or_create(entry.topic, entry.queue_id)
            except StoreError:
                continue
            self.ahead[queue] = entry.queue_offset + 1
        self._forgotten_end = log.position
        return position
