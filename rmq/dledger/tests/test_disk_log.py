from errno import EIO, ENOSPC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.message.record import body_checksum
from codec.tests.golden_files import GOLDEN
from rmq.base.errors import StoreError
from rmq.dledger.disk_log import ENTRY_SIZE_MAX, RECENT_BODY_MAX, RECENT_MAX
from rmq.dledger.tests.ledgers import (
    DATA_SIZE,
    FOLDER,
    contents,
    filled,
    new_disk,
    opened,
    reopened,
    synced,
)
from rmq.raft.log import Log
from rmq.raft.messages import Entry

HOUR_MS = 3_600_000
NUL = bytes(8)


def test_an_empty_log_has_nothing():
    log: Log = opened(new_disk())

    assert (log.begin_index, log.end_index, log.end_term, log.committed_index) == (-1, -1, -1, -1)
    assert log.entry(0) is None
    assert log.entry(-1) is None


def test_entries_carry_the_checksum_of_their_body_if_that_is_wanted():
    disk, log = filled(1, checked=True)

    assert log.entry(0).body_crc == body_checksum(b"\1" * 52)
    assert contents(reopened(disk, log)) == [Entry(0, 0, b"\1" * 52, 0, body_crc=0x17220396)]


def test_entries_lie_one_after_the_other_and_are_read_back():
    disk, log = filled(3, term=4)

    assert [(e.index, e.term, e.pos) for e in contents(log)] == [
        (0, 4, 0),
        (1, 4, 100),
        (2, 4, 200),
    ]
    assert contents(log) == contents(reopened(disk, log))


RUNS = st.lists(st.lists(st.integers(0, 220), max_size=12), max_size=6)
"""Sizes of bodies; files end within runs."""


@given(RUNS, st.booleans(), st.sampled_from([None, 28]))
def test_a_run_is_written_as_its_entries_would_be(runs, checked, place):
    settings = {"checked": checked, "place": place, "index_file_size": 32 * 7}
    alone, together, behind = (opened(new_disk(), **settings) for _ in range(3))

    for term, sizes in enumerate(runs):
        bodies = [bytes([term + 1]) * size for size in sizes]
        single = [alone.append(term, body) for body in bodies]
        assert together.append_run(term, bodies) == single
        behind.append_run_as_follower(single)

    assert contents(together) == contents(alone) == contents(behind)
    for log in (together, behind):
        assert (log.begin_index, log.end_index, log.end_term, log.end_position) == (
            alone.begin_index,
            alone.end_index,
            alone.end_term,
            alone.end_position,
        )
        assert files_of(log) == files_of(alone)


def files_of(log):
    disk = log._disk
    return {
        f"{folder}/{file.name}": disk.read(f"{FOLDER}/{folder}/{file.name}")
        for folder in ("data", "index")
        if disk.exists(f"{FOLDER}/{folder}")
        for file in disk.entries(f"{FOLDER}/{folder}")
    }


def test_a_run_of_a_follower_is_taken_up_to_what_lies_elsewhere():
    _, log = filled(1)

    with pytest.raises(StoreError, match="entry 2 is at 999"):
        log.append_run_as_follower([Entry(1, 0, bytes(52), 100), Entry(2, 0, bytes(52), 999)])

    assert log.end_index == 1


def test_a_run_of_a_follower_may_begin_a_log_that_was_cleaned():
    log = opened(new_disk())

    log.append_run_as_follower([Entry(7, 1, bytes(52), DATA_SIZE), Entry(8, 1, b"x", 612)])

    assert [entry.index for entry in contents(log)] == [7, 8]


def test_a_run_with_an_entry_that_is_too_large_is_refused_there():
    _, log = filled(1)

    with pytest.raises(StoreError, match="at most"):
        log.append_run(0, [b"fits", bytes(DATA_SIZE)])

    assert log.end_index == 1


def test_large_entries_of_a_run_are_not_kept_in_memory():
    _, log = filled(1, data_file_size=1 << 20)

    log.append_run(0, [b"small", bytes(RECENT_BODY_MAX + 1)])

    assert set(log._recent) == {0, 1}
    assert log.entry(2).body == bytes(RECENT_BODY_MAX + 1)


def test_the_bytes_are_those_of_java():
    golden = GOLDEN / "dledger-n0"
    disk = new_disk()
    log = opened(disk, data_file_size=4096, index_file_size=512)

    for body in (b"aaaaa", b"bbbbb", b"ccccc", b"d" * 3700, b"eeeee", b"fffff"):
        log.append(0, body)
    synced(log)
    log.commit(5)
    log.save_checkpoint()

    for name in ("data/00000000000000000000", "index/00000000000000000000", "checkpoint"):
        assert disk.read(f"{FOLDER}/{name}") == (golden / name).read_bytes()


