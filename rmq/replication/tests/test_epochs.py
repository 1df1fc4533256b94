import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.disk.epoch import EpochStart, pack_epochs
from rmq.base.errors import StoreError
from rmq.base.manual import ManualClock
from rmq.net.memory_disk import MemoryDisk
from rmq.replication.epochs import Epoch, Epochs, consistent_point

PATH = "/store/epochFileCheckpoint"
BACKUP = PATH + ".bak"


def a_disk():
    return MemoryDisk(ManualClock())


def loaded(disk):
    epochs = Epochs(disk, PATH)
    epochs.load()
    return epochs


def with_entries(*entries):
    disk = a_disk()
    epochs = loaded(disk)
    for entry in entries:
        assert epochs.append(*entry)
    return epochs, disk


def starts(*pairs):
    return [EpochStart(*pair) for pair in pairs]


def test_a_new_log_has_no_epochs_and_no_file():
    disk = a_disk()

    epochs = loaded(disk)

    assert epochs.entries == []
    assert epochs.last is None
    assert epochs.last_epoch == -1
    assert epochs.at(0) is None
    assert not disk.exists(PATH)


def test_what_is_appended_is_found_again():
    epochs, disk = with_entries((1, 0), (2, 5790))

    assert disk.read(PATH) == pack_epochs(starts((1, 0), (2, 5790)))
    assert disk.read(BACKUP) == pack_epochs(starts((1, 0)))
    assert loaded(disk).entries == epochs.entries == starts((1, 0), (2, 5790))
    assert epochs.last == (2, 5790)
    assert epochs.last_epoch == 2


@pytest.mark.parametrize("entry", [(2, 6000), (1, 6000), (3, 5789), (3, 100)])
def test_an_epoch_that_is_not_after_all_others_is_refused(entry):
    epochs, _ = with_entries((1, 0), (2, 5790))

    assert not epochs.append(*entry)

    assert epochs.entries == starts((1, 0), (2, 5790))


def test_each_position_has_the_epoch_that_wrote_it():
    epochs, _ = with_entries((1, 100), (4, 500))

    assert epochs.at(99) is None
    assert epochs.at(100) == Epoch(1, 100, 500)
    assert epochs.at(499) == Epoch(1, 100, 500)
    assert epochs.at(500) == Epoch(4, 500, None)
    assert epochs.at(10**9) == Epoch(4, 500, None)


def test_cutting_the_log_cuts_the_epochs_that_begin_there_or_later():
    epochs, disk = with_entries((1, 0), (2, 100), (3, 200))

    epochs.cut(200)
    assert epochs.entries == starts((1, 0), (2, 100))
    epochs.cut(150)
    assert epochs.entries == starts((1, 0), (2, 100))
    epochs.cut(1)
    assert loaded(disk).entries == starts((1, 0))


def test_when_no_epoch_is_left_no_file_is():
    epochs, disk = with_entries((1, 0), (2, 100))

    epochs.cut(0)

    assert epochs.entries == []
    assert not disk.exists(PATH)
    assert not disk.exists(BACKUP)


def test_epochs_whose_files_are_deleted_are_forgotten():
    epochs, disk = with_entries((1, 0), (2, 100), (3, 200))

    epochs.forget_before(100)
    assert epochs.entries == starts((1, 0), (2, 100), (3, 200))
    epochs.forget_before(101)
    assert epochs.entries == starts((2, 100), (3, 200))
    epochs.forget_before(10**6)
    assert loaded(disk).entries == starts((3, 200))


def test_a_reign_that_wrote_nothing_is_kept_for_those_that_know_of_it():
    epochs, disk = with_entries((1, 0), (3, 100))

    assert epochs.append(4, 100)

    assert loaded(disk).entries == starts((1, 0), (3, 100), (4, 100))
    assert epochs.at(99) == Epoch(1, 0, 100)
    assert epochs.at(100) == Epoch(4, 100, None)
    assert consistent_point(starts((3, 100)), 180, epochs.entries, 200) == 100


