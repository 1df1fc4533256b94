from dataclasses import replace

import pytest

from codec.disk.index import parse_header
from codec.message.java_hash import java_hash
from rmq.base.errors import StoreError
from rmq.net.memory_disk import MemoryDisk
from rmq.store.index import SECONDS_MAX, Index
from rmq.store.segments import Holds
from rmq.store.tests.stores import SMALL, a_disk

EVER = 1 << 60


def an_index(disk: MemoryDisk) -> Index:
    return Index(disk, disk.clock, replace(SMALL, root="/s"), Holds())


def hashes(*keys: str) -> list[int]:
    return [abs(java_hash(f"T#{key}")) for key in keys]


def filled(disk: MemoryDisk, count: int) -> Index:
    index = an_index(disk)
    for number in range(count):
        index.put(hashes(f"k{number}", "all"), number * 100, 1_000_000 + number * 1000)
    return index


def content(disk: MemoryDisk) -> list[bytes]:
    return [disk.read(f"/s/index/{entry.name}") or b"" for entry in disk.entries("/s/index")]


def test_keys_are_found_over_files_newest_first() -> None:
    disk = a_disk()

    index = filled(disk, 50)

    assert len(index.files) == 3
    assert index.find("T", "all", 100, 0, EVER) == [n * 100 for n in range(49, -1, -1)]
    assert index.find("T", "all", 25, 0, EVER) == [n * 100 for n in range(49, 24, -1)]
    assert index.find("T", "k3", 9, 0, EVER) == [300]
    assert index.find("T", "all", 9, 1_030_000, 1_031_000) == [3100, 3000]
    assert index.find("T", "all", 9, 2_000_000, EVER) == []
    assert index.find("T", "none", 9, 0, EVER) == []
    assert (index.end_position, index.end_timestamp) == (4900, 1_049_000)
    assert index.full_timestamp == 1_038_000


def test_new_file_begins_where_the_full_one_ended_and_has_a_later_name() -> None:
    disk = a_disk()

    index = filled(disk, 21)

    first, second = content(disk)[:2]
    assert parse_header(first).next_unit == 40
    assert [file.name for file in index.files] == ["20231114221320000", "20231114221320001"]
    assert parse_header(second).begin_position == 1900


def test_index_is_loaded_as_it_was() -> None:
    disk = a_disk()
    assert an_index(disk).end_position == -1
    assert an_index(disk).end_timestamp == an_index(disk).full_timestamp == 0
    filled(disk, 30).close()
    disk.replace("/s/index/folder/x", b"")

    index = an_index(disk)
    index.load()

    assert len(index.find("T", "all", 100, 0, EVER)) == 30
    index.put(hashes("k99"), 9900, 1_099_000)
    assert index.find("T", "k99", 1, 0, EVER) == [9900]


def test_file_of_another_size_is_refused() -> None:
    disk = a_disk()
    disk.replace("/s/index/20240101000000000", b"x" * 10)

    with pytest.raises(StoreError, match="maxHashSlotNum"):
        an_index(disk).load()


