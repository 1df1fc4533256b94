import pytest

from rmq.base.manual import FixedChance
from rmq.raft.config import RaftConfig
from rmq.raft.log import MemoryLog
from rmq.raft.messages import Entry, Role
from rmq.raft.ready import HardState
from rmq.raft.roles import TRANSITIONS, Standing


def new_standing(*entries: Entry, committed: int = -1) -> Standing:
    config = RaftConfig.dledger("g", "n0", frozenset({"n0", "n1", "n2"}))
    return Standing(config, MemoryLog(entries, committed), HardState(4), FixedChance([0]), 0)


def in_role(role: Role) -> Standing:
    standing = new_standing()
    if role is Role.FOLLOWER:
        standing.become_follower("n1")
    elif role is Role.LEADER:
        standing.become_leader()
    return standing


@pytest.mark.parametrize("before", [Role.CANDIDATE, Role.FOLLOWER, Role.LEADER])
@pytest.mark.parametrize("after", [Role.CANDIDATE, Role.FOLLOWER, Role.LEADER])
def test_roles_change_as_the_table_says_and_not_otherwise(before, after):
    standing = in_role(before)
    change = {
        Role.CANDIDATE: lambda: standing.become_candidate(4),
        Role.FOLLOWER: lambda: standing.become_follower("n2"),
        Role.LEADER: standing.become_leader,
    }[after]

    if (before, after) in TRANSITIONS:
        change()
        assert standing.role is after
    else:
        with pytest.raises(AssertionError):
            change()


def test_a_candidate_has_no_leader_and_hands_nothing_over():
    standing = in_role(Role.LEADER)
    standing.transferee = "n1"

    standing.become_candidate(9)

    assert (standing.leader_id, standing.transferee, standing.term) == (None, None, 4)


def test_the_next_term_is_the_highest_heard_of_or_one_more():
    standing = new_standing()

    standing.next_term()
    assert (standing.term, standing.voted_for) == (5, None)
    standing.become_candidate(9)
    standing.next_term()

    assert (standing.term, standing.hard_state_changed) == (9, True)


def test_terms_are_left_by_candidates_only_and_never_backwards():
    with pytest.raises(AssertionError):
        in_role(Role.FOLLOWER).next_term()
    with pytest.raises(AssertionError):
        new_standing().become_candidate(3)


def test_a_vote_is_given_once_in_a_term():
    standing = new_standing()

    standing.vote_for("n1")
    standing.vote_for("n1")

    with pytest.raises(AssertionError):
        standing.vote_for("n2")


@pytest.mark.parametrize(
    ("told", "committed", "moved"), [(-1, 1, False), (1, 1, False), (0, 1, False), (9, 2, True)]
)
def test_the_committed_index_moves_forward_as_far_as_the_log_goes(told, committed, moved):
    entries = tuple(Entry(index, 1, b"x", 49 * index) for index in range(3))
    standing = new_standing(*entries, committed=1)

    assert standing.commit(told) is moved
    assert standing.log.committed_index == committed


def test_what_is_committed_before_the_log_begins_says_nothing():
    standing = new_standing(Entry(7, 1, b"x"))

    assert not standing.commit(3)
