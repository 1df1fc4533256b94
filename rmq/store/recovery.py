"""Where the log ends after a start, and what must be dispatched again.

A clean start (no abort file) believes the queues and reads only what lies behind the last message
of any of them. A dirty one believes what the checkpoint says was synced, takes everything later
out of queues and index again, and reads the log from there: up to the first record that is not
whole, or that is a left-over of an earlier life of the file (its own position tells).

What differs from Java: reading begins at a record, not at the start of a file (1 GiB is too long
in Python); units after that are rebuilt instead of compared; a record whose end is zeros is torn
even though its body is whole; what is left behind the end is zeroed.
Source: CommitLog.java, recoverNormally(), recoverAbnormally(), 5.3.3.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from codec.errors import CodecError
from codec.message.record import Blank, Record, RecordHead, parse_record, read_head
from rmq.store.commit_log import CommitLog
from rmq.store.consume_queue import ConsumeQueue
from rmq.store.index import Index

PAGE_SIZE = 4096


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What a load found."""

    clean: bool
    """Whether the last run had closed the store."""
    records: int
    """Records read again."""
    position: int
    """Where the log ends."""
    cut_reason: str
    """Why the log ends there."""


def head_at(log: CommitLog, position: int) -> RecordHead | None:
    """The head of the record at ``position``, None if none begins there."""
    segments = log.segments
    if not segments.begin <= position < segments.end:
        return None
    at = position - segments.start_of(position)
    try:
        head = read_head(segments.file(position).memory, at, segments.file_size)
    except CodecError:
        return None
    return head if head.position == position else None


def last_unit(queues: Iterable[ConsumeQueue]) -> tuple[int, int] | None:
    """Position and size of the last message of any queue, None without one."""
    last = max(queues, key=lambda queue: queue.end_position, default=None)
    if last is None or last.end_position == 0:
        return None
    unit = last.unit(last.next_offset - 1)
    assert unit is not None, "a queue with an end has a last unit"
    return unit[:2]


def last_time(log: CommitLog, queues: Iterable[ConsumeQueue]) -> int:
    """Store time (ms) of the last message of any queue, 0 without one."""
    unit = last_unit(queues)
    head = None if unit is None else head_at(log, unit[0])
    return 0 if head is None else head.store_timestamp


def start_after_clean(log: CommitLog, queues: Iterable[ConsumeQueue]) -> int:
    """Where the last message of any queue ends; -1 if the log does not hold that message."""
    unit = last_unit(queues)
    if unit is None:
        return log.begin
    position, size = unit
    head = head_at(log, position)
    return position + size if head is not None and head.total_size == size else -1


def start_after_crash(log: CommitLog, queues: Iterable[ConsumeQueue], synced_ms: int) -> int:
    """Where the last message ends that was stored, and synced, by ``synced_ms``."""
    return max((_synced_end(log, queue, synced_ms) for queue in queues), default=log.begin)


def index_start(log: CommitLog, index: Index, start: int) -> int:
    """Cut the index to ``start``; the record from which to read so that it gets whole."""
    indexed = index.truncate(start)
    last = head_at(log, index.end_position)
    if last is not None:
        index.correct_end(last.store_timestamp)
    if indexed >= start:
        return start
    return indexed - log.entry_header if head_at(log, indexed) else log.begin


def _synced_end(log: CommitLog, queue: ConsumeQueue, synced_ms: int) -> int:
    def is_later(offset: int) -> bool:
        unit = queue.unit(offset)
        head = None if unit is None else head_at(log, unit[0])
        return head is None or head.store_timestamp > synced_ms

    queue.correct_min(log.begin)
    offsets = range(queue.min_offset, queue.next_offset)
    unit = queue.unit(offsets.start + bisect_left(offsets, True, key=is_later) - 1)
    return log.begin if unit is None else unit[0] + unit[1]


def scan(
    log: CommitLog, start: int, found: Callable[[Record], None], *, check_crc: bool
) -> RecoveryReport:
    """Read the log from ``start``, a record's begin, and tell each record, up to the end."""
    segments = log.segments
    position = start
    records = 0
    reason = "end of the last file"
    while position < segments.end:
        at = position - segments.start_of(position)
        memory = segments.file(position).memory
        try:
            record = parse_record(memory, at, segments.file_size, check_crc=check_crc)
            if isinstance(record, Blank):
                position += segments.file_size - at
                continue
            check_whole(record, position)
        except CodecError as error:
            reason = str(error)
            break
        records += 1
        position += record.total_size
        found(record)
    return RecoveryReport(False, records, position, reason)


def check_whole(record: Record, position: int) -> None:
    """Refuse a record of an earlier life of the file, and one of which a page was not written.

    The checksum covers only the body. Text never ends in a zero byte, nor has it a page of them.

    :raises CodecError: it is such a record.
    """
    if record.position != position:
        raise CodecError(f"record at {position} says it lies at {record.position}")
    if not record.topic or b"\0" in record.topic:
        raise CodecError(f"record at {position} is torn in its topic")
    text = record.properties
    if b"\0" not in text:
        return
    end = position + record.total_size
    begin = end - len(text)
    for page in range(begin - begin % PAGE_SIZE, end, PAGE_SIZE):
        part = text[max(page - begin, 0) : page + PAGE_SIZE - begin]
        if not part.strip(b"\0"):
            raise CodecError(f"record at {position} has an unwritten page in its properties")
    if text.endswith(b"\0"):
        raise CodecError(f"record at {position} is torn in its properties")
