"""Tests of what is kept of the producer's words."""

import pytest

from scripts.failoverlib.ledger import Ack, Ledger

SECOND = 1_000_000_000


def ledger(*lines):
    made = Ledger()
    for line in lines:
        made.take(line)
    return made


def test_acknowledgements_and_failures_are_told_apart():
    made = ledger(
        f"acked {2 * SECOND} 3 7 127.0.0.1:10911",
        f"failed {3 * SECOND} 3 8 RemotingTimeoutException",
        f"failed {4 * SECOND} 3 8 RemotingTimeoutException",
    )

    assert made.acks == [Ack(2.0, 3, 7, "127.0.0.1:10911")]
    assert made.failures == {"RemotingTimeoutException": 2}
    assert not made.has_ended


def test_its_end_is_known():
    assert ledger("end\n").has_ended


@pytest.mark.parametrize("line", ["said 1 2 3 x", "acked 1 2 3", ""])
def test_other_words_are_a_mistake(line):
    with pytest.raises(ValueError, match=r"expected acked|not enough"):
        ledger(line)


def test_the_first_of_a_broker_is_found_though_threads_spoke_out_of_turn():
    made = ledger(
        f"acked {1 * SECOND} 0 0 a:1",
        f"acked {10 * SECOND} 0 1 a:1",
        f"acked {10 * SECOND + 900_000_000} 0 2 b:1",
        f"acked {10 * SECOND + 800_000_000} 1 0 b:1",
    )

    assert made.first_by("b:1", 10.0) == 10.8
    assert made.first_by("a:1", 10.5) is None
    assert made.first_by_another("a:1", 10.0) == 10.8
    assert made.first_by_another("a:1", 10.85) == 10.9
    assert made.first_by_another("b:1", 10.5) is None
    assert [ack.number for ack in made.since(1.0)] == [0, 1, 0, 2]


def test_the_longest_pause_counts_begin_and_end():
    made = ledger(f"acked {3 * SECOND} 0 0 a:1", f"acked {4 * SECOND} 0 1 a:1")

    assert made.longest_pause_s(2.5, 4.2) == 1.0
    assert made.longest_pause_s(1.0, 4.2) == 2.0
    assert made.longest_pause_s(2.5, 9.0) == 5.0
    assert made.longest_pause_s(20.0, 21.0) == 1.0
