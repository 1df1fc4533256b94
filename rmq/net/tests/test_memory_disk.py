from typing import Any

import pytest

from rmq.base.manual import ManualClock
from rmq.base.ports import Disk
from rmq.net.memory_disk import PAGE_SIZE, MemoryDisk

GIBIBYTE = 1 << 30


@pytest.fixture
def clock() -> Any:
    return ManualClock(wall_ms=1000)


@pytest.fixture
def disk(clock: Any) -> Any:
    return MemoryDisk(clock)


def test_it_is_a_disk(disk: Any) -> None:
    whole: Disk = disk

    assert whole.read("a") is None


def test_a_written_map_is_read_back_after_close(disk: Any) -> None:
    file = disk.map("/store/a", 10_000)
    file.reserve(10_000)
    file.memory[5000:5003] = b"abc"

    assert disk.read("/store/a")[5000:5003] == b"abc"
    file.close()
    file.close()

    assert disk.read("/store/a") == bytes(5000) + b"abc" + bytes(4997)
    assert disk.map("/store/a", 10_000).memory[5000:5003] == b"abc"


def test_a_closed_map_is_not_to_be_touched(disk: Any) -> None:
    file = disk.map("a", 100)
    file.close()

    with pytest.raises(AssertionError, match="closed"):
        _ = file.memory


def test_a_held_view_keeps_a_map_from_closing(disk: Any) -> None:
    file = disk.map("a", 100)
    view = memoryview(file.memory)

    with pytest.raises(BufferError):
        file.close()
    view.release()
    file.close()


def test_two_maps_of_a_file_share_memory_until_both_are_closed(disk: Any) -> None:
    first, second = disk.map("a", 100), disk.map("a", 100)
    first.reserve(100)
    first.memory[0] = 7
    first.close()

    assert second.memory[0] == 7
    assert (second.path, second.size) == ("a", 100)


def test_a_gibibyte_costs_what_was_written(disk: Any) -> None:
    file = disk.map("log", GIBIBYTE)
    file.reserve(2 * PAGE_SIZE)
    file.memory[PAGE_SIZE] = 1
    file.sync()

    after = disk.crash().map("log", GIBIBYTE)
    assert after.memory[PAGE_SIZE] == 1
    assert after.size == GIBIBYTE


def test_a_crash_keeps_what_was_synced(disk: Any) -> None:
    file = disk.map("log", 3 * PAGE_SIZE)
    file.reserve(3 * PAGE_SIZE)
    file.memory[0] = 1
    file.sync()
    file.memory[0] = 2
    file.memory[PAGE_SIZE] = 2
    file.memory[2 * PAGE_SIZE] = 2

    content = disk.crash().read("log")
    assert (content[0], content[PAGE_SIZE], content[2 * PAGE_SIZE]) == (1, 0, 0)


def test_a_crash_may_have_written_some_newer_pages(disk: Any) -> None:
    file = disk.map("log", 3 * PAGE_SIZE)
    file.reserve(3 * PAGE_SIZE)
    file.memory[0] = 1
    file.sync()
    file.memory[0] = 0
    file.memory[2 * PAGE_SIZE] = 2

    content = disk.crash({"log": [0, 2]}).read("log")
    assert (content[0], content[2 * PAGE_SIZE]) == (0, 2)
    file.close()
    assert disk.crash({"log": [2]}).read("log")[2 * PAGE_SIZE] == 2


def test_bytes_beyond_the_reserved_end_are_lost(disk: Any) -> None:
    file = disk.map("log", 3 * PAGE_SIZE)
    file.reserve(PAGE_SIZE)
    file.memory[PAGE_SIZE] = 1
    file.sync()

    assert not any(disk.crash().read("log"))


def test_troubles_are_raised_where_they_were_told(disk: Any) -> None:
    file = disk.map("log", 100)
    disk.fail_reserve = OSError(28, "full")
    disk.fail_sync = OSError(5, "broken")
    disk.fail_replace = OSError(30, "read-only")

    with pytest.raises(OSError, match="full"):
        file.reserve(1)
    with pytest.raises(OSError, match="broken"):
        file.sync()
    with pytest.raises(OSError, match="read-only"):
        disk.replace("x", b"")


