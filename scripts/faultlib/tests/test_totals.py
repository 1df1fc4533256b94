"""Tests of the checker of queues: each kind of damage is found."""

import pytest

from scripts.faultlib.attempts import QUEUES, Attempts
from scripts.faultlib.totals import check


def history(count=4 * QUEUES, producers=2):
    """Producers that sent in turn, all of it acknowledged, and the queues that hold it."""
    made = [Attempts(name) for name in range(producers)]
    stored = {queue: [] for queue in range(QUEUES)}
    for number in range(count):
        for one in made:
            one.begin(1)
            one.acked(number, len(stored[number % QUEUES]))
            stored[number % QUEUES].append(one.body(number))
    return made, stored


def wrong(totals):
    figures = totals.figures()
    return {name: figures[name] for name in ("lost", "moved", "disordered", "invented", "again")}


def test_all_that_was_acknowledged_is_there():
    totals = check(*history())

    assert totals.is_kept
    assert (totals.sent, totals.acknowledged, totals.stored) == (64, 64, 64)
    assert not any(wrong(totals).values())
    assert totals.examples == ()


def test_nothing_sent_is_nothing_lost():
    assert check([], {}).is_kept


def test_a_message_that_was_not_acknowledged_may_be_there_or_not_and_anywhere():
    made, stored = history()
    first, second = made[0].begin(2)
    stored[first % QUEUES].append(made[0].body(first))
    assert second % QUEUES != first % QUEUES

    totals = check(made, stored)

    assert totals.is_kept
    assert (totals.sent, totals.acknowledged, totals.stored) == (66, 64, 65)


def test_a_lost_message_is_found_and_told():
    made, stored = history()
    stored[7].pop()

    totals = check(made, stored)

    assert not totals.is_kept
    assert wrong(totals)["lost"] == 1
    assert totals.examples == ("lost: message 31 of producer 1, acknowledged at 7",)


def test_a_queue_that_is_not_there_is_lost():
    made, stored = history()
    del stored[2]

    assert check(made, stored).lost == 8


def test_a_message_at_another_offset_is_found():
    made, stored = history()
    stored[3].append(stored[3].pop(0))

    totals = check(made, stored)

    assert not totals.is_kept
    assert wrong(totals)["moved"] == 8
    assert wrong(totals)["disordered"] == 1


def test_of_one_producer_the_order_is_that_of_sending():
    made, stored = history(producers=1)
    queue = stored[0]
    queue[1], queue[2] = queue[2], queue[1]
    made[0].offsets[QUEUES], made[0].offsets[2 * QUEUES] = 2, 1

    totals = check(made, stored)

    assert wrong(totals) == {"lost": 0, "moved": 0, "disordered": 1, "invented": 0, "again": 0}
    assert not totals.is_kept


def test_producers_have_no_order_among_each_other():
    made, stored = history(producers=2)
    for one in made:
        for number in range(len(one.offsets)):
            one.offsets[number] ^= 1
    for queue in stored.values():
        for at in range(0, len(queue), 2):
            queue[at], queue[at + 1] = queue[at + 1], queue[at]

    assert check(made, stored).is_kept


@pytest.mark.parametrize("body", [b"probe", b"9 0 x", b"0 999 x", b"0 -1 x", b"0 x x"])
def test_what_nobody_sent_is_invented(body):
    made, stored = history()
    stored[0].append(body)

    totals = check(made, stored)

    assert wrong(totals)["invented"] == 1
    assert not totals.is_kept


def test_what_was_sent_to_another_queue_is_invented():
    made, stored = history()
    stored[5].append(made[0].body(0))

    assert check(made, stored).invented == 1


def test_copies_are_counted_and_break_nothing():
    made, stored = history()
    stored[0] += [stored[0][0], stored[0][0]]

    totals = check(made, stored)

    assert totals.is_kept
    assert totals.again == 2


def test_what_was_acknowledged_may_be_the_second_copy():
    made, stored = history(count=QUEUES, producers=1)
    stored[0].append(stored[0][0])
    made[0].offsets[0] = 1

    assert check(made, stored).is_kept


def test_few_examples_are_told():
    made, _ = history()

    totals = check(made, {})

    assert totals.lost == 64
    assert len(totals.examples) == 5