@pytest.mark.parametrize("kept", range(1, 30))
def test_truncated_index_is_what_it_was_before(kept: int) -> None:
    disk, before = a_disk(), a_disk()
    filled(before, kept)
    index = filled(disk, 30)

    again_from = index.truncate(kept * 100)
    for number in range(again_from // 100, 30):
        index.put(hashes(f"k{number}", "all"), number * 100, 1_000_000 + number * 1000)

    assert again_from <= kept * 100
    assert index.find("T", "all", 100, 0, EVER) == [n * 100 for n in range(29, -1, -1)]
    whole = filled(a_disk(), 30)
    assert [f.memory[40:] for f in index.files] == [f.memory[40:] for f in whole.files]
    assert [f.used_slots for f in index.files] == [f.used_slots for f in whole.files]


@pytest.mark.parametrize(
    ("at", "content"),
    [
        (40, bytes(64)),  # slots
        (40 + 64 + 20 * 20, bytes(20 * 20)),  # units
        (40 + 64 + 20 * 10 + 12, b"\xff\xff\xff\xff"),  # seconds of the last unit kept
    ],
)
def test_file_that_was_torn_is_deleted_and_built_again(at: int, content: bytes) -> None:
    disk = a_disk()
    index = filled(disk, 15)
    index.files[0].memory[at : at + len(content)] = content
    index.close()
    index = an_index(disk)
    index.load()

    assert index.truncate(500) == 0

    assert index.files == []


def test_index_truncated_to_nothing_has_no_files() -> None:
    disk = a_disk()
    index = filled(disk, 30)

    assert index.truncate(0) == 0

    assert content(disk) == []
    assert index.find("T", "all", 9, 0, EVER) == []


def test_files_behind_the_log_are_deleted_but_the_last() -> None:
    disk = a_disk()
    index = filled(disk, 50)

    assert index.delete_before(1900) == []
    assert len(index.delete_before(3000)) == 1
    assert len(index.delete_before(99_999)) == 1
    assert len(index.files) == 1


def test_room_that_cannot_be_had_leaves_no_file() -> None:
    disk = a_disk()
    index = an_index(disk)
    disk.fail_reserve = OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        index.make_room(1)

    assert disk.entries("/s/index") == []
    disk.fail_reserve = None
    index.put(hashes("a"), 0, 1)
    assert index.find("T", "a", 1, 0, EVER) == [0]


def test_keys_of_a_run_are_put_as_one_by_one() -> None:
    together, apart = a_disk(), a_disk()
    one, other = an_index(together), an_index(apart)
    time = 1_000_000
    for begin in range(0, 60, 6):
        keys = [
            (hashed, number * 100)
            for number in range(begin, begin + 6)
            for hashed in hashes(f"k{number}", "all")
        ]
        one.put_run(keys, time)
        for hashed, position in keys:
            other.put((hashed,), position, time)
        time += 1500

    one.put_run([], time)

    assert content(together) == content(apart)
    assert (one.end_position, one.end_timestamp) == (other.end_position, other.end_timestamp)


def test_there_is_room_for_what_is_reserved() -> None:
    index = an_index(a_disk())
    assert not index.has_room(1)

    free = index.make_room(1).reserved_units - 1

    assert index.has_room(free)
    assert not index.has_room(free + 1)


def test_a_run_before_the_files_begin_is_put_one_by_one() -> None:
    disk = a_disk()
    index = filled(disk, 2)

    index.put_run([(hashes("early")[0], 900)], 500_000)

    assert index.find("T", "early", 9, 0, EVER) == [900]


def test_seconds_that_do_not_fit_are_the_most_that_do() -> None:
    index = an_index(a_disk())
    index.put(hashes("first"), 0, 1_000_000)

    index.put(hashes("late"), 100, 1_000_000 + (SECONDS_MAX + 9) * 1000)

    assert index.find("T", "late", 9, 0, 1_000_000 + SECONDS_MAX * 1000) == [100]


def test_file_of_which_nothing_got_to_disk_is_deleted_by_a_cut() -> None:
    disk = a_disk()
    index = filled(disk, 10)
    index.make_room(20)
    index.put(hashes(*"abcdefghijklmnopqrs"), 1000, 1_010_000)
    index.make_room(1)
    assert [file.next_unit for file in index.files] == [40, 1]

    assert index.truncate(5000) == 5000

    assert len(index.files) == 1
    assert index.full_timestamp == 0


def test_last_time_can_be_corrected_to_the_millisecond() -> None:
    index = an_index(a_disk())
    index.correct_end(1_000_001)
    assert index.end_timestamp == 0
    index.put(hashes("k"), 0, 1_000_000)

    for _ in range(2):
        index.correct_end(1_000_345)

    assert index.end_timestamp == 1_000_345


def test_written_files_are_told_once() -> None:
    index = filled(a_disk(), 21)

    assert index.dirty_files() == [file.file for file in index.files]
    assert index.dirty_files() == []