def test_entries_are_sorted_and_tell_files_and_folders(disk: Any, clock: Any) -> None:
    disk.replace("/s/b", b"12")
    clock.advance(5)
    disk.replace("/s/a/x", b"1")
    disk.replace("/s/a/y", b"1")
    disk.replace("/other", b"1")
    clock.advance(5)
    disk.replace("/s/b", b"12")

    folder, file = disk.entries("/s/")
    assert (folder.name, folder.is_folder, folder.size) == ("a", True, 0)
    assert (file.name, file.is_folder, file.size, file.modified_ms) == ("b", False, 2, 1010)
    assert disk.entries("/none") == []
    assert disk.exists("/s")
    assert disk.exists("/s/b")
    assert not disk.exists("/s/bb")


def test_replaced_files_survive_at_once(disk: Any) -> None:
    disk.replace("a", b"old")
    disk.replace("a", b"new")

    assert disk.crash().read("a") == b"new"


def test_reading_a_folder_is_an_error(disk: Any) -> None:
    disk.replace("s/a", b"")

    with pytest.raises(IsADirectoryError):
        disk.read("s")


def test_deleting_takes_a_file_or_a_whole_folder(disk: Any) -> None:
    for path in ("s/a", "s/b/c", "sb"):
        disk.replace(path, b"1")

    disk.delete("s")
    disk.delete("none")

    assert [entry.name for entry in disk.entries("s")] == []
    assert disk.exists("sb")


def test_renaming_moves_a_file_over_another_and_a_folder_with_its_files(disk: Any) -> None:
    disk.replace("s/a", b"1")
    disk.replace("b", b"2")
    disk.rename("s/a", "b")
    assert disk.read("b") == b"1"

    disk.replace("s/c", b"3")
    disk.rename("s", "t")
    assert disk.read("t/c") == b"3"
    with pytest.raises(FileNotFoundError):
        disk.rename("s", "t")


def test_a_map_grows_a_shorter_file_and_refuses_a_longer_one(disk: Any) -> None:
    disk.replace("a", b"abc")
    file = disk.map("a", PAGE_SIZE + 1)
    assert file.memory[:4] == b"abc\0"

    with pytest.raises(OSError, match="map of 3"):
        disk.map("a", 3)
    with pytest.raises(OSError, match="map of 9000"):
        disk.map("a", 9000)


def test_a_lock_is_held_until_given_back(disk: Any) -> None:
    give_back = disk.lock("s/lock")
    with pytest.raises(BlockingIOError):
        disk.lock("s/lock")
    disk.crash().lock("s/lock")

    give_back()
    disk.lock("s/lock")


def test_the_used_share_is_what_was_told(disk: Any) -> None:
    disk.used_share_told = 0.95

    assert disk.used_share("/s") == 0.95


def test_a_loss_of_power_may_tear_what_was_written_since_the_sync(disk: Any) -> None:
    file = disk.map("a", 3 * PAGE_SIZE)
    file.reserve(3 * PAGE_SIZE)
    file.memory[:4] = b"old."
    file.memory[PAGE_SIZE : PAGE_SIZE + 4] = b"same"
    file.sync()
    file.memory[:4] = b"new."
    file.memory[2 * PAGE_SIZE : 2 * PAGE_SIZE + 3] = b"add"
    asked = []

    def survivor(path: str, old: bytes, new: bytes) -> bytes:
        asked.append((path, old[:4], new[:4]))
        return new[:2] + old[2:]

    content = disk.lose_power(survivor).read("a")

    assert asked == [("a", b"old.", b"new."), ("a", b"\0\0\0\0", b"add\0")]
    assert content[:4] == b"ned."
    assert content[PAGE_SIZE : PAGE_SIZE + 4] == b"same"
    assert content[2 * PAGE_SIZE : 2 * PAGE_SIZE + 4] == b"ad\0\0"


def test_what_was_written_outlives_its_process_whether_synced_or_not(disk: Any) -> None:
    disk.lock("lock")
    disk.replace("closed", b"1")
    file = disk.map("open", PAGE_SIZE)
    file.memory[:3] = b"abc"

    after = disk.outlive()
    file.memory[:3] = b"xyz"

    assert after.read("closed") == b"1"
    assert after.read("open")[:3] == b"abc"
    after.lock("lock")
    assert after.crash().read("open") == bytes(PAGE_SIZE)


def test_a_held_sync_is_done_when_it_is_settled(disk: Any) -> None:
    file = disk.map("a", PAGE_SIZE)
    file.reserve(PAGE_SIZE)
    held: list[Any] = []
    disk.hold_sync = held.append
    file.memory[:1] = b"1"
    file.sync()
    file.memory[:1] = b"2"
    file.sync()
    assert disk.crash().read("a")[:1] == b"\0"

    held[1]()
    held[0]()

    assert disk.crash().read("a")[:1] == b"2"
