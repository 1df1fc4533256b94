import pytest

from codec.message.record import MAGIC_V1, MAGIC_V2, pack_blank, record_size
from rmq.store.commit_log import CommitLog, fixed_part, topic_field
from rmq.store.segments import Holds
from rmq.store.tests.stores import a_disk


def test_log_rolls_when_a_record_would_leave_no_room_for_a_blank() -> None:
    log = CommitLog(a_disk(), "/log", 4096, Holds())
    log.make_room(4000)
    log.position = 4000

    log.make_room(88)
    assert log.position == 4000
    log.make_room(89)

    assert (log.position, log.start) == (4096, 4096)
    assert log.read(4000, 8) == (96).to_bytes(4, "big") + b"\xcb\xd4\x31\x94"
    assert log.writable_end == 8192 - 8
    assert log.begin == 0


def test_next_file_is_made_once_and_only_after_the_first_write() -> None:
    disk = a_disk()
    log = CommitLog(disk, "/log", 4096, Holds())

    log.prepare_next()
    assert disk.entries("/log") == []
    log.make_room(10)
    log.prepare_next()
    log.prepare_next()
    log.position = 4080
    log.make_room(10)

    assert len(disk.entries("/log")) == 2
    assert log.position == 4096


def test_log_that_ended_at_a_files_end_goes_on_in_the_next() -> None:
    log = CommitLog(a_disk(), "/log", 4096, Holds())
    log.start_at(8192)

    log.make_room(10)

    assert (log.begin, log.position, log.segments.end) == (8192, 8192, 12_288)


def test_only_what_was_written_can_be_read() -> None:
    log = CommitLog(a_disk(), "/log", 4096, Holds())
    log.start_at(4096)
    assert log.read(4096, 1) is None
    log.make_room(100)
    log.position += 100

    assert log.read(4096, 100) == bytes(100)
    assert log.read(4096, 101) is None
    assert log.read(0, 10) is None
    assert log.read(4096 - 1, -1) is None
    log.position += 3980
    log.make_room(100)
    assert log.read(8000, 100) == bytes(96 + 80)[:100]
    assert log.read(8150, 100) is None
    assert log.read_each([4096, 4100], [4, 8]) == [bytes(4), bytes(8)]
    assert log.read_each([8000, 8100], [4, 100]) is None
    assert log.read_each([0], [4]) is None


def test_record_larger_than_a_file_is_a_broken_promise() -> None:
    with pytest.raises(AssertionError, match="size=4089"):
        CommitLog(a_disk(), "/log", 4096, Holds()).make_room(4089)


def test_sizes_and_magic_are_the_codecs() -> None:
    for length, magic in ((127, MAGIC_V1), (128, MAGIC_V2)):
        written, field = topic_field(b"T" * length)
        assert written == magic
        assert fixed_part(8, 8).size + len(field) + 2 == record_size(0, length, 0)


def test_a_copy_gets_the_logs_own_bytes_file_by_file_blank_included() -> None:
    disk = a_disk()
    log = CommitLog(disk, "/log", 4096, Holds())
    for size in (4000, 500):
        log.make_room(size)
        assert log.memory is not None
        log.memory[log.position - log.start : log.position - log.start + size] = b"x" * size
        log.position += size

    assert log.bytes_from(0, 100) == b"x" * 100
    blank = log.bytes_from(4000, 10_000)
    assert len(blank) == 96
    assert blank[:8] == pack_blank(96)
    assert log.bytes_from(4096, 10_000) == b"x" * 500
    assert log.bytes_from(4596, 10_000) == b""
    assert log.bytes_from(5000, 10_000) == b""
    assert log.bytes_from(0, -1) == b""
    log.segments.delete_first()
    assert log.bytes_from(4000, 10_000) == b""


def test_bytes_are_added_up_to_a_files_end_and_then_to_the_next_file() -> None:
    disk = a_disk()
    log = CommitLog(disk, "/log", 4096, Holds())
    log.start_at(8192)

    log.append(b"a" * 4000)
    log.append(b"b" * 96)
    log.append(b"")
    log.append(b"c" * 10)

    assert (log.segments.begin, log.position, log.start) == (8192, 12_298, 12_288)
    assert log.bytes_from(8192, 9999) == b"a" * 4000 + b"b" * 96
    assert log.bytes_from(12_288, 9999) == b"c" * 10
    with pytest.raises(AssertionError, match="size=4087"):
        log.append(bytes(4087))


def test_bytes_for_which_there_is_no_room_are_not_added() -> None:
    disk = a_disk()
    log = CommitLog(disk, "/log", 4096, Holds())
    disk.fail_reserve = OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        log.append(b"a")
    disk.fail_reserve = None
    assert log.position == 0
    log.append(b"a")

    assert log.read(0, 1) == b"a"


@pytest.mark.parametrize(("flushed", "after"), [(10, 10), (60, 50)])
def test_cut_log_is_flushed_up_to_its_end_at_most(flushed: int, after: int) -> None:
    log = CommitLog(a_disk(), "/log", 4096, Holds())
    log.append(b"a" * 100)
    log.flushed_position = flushed

    log.cut(50)

    assert (log.position, log.flushed_position) == (50, after)
    log.append(b"b" * 10)
    assert log.read(45, 15) == b"a" * 5 + b"b" * 10


def test_files_that_others_wrote_are_shown_from_where_they_begin() -> None:
    disk = a_disk()
    for start in (0, 4096, 8192):
        disk.map(f"/log/{start:020}", 4096).close()
    log = CommitLog(disk, "/log", 4096, Holds())

    log.show(0, 5000)
    shown = (log.begin, log.position)
    log.show(8192, 8192 + 700)

    assert shown == (0, 5000)
    assert (log.begin, log.position, log.segments.end) == (8192, 8892, 12_288)


def test_files_to_sync_are_those_with_bytes_since_a_position() -> None:
    log = CommitLog(a_disk(), "/log", 4096, Holds())
    log.show(0, 9000)

    assert len(log.dirty_files(0)) == 3
    assert log.dirty_files(8192) == (log.segments.file(8192),)


def test_log_that_ends_with_its_file_needs_no_blank() -> None:
    log = CommitLog(a_disk(), "/log", 4096, Holds())
    log.make_room(100)
    log.position = 4096

    log.make_room(100)

    assert (log.position, log.start) == (4096, 4096)
    assert log.read(4088, 8) == bytes(8)
