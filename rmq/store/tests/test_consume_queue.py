import pytest

from codec.disk.consume_queue import FILLER, UNIT
from rmq.net.memory_disk import MemoryDisk
from rmq.store.consume_queue import RESERVE_MIN, ConsumeQueue
from rmq.store.segments import Holds
from rmq.store.tests.stores import a_disk


def a_queue(disk: MemoryDisk, file_size: int = 200) -> ConsumeQueue:
    return ConsumeQueue(disk, "/cq", "T", 3, file_size, Holds(), lambda _queue, _start: None)


def filled(disk: MemoryDisk, count: int = 25) -> ConsumeQueue:
    queue = a_queue(disk)
    for number in range(count):
        queue.append(number * 100, 100, number)
    return queue


def test_units_can_be_read_over_several_files() -> None:
    disk = a_disk()
    queue = filled(disk)

    assert queue.next_offset == 25
    assert queue.unit(12) == (1200, 100, 12)
    assert queue.unit(25) is None
    assert queue.end_position == 2500
    assert [unit[2] for unit in UNIT.iter_unpack(queue.units(18, 5))] == [18, 19]
    assert [entry.name for entry in disk.entries("/cq/T/3")] == [
        f"{start:020d}" for start in (0, 200, 400)
    ]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 25])
def test_loading_finds_the_end(count: int) -> None:
    disk = a_disk()
    queue = filled(disk, count)
    queue.segments.close()

    loaded = a_queue(disk)
    loaded.load()

    assert loaded.next_offset == loaded.flushed_offset == count
    loaded.append(1, 2, 3)
    assert loaded.unit(count) == (1, 2, 3)


def test_units_read_again_go_to_their_offset_once() -> None:
    disk = a_disk()
    queue = a_queue(disk)

    assert queue.put_at(14, 1400, 100, 5)
    assert queue.put_at(16, 1600, 100, 7)
    assert not queue.put_at(16, 9, 9, 9)

    assert queue.next_offset == 17
    assert queue.segments.begin == 200
    content = disk.read("/cq/T/3/00000000000000000200") or b""
    assert content.startswith(FILLER * 4 + UNIT.pack(1400, 100, 5) + UNIT.pack(1600, 0x7FFFFFFF, 0))
    queue.correct_min(0)
    assert queue.min_offset == 14
    empty = a_queue(a_disk())
    empty.put_at(1, 0, 9, 9)
    empty.truncate(0)
    assert (empty.next_offset, empty.end_position) == (0, 0)


@pytest.mark.parametrize("kept", [0, 5, 10, 12, 20, 25])
def test_truncating_drops_units_and_what_was_behind_them(kept: int) -> None:
    disk = a_disk()
    queue = filled(disk)
    queue.flushed_offset = 25

    queue.truncate(kept * 100)

    assert queue.next_offset == queue.flushed_offset == kept
    assert queue.end_position == kept * 100
    queue.append(7777, 1, 2)
    queue.segments.close()
    loaded = a_queue(disk)
    loaded.load()
    assert loaded.next_offset == kept + 1


def test_old_files_go_when_their_last_message_went() -> None:
    disk = a_disk()
    queue = filled(disk)

    assert queue.delete_before(900) == []
    assert queue.min_offset == 9
    assert queue.delete_before(1000) == ["/cq/T/3/00000000000000000000"]
    assert queue.delete_before(99_999) == ["/cq/T/3/00000000000000000200"]
    assert queue.min_offset == queue.next_offset == 25
    assert queue.end_position == 2500


def test_file_made_ahead_does_not_count_as_written() -> None:
    queue = filled(a_disk(), 9)
    queue.segments.grow()
    queue.segments.grow()

    assert queue.delete_before(99_999) == []


def test_memory_is_given_back_only_of_what_was_flushed() -> None:
    queue = filled(a_disk())

    assert not queue.unmap(200)
    queue.flushed_offset = 20
    assert queue.unmap(200)
    assert not queue.unmap(400)
    queue.flushed_offset = 25
    assert queue.unmap(400)
    assert queue.segments.mapped(200, 600) == ()

    queue.append(2500, 100, 25)
    assert queue.unit(25) == (2500, 100, 25)
    assert queue.unit(24) == (2400, 100, 24)


def test_room_for_a_run_is_made_over_the_end_of_files() -> None:
    disk = a_disk()
    queue = filled(disk, 7)

    queue.make_room(25)
    disk.fail_reserve = OSError(28, "No space left on device")
    queue.append(700, 100, 7)

    assert queue.segments.end == 800
    assert queue.next_offset == 8


def test_no_unit_reaches_beyond_the_room_that_was_made() -> None:
    disk = a_disk()
    queue = a_queue(disk, file_size=20_000)
    queue.append(0, 100, 0)
    disk.fail_reserve = OSError(28, "No space left on device")

    while queue.write_at < queue.reserved:
        queue.append(queue.next_offset * 100, 100, queue.next_offset)

    assert queue.next_offset * UNIT.size <= RESERVE_MIN
    with pytest.raises(OSError, match="No space left"):
        queue.append(1, 2, 3)


def test_a_run_over_the_end_of_a_file_needs_no_more_room_than_was_made() -> None:
    disk = a_disk()
    queue = a_queue(disk, file_size=20_000)
    for number in range(999):
        queue.append(number * 100, 100, number)

    queue.make_room(900)
    disk.fail_reserve = OSError(28, "No space left on device")
    for number in range(999, 1899):
        queue.append(number * 100, 100, number)

    assert queue.next_offset == 1899


def test_queue_that_begins_late_has_its_first_unit_as_minimum() -> None:
    disk = a_disk()
    queue = a_queue(disk)

    queue.put_at(14, 1400, 100, 5)
    queue.put_at(16, 1600, 100, 7)

    assert (queue.min_offset, queue.next_offset) == (14, 17)
    assert queue.put_at(2, 9000, 100, 7)  # it was deleted, and begins again
    assert (queue.min_offset, queue.next_offset) == (2, 3)


@pytest.mark.parametrize("already", [False, True])
def test_unit_without_room_is_put_the_same_once_there_is_room(already: bool) -> None:
    disk, other = a_disk(), a_disk()
    queue, same = a_queue(disk), a_queue(other)
    if already:
        queue.put_at(1, 100, 100, 1)
        same.put_at(1, 100, 100, 1)
        queue.reserved = queue.write_at
    else:
        queue.segments.start_at(0)
        queue.segments.grow()
    disk.fail_reserve = OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        queue.put_at(23, 2300, 100, 5)
    disk.fail_reserve = None
    queue.put_at(23, 2300, 100, 5)
    same.put_at(23, 2300, 100, 5)

    assert queue.next_offset == same.next_offset == 24
    assert queue.min_offset == same.min_offset
    end = f"/cq/T/3/{400:020d}"
    assert disk.read(end) == other.read(end)
