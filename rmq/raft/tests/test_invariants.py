from types import SimpleNamespace

import pytest

from rmq.raft.invariants import BrokenInvariantError, Invariant, Invariants
from rmq.raft.log import MemoryLog
from rmq.raft.messages import Entry, Role
from rmq.raft.ready import HardState


def entries(*terms: int) -> tuple[Entry, ...]:
    return tuple(Entry(index, term, b"x", 49 * index) for index, term in enumerate(terms))


def member(self_id, terms=(), *, role=Role.FOLLOWER, term=1, vote=None, committed=-1, starts=1):
    return SimpleNamespace(
        self_id=self_id,
        starts=starts,
        role=role,
        term=term,
        persisted=HardState(term, vote),
        log=MemoryLog(entries(*terms)),
        committed_index=committed,
    )


def check(*states):
    """Let the same invariants see one state of a group after the other."""
    invariants = Invariants()
    for state in states:
        invariants.check(state)


def test_a_sound_group_passes():
    check(
        [member("a"), member("b"), member("c", role=Role.UNKNOWN)],
        [
            member("a", (1, 1), role=Role.LEADER, vote="a", committed=0),
            member("b", (1,), vote="a", committed=0),
            member("c", role=Role.UNKNOWN),
        ],
        [
            member("a", (1, 1), role=Role.UNKNOWN, vote="a"),
            member("b", (1, 2), term=2, role=Role.LEADER, vote="b", committed=0, starts=2),
            member("c", (1,), term=2),
        ],
    )


@pytest.mark.parametrize(
    ("rule", "states"),
    [
        (
            "OneLeaderPerTerm: term 1 has leaders a and b",
            [[member("a", role=Role.LEADER)], [member("b", role=Role.LEADER)]],
        ),
        ("TermMonotonic: a went from term 3 to 2", [[member("a", term=3)], [member("a", term=2)]]),
        (
            "VoteOncePerTerm: a voted for b, now c",
            [[member("a", vote="b")], [member("a", vote="c")]],
        ),
        ("VoteOncePerTerm: a voted for b, now None", [[member("a", vote="b")], [member("a")]]),
        (
            "LogMatching: b has term 1 before",
            [[member("a", (2, 3)), member("b", (1, 3))]],
        ),
        (
            "LeaderAppendOnly",
            [
                [member("a", (1, 1), role=Role.LEADER)],
                [member("a", (1,), role=Role.LEADER)],
            ],
        ),
        ("Committed: a committed 1, its log ends at 0", [[member("a", (1,), committed=1)]]),
        (
            "Committed: b committed",
            [[member("a", (1,), committed=0), member("b", (2,), committed=0)]],
        ),
        (
            "LeaderCompleteness: c leads term 2",
            [
                [member("a", (1,), committed=0), member("b", (1,)), member("c")],
                [
                    member("a", (1,), committed=0),
                    member("b", (1,)),
                    member("c", role=Role.LEADER, term=2),
                ],
            ],
        ),
        (
            "CommittedNeverLost",
            [
                [member("a", (1,), committed=0), member("b", (1,)), member("c")],
                [member("a", (1,), committed=0), member("b"), member("c")],
            ],
        ),
        (
            "CommitMonotonic: a went from 1 to 0",
            [[member("a", (1, 1), committed=1)], [member("a", (1, 1), committed=0)]],
        ),
    ],
)
def test_a_broken_rule_is_named(rule, states):
    with pytest.raises(BrokenInvariantError, match=rule):
        check(*states)


def test_a_term_in_memory_is_never_behind_the_disk():
    one = member("a", term=3)
    one.term = 2

    with pytest.raises(BrokenInvariantError, match="a is in 2, persisted 3"):
        check([one])


def test_two_entries_of_one_place_are_equal():
    other = member("b")
    other.log = MemoryLog((Entry(0, 1, b"y", 0),))

    with pytest.raises(BrokenInvariantError, match="LogMatching: b holds"):
        check([member("a", (1,)), other])


def test_a_cleaned_log_has_held_what_is_gone():
    cleaned = member("b", (1, 1, 1), committed=2)
    cleaned.log.clean_before(2)
    whole = member("a", (1, 1, 1), committed=2)

    check([cleaned, whole], [whole, cleaned])


def test_a_log_that_begins_anew_may_forget_what_was_committed():
    before = member("b", (1, 1), committed=1)
    after = member("b")
    after.log = MemoryLog((Entry(5, 1, b"x", 0),))

    check([before, member("a", (1, 1))], [after, member("a", (1, 1))])


def test_entries_are_applied_in_order():
    invariants, one = Invariants(), member("a", (1, 1), committed=1)
    invariants.check([one])

    invariants.applied(one, one.log.entry(0))

    with pytest.raises(BrokenInvariantError, match="a applies 0, due is 1"):
        invariants.applied(one, one.log.entry(0))
    with pytest.raises(BrokenInvariantError, match="committed is"):
        invariants.applied(one, Entry(1, 9, b"", 0))


def test_a_rule_says_how_it_checks():
    with pytest.raises(NotImplementedError):
        Invariant().check([])