def test_what_java_wrote_is_opened():
    golden = GOLDEN / "dledger-n0"
    disk = new_disk()
    for name in ("data/00000000000000000000", "index/00000000000000000000", "checkpoint"):
        disk.replace(f"{FOLDER}/{name}", (golden / name).read_bytes())

    log = opened(disk, data_file_size=4096, index_file_size=512)

    assert (log.begin_index, log.end_index, log.end_term, log.committed_index) == (0, 5, 0, 5)
    assert (log.committed_position, log.end_position) == (4013, 4013)
    assert log.entry(3).body == b"d" * 3700


def test_an_entry_that_does_not_fit_begins_the_next_file_behind_a_blank():
    disk, log = filled(6)

    assert [e.pos for e in contents(log)] == [0, 100, 200, 300, 400, DATA_SIZE]
    log.close()
    first = disk.read(f"{FOLDER}/data/{0:020d}")
    assert first[500:] == b"\xff\xff\xff\xff\x00\x00\x00\x0c" + bytes(4)


def test_an_entry_leaves_room_for_a_blank():
    _, log = filled(1, size=DATA_SIZE - 8)

    assert log.append(0, b"").pos == DATA_SIZE

    _, log = filled(1, size=DATA_SIZE - 56)
    assert log.append(0, b"").pos == DATA_SIZE - 56


def test_old_entries_come_from_the_disk():
    _, log = filled(RECENT_MAX + 5, data_file_size=1 << 16, index_file_size=1 << 16)

    assert log.entry(2) == Entry(2, 0, b"\x03" * 52, 200)


def test_large_bodies_are_not_kept_in_memory():
    log = opened(new_disk(), data_file_size=1 << 20, index_file_size=1 << 16)
    entry = log.append(0, b"x" * 100_000)

    assert log.entry(0) == entry
    assert log.entry(0) is not entry


def test_the_place_of_a_body_is_written_into_it():
    _, log = filled(1, place=28)

    entry = log.append(0, b"a" * 28 + NUL + b"b" * 4)

    assert entry.body == b"a" * 28 + (148).to_bytes(8, "big") + b"b" * 4
    assert log.append(0, b"short").body == b"short"


def test_a_follower_writes_what_the_leader_has():
    _, leader = filled(6, term=2)
    disk = new_disk()
    log = opened(disk)

    for entry in contents(leader):
        log.append_as_follower(entry)

    assert contents(log) == contents(leader)
    assert contents(reopened(disk, log)) == contents(leader)
    assert log.end_term == 2


def test_an_entry_at_another_position_is_refused():
    _, log = filled(1)

    with pytest.raises(StoreError, match="of one size"):
        log.append_as_follower(Entry(1, 0, b"", 148))


def test_the_marks_of_an_entry_are_kept():
    disk = new_disk()
    log = opened(disk)
    entry = Entry(0, 1, b"x", 0, 1, 7, 8, 9)

    log.append_as_follower(entry)

    assert reopened(disk, log).entry(0) == entry


def test_a_cut_log_goes_on_where_it_was_cut():
    disk, log = filled(7, term=1)

    log.truncate_after(2)
    log.append(3, b"new")

    assert [(e.index, e.term, e.pos) for e in contents(log)][2:] == [(2, 1, 200), (3, 3, 300)]
    assert (log.end_index, log.end_term, log.cuts) == (3, 3, 1)
    assert contents(reopened(disk, log)) == contents(log)


def test_what_was_cut_off_does_not_come_back():
    disk, log = filled(5, term=1)
    log.truncate_after(2)

    assert reopened(disk, log).end_index == 2


def test_a_cut_over_files_deletes_the_later_ones():
    disk, log = filled(12)

    log.truncate_after(4)

    assert [entry.name for entry in disk.entries(f"{FOLDER}/data")] == [f"{0:020d}"]
    assert [entry.name for entry in disk.entries(f"{FOLDER}/index")] == [
        f"{0:020d}",
        f"{128:020d}",
    ]
    assert log.append(0, bytes(4)).pos == DATA_SIZE


