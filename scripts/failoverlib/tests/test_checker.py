"""Tests of the check at the end of a run."""

import pytest

from scripts.failoverlib.checker import check, found
from scripts.failoverlib.ledger import Ack


def acks(*numbers, queue=0):
    return [Ack(float(number), queue, number, "a:1") for number in numbers]


def test_all_there_in_order_is_all_that_is_promised():
    verdict = check(acks(0, 1, 2) + acks(0, queue=1), {0: [0, 1, 2], 1: [0]})

    assert verdict.is_kept
    assert (verdict.acknowledged, verdict.stored, verdict.again) == (4, 4, 0)


def test_the_message_whose_answer_was_lost_may_be_there():
    assert check(acks(0, 1), {0: [0, 1, 2]}).is_kept


def test_what_was_acknowledged_and_is_not_there_is_lost():
    verdict = check(acks(0, 1, 2) + acks(0, queue=3), {0: [0, 2]})

    assert not verdict.is_kept
    assert [(ack.queue, ack.number) for ack in verdict.lost] == [(0, 1), (3, 0)]


def test_copies_of_a_repeated_send_are_counted_and_no_break():
    verdict = check(acks(0, 1, 2), {0: [0, 1, 1, 2, 1]})

    assert verdict.is_kept
    assert verdict.again == 2


def test_first_copies_come_in_order():
    verdict = check(acks(0, 1, 2), {0: [0, 2, 1]})

    assert not verdict.is_kept
    assert verdict.disordered == 1


def test_what_nobody_sent_is_found():
    verdict = check(acks(0, 1), {0: [0, 1, 3], 2: [1]})

    assert not verdict.is_kept
    assert verdict.invented == 2


def test_offsets_of_a_queue_grow_by_one():
    stored, jumps = found(["found 0 5 0", "found 1 9 0", "found 0 7 1", "end"])

    verdict = check(acks(0, 1), stored, jumps)

    assert verdict.jumps == ["queue 0: offset 7 comes after 5"]
    assert not verdict.is_kept


def test_a_consumer_s_words_become_numbers_by_queue():
    said = ["found 0 5 0", "found 0 6 1", "found 2 0 0", "end"]

    assert found(said) == ({0: [0, 1], 2: [0]}, [])


def test_a_broken_output_is_an_error():
    with pytest.raises(ValueError, match="did not get to its end"):
        found(["found 0 5 0"])


def test_a_verdict_is_told_to_people_and_programs():
    verdict = check([Ack(1.0, 0, 0, "a:1"), Ack(2.0, 0, 1, "a:1")], {0: [1, 1, 9]}, ["queue 0"])

    assert verdict.in_words() == (
        "1 lost, 1 there again, 0 out of order, 1 never sent, 1 jumps of offsets"
    )
    assert verdict.as_json() == {
        "acknowledged": 2,
        "stored": 3,
        "lost": 1,
        "again": 1,
        "disordered": 0,
        "invented": 1,
        "jumps": ["queue 0"],
    }
