"""A consume queue: queue offset -> position and size in the commit log, and the tag hash.

Unit n lies at byte ``20 * n`` of the queue's files, seen as one.
"""

from bisect import bisect_left
from collections.abc import Callable

from codec.disk.consume_queue import FILLER, UNIT, UNIT_SIZE
from codec.message.java_hash import java_hash
from rmq.base.ports import Disk, Memory
from rmq.store.commit_log import fixed_part, topic_field
from rmq.store.segments import Holds, Segments

RESERVE_MIN = 4096
RESERVE_MAX = 65_536
"""Bytes kept free ahead on disk: a small queue costs one page, a big one few calls."""
QUIET = 65_536
"""Zero bytes after the end of a queue that are taken for: nothing comes after."""
_FILLER_SIZE = 0x7FFFFFFF


class ConsumeQueue:
    """One queue of one topic.

    ``next_offset`` is the offset the next message gets; ``write_at`` where its unit goes in
    ``memory``, which is the last file's while there is one mapped; below ``reserved`` writing
    cannot fail. A record of the queue has ``fixed_size`` bytes beside bornHost, body and
    properties, the ``magic`` of its version, and ``topic_field`` for its topic.
    Source: ConsumeQueue.java, 5.3.3.
    """

    __slots__ = (
        "dirty",
        "fixed_size",
        "flushed_offset",
        "magic",
        "memory",
        "min_offset",
        "next_offset",
        "queue_id",
        "reserved",
        "segments",
        "topic",
        "topic_field",
        "topic_hash",
        "write_at",
    )

    def __init__(
        self,
        disk: Disk,
        folder: str,
        topic: str,
        queue_id: int,
        file_size: int,
        holds: Holds,
        on_map: Callable[["ConsumeQueue", int], None],
        store_host_size: int = 8,
    ) -> None:
        self.topic = topic
        self.queue_id = queue_id
        self.topic_hash = java_hash(topic + "#")
        self.magic, self.topic_field = topic_field(topic.encode())
        self.fixed_size = fixed_part(0, store_host_size).size + len(self.topic_field) + 2
        self.segments = Segments(
            disk, f"{folder}/{topic}/{queue_id}", file_size, holds, lambda at: on_map(self, at)
        )
        self.memory: Memory | None = None
        self.write_at = 0
        self.reserved = 0
        self.next_offset = 0
        self.min_offset = 0
        self.flushed_offset = 0
        self.dirty = False

    def load(self) -> None:
        """Find the files and the end: units are valid up to it.

        :raises StoreError: a file of a wrong size.
        """
        segments = self.segments
        segments.load()
        self._set_end(segments.begin // UNIT_SIZE)
        starts = range(segments.begin, segments.end, segments.file_size)
        whole = bisect_left(starts, True, key=lambda start: not self._valid(start // UNIT_SIZE))
        if whole:
            start = starts[whole - 1]
            offsets = range(start // UNIT_SIZE, (start + segments.file_size) // UNIT_SIZE)
            valid = bisect_left(offsets, True, key=lambda offset: not self._valid(offset))
            self._set_end(offsets.start + valid)
        self.flushed_offset = self.next_offset

    def _valid(self, offset: int) -> bool:
        position, size, _ = self._unit(offset)
        return position >= 0 and size > 0

    def _unit(self, offset: int) -> tuple[int, int, int]:
        at = offset * UNIT_SIZE
        file = self.segments.file(at)
        position, size, tags_code = UNIT.unpack_from(file.memory, at % self.segments.file_size)
        return position, size, tags_code

    def _set_end(self, offset: int) -> None:
        self.next_offset = offset
        self.memory = None
        self.write_at = self.reserved = 0

    def unit(self, offset: int) -> tuple[int, int, int] | None:
        """Position, size and tag hash of one message, None if it is not there."""
        if self.min_offset <= offset < self.next_offset:
            return self._unit(offset)
        return None

    def units(self, offset: int, count: int) -> bytes:
        """Up to ``count`` units from ``offset`` on, not beyond the file of the first."""
        at = offset * UNIT_SIZE
        size = min(count, self.next_offset - offset) * UNIT_SIZE
        in_file = at % self.segments.file_size
        return self.segments.file(at).memory[in_file : in_file + size]

    @property
    def end_position(self) -> int:
        """Where in the log the last message ends; 0 without one."""
        if self.next_offset * UNIT_SIZE <= self.segments.begin:
            return 0
        position, size, _ = self._unit(self.next_offset - 1)
        return 0 if size == _FILLER_SIZE else position + size

    def make_room(self, count: int) -> None:
        """Let the next ``count`` units be written without failing, also over a file's end.

        :raises OSError: no room on the disk.
        """
        segments = self.segments
        at = self.next_offset * UNIT_SIZE
        if segments.begin == segments.end:
            segments.start_at(at)
        end = at + count * UNIT_SIZE
        while segments.end < end:
            segments.grow()
        for start in range(segments.start_of(at) + segments.file_size, end, segments.file_size):
            ahead = end - start + RESERVE_MAX  # as much as appending asks for, once it is there
            segments.file(start).reserve(min(ahead, segments.file_size))
        file = segments.file(at)
        in_file = at % segments.file_size
        ahead = max(RESERVE_MIN, min(in_file, RESERVE_MAX), count * UNIT_SIZE)
        end = min(in_file + ahead, segments.file_size)
        file.reserve(end)
        end -= end % UNIT_SIZE  # below it begin only units that end below it
        self.memory, self.write_at, self.reserved = file.memory, in_file, end

    def append(self, position: int, size: int, tags_code: int) -> None:
        """Write the next unit.

        :raises OSError: no room on the disk.
        """
        if self.write_at >= self.reserved:
            self.make_room(1)
        assert self.memory is not None, "room was made"
        UNIT.pack_into(self.memory, self.write_at, position, size, tags_code)
        self.write_at += UNIT_SIZE
        self.next_offset += 1

    def put_at(self, offset: int, position: int, size: int, tags_code: int) -> bool:
        """Write the unit of a record read again; False when it is there already.

        What is missing before it is filled with units that point nowhere. A record behind all
        others with an offset that was given before tells that the queue had been deleted between:
        it begins again (Java drops such messages).
        Source: ConsumeQueue.java, putMessagePositionInfo(), fillPreBlank(), 5.3.3.

        :raises OSError: no room on the disk.
        """
        if (
            offset == self.next_offset
            and self.write_at < self.reserved
            and offset * UNIT_SIZE != self.segments.begin
        ):
            self.append(position, size, tags_code)
            return True
        if offset < self.next_offset:
            if position < self.end_position:
                return False
            self.segments.delete_from(0)
        if self.segments.begin == self.segments.end:
            self.segments.start_at(offset * UNIT_SIZE)
            self._set_end(self.segments.begin // UNIT_SIZE)
            self.flushed_offset = self.next_offset
        is_first = self.next_offset * UNIT_SIZE == self.segments.begin
        if self.write_at + (offset - self.next_offset) * UNIT_SIZE >= self.reserved:
            self.make_room(offset - self.next_offset + 1)
        if is_first:
            self.min_offset = offset
        while self.next_offset < offset:
            if is_first:
                self.append(*UNIT.unpack(FILLER))
            else:
                self.append(position, _FILLER_SIZE, 0)  # positions stay in order
        self.append(position, size, tags_code)
        return True

    def truncate(self, position: int) -> None:
        """Drop the units of records at ``position`` of the log or after.

        :raises OSError: the files cannot be written.
        """
        segments = self.segments
        offsets = range(segments.begin // UNIT_SIZE, self.next_offset)
        kept = bisect_left(offsets, True, key=lambda offset: not self._before(offset, position))
        end = offsets.start + kept
        at = end * UNIT_SIZE
        segments.delete_from(-(-at // segments.file_size) * segments.file_size)
        if at < segments.end:
            segments.clear(at, QUIET)
        self._set_end(end)
        self.flushed_offset = min(self.flushed_offset, end)

    def _before(self, offset: int, position: int) -> bool:
        unit_position, size, _ = self._unit(offset)
        return size > 0 and unit_position < position

    def correct_min(self, log_begin: int) -> None:
        """Let ``min_offset`` be the first message that the log still holds."""
        offsets = range(self.segments.begin // UNIT_SIZE, self.next_offset)
        self.min_offset = offsets.start + bisect_left(
            offsets, True, key=lambda offset: self._held(offset, log_begin)
        )

    def _held(self, offset: int, log_begin: int) -> bool:
        position, size, _ = self._unit(offset)
        return position >= log_begin and (position > 0 or size != _FILLER_SIZE)

    def delete_before(self, log_begin: int) -> list[str]:
        """Delete the files, not the last, of which no message is left in the log; their paths."""
        deleted = []
        segments = self.segments
        while segments.begin + segments.file_size < segments.end:
            last = (segments.begin + segments.file_size) // UNIT_SIZE - 1
            if last >= self.next_offset or self._held(last, log_begin):
                break
            deleted.append(segments.delete_first())
        self.correct_min(log_begin)
        return deleted

    def unmap(self, start: int) -> bool:
        """Give back the memory of one file, unless it must be synced first (False)."""
        if self.flushed_offset * UNIT_SIZE < min(
            start + self.segments.file_size, self.next_offset * UNIT_SIZE
        ):
            return False
        self.segments.unmap(start)
        self._set_end(self.next_offset)
        return True