def test_a_cut_takes_back_what_was_synced():
    _, log = filled(5)
    synced(log)

    log.truncate_after(2)
    assert log.flushed_index == 2
    log.append(1, b"")

    work = log.sync_work()
    assert work is not None
    log.synced(work)
    assert log.flushed_index == 3


def test_a_sync_of_what_was_cut_meanwhile_proves_nothing():
    _, log = filled(5)
    work = log.sync_work()

    log.truncate_after(2)
    log.append(1, b"")
    log.synced(work)

    assert log.flushed_index == -1


def test_a_log_restarts_at_a_later_entry():
    disk, log = filled(7, term=1)
    log.commit(3)
    entry = Entry(100, 5, b"far", 10 * DATA_SIZE)

    log.restart_at(entry)

    assert (log.begin_index, log.end_index, log.end_term) == (100, 100, 5)
    assert (log.committed_index, log.committed_position) == (-1, 0)
    log.append_as_follower(Entry(101, 5, b"next", 10 * DATA_SIZE + 51))
    again = reopened(disk, log)
    assert contents(again) == [entry, Entry(101, 5, b"next", 10 * DATA_SIZE + 51)]


def test_an_empty_log_may_begin_later():
    log = opened(new_disk())

    log.append_as_follower(Entry(9, 1, b"x", DATA_SIZE))

    assert (log.begin_index, log.end_index) == (9, 9)


@pytest.mark.parametrize(("index", "pos"), [(9, 100), (0, DATA_SIZE), (9, 0)])
def test_a_log_restarts_only_where_a_file_begins(index, pos):
    _, log = filled(2)

    with pytest.raises(StoreError, match="of one size"):
        log.restart_at(Entry(index, 1, b"", pos))

    assert log.end_index == 1


def test_committed_positions_are_ends_of_entries():
    disk, log = filled(3)
    log.commit(0)
    assert log.committed_position == 100

    synced(log)
    log.save_checkpoint()
    log = reopened(disk, log)
    log.save_checkpoint()
    assert (log.committed_index, log.committed_position) == (0, 100)
    log.commit(2)
    assert (log.committed_index, log.committed_position) == (2, 300)


def test_the_checkpoint_tells_only_what_is_synced():
    disk, log = filled(3)
    synced(log)
    log.append(0, b"")
    log.commit(3)

    log.save_checkpoint()

    assert disk.read(f"{FOLDER}/checkpoint") == b"committedIndex=2\nendIndex=2\n"


def test_a_checkpoint_is_written_only_when_it_is_another():
    disk, log = filled(1)
    log.save_checkpoint()
    assert disk.read(f"{FOLDER}/checkpoint") is None
    synced(log)
    log.save_checkpoint()
    disk.fail_replace = OSError(EIO, "broken")

    log.save_checkpoint()


def test_a_broken_checkpoint_is_no_hint():
    disk, log = filled(3)
    disk.replace(f"{FOLDER}/checkpoint", b"committedIndex=x")

    assert reopened(disk, log).committed_index == -1


def test_a_checkpoint_that_knows_more_is_cut_to_what_is_there(caplog):
    disk, log = filled(3)
    disk.replace(f"{FOLDER}/checkpoint", b"committedIndex=9\nendIndex=9\n")

    assert reopened(disk, log).committed_index == 2
    assert "event=ledger_shorter_than_known end_index=2 was=9" in caplog.text


def test_a_full_disk_is_an_error_before_anything_is_written():
    disk, log = filled(1, data_file_size=64 << 20, index_file_size=1 << 16)
    disk.fail_reserve = OSError(ENOSPC, "no space")

    for _ in range(5):
        log.append(0, bytes(3 << 20))
    with pytest.raises(StoreError, match="no room"):
        log.append(0, bytes(3 << 20))

    end = log.end_index
    disk.fail_reserve = None
    assert log.append(0, b"").index == end + 1


def test_above_a_share_in_use_nothing_is_appended():
    disk, log = filled(1)
    disk.used_share_told = 0.91
    log.clean(0)

    with pytest.raises(StoreError, match="90%"):
        log.append(0, b"")

    disk.used_share_told = 0.5
    log.clean(0)
    assert log.append(0, b"").index == 1


def test_an_entry_too_large_for_java_is_refused():
    log = opened(new_disk(), data_file_size=64 << 20)

    with pytest.raises(StoreError, match="at most"):
        log.append(0, bytes(ENTRY_SIZE_MAX - 47))

    assert log.append(0, bytes(ENTRY_SIZE_MAX - 48)).index == 0