def test_those_of_the_master_replace_our_own():
    epochs, disk = with_entries((1, 0), (3, 100))
    disk.fail_replace = OSError("nothing is written again")
    epochs.adopt(starts((1, 0), (3, 100)))
    disk.fail_replace = None

    epochs.adopt(starts((1, 0), (2, 80)))

    assert loaded(disk).entries == starts((1, 0), (2, 80))


def test_a_broken_file_is_replaced_by_the_one_before(caplog):
    _, disk = with_entries((1, 0), (2, 5790))
    disk.replace(PATH, b"2\n17\n1-0\n2-5790\n")

    with caplog.at_level(logging.WARNING):
        epochs = loaded(disk)

    assert epochs.entries == starts((1, 0))
    assert "broken" in caplog.text


@pytest.mark.parametrize("entries", [((2, 0), (1, 10)), ((1, 10), (2, 9))])
def test_epochs_that_do_not_ascend_are_none(entries):
    disk = a_disk()
    disk.replace(PATH, pack_epochs(starts(*entries)))
    disk.replace(BACKUP, b"?")

    with pytest.raises(StoreError, match="begins as a new one"):
        loaded(disk)


def test_a_disk_that_fails_changes_nothing():
    epochs, disk = with_entries((1, 0))
    disk.fail_replace = OSError("no room")

    with pytest.raises(StoreError, match="no room"):
        epochs.append(2, 100)

    assert epochs.entries == starts((1, 0))


def test_a_file_that_cannot_be_read_is_an_error_of_the_store():
    class ABrokenDisk(MemoryDisk):
        def read(self, path):
            raise OSError("gone")

    with pytest.raises(StoreError, match="gone"):
        Epochs(ABrokenDisk(ManualClock()), PATH).load()


@pytest.mark.parametrize(
    ("ours", "our_end", "theirs", "their_end", "expected"),
    [
        ([(1, 0)], 100, [(1, 0)], 300, 100),
        ([(1, 0)], 300, [(1, 0)], 100, 100),
        ([(1, 0)], 300, [(1, 0), (2, 200)], 500, 200),
        ([(1, 0), (2, 250)], 300, [(1, 0), (3, 200)], 500, 200),
        ([(1, 0), (2, 200)], 300, [(1, 0), (2, 200), (3, 260)], 500, 260),
        ([(1, 0), (2, 200)], 300, [(1, 0), (2, 210)], 500, 200),
        ([(1, 0), (2, 200)], 200, [(1, 0), (3, 200)], 200, 200),
        ([(2, 0)], 300, [(3, 0)], 300, None),
        ([], 300, [(3, 0)], 300, None),
        ([(3, 0)], 300, [], 0, None),
    ],
)
def test_two_logs_are_the_same_up_to_the_end_of_the_last_common_epoch(
    ours, our_end, theirs, their_end, expected
):
    assert consistent_point(starts(*ours), our_end, starts(*theirs), their_end) == expected


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=12), st.data())
def test_histories_that_part_are_found_to_be_the_same_where_they_are(reigns, data):
    """Each reign is of a master that has a part of what was there, and appends to it."""
    logs = [[]]
    for epoch, (cut, grow) in enumerate(reigns):
        base = data.draw(st.sampled_from(logs))
        logs.append(base[: len(base) - cut % (len(base) + 1)] + [epoch] * grow)
    ours, theirs = data.draw(st.sampled_from(logs)), data.draw(st.sampled_from(logs))

    point = consistent_point(_of(ours), len(ours), _of(theirs), len(theirs))

    same = 0
    while same < min(len(ours), len(theirs)) and ours[same] == theirs[same]:
        same += 1
    assert (point or 0) == same


def _of(written):
    entries = []
    for position, epoch in enumerate(written):
        if not entries or entries[-1].epoch != epoch:
            entries.append(EpochStart(epoch, position))
    return entries
