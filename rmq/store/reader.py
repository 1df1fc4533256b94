"""Reading queues: batches of records, and offsets by time.

Where a get goes on, and with which status, is RocketMQ's:

======================  ==========================  ==================
asked                   status                      next offset
======================  ==========================  ==================
unknown queue           NO_MATCHED_LOGIC_QUEUE      0
queue without messages  NO_MESSAGE_IN_QUEUE         0
below the minimum       OFFSET_TOO_SMALL            the minimum
the maximum             OFFSET_OVERFLOW_ONE         unchanged
above the maximum       OFFSET_OVERFLOW_BADLY       the maximum
otherwise               FOUND, NO_MATCHED_MESSAGE,  after the last
                        MESSAGE_WAS_REMOVING        unit looked at
======================  ==========================  ==================

Source: DefaultMessageStore.java, getMessage(), isTheBatchFull(), 5.3.3.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from struct import Struct

from codec.disk.consume_queue import UNIT, UNIT_SIZE
from rmq.store.commit_log import CommitLog
from rmq.store.consume_queue import ConsumeQueue
from rmq.store.messages import GetResult, GetStatus, RecordFilter
from rmq.store.record_properties import properties_at
from rmq.store.recovery import head_at
from rmq.store.settings import StoreSettings

MAX_BYTES = 134_217_728
"""More is never asked of one get. Source: DefaultMessageStore.java, MAX_PULL_MSG_SIZE, 5.3.3."""
MIN_BYTES = 100
RUNS_MAX = 64
"""Longest run of units read in one step."""
COMPARISONS_MAX = 16_000
"""Of one get by a filter that judges properties: some 15 ms. It looks at fewer units then."""
WANTED, UNWANTED = 1, 0
ONLY_WANTED = frozenset({WANTED})
_RUNS = tuple(Struct(">" + "qiq" * count) for count in range(RUNS_MAX + 1))


class QueueReader:
    """Reads what queues and log hold."""

    def __init__(
        self,
        log: CommitLog,
        queues: Mapping[tuple[str, int], ConsumeQueue],
        settings: StoreSettings,
    ) -> None:
        self._log = log
        self._queues = queues
        self._settings = settings
        self._memory_bytes = int(settings.memory_size * settings.memory_share)
        self._run_count_max = min(settings.memory_count_max, RUNS_MAX)

    def get(
        self,
        topic: str,
        queue_id: int,
        offset: int,
        max_count: int,
        max_bytes: int,
        tags: AbstractSet[int] | None,
        matching: RecordFilter | None = None,
    ) -> GetResult:
        """See ``MessageStore.get``."""
        queue = self._queues.get((topic, queue_id))
        if queue is None:
            return GetResult(GetStatus.NO_MATCHED_LOGIC_QUEUE, 0, 0, 0)
        first, end = queue.min_offset, queue.next_offset
        if not first <= offset < end:
            if end == 0:
                return GetResult(GetStatus.NO_MESSAGE_IN_QUEUE, 0, 0, 0)
            if offset < first:
                return GetResult(GetStatus.OFFSET_TOO_SMALL, first, first, end)
            if offset == end:
                return GetResult(GetStatus.OFFSET_OVERFLOW_ONE, offset, first, end)
            return GetResult(GetStatus.OFFSET_OVERFLOW_BADLY, end, first, end)
        max_bytes = min(max(max_bytes, MIN_BYTES), MAX_BYTES)
        if tags is None and matching is None:
            run = self._read_run(queue, offset, max_count, max_bytes)
            if run is not None:
                return run
        return self._read_units(queue, offset, max_count, max_bytes, tags, matching)

    def _read_run(
        self, queue: ConsumeQueue, offset: int, max_count: int, max_bytes: int
    ) -> GetResult | None:
        """The next records if they are in one file, in memory, and within the byte limits.

        As one slice if they lie side by side, else one by one.
        """
        units = queue.units(offset, min(max_count, self._run_count_max))
        count = len(units) // UNIT_SIZE
        if not count:
            return None
        fields = _RUNS[count].unpack(units)
        position = fields[0]
        sizes = fields[1::3]
        size = sum(sizes)
        log = self._log
        if (
            size > max_bytes
            or size > self._settings.memory_bytes_max
            or log.position - position > self._memory_bytes
        ):
            return None
        if fields[-3] + fields[-2] - position == size:
            records = log.read(position, size)
            slices = None if records is None else [records]
        else:
            slices = log.read_each(fields[::3], sizes)
        if slices is None:
            return None
        return GetResult(
            GetStatus.FOUND,
            offset + count,
            queue.min_offset,
            queue.next_offset,
            slices,
            count,
            size,
            range(offset, offset + count),
        )

    def _read_units(
        self,
        queue: ConsumeQueue,
        offset: int,
        max_count: int,
        max_bytes: int,
        tags: AbstractSet[int] | None,
        matching: RecordFilter | None,
    ) -> GetResult:
        """The next records unit by unit; those of one CQ file at most."""
        log = self._log
        status = GetStatus.NO_MATCHED_MESSAGE
        slices: list[bytes] = []
        offsets: list[int] = []
        size = 0
        last_position = 0
        run_begin = run_end = -1
        skip_below = -1
        next_offset = offset
        units: Iterable[tuple[int, int, int]]
        units = UNIT.iter_unpack(queue.units(offset, self._scan_count(max_count, matching)))
        if matching is not None:
            units, tags = self._judged(units, matching), ONLY_WANTED
        for at, (position, unit_size, code) in enumerate(units, offset):
            if size and self._is_full(
                len(offsets), size + unit_size, max_count, max_bytes, position
            ):
                break
            last_position = position
            next_offset = at + 1
            if position < skip_below or (tags is not None and code not in tags):
                continue
            if position < log.begin or position + unit_size > log.position:
                if not size:
                    status = GetStatus.MESSAGE_WAS_REMOVING
                skip_below = log.segments.start_of(position) + log.segments.file_size
                continue
            if position == run_end and position != log.segments.start_of(position):
                run_end = position + unit_size
            else:
                if run_begin >= 0:
                    slices.append(self._slice(run_begin, run_end))
                run_begin, run_end = position, position + unit_size
            size += unit_size
            offsets.append(at)
        if run_begin >= 0:
            slices.append(self._slice(run_begin, run_end))
            status = GetStatus.FOUND
        return GetResult(
            status,
            next_offset,
            queue.min_offset,
            queue.next_offset,
            slices,
            len(offsets),
            size,
            offsets,
            log.position - last_position > self._memory_bytes,
        )

    def _scan_count(self, max_count: int, matching: RecordFilter | None) -> int:
        """How many units one get looks at, at most."""
        size = max(self._settings.scan_bytes_max, max_count * UNIT_SIZE)
        count = -(-size // UNIT_SIZE)
        return count if matching is None else min(count, max(1, COMPARISONS_MAX // matching.cost))

    def _judged(
        self, units: Iterable[tuple[int, int, int]], matching: RecordFilter
    ) -> Iterator[tuple[int, int, int]]:
        """The units, but WANTED or UNWANTED instead of the tag's hash; WANTED without a record."""
        for position, size, _ in units:
            properties = properties_at(self._log, position, size)
            is_wanted = properties is None or matching.matches(properties)
            yield position, size, WANTED if is_wanted else UNWANTED

    def _slice(self, begin: int, end: int) -> bytes:
        records = self._log.read(begin, end - begin)
        assert records is not None, f"no records at {begin} to {end}"
        return records

    def _is_full(
        self, count: int, new_size: int, max_count: int, max_bytes: int, position: int
    ) -> bool:
        """Whether one more record, which makes ``new_size`` bytes, is too much."""
        if count >= max_count or new_size > max_bytes:
            return True
        settings = self._settings
        if self._log.position - position <= self._memory_bytes:
            return new_size > settings.memory_bytes_max or count >= settings.memory_count_max
        return new_size > settings.disk_bytes_max or count >= settings.disk_count_max

    def is_in_memory(self, position: int) -> bool:
        """Whether a record is, by estimate, still in memory.

        Source: DefaultMessageStore.java, estimateInMemByCommitOffset(), 5.3.3.
        """
        return self._log.position - position <= self._memory_bytes

    def store_time(self, queue: ConsumeQueue, offset: int) -> int:
        """Store time (ms) of a message, -1 if it is not there."""
        unit = queue.unit(offset)
        head = None if unit is None else head_at(self._log, unit[0])
        return -1 if head is None else head.store_timestamp

    def offset_by_time(self, queue: ConsumeQueue, timestamp_ms: int, *, upper: bool) -> int:
        """LOWER: the first message stored at that time or later, the maximum if there is none;
        when all are later, the first of the queue's first file. UPPER: the last message stored at
        that time or before, 0 if there is none.

        Source: ConsumeQueue.java, binarySearchInQueueByTime(), 5.3.3.
        """
        offsets = range(queue.min_offset, queue.next_offset)

        def time(offset: int) -> int:
            return self.store_time(queue, offset)

        if upper:
            found = bisect_right(offsets, timestamp_ms, key=time)
            if found or not offsets:
                return max(offsets.start + found - 1, 0)
            return 0
        if offsets and time(offsets.start) > timestamp_ms:
            return queue.segments.begin // UNIT_SIZE
        return offsets.start + bisect_left(offsets, timestamp_ms, key=time)