def test_an_entry_too_large_for_a_file_is_refused():
    _, log = filled(1)

    with pytest.raises(StoreError, match="at most 504"):
        log.append(0, bytes(457))


def test_after_a_failed_sync_nothing_is_appended():
    disk, log = filled(1)
    work = log.sync_work()
    disk.fail_sync = OSError(EIO, "broken")
    with pytest.raises(OSError, match="broken") as failure:
        work.sync()

    log.sync_failed(work, failure.value)

    assert log.sync_work() is None
    with pytest.raises(StoreError, match="sync failed"):
        log.append(0, b"")
    with pytest.raises(StoreError, match="sync failed"):
        log.restart_at(Entry(9, 1, b"", DATA_SIZE))


def test_what_is_synced_survives_a_loss_of_power():
    disk, log = filled(6)
    synced(log)
    log.append(0, b"lost")

    assert opened(disk.crash()).end_index == 5


def test_what_a_start_finds_is_synced_once_more():
    disk, log = filled(6)
    log = reopened(disk, log)
    assert log.flushed_index == -1

    synced(log)

    assert log.flushed_index == 5
    assert opened(disk.crash()).end_index == 5


def test_a_sync_that_fails_at_the_start_is_told_of():
    disk, log = filled(1)
    disk.fail_sync = OSError(EIO, "broken")

    with pytest.raises(StoreError, match="cannot sync"):
        log.sync_now()

    assert log.refusal is not None


def test_nothing_to_sync_is_no_work():
    _, log = filled(2)
    synced(log)

    assert log.sync_work() is None


def test_a_disk_that_cannot_cut_ends_writing():
    disk, log = filled(12)
    disk.delete = failing

    with pytest.raises(StoreError, match="cannot cut"):
        log.truncate_after(2)
    with pytest.raises(StoreError, match="cannot cut"):
        log.append(0, b"")


def test_a_disk_that_cannot_delete_does_not_restart():
    disk, log = filled(12)
    disk.delete = failing

    with pytest.raises(StoreError, match="cannot delete"):
        log.restart_at(Entry(9, 1, b"", DATA_SIZE))

    assert log.refusal is not None


def failing(*_):
    raise OSError(EIO, "broken")


def test_a_disk_that_cannot_read_is_told_of():
    disk, log = filled(12)
    log = reopened(disk, log)
    log._index.segments.unmap(0)
    disk.map = failing

    with pytest.raises(StoreError, match="cannot read entry 1"):
        log.entry(1)
    with pytest.raises(StoreError, match="cannot read /store"):
        opened(disk)


def test_an_index_that_lies_is_found_out():
    disk, log = filled(3)
    log = reopened(disk, log)
    unit = log._index.segments.file(0).memory
    unit[32:64] = unit[64:96]

    with pytest.raises(StoreError, match="entry 1 should be at 200"):
        log.entry(1)


def aged(count: int = 12, **more):
    disk, log = filled(count, cleaned=True, **more)
    log.commit(count - 1)
    synced(log)
    return disk, log


def at_hour(hour: int, day: int = 20_000) -> int:
    return (day * 24 + hour) * HOUR_MS


def test_old_files_are_deleted_in_the_hour_for_it():
    disk, log = aged()

    assert log.clean(at_hour(5)) == 0
    assert log.clean(at_hour(4)) == 2

    assert (log.begin_index, log.begin_position) == (10, 2 * DATA_SIZE)
    assert log.entry(9) is None
    assert log.entry(10).pos == 2 * DATA_SIZE
    names = [entry.name for entry in disk.entries(f"{FOLDER}/index")]
    assert names == [f"{2 * 128:020d}"]
    again = reopened(disk, log, cleaned=True)
    assert contents(again) == contents(log)


def test_young_files_stay_unless_the_disk_is_nearly_full():
    disk, log = aged()
    young = disk.clock.wall_ms()
    disk.used_share_told = 0.8
    assert log.clean(young) == 0

    disk.used_share_told = 0.86
    assert log.clean(young) == 2


def test_a_filling_disk_deletes_old_files_at_any_hour():
    disk, log = aged()
    disk.used_share_told = 0.71

    assert log.clean(at_hour(5)) == 2


def test_files_with_entries_that_are_not_committed_stay():
    _, log = filled(12, cleaned=True)
    log.commit(6)

    assert log.clean(at_hour(4)) == 1
    assert log.begin_index == 5


def test_a_log_that_makes_up_a_state_is_not_cleaned():
    _, log = filled(12)
    log.commit(11)

    assert log.clean(at_hour(4)) == 0
