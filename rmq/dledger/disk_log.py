"""The log on disk, byte for byte as a member of Java writes it.

``begin_index <= committed_index <= end_index``; all are -1 when there is nothing. Entries up to
``flushed_index`` are synced. After a failed sync nothing is appended until a restart, for the
system may have dropped what it could not write.
Source: DLedgerMmapFileStore.java, 0.3.1.2.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from codec.disk.dledger import (
    BLANK_SIZE,
    ENTRY_HEADER,
    ENTRY_HEADER_SIZE,
    MAGIC,
    UNIT,
    UNIT_SIZE,
    LedgerCheckpoint,
    pack_ledger_checkpoint,
    parse_ledger_checkpoint,
)
from codec.errors import CodecError
from codec.message.record import body_checksum
from rmq.base.errors import StoreError
from rmq.base.ports import Disk, MappedFile
from rmq.dledger.files import DataFiles, IndexFiles
from rmq.dledger.recovery import drop_units_before, header_at, recover
from rmq.dledger.settings import LedgerSettings
from rmq.raft.messages import NO_INDEX, NO_TERM, Entry
from rmq.store.local_time import hour_of_day
from rmq.store.segments import Holds

log = logging.getLogger(__name__)

ENTRY_SIZE_MAX = 4 << 20
"""Bytes of an entry with its header: more ends a member of Java. Source: localEntryBuffer."""
RECENT_MAX = 1024
"""Entries kept in memory, as they are sent to peers and applied soon after they are written."""
RECENT_BODY_MAX = 16 << 10
"""Bytes of a body that is kept."""
DELETE_FILES_MAX = 10
"""Data files that one cleaning deletes. Source: MmapFileList.java, DELETE_FILES_BATCH_MAX."""
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, eq=False)
class LedgerSync:
    """Files to sync; then entries up to ``end_index`` are on disk.

    The files stay open until the log is told ``synced`` or ``sync_failed``.
    """

    files: tuple[MappedFile, ...]
    end_index: int
    data_end: int
    index_end: int
    cuts: int

    def sync(self) -> None:
        """Block until all files are on disk; for a worker thread.

        :raises OSError: the disk failed.
        """
        for file in self.files:
            file.sync()


class DiskLog:
    """A :class:`rmq.raft.log.Log` in files. ``open`` it first.

    A method that raises StoreError has changed nothing that was there.
    """

    def __init__(self, disk: Disk, settings: LedgerSettings) -> None:
        self._disk = disk
        self._settings = settings
        self._holds = Holds()
        folder = settings.folder
        data_folder = settings.data_folder or f"{folder}/data"
        self._data = DataFiles(disk, data_folder, settings.data_file_size, self._holds)
        self._index = IndexFiles(disk, f"{folder}/index", settings.index_file_size, self._holds)
        self._size_max = min(ENTRY_SIZE_MAX, settings.data_file_size - BLANK_SIZE)
        self._recent: dict[int, Entry] = {}
        self._saved = LedgerCheckpoint(NO_INDEX, NO_INDEX)
        self._data_flushed = 0
        self._index_flushed = 0
        self.begin_index = NO_INDEX
        self.end_index = NO_INDEX
        self.end_term = NO_TERM
        self.committed_index = NO_INDEX
        self.committed_position = 0
        """Where the last committed entry ends, bytes; 0 if none is."""
        self.flushed_index = NO_INDEX
        self.cuts = 0
        """How often entries were cut off or replaced."""
        self.refusal: str | None = None
        """Why nothing may be appended any more."""
        self.full = False
        """Whether the disk is too full to append; ``clean`` finds out."""

    @property
    def begin_position(self) -> int:
        """Where the first file starts, bytes."""
        return self._data.segments.begin

    @property
    def end_position(self) -> int:
        """Where the last entry, or a blank after it, ends."""
        return self._data.position

    def open(self) -> None:
        """Read what is there; some of it may be only in the system's memory yet.

        :raises StoreError: it cannot be used.
        """
        try:
            self._data.segments.load()
            self._index.segments.load()
            found = recover(self._data, self._index, checked=self._settings.checked)
        except OSError as error:
            raise StoreError(f"cannot read {self._settings.folder}: {error}") from error
        self.begin_index, self.end_index, self.end_term = found
        self._data_flushed = self._data.segments.begin
        self._index_flushed = self._index.segments.begin
        self._load_checkpoint()
        if found.end_index >= 0 and self._saved.committed_index >= found.begin_index:
            self.commit(min(self._saved.committed_index, found.end_index))
        if found.end_index < self._saved.end_index:
            log.warning(
                "event=ledger_shorter_than_known end_index=%d was=%d",
                found.end_index,
                self._saved.end_index,
            )
        log.info(
            "event=ledger_opened folder=%s begin_index=%d end_index=%d end_term=%d committed=%d",
            self._settings.folder,
            self.begin_index,
            self.end_index,
            self.end_term,
            self.committed_index,
        )

    def close(self) -> None:
        """Give all memory back; what is not synced is left to the system."""
        self._data.segments.close()
        self._index.segments.close()

    def entry(self, index: int) -> Entry | None:
        """The entry, or None if the log does not hold it.

        :raises StoreError: the disk failed.
        """
        entry = self._recent.get(index)
        if entry is not None:
            return entry
        if not 0 <= self.begin_index <= index <= self.end_index:
            return None
        try:
            _, pos, size, *_ = UNIT.unpack(self._index.read(index))
            whole = self._data.segments.read(pos, size)
        except OSError as error:
            raise StoreError(f"cannot read entry {index}: {error}") from error
        magic, found_size, found, term, found_pos, *marks, _ = ENTRY_HEADER.unpack_from(whole)
        if (found, found_pos, found_size) != (index, pos, size):
            raise StoreError(
                f"entry {index} should be at {pos} with {size} bytes, "
                f"there is {found} of {found_pos} with {found_size}"
            )
        return Entry(index, term, whole[ENTRY_HEADER_SIZE:], pos, magic, *marks)

    def append(self, term: int, body: bytes) -> Entry:
        """Write a leader's new entry behind the last one; gives it as it is on disk.

        :raises StoreError: disk full or failed, or the entry is too large; nothing was written.
        """
        index = self.end_index + 1
        size = ENTRY_HEADER_SIZE + len(body)
        pos = self._make_room(index, size)
        entry = self._entry_at(index, pos, term, body)
        self._write_run((entry,))
        return entry

    def append_run(self, term: int, bodies: Sequence[bytes]) -> list[Entry]:
        """``append`` of several, by one write where the files have the room.

        :raises StoreError: as ``append``; some of them may have been written.
        """
        index, pos = self.end_index + 1, self._data.position
        if not self._has_room(index, pos, [len(body) for body in bodies]):
            return [self.append(term, body) for body in bodies]
        entries = []
        for body in bodies:
            entries.append(self._entry_at(index, pos, term, body))
            index += 1
            pos += ENTRY_HEADER_SIZE + len(body)
        self._write_run(entries)
        return entries

    def append_run_as_follower(self, entries: Sequence[Entry]) -> None:
        """``append_as_follower`` of several that follow each other, by one write if they can.

        :raises StoreError: as ``append_as_follower``; some of them may have been written.
        """
        index, pos = self.end_index + 1, self._data.position
        sizes = [len(entry.body) for entry in entries]
        if index and entries and entries[0].pos == pos and self._has_room(index, pos, sizes):
            for entry in entries:
                if entry.pos != pos:  # no file has ended before it, so this one is wrong
                    break
                assert entry.index == index, (entry.index, index)
                index += 1
                pos += entry.size
            else:
                self._write_run(entries)
                return
        for entry in entries:
            self.append_as_follower(entry)

    def append_as_follower(self, entry: Entry) -> None:
        """Write a leader's entry as it is; its index is ``end_index + 1``, or the log is empty.

        :raises StoreError: disk full or failed, or ``pos`` is not where it would be written.
        """
        if self.end_index < 0 and (entry.index or entry.pos):
            self.restart_at(entry)
            return
        assert entry.index == self.end_index + 1, (entry.index, self.end_index)
        expected = self._data.next_position(entry.size)
        if entry.pos != expected:
            raise StoreError(
                f"entry {entry.index} is at {entry.pos} in the leader's log, here it would be at "
                f"{expected}: are the files of all members of one size?"
            )
        self._write(entry)

    def truncate_after(self, index: int) -> None:
        """Forget all entries behind ``index``, which is ``begin_index`` or more.

        :raises StoreError: the disk failed.
        """
        assert self.committed_index <= index, (self.committed_index, index)
        last = self.entry(index)
        assert last is not None, (self.begin_index, index, self.end_index)
        position = last.pos + last.size
        log.info("event=ledger_cut end_index=%d new_end_index=%d", self.end_index, index)
        self._recent.clear()
        self.cuts += 1
        try:
            self._data.cut(position)
            self._index.cut((index + 1) * UNIT_SIZE)
        except OSError as error:
            self.refusal = f"cannot cut the log behind entry {index}: {error}"
            raise StoreError(self.refusal) from error
        finally:
            self.end_index, self.end_term = index, last.term
            self.flushed_index = min(self.flushed_index, index)
            self._data_flushed = min(self._data_flushed, position)
            self._index_flushed = min(self._index_flushed, (index + 1) * UNIT_SIZE)

    def restart_at(self, entry: Entry) -> None:
        """Forget everything, then hold just this entry, at its ``index`` and ``pos``.

        :raises StoreError: disk full or failed, or no file begins at ``pos``.
        """
        if entry.pos % self._settings.data_file_size or (entry.index == 0) != (entry.pos == 0):
            raise StoreError(
                f"the leader's first entry {entry.index} is at {entry.pos}, where no file of "
                f"{self._settings.data_file_size} bytes begins: are all members' of one size?"
            )
        self._check(entry.size)
        level = logging.INFO if self.end_index < 0 else logging.WARNING
        log.log(level, "event=ledger_restarted end_index=%d at=%d", self.end_index, entry.index)
        self._recent.clear()
        self.cuts += 1
        self.begin_index = self.end_index = self.committed_index = self.flushed_index = NO_INDEX
        self.end_term = NO_TERM
        self.committed_position = 0
        try:
            self._data.restart(entry.pos)
            self._index.restart(entry.index * UNIT_SIZE)
        except OSError as error:
            self.refusal = f"cannot delete the old log: {error}"
            raise StoreError(self.refusal) from error
        self._data_flushed, self._index_flushed = self._data.position, self._index.position
        self._write(entry)

    def commit(self, index: int) -> None:
        """Note what is committed: more than before, at most ``end_index``."""
        assert self.committed_index < index <= self.end_index, (self.committed_index, index)
        entry = self._recent.get(index)
        if entry is None:
            _, pos, size, *_ = UNIT.unpack(self._index.read(index))
        else:
            pos, size = entry.pos, entry.size
        self.committed_index = index
        self.committed_position = pos + size

    def sync_now(self) -> None:
        """Sync what is not synced yet, blocking; for the start.

        :raises StoreError: the disk failed.
        """
        work = self.sync_work()
        if work is not None:
            try:
                work.sync()
            except OSError as error:
                self.sync_failed(work, error)
                raise StoreError(f"cannot sync {self._settings.folder}: {error}") from error
            self.synced(work)

    def sync_work(self) -> LedgerSync | None:
        """What is not synced yet, None if all is. Tell ``synced`` or ``sync_failed`` then."""
        files = self._data.mapped(self._data_flushed) + self._index.mapped(self._index_flushed)
        if not files or self.refusal is not None:
            return None
        self._holds.hold(files)
        return LedgerSync(
            files, self.end_index, self._data.position, self._index.position, self.cuts
        )

    def synced(self, work: LedgerSync) -> None:
        """Learn that a sync is done. One of a log that was cut meanwhile proves nothing."""
        self._holds.release(work.files)
        if work.cuts == self.cuts:
            self.flushed_index = work.end_index
            self._data_flushed = work.data_end
            self._index_flushed = work.index_end

    def sync_failed(self, work: LedgerSync, cause: OSError) -> None:
        """Learn that a sync failed: nothing is appended from now on."""
        self._holds.release(work.files)
        self.refusal = f"sync failed: {cause}"

    def save_checkpoint(self) -> None:
        """Note for the next start what is synced, if it is not what was noted last.

        :raises OSError: the disk failed.
        """
        synced = self.flushed_index
        if synced < 0 <= self.end_index:
            return
        now = LedgerCheckpoint(synced, min(self.committed_index, synced))
        if now != self._saved:
            path = f"{self._settings.folder}/checkpoint"
            self._disk.replace(path, pack_ledger_checkpoint(now))
            self._saved = now

    def clean(self, now_ms: int) -> int:
        """Look how full the disk is, delete files that are due; how many were.

        Committed entries only, and never the last file. Source: DLedgerMmapFileStore.java,
        CleanSpaceService, 0.3.1.2.

        :raises OSError: the disk failed.
        """
        settings = self._settings
        share = self._disk.used_share(settings.folder)
        self.full = share > settings.full_share
        if not settings.cleaned:
            return 0
        forced = share > settings.share_to_force_clean and settings.enable_disk_force_clean
        in_hour = hour_of_day(now_ms + settings.local_offset_ms(now_ms)) in settings.delete_hours
        if not (forced or in_hour or share > settings.share_to_check_expired):
            return 0
        segments = self._data.segments
        reserved_ms = max(settings.file_reserved_hours, 1) * HOUR_MS
        due = 0
        for file in list(self._disk.entries(segments.folder))[:-1][:DELETE_FILES_MAX]:
            end = int(file.name) + segments.file_size
            young = now_ms < file.modified_ms + reserved_ms
            if end > self.committed_position or (young and not forced):
                break
            due += 1
        for _ in range(due):
            segments.delete_first()
        if due:
            self._begin_again()
        return due

    def _begin_again(self) -> None:
        """Find the first entry after files were deleted."""
        first = header_at(self._data, self._data.segments.begin)
        assert first is not None, f"no entry at {self._data.segments.begin}"
        log.info("event=ledger_cleaned begin_index=%d was=%d", first.index, self.begin_index)
        self.begin_index = first.index
        self._recent = {index: e for index, e in self._recent.items() if index >= first.index}
        drop_units_before(self._index, first.index)

    def _entry_at(self, index: int, pos: int, term: int, body: bytes) -> Entry:
        """A leader's new entry, with its position in its body and its checksum if that is set."""
        place = self._settings.place
        if place is not None and len(body) >= place + 8:
            position = (pos + ENTRY_HEADER_SIZE).to_bytes(8, "big")
            body = body[:place] + position + body[place + 8 :]
        body_crc = body_checksum(body) if self._settings.checked else 0
        return Entry(index, term, body, pos, MAGIC, 0, 0, body_crc)

    def _write(self, entry: Entry) -> None:
        self._make_room(entry.index, entry.size)
        self._write_run((entry,))

    def _has_room(self, index: int, pos: int, lengths: list[int]) -> bool:
        """Whether entries with bodies of these lengths may be written, into reserved room."""
        count = len(lengths)
        return (
            count > 0
            and self.refusal is None
            and not self.full
            and ENTRY_HEADER_SIZE + max(lengths) <= self._size_max
            and pos + ENTRY_HEADER_SIZE * count + sum(lengths) <= self._data.writable_end
            and (index + count) * UNIT_SIZE <= self._index.writable_end
        )

    def _write_run(self, entries: Sequence[Entry]) -> None:
        """Write entries behind the last one, into reserved room."""
        pieces: list[bytes] = []
        units: list[bytes] = []
        recent = self._recent
        for entry in entries:
            index, term, body, pos = entry.index, entry.term, entry.body, entry.pos
            marks = (entry.channel, entry.chain_crc, entry.body_crc)
            length = len(body)
            size = ENTRY_HEADER_SIZE + length
            pieces.append(ENTRY_HEADER.pack(MAGIC, size, index, term, pos, *marks, length))
            pieces.append(body)
            units.append(UNIT.pack(MAGIC, pos, size, index, term))
            if length <= RECENT_BODY_MAX:
                recent[index] = entry
            recent.pop(index - RECENT_MAX, None)
        first, last = entries[0], entries[-1]
        self._data.write(first.pos, b"".join(pieces))
        self._index.write(first.index * UNIT_SIZE, b"".join(units))
        self.end_index, self.end_term = last.index, last.term
        if self.begin_index < 0:
            self.begin_index = first.index

    def _make_room(self, index: int, size: int) -> int:
        """Let an entry and its unit be written; where the entry goes.

        :raises StoreError: there is no room, or nothing may be written.
        """
        self._check(size)
        try:
            pos = self._data.make_room(size)
            self._index.make_room(index)
        except OSError as error:
            raise StoreError(f"no room for entry {index}: {error}") from error
        return pos

    def _check(self, size: int) -> None:
        if self.refusal is not None:
            raise StoreError(self.refusal)
        if size > self._size_max:
            raise StoreError(f"entry of {size} bytes, at most {self._size_max} are taken")
        if self.full:
            share = self._settings.full_share
            raise StoreError(f"more than {share:.0%} of {self._settings.folder}'s disk is in use")

    def _load_checkpoint(self) -> None:
        path = f"{self._settings.folder}/checkpoint"
        try:
            text = self._disk.read(path)
            if text is not None:
                self._saved = parse_ledger_checkpoint(text)
        except (OSError, CodecError) as error:  # only a hint
            log.warning("event=checkpoint_unreadable path=%s cause=%s", path, error)
