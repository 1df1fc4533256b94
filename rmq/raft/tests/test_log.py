import pytest

from rmq.base.errors import StoreError
from rmq.raft.log import MemoryLog
from rmq.raft.messages import Entry


def log_of(*bodies: bytes) -> MemoryLog:
    log = MemoryLog()
    for body in bodies:
        log.append(3, body)
    return log


def test_an_empty_log_has_no_ends():
    log = MemoryLog()

    assert (log.begin_index, log.end_index, log.end_term, log.committed_index) == (-1, -1, -1, -1)
    assert log.entry(0) is None


def test_entries_lie_one_behind_the_other():
    log = log_of(b"a", b"bc")

    assert log.entries == (Entry(0, 3, b"a", 0), Entry(1, 3, b"bc", 49))
    assert log.append(4, b"") == Entry(2, 4, b"", 99)
    assert (log.begin_index, log.end_index, log.end_term) == (0, 2, 4)


@pytest.mark.parametrize("entry", [Entry(2, 3, b"c", 49), Entry(1, 3, b"c", 50)])
def test_a_followers_entry_belongs_at_the_end(entry):
    log = log_of(b"a")

    with pytest.raises(StoreError, match="expected 1 at 49"):
        log.append_as_follower(entry)
    log.append_as_follower(Entry(1, 3, b"c", 49))

    assert log.end_index == 1


def test_after_a_cut_entries_follow_the_last_one_kept():
    log = log_of(b"a", b"b", b"c")

    log.truncate_after(0)

    assert log.append(5, b"x") == Entry(1, 5, b"x", 49)


def test_committed_entries_are_never_cut():
    log = log_of(b"a", b"b")
    log.commit(1)

    with pytest.raises(AssertionError):
        log.truncate_after(0)
    with pytest.raises(AssertionError):
        log.commit(1)


def test_a_log_begins_anew_where_it_is_told():
    log = log_of(b"a", b"b")
    log.commit(1)

    log.restart_at(Entry(9, 4, b"x", 900))

    assert (log.begin_index, log.end_index, log.committed_index) == (9, 9, -1)
    assert log.append(4, b"y") == Entry(10, 4, b"y", 949)


def test_a_log_goes_on_where_it_was_saved():
    log = MemoryLog(log_of(b"a", b"b").entries, 1)

    assert (log.end_index, log.committed_index) == (1, 1)
    assert log.append(3, b"c").pos == 98


def test_old_entries_can_be_cleaned_away():
    log = log_of(b"a", b"b", b"c")

    log.clean_before(2)

    assert (log.begin_index, log.end_index, log.entry(1)) == (2, 2, None)
    assert log.entry(2) == Entry(2, 3, b"c", 98)
