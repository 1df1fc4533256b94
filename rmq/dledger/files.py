"""The files of entries and of their index: room, writing, cutting.

Files have their full size from creation, so that Java's DLedger can load them. Room on the disk is
reserved ahead of writing, so that a full disk is an error and not the end of the process. What lies
after the end is zero: an entry that was cut off must not be taken for one at the next start, which
Java's members do not see to. Source: MmapFileList.java, 0.3.1.2.
"""

from codec.disk.dledger import BLANK_SIZE, UNIT_SIZE, pack_blank
from rmq.base.ports import Disk, MappedFile, Memory
from rmq.store.segments import Holds, Segments

DATA_AHEAD = 16 << 20
"""Bytes of entries kept free ahead on disk."""
INDEX_AHEAD = 1 << 20
"""The same for the index, 32768 units."""


class LedgerFiles:
    """A run of files that grows at ``position``.

    ``spare`` bytes are kept free at the end of each file; what follows ``position`` is zero.
    """

    __slots__ = ("_ahead", "_memory", "_spare", "_start", "position", "segments", "writable_end")

    def __init__(self, segments: Segments, ahead: int, spare: int) -> None:
        self.segments = segments
        self.position = 0
        self.writable_end = 0
        self._ahead = ahead
        self._spare = spare
        self._memory: Memory | None = None
        self._start = 0

    def open_at(self, position: int) -> None:
        """Go on at ``position``, the end of what is there."""
        self.position = self.writable_end = position
        self._memory = None

    def reserve(self, position: int, size: int) -> None:
        """Let ``size`` bytes be written at ``position``, in this file or the next, which is made.

        :raises OSError: no room on the disk.
        """
        segments = self.segments
        if segments.begin == segments.end:
            segments.start_at(position)
        if position >= segments.end:
            segments.grow()
        start = segments.start_of(position)
        file = segments.file(position)
        end = min(position - start + size + self._spare + self._ahead, segments.file_size)
        file.reserve(end)
        self._memory, self._start = file.memory, start
        self.writable_end = start + end - self._spare

    def write(self, position: int, content: bytes) -> None:
        """Write where room was reserved; the end is after it then."""
        assert self._memory is not None, f"no room was reserved at {position}"
        at = position - self._start
        end = at + len(content)
        self._memory[at:end] = content
        self.position = self._start + end

    def cut(self, position: int) -> None:
        """Forget what is at ``position`` and after, which must not be before the first file.

        :raises OSError: the disk failed.
        """
        self.segments.delete_from(position)
        if position < self.segments.end:
            self.segments.clear(position, self._ahead)
        self.open_at(position)

    def restart(self, position: int) -> None:
        """Forget everything and begin at ``position``.

        :raises OSError: the disk failed.
        """
        self.segments.delete_from(0)
        self.segments.begin = 0
        self.open_at(position)

    def mapped(self, begin: int) -> tuple[MappedFile, ...]:
        """The files that hold what was written from ``begin`` on."""
        return self.segments.mapped(begin, self.position) if begin < self.position else ()


class DataFiles(LedgerFiles):
    """Entries, one after the other; what does not fit into a file begins the next."""

    __slots__ = ()

    def __init__(self, disk: Disk, folder: str, file_size: int, holds: Holds) -> None:
        super().__init__(Segments(disk, folder, file_size, holds), DATA_AHEAD, BLANK_SIZE)

    def next_position(self, size: int) -> int:
        """Where an entry of ``size`` bytes, at most what a file takes, goes."""
        file_size = self.segments.file_size
        at = self.position % file_size
        if at + size + BLANK_SIZE > file_size:
            return self.position - at + file_size
        return self.position

    def make_room(self, size: int) -> int:
        """Let an entry of ``size`` bytes be written at the position that this gives.

        :raises OSError: no room on the disk.
        """
        position = self.position
        if position + size <= self.writable_end:
            return position
        position = self.next_position(size)
        if position != self.position:
            self._end_file(position)
        self.reserve(position, size)
        return position

    def _end_file(self, end: int) -> None:
        """Fill the file up with a blank."""
        self.reserve(self.position, 0)
        self.write(self.position, pack_blank(end - self.position))
        self.open_at(end)


class IndexFiles(LedgerFiles):
    """A unit for each entry, at 32 times its index."""

    __slots__ = ()

    def __init__(self, disk: Disk, folder: str, file_size: int, holds: Holds) -> None:
        assert file_size % UNIT_SIZE == 0, f"{file_size=}, a unit has {UNIT_SIZE}"
        super().__init__(Segments(disk, folder, file_size, holds), INDEX_AHEAD, 0)

    def make_room(self, index: int) -> None:
        """Let the unit of ``index`` be written.

        :raises OSError: no room on the disk.
        """
        if (index + 1) * UNIT_SIZE > self.writable_end:
            self.reserve(index * UNIT_SIZE, UNIT_SIZE)

    def has(self, index: int) -> bool:
        """Whether there is a file for the unit of ``index``."""
        return self.segments.begin <= index * UNIT_SIZE < self.segments.end

    def read(self, index: int) -> bytes:
        """The unit of ``index``; empty if there is no file for it.

        :raises OSError: the file cannot be mapped.
        """
        return self.segments.read(index * UNIT_SIZE, UNIT_SIZE) if self.has(index) else b""
