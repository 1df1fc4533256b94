"""The index: from ``topic#key`` to positions in the commit log, over one or more files.

Files are named by the local time of their creation and sorted by it; only the last one is
written. Source: IndexService.java, IndexFile.java, 5.3.3.
"""

from collections.abc import Sequence

from codec.disk.index import (
    HEADER,
    HEADER_SIZE,
    NO_UNIT,
    SLOT,
    SLOT_SIZE,
    UNIT,
    UNIT_SIZE,
    file_size,
    key_hash,
    parse_header,
    slot_at,
    unit_at,
)
from codec.message.java_hash import java_hash
from rmq.base.errors import StoreError
from rmq.base.ports import Clock, Disk, MappedFile
from rmq.store.local_time import file_stamp
from rmq.store.segments import Holds
from rmq.store.settings import StoreSettings

RESERVE_UNITS = 50_000
"""Units (1 MB) kept free ahead on disk."""
NAME_DIGITS = 17
SECONDS_MAX = 0x7FFFFFFF
"""What a unit can say of its record's time."""


class IndexFile:
    """One mapped index file; its header's fields are kept here and written with every message."""

    __slots__ = (
        "_begin_position",
        "begin_timestamp",
        "dirty",
        "end_position",
        "end_timestamp",
        "file",
        "memory",
        "name",
        "next_unit",
        "reserved_units",
        "slots",
        "units_at",
        "units_max",
        "used_slots",
    )

    def __init__(self, file: MappedFile, name: str, slots: int, units_max: int) -> None:
        header = parse_header(file.memory[: HEADER.size])
        self.file = file
        self.name = name
        self.memory = file.memory
        self.slots = slots
        self.units_max = units_max
        self.units_at = unit_at(0, slots)
        self.begin_timestamp = header.begin_timestamp
        self.end_timestamp = header.end_timestamp
        self._begin_position = header.begin_position
        self.end_position = header.end_position
        self.used_slots = header.slots_used
        self.next_unit = max(header.next_unit, 1)
        self.reserved_units = 0
        self.dirty = False

    @property
    def begin_position(self) -> int:
        """Log position of the first record in it."""
        return self._begin_position

    def reserve(self, count: int) -> None:
        """Let ``count`` units, or what the file still takes, be written without failing.

        :raises OSError: no room on the disk.
        """
        end = min(self.next_unit + count + RESERVE_UNITS, self.units_max)
        self.file.reserve(self.units_at + end * UNIT_SIZE)
        self.reserved_units = end

    def inherit(self, previous: "IndexFile") -> None:
        """Begin where the previous file ended."""
        self.begin_timestamp = self.end_timestamp = previous.end_timestamp
        self._begin_position = self.end_position = previous.end_position
        self.write_header()

    def put(self, hashes: Sequence[int], begin: int, position: int, store_timestamp: int) -> int:
        """Add keys ``hashes[begin:]`` of one record by their ``key_hash``, for which room was
        reserved; up to which of them the file had room.

        Source: IndexFile.java, putKey(), 5.3.3.
        """
        number = self.next_unit
        memory = self.memory
        slots = self.slots
        used_slots = self.used_slots
        unit_at = self.units_at + number * UNIT_SIZE
        begin_timestamp = self.begin_timestamp
        # seconds_since(begin_timestamp, store_timestamp), less its calls
        seconds = (store_timestamp - begin_timestamp) // 1000
        if seconds < 0 or begin_timestamp <= 0:
            seconds = 0
        elif seconds > SECONDS_MAX:
            seconds = SECONDS_MAX
        if number <= 1:
            self._begin_position = position
            self.begin_timestamp = begin_timestamp = store_timestamp
        end = len(hashes)
        if end - begin > self.units_max - number:
            end = begin + self.units_max - number
        if begin or end != len(hashes):
            hashes = hashes[begin:end]
        for hashed in hashes:
            slot_at = HEADER_SIZE + hashed % slots * SLOT_SIZE
            (previous,) = SLOT.unpack_from(memory, slot_at)
            if not 0 < previous <= number:
                previous = NO_UNIT
                used_slots += 1
            UNIT.pack_into(memory, unit_at, hashed, position, seconds, previous)
            SLOT.pack_into(memory, slot_at, number)
            if number == 1:
                seconds = 0  # from here on the file begins with this record
            unit_at += UNIT_SIZE
            number += 1
        self.used_slots = used_slots
        self.next_unit = number
        self.end_position = position
        self.end_timestamp = store_timestamp
        self.dirty = True
        HEADER.pack_into(
            memory,
            0,
            begin_timestamp,
            store_timestamp,
            self._begin_position,
            position,
            used_slots,
            number,
        )
        return end

    def put_run(self, keys: Sequence[tuple[int, int]], store_timestamp: int) -> bool:
        """Add keys of several records stored at one time, all of them or none; whether it did.

        It does not when it is empty, or when there is no room reserved for all.
        """
        number = self.next_unit
        begin_timestamp = self.begin_timestamp
        seconds = (store_timestamp - begin_timestamp) // 1000
        if (
            not keys
            or number <= 1
            or number + len(keys) > self.reserved_units
            or begin_timestamp <= 0
            or not 0 <= seconds <= SECONDS_MAX
        ):
            return False
        memory = self.memory
        slots = self.slots
        used_slots = self.used_slots
        unit_at = self.units_at + number * UNIT_SIZE
        read_slot, write_slot, write_unit = SLOT.unpack_from, SLOT.pack_into, UNIT.pack_into
        for hashed, position in keys:
            slot_at = HEADER_SIZE + hashed % slots * SLOT_SIZE
            (previous,) = read_slot(memory, slot_at)
            if not 0 < previous <= number:
                previous = NO_UNIT
                used_slots += 1
            write_unit(memory, unit_at, hashed, position, seconds, previous)
            write_slot(memory, slot_at, number)
            unit_at += UNIT_SIZE
            number += 1
        self.used_slots = used_slots
        self.next_unit = number
        self.end_position = keys[-1][1]
        self.end_timestamp = store_timestamp
        self.write_header()
        return True

    def write_header(self) -> None:
        """Write what the fields say."""
        self.dirty = True
        HEADER.pack_into(
            self.memory,
            0,
            self.begin_timestamp,
            self.end_timestamp,
            self._begin_position,
            self.end_position,
            self.used_slots,
            self.next_unit,
        )

    def holds_time(self, begin: int, end: int) -> bool:
        """Whether records between these times can be in it.

        Source: IndexFile.java, isTimeMatched(), 5.3.3.
        """
        return begin <= self.end_timestamp and end >= self.begin_timestamp

    def find(self, hashed: int, count_max: int, begin: int, end: int, found: list[int]) -> None:
        """Append positions, newest first, until ``found`` has ``count_max``.

        Source: IndexFile.java, selectPhyOffset(), 5.3.3.
        """
        memory = self.memory
        (number,) = SLOT.unpack_from(memory, slot_at(hashed, self.slots))
        while NO_UNIT < number < self.next_unit and len(found) < count_max:
            unit_hash, position, seconds, previous = UNIT.unpack_from(
                memory, self.units_at + number * UNIT_SIZE
            )
            time = self.begin_timestamp + seconds * 1000
            if unit_hash == hashed and begin <= time <= end:
                found.append(position)
            if seconds < 0 or time < begin or previous >= number:
                return
            number = previous

    def truncate(self, position: int) -> bool:
        """Take back the units of records at ``position`` or after, newest first.

        False when the chains are not what putting them left: the file cannot be used.
        """
        memory = self.memory
        while self.next_unit > 1:
            number = self.next_unit - 1
            at = self.units_at + number * UNIT_SIZE
            hashed, unit_position, _, previous = UNIT.unpack_from(memory, at)
            if unit_position < position:
                break
            slot = slot_at(hashed, self.slots)
            if hashed < 0 or SLOT.unpack_from(memory, slot)[0] != number or previous >= number:
                return False
            SLOT.pack_into(memory, slot, previous)
            memory[at : at + UNIT_SIZE] = bytes(UNIT_SIZE)
            self.used_slots -= previous == NO_UNIT
            self.next_unit = number
        if self.next_unit == 1:
            return False
        last = self.next_unit - 1
        hashed, last_position, seconds, _ = UNIT.unpack_from(
            memory, self.units_at + last * UNIT_SIZE
        )
        if hashed < 0 or seconds < 0 or last_position < self._begin_position:
            return False
        if SLOT.unpack_from(memory, slot_at(hashed, self.slots))[0] != last:
            return False
        self.end_position = last_position
        self.end_timestamp = min(self.end_timestamp, self.begin_timestamp + seconds * 1000 + 999)
        self.write_header()
        return True


