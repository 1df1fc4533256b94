"""What a member's files hold after a start, whatever ended the last one.

Entries are read from the begin of the third last file on, or of an earlier one if the index does
not know its first entry, up to the first that is torn, missing or does not follow. The index is
made true on the way. Source: DLedgerMmapFileStore.java, recover(), 0.3.1.2.
"""

from typing import NamedTuple

from codec.disk.dledger import (
    BLANK_SIZE,
    ENTRY_HEADER,
    ENTRY_HEADER_SIZE,
    MAGIC,
    UNIT,
    UNIT_SIZE,
    EntryHeader,
    is_blank,
    parse_entry_header,
)
from codec.errors import CodecError
from codec.message.record import body_checksum
from rmq.base.errors import StoreError
from rmq.dledger.files import DataFiles, IndexFiles

FILES_CHECKED = 3
"""Data files, from the last, that are read at a start; older ones were synced long ago."""


class Recovered(NamedTuple):
    """What there is; -1 where there is no entry."""

    begin_index: int
    end_index: int
    end_term: int


_NOTHING = Recovered(-1, -1, -1)


def recover(data: DataFiles, index: IndexFiles, *, checked: bool) -> Recovered:
    """Find the end of loaded files, cut what is after it, and make the index fit.

    ``checked``: an entry whose body has another checksum than it carries is torn; 0 is none.

    :raises StoreError: the files contradict each other in a way that no crash explains.
    :raises OSError: the disk failed.
    """
    segments = data.segments
    if segments.begin == segments.end:
        data.open_at(0)
        index.restart(0)
        return _NOTHING
    begin = _begin_of_check(data, index)
    found, position = _Scan(data, index, checked=checked).run(begin)
    if segments.end - segments.file_size - position > segments.file_size:
        raise StoreError(
            f"{segments.folder} can be read up to {position} only, more than a file before its "
            f"end {segments.end}: restore the damaged file, or move the folder away to have the "
            "leader send everything again"
        )
    if found.end_index < 0:
        data.restart(0)
        index.restart(0)
        return _NOTHING
    data.cut(position)
    index.cut((found.end_index + 1) * UNIT_SIZE)
    first = header_at(data, segments.begin)
    if first is None or not 0 <= first.index <= found.begin_index:
        raise StoreError(f"{segments.path(segments.begin)} does not begin with an entry")
    drop_units_before(index, first.index)
    return found._replace(begin_index=first.index)


def header_at(data: DataFiles, position: int) -> EntryHeader | None:
    """The entry that begins at ``position``, the begin of a file; None if none does.

    :raises OSError: the file cannot be mapped.
    """
    try:
        header = parse_entry_header(data.segments.file(position).memory, 0)
    except CodecError:
        return None
    return header if header.pos == position else None


def drop_units_before(index: IndexFiles, begin_index: int) -> None:
    """Delete the index files that hold only units of entries before ``begin_index``.

    :raises OSError: the disk failed.
    """
    segments = index.segments
    while segments.begin + segments.file_size <= min(begin_index * UNIT_SIZE, segments.end - 1):
        segments.delete_first()


def _begin_of_check(data: DataFiles, index: IndexFiles) -> int:
    segments = data.segments
    begin = max(segments.end - FILES_CHECKED * segments.file_size, segments.begin)
    while begin > segments.begin:
        header = header_at(data, begin)
        if header is not None and index.read(header.index) == header.unit:
            return begin
        begin -= segments.file_size
    return begin


class _Scan:
    """Reads entry after entry, and mends the index."""

    def __init__(self, data: DataFiles, index: IndexFiles, *, checked: bool) -> None:
        self._data = data
        self._checked = checked
        self._index = index
        self._found = _NOTHING

    def run(self, begin: int) -> tuple[Recovered, int]:
        """Read from ``begin`` on; what was found, and where it ends."""
        segments = self._data.segments
        position = begin
        while position < segments.end:
            at = self._file(position)
            position += at
            if at < segments.file_size:
                break
        return self._found, position

    def _file(self, start: int) -> int:
        """Read a file; where in it the entries end, its size if they go on in the next."""
        file_size = self._data.segments.file_size
        memory = self._data.segments.file(start).memory
        begin_index, last, last_term = self._found
        at = 0
        while at + BLANK_SIZE <= file_size and not is_blank(memory, at):
            body_at = at + ENTRY_HEADER_SIZE
            if body_at > file_size:
                break
            magic, size, index, term, pos, *_, crc, length = ENTRY_HEADER.unpack_from(memory, at)
            if (
                magic != MAGIC
                or length < 0
                or size != ENTRY_HEADER_SIZE + length
                or pos != start + at
                or at + size + BLANK_SIZE > file_size
                or term < last_term
                or (index != last + 1 if last >= 0 else not self._may_be_first(index, pos))
                or (self._checked and crc and crc != body_checksum(memory[body_at : at + size]))
            ):
                break
            self._mend(index, UNIT.pack(MAGIC, pos, size, index, term))
            begin_index = index if last < 0 else begin_index
            last, last_term = index, term
            at += size
        else:
            at = file_size
        self._found = Recovered(begin_index, last, last_term)
        return at

    def _may_be_first(self, index: int, position: int) -> bool:
        return index == 0 if position == 0 else 0 < index <= position // ENTRY_HEADER_SIZE

    def _mend(self, index: int, unit: bytes) -> None:
        files = self._index
        if files.read(index) == unit:
            return
        if not files.has(index) and index * UNIT_SIZE != files.segments.end:
            files.restart(index * UNIT_SIZE)
        files.reserve(index * UNIT_SIZE, UNIT_SIZE)
        files.write(index * UNIT_SIZE, unit)
