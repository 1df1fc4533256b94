"""Tests of the verdict: whatever is broken, the run is not good."""

from dataclasses import replace

import pytest

from scripts.failoverlib.checker import check as check_stock
from scripts.failoverlib.ledger import Ack
from scripts.faultlib import linearizability
from scripts.faultlib.attempts import Attempts
from scripts.faultlib.linearizability import READ, WRITE, Operation
from scripts.faultlib.menu import Fault
from scripts.faultlib.register import Placed
from scripts.faultlib.storm import Suffered
from scripts.faultlib.totals import check
from scripts.faultlib.verdict import Outcome, misplaced, registers

GOOD = [Operation(WRITE, "a", 0, 1), Operation(READ, "a", 2, 3), Operation(WRITE, "b", 4)]
STALE = [Operation(WRITE, "a", 0, 1), Operation(READ, None, 2, 3, "c1")]


def outcome():
    return Outcome(
        suffered=[
            Suffered(Fault("kill-any", (1,), 1.0), 0.0, 0.5, 1.5),
            Suffered(Fault("kill-any", (2,), 1.0), 5.0, 1.5, 2.5),
            Suffered(Fault("halves", (2,), 1.0), 9.0, 0.1, 0.2),
        ],
        late_calls=3,
        failures={"code 2": 1},
        totals={"n0": check([], {}), "n1": check([], {})},
        misplaced={"n0": 0, "n1": 0},
        registers=registers({0: GOOD}),
        java=check_stock([Ack(1.0, 0, 0, "a:1")], {0: [0, 0]}),
        logs={"n0": "0:ab", "n1": "0:ab"},
    )


def lossy():
    one = Attempts(0)
    one.begin(1)
    one.acked(0, 0)
    return check([one], {})


def test_a_run_that_kept_all_is_good():
    good = outcome()

    assert good.is_kept(java=True)
    assert replace(good, java=None).is_kept(java=False)


@pytest.mark.parametrize(
    "damage",
    [
        {"died": "n1 ended with 1"},
        {"stuck": "the group to serve: not within 60 s"},
        {"unread": {"n1": "a hole"}},
        {"totals": {}},
        {"totals": {"n0": lossy()}},
        {"misplaced": {"n0": 0, "n1": 1}},
        {"registers": None},
        {"registers": registers({0: GOOD, 1: STALE})},
        {"java": None},
        {"java": check_stock([Ack(1.0, 0, 0, "a:1")], {0: []})},
        {"logs": {"n0": "0:ab", "n1": "0:cd"}},
        {"logs": {}},
    ],
)
def test_whatever_is_broken_the_run_is_not_good(damage):
    assert not replace(outcome(), **damage).is_kept(java=True)


def test_registers_are_judged_one_by_one():
    found = registers({0: GOOD, 1: STALE, 2: []})

    assert (found.histories, found.operations, found.reads, found.unknown) == (3, 5, 2, 1)
    assert found.wrong == ("register 1: no place for read None by c1, 2.000000 to 3.000000",)
    assert not found.is_kept


def test_a_search_that_was_given_up_is_no_proof(monkeypatch):
    def gives_up(operations):
        raise linearizability.UndecidedError("too many")

    monkeypatch.setattr(linearizability, "check", gives_up)

    found = registers({0: GOOD})

    assert found.undecided == 1
    assert not found.is_kept


def test_a_message_that_is_not_where_its_answer_said_is_found():
    stored = {0: [b"a", b"b"], 1: []}
    right, wrong, beyond = Placed(0, 1, b"b"), Placed(0, 0, b"b"), Placed(1, 0, b"a")

    assert misplaced([right, wrong, beyond], stored) == [wrong, beyond]


def test_kinds_have_their_figures():
    found = outcome().by_kind()

    assert list(found) == ["kill-any", "halves"]
    assert found["kill-any"] == {
        "count": 2,
        "again_median_s": 1.0,
        "again_max_s": 1.5,
        "pause_median_s": 2.0,
        "pause_max_s": 2.5,
    }


def test_all_is_told_in_sentences():
    said = "\n".join(outcome().sentences())

    assert "3 faults; 3 system calls held up" in said
    assert "n1: of 0 acknowledged messages 0 lost" in said
    assert "1 registers, 3 operations, 1 of them reads, 1 writes of unknown outcome: 0 not" in said
    assert "stock producer and consumer: of 1 acknowledged 0 lost" in said
    assert "commit logs are equal" in said
    assert "'code 2': 1" in said
    assert Outcome().sentences() == ["0 faults; 0 system calls held up by slow disks"]


def test_what_is_broken_is_told_with_examples():
    bad = replace(
        outcome(),
        totals={"n0": lossy()},
        registers=registers({1: STALE}),
        logs={"n0": "0:ab", "n1": "0:cd"},
        unread={"n1": "a hole"},
        stuck="the group to serve",
        died="n1 ended with 1",
    )

    said = "\n".join(bad.sentences())

    assert "  lost: message 0 of producer 0, acknowledged at 0" in said
    assert "  register 1: no place for" in said
    assert "commit logs DIFFER" in said
    assert "n1 could not be read: a hole" in said
    assert "STUCK: the group to serve" in said
    assert "DIED: n1 ended with 1" in said


def test_programs_are_told_the_same():
    told = outcome().as_json()

    assert [one["kind"] for one in told["faults"]] == ["kill-any", "kill-any", "halves"]
    assert told["members"]["n0"]["lost"] == 0
    assert told["registers"]["wrong"] == []
    assert told["java"]["again"] == 1
    assert told["logs_equal"]
    nothing = Outcome().as_json()
    assert nothing["registers"] is None
    assert nothing["java"] is None
    assert not nothing["logs_equal"]