class Index:
    """All index files of a store."""

    def __init__(self, disk: Disk, clock: Clock, settings: StoreSettings, holds: Holds) -> None:
        self._disk = disk
        self._clock = clock
        self._settings = settings
        self._holds = holds
        self._folder = f"{settings.root}/index"
        self._size = file_size(settings.index_slots, settings.index_units)
        self.files: list[IndexFile] = []
        self._last: IndexFile | None = None

    def load(self) -> None:
        """Map all files.

        :raises StoreError: a file of a wrong size.
        """
        for entry in self._disk.entries(self._folder):
            if entry.is_folder:
                continue
            path = f"{self._folder}/{entry.name}"
            if entry.size != self._size:
                raise StoreError(
                    f"{path} has {entry.size} bytes, configured are {self._size}: restore "
                    "maxHashSlotNum and maxIndexNum, or delete the file to go without it"
                )
            self._last = self._open(entry.name)
            self.files.append(self._last)

    def _open(self, name: str) -> IndexFile:
        settings = self._settings
        file = self._disk.map(f"{self._folder}/{name}", self._size)
        return IndexFile(file, name, settings.index_slots, settings.index_units)

    def truncate(self, position: int) -> int:
        """Take back what was indexed from ``position`` on; where to index again from.

        A file that cannot be cut there is deleted, and all it held must be indexed again. So is
        one of which nothing got to disk: the one before it may not be full any more.
        """
        while self.files and self.files[-1].next_unit <= 1:
            self._delete(len(self.files) - 1)
        while self.files and self.files[-1].end_position >= position:
            last = self.files[-1]
            if last.begin_position < position and last.truncate(position):
                break
            position = min(position, last.begin_position)
            self._delete(len(self.files) - 1)
        return position

    def correct_end(self, store_timestamp: int) -> None:
        """Say when the last record was stored: units tell it only to the second."""
        if self._last is not None and self._last.end_timestamp != store_timestamp:
            self._last.end_timestamp = store_timestamp
            self._last.write_header()

    def _delete(self, number: int) -> str:
        file = self.files.pop(number)
        self._last = self.files[-1] if self.files else None
        path = f"{self._folder}/{file.name}"
        self._holds.close(file.file)
        self._disk.delete(path)
        return path

    def has_room(self, count: int) -> bool:
        """Whether ``count`` units go into what is reserved of the last file."""
        last = self._last
        return last is not None and last.next_unit + count <= last.reserved_units

    def make_room(self, count: int) -> IndexFile:
        """The file to write to, with room for ``count`` units or up to its end.

        :raises OSError: no room on the disk.
        """
        last = self._last
        if last is not None and last.next_unit + count <= last.reserved_units:
            return last
        if last is None or last.next_unit >= last.units_max:
            last = self._last = self._create(last)
        if last.next_unit + count > last.reserved_units < last.units_max:
            last.reserve(count)
        return last

    def _create(self, previous: IndexFile | None) -> IndexFile:
        now = self._clock.wall_ms()
        name = file_stamp(now + self._settings.local_offset_ms(now))
        if previous is not None and name <= previous.name:
            name = f"{int(previous.name) + 1:0{NAME_DIGITS}d}"
        file = self._open(name)
        try:
            file.reserve(1)
        except OSError:
            file.file.close()
            self._disk.delete(f"{self._folder}/{name}")
            raise
        if previous is not None:
            file.inherit(previous)
        self.files.append(file)
        return file

    def put(self, hashes: Sequence[int], position: int, store_timestamp: int) -> None:
        """Add the keys of one record by their ``key_hash``.

        :raises OSError: a new file was needed and could not be made.
        """
        count = len(hashes)
        file = self._last
        if file is None or file.next_unit + count > file.reserved_units:
            file = self.make_room(count)
        done = file.put(hashes, 0, position, store_timestamp)
        while done < count:
            done = self.make_room(count - done).put(hashes, done, position, store_timestamp)

    def put_run(self, keys: Sequence[tuple[int, int]], store_timestamp: int) -> None:
        """Add keys of several records stored at one time: ``key_hash`` and position of each.

        :raises OSError: a new file was needed and could not be made.
        """
        file = self._last
        if file is None or not file.put_run(keys, store_timestamp):
            for hashed, position in keys:
                self.put((hashed,), position, store_timestamp)
        self.dirty = True

    @property
    def end_position(self) -> int:
        """Log position of the last record indexed, -1 if there is none."""
        last = self.files[-1] if self.files else None
        return -1 if last is None or last.end_timestamp == 0 else last.end_position

    @property
    def end_timestamp(self) -> int:
        """Store time (ms) of the last record indexed, 0 if there is none."""
        return self.files[-1].end_timestamp if self.files else 0

    @property
    def full_timestamp(self) -> int:
        """Store time (ms) of the last record in a file that is full, 0 if none is."""
        return self.files[-2].end_timestamp if len(self.files) > 1 else 0

    def dirty_files(self) -> list[MappedFile]:
        """Files written since the last call."""
        files = [file for file in self.files if file.dirty]
        for file in files:
            file.dirty = False
        return [file.file for file in files]

    def find(self, topic: str, key: str, count_max: int, begin: int, end: int) -> list[int]:
        """Positions of records with a key of the same hash, newest first.

        Source: IndexService.java, queryOffset(), 5.3.3.
        """
        hashed = key_hash(java_hash(f"{topic}#{key}"))
        found: list[int] = []
        for file in reversed(self.files):
            if file.holds_time(begin, end):
                file.find(hashed, count_max, begin, end, found)
            if file.begin_timestamp < begin or len(found) >= count_max:
                break
        return found

    def delete_before(self, log_begin: int) -> list[str]:
        """Delete the files, not the last, of which no record is left in the log; their paths.

        Source: IndexService.java, deleteExpiredFile(), 5.3.3.
        """
        deleted = []
        while len(self.files) > 1 and self.files[0].end_position < log_begin:
            deleted.append(self._delete(0))
        return deleted

    def close(self) -> None:
        """Give all memory back."""
        for file in self.files:
            self._holds.close(file.file)
        self.files.clear()
        self._last = None
