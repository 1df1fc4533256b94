from dataclasses import dataclass

from rmq.replication.sync_state import JOINING_MS, UNKNOWN, SyncState

LATE_MS = 15_000


@dataclass
class ASlave:
    acked: int = 0
    caught_up_ms: int = 0
    may_join: bool = False
    has_reported: bool = True


def a_set(*members, number=1):
    state = SyncState(1, LATE_MS)
    state.tell(frozenset(members), number)
    return state


def test_in_the_beginning_nobody_is_in_and_nothing_confirmed():
    state = SyncState(1, LATE_MS)

    assert state.members == frozenset()
    assert state.number == UNKNOWN
    assert not state.is_alone
    assert state.confirmed({}, 100, 7) == 7
    assert state.review({2: ASlave(100, 0, True)}, 0, 0) is None


def test_alone_all_that_there_is_is_confirmed():
    state = a_set(1)

    assert state.is_alone
    assert state.confirmed({}, 100, 7) == 100


def test_of_all_members_the_one_that_has_least_counts():
    state = a_set(1, 2, 3)

    assert state.confirmed({2: ASlave(50), 3: ASlave(80)}, 100, 7) == 50
    assert state.confirmed({2: ASlave(150), 3: ASlave(180)}, 100, 7) == 100
    assert state.confirmed({2: ASlave(5), 3: ASlave(80)}, 100, 7) == 7


def test_nothing_is_confirmed_without_a_member_or_its_word():
    state = a_set(1, 2)

    assert state.confirmed({3: ASlave(80)}, 100, 7) == 7
    assert state.confirmed({2: ASlave(has_reported=False)}, 100, 7) == 7


def test_nothing_is_confirmed_by_who_is_no_member():
    assert a_set(2, 3).confirmed({2: ASlave(90), 3: ASlave(90)}, 100, 7) == 7
    assert a_set(2, 3).review({2: ASlave()}, 0, 0) is None


def test_older_news_are_none():
    state = a_set(1, 2, number=5)

    assert not state.tell(frozenset({1}), 4)
    assert not state.tell(frozenset({1, 2}), 5)
    assert state.members == {1, 2}
    assert state.tell(frozenset({1}), 5)
    assert state.tell(frozenset({1, 3}), 6)
    assert (state.members, state.number) == ({1, 3}, 6)


def test_who_has_all_is_proposed_once_and_counted_from_then_on():
    state = a_set(1)
    slaves = {2: ASlave(100, 0, may_join=True)}

    assert state.review(slaves, 0, 100) == {1, 2}
    assert state.review(slaves, 0, 100) is None
    assert state.review(slaves, 0, 100, again=True) == {1, 2}
    assert state.counted == {1, 2}
    assert not state.is_alone
    assert state.confirmed({2: ASlave(90)}, 110, 70) == 90


def test_who_lacks_something_is_not_proposed():
    state = a_set(1)

    assert state.review({2: ASlave(99, 0, may_join=True)}, 0, 100) is None
    assert state.review({2: ASlave(100, 0, may_join=False)}, 0, 100) is None
    late = ASlave(100, 0, may_join=True)
    assert state.review({2: late}, LATE_MS + 1, 100) is None


def test_a_member_that_is_late_or_gone_is_proposed_out():
    state = a_set(1, 2, 3)
    slaves = {2: ASlave(100, 1_000), 3: ASlave(100, 5_000)}

    assert state.review(slaves, LATE_MS + 1_000, 100) is None
    assert state.review(slaves, LATE_MS + 1_001, 100) == {1, 3}
    del slaves[3]
    assert state.review(slaves, LATE_MS + 1_001, 100) == {1}


def test_every_proposal_counts_until_the_set_has_changed():
    state = a_set(1)
    state.review({2: ASlave(may_join=True)}, 0, 0)
    state.review({3: ASlave(may_join=True)}, 0, 0)

    assert state.counted == {1, 2, 3}
    assert not state.tell(frozenset({1}), 1)
    assert state.counted == {1, 2, 3}
    assert state.tell(frozenset({1, 2}), 2)
    assert state.counted == {1, 2}


def test_a_proposal_that_nobody_wants_any_more_is_taken_back_by_the_old_set():
    state = a_set(1)
    state.review({2: ASlave(may_join=True)}, 0, 0)

    assert state.review({}, 0, 0) == {1}
    assert state.counted == {1, 2}
    state.refused()
    assert state.counted == {1}
    assert state.review({}, 0, 0) is None


def test_news_take_back_what_was_proposed_and_is_not_wanted_any_more():
    state = a_set(1)
    slaves = {2: ASlave(may_join=True), 3: ASlave(may_join=True)}
    assert state.review({2: slaves[2]}, 0, 0) == {1, 2}
    assert state.review(slaves, 0, 0) == {1, 2, 3}
    slaves[3].may_join = False

    assert state.tell(frozenset({1, 2}), 2)  # to the first proposal

    assert state.review(slaves, 0, 0) == {1, 2}
    assert state.review(slaves, 0, 0) is None
    assert state.counted == {1, 2}


def test_who_joins_is_counted_for_a_while():
    state = a_set(1)
    state.join(2, 1_000)
    slaves = {2: ASlave(90, 1_000, may_join=True)}

    assert state.review(slaves, 1_000 + JOINING_MS, 100) is None
    assert state.counted == {1, 2}
    assert state.review(slaves, 1_001 + JOINING_MS, 100) is None
    assert state.counted == {1}


def test_who_joins_and_goes_is_not_counted():
    state = a_set(1)
    state.join(2, 0)

    state.review({}, 0, 100)

    assert state.is_alone


def test_who_has_joined_is_proposed_and_joins_no_more():
    state = a_set(1)
    state.join(2, 0)
    state.join(2, 500)

    assert state.review({2: ASlave(100, 0, may_join=True)}, 0, 100) == {1, 2}
    state.refused()

    assert state.is_alone


def test_what_is_forgotten_has_to_be_told_again():
    state = a_set(1, 2, number=9)
    state.join(3, 0)

    state.forget()

    assert state.counted == frozenset()
    assert state.tell(frozenset({1}), 2)
