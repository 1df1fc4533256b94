"""The commit log: all records of all topics, one after the other.

A record never ends closer than 8 bytes to the end of its file: what does not fit so goes to the
next file, and the rest of this one is a blank. Source: CommitLog.java, 5.3.3.
"""

from collections.abc import Sequence
from functools import cache
from struct import Struct

from codec.message.record import BLANK_SIZE, MAGIC_V1, MAGIC_V2, TOPIC_V1_MAX, pack_blank
from rmq.base.ports import Disk, MappedFile, Memory
from rmq.store.segments import Holds, Segments

RESERVE_AHEAD = 16 << 20
"""Bytes kept free ahead on disk, so that a full disk is an error before writing."""
QUIET = RESERVE_AHEAD
"""Zero bytes after the end of the log that are taken for: nothing comes after."""


@cache
def fixed_part(born_host_size: int, store_host_size: int) -> Struct:
    """A record up to its body: ``codec.message.record.RECORD`` for hosts of these sizes."""
    return Struct(f">iIiiiqqiq{born_host_size}sq{store_host_size}siqi")


def topic_field(topic: bytes) -> tuple[int, bytes]:
    """The magic of records with this topic, and the topic with its length before it."""
    if len(topic) <= TOPIC_V1_MAX:
        return MAGIC_V1, bytes((len(topic),)) + topic
    return MAGIC_V2, len(topic).to_bytes(2, "big") + topic


class CommitLog:
    """Where records are written and read.

    ``position`` is where the next record goes, ``file_start + at``; a record that ends at or below
    ``writable_end`` can be written to ``memory`` now. With an ``entry_header`` the files belong to
    a ledger (``rmq.store.ledger``): so many bytes lie before each record, and nothing is written
    here. Source: CommitLog.java, 5.3.3.
    """

    __slots__ = (
        "entry_header",
        "flushed_position",
        "last_timestamp",
        "memory",
        "position",
        "segments",
        "start",
        "writable_end",
    )

    def __init__(self, disk: Disk, folder: str, file_size: int, holds: Holds) -> None:
        self.segments = Segments(disk, folder, file_size, holds)
        self.entry_header = 0
        self.memory: Memory | None = None
        self.position = 0
        self.start = 0
        self.writable_end = 0
        self.flushed_position = 0
        self.last_timestamp = 0

    @property
    def begin(self) -> int:
        """Where the first file starts."""
        return self.segments.begin

    def start_at(self, position: int) -> None:
        """Go on writing at ``position``."""
        self.position = self.flushed_position = self.writable_end = position
        self.start = self.segments.start_of(position)
        self.memory = None

    def make_room(self, size: int) -> None:
        """Let ``size`` bytes be written at ``position`` without failing, in a next file if need be.

        ``size`` is at most what a file takes.

        :raises OSError: no room on the disk.
        """
        segments = self.segments
        file_size = segments.file_size
        assert size + BLANK_SIZE <= file_size, f"{size=} in files of {file_size}"
        at = self.position - self.start
        if at + size + BLANK_SIZE > file_size:
            next_start = self.start + file_size
            self._reserve(next_start, size)
            if at < file_size:
                memory = segments.file(self.position).memory
                memory[at : at + BLANK_SIZE] = pack_blank(file_size - at)
            self.position = self.start = next_start
        else:
            self._reserve(self.position, size)
        self.memory = segments.file(self.position).memory

    def _reserve(self, position: int, size: int) -> None:
        """Keep room for a record and for the blank that may follow it."""
        segments = self.segments
        if position >= segments.end:
            if segments.begin == segments.end:
                segments.start_at(position)
            segments.grow()
        at = position - segments.start_of(position)
        end = min(at + size + BLANK_SIZE + RESERVE_AHEAD, segments.file_size)
        segments.file(position).reserve(end)
        self.writable_end = segments.start_of(position) + end - BLANK_SIZE

    def show(self, begin: int, end: int) -> None:
        """Let be read what others wrote into the files between these positions.

        :raises OSError: a file cannot be mapped.
        """
        segments = self.segments
        while segments.begin < segments.end and segments.begin + segments.file_size <= begin:
            segments.delete_first()
        if segments.begin == segments.end:
            segments.start_at(begin)
        while segments.end < end:
            segments.grow()
        self.start_at(end)

    def append(self, data: bytes) -> None:
        """Add bytes as another log has them, records and blanks or parts of them, of one file.

        :raises OSError: no room on the disk; nothing was added.
        """
        position, size = self.position, len(data)
        file_size = self.segments.file_size
        assert size <= file_size - position % file_size, f"{size=} at {position=}"
        if self.memory is None or position + size > self.writable_end:
            self._reserve(position, size)
            self.start = self.segments.start_of(position)
            self.memory = self.segments.file(position).memory
        at = position - self.start
        self.memory[at : at + size] = data
        self.position = position + size

    def cut(self, position: int) -> None:
        """End at ``position``, durably: what lay behind it is not found again after any crash.

        :raises OSError: the disk failed.
        """
        flushed = min(self.flushed_position, position)
        self.segments.cut(position)
        self.start_at(position)
        self.flushed_position = flushed

    def prepare_next(self) -> None:
        """Create the file after the one being written.

        :raises OSError: it cannot be created.
        """
        if self.memory is not None and self.segments.end == self.start + self.segments.file_size:
            self.segments.grow()

    def read(self, position: int, size: int) -> bytes | None:
        """Bytes of one file, None when they are not there (any more)."""
        if position >= self.start and self.memory is not None:
            if position + size <= self.position:
                at = position - self.start
                return self.memory[at : at + size]
            return None
        segments = self.segments
        if position < segments.begin or size < 0:
            return None
        if position + size > min(segments.start_of(position) + segments.file_size, self.position):
            return None
        return segments.read(position, size)

    def bytes_from(self, position: int, size_max: int) -> bytes:
        """What follows ``position`` in its file, blank included; empty where nothing is (any more).

        :raises OSError: the file cannot be mapped.
        """
        segments = self.segments
        file_end = segments.start_of(position) + segments.file_size
        size = min(size_max, file_end - position, self.position - position)
        if position < segments.begin or size <= 0:
            return b""
        return segments.read(position, size)

    def read_each(self, positions: Sequence[int], sizes: Sequence[int]) -> list[bytes] | None:
        """Records at ascending positions of one file; None when not all are there."""
        first, end = positions[0], positions[-1] + sizes[-1]
        segments = self.segments
        start = segments.start_of(first)
        if first < segments.begin or end > min(start + segments.file_size, self.position):
            return None
        memory = segments.file(first).memory
        return [
            memory[position - start : position - start + size]
            for position, size in zip(positions, sizes, strict=True)
        ]

    def dirty_files(self, begin: int) -> tuple[MappedFile, ...]:
        """The files with bytes of ``begin`` to ``position``."""
        return self.segments.mapped(begin, self.position)
