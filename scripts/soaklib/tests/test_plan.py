"""Tests of what the soak's messages are."""

from collections import Counter

import pytest

from scripts.soaklib import plan


def test_a_key_tells_its_number():
    assert plan.key_of(plan.RETRY, 42) == "%RETRY%soak-work-00000042"
    assert plan.number_of(plan.key_of(plan.SINGLE, 42)) == 42
    with pytest.raises(ValueError, match="invalid literal"):
        plan.number_of("none of ours")


def test_a_body_begins_with_what_it_is_of_and_differs_in_size():
    sizes = {len(plan.body_of(plan.SINGLE, number)) for number in range(1000)}

    assert plan.body_of(plan.SINGLE, 7).startswith(b"SOAK-SINGLE 7 ")
    assert (min(sizes), max(sizes)) == (30, 329)


def test_ordered_messages_of_one_key_share_a_queue():
    queues = {plan.queue_of(plan.ORDERED, 3 + plan.KEYS * turn) for turn in range(100)}

    assert queues == {3}


def test_transactions_end_in_every_way():
    ways = Counter((plan.first_answer(number), plan.is_committed(number)) for number in range(50))

    assert set(ways) == {
        (plan.COMMIT, True),
        (plan.ROLLBACK, False),
        (plan.UNKNOWN, True),
        (plan.UNKNOWN, False),
        (None, True),
        (None, False),
    }


def test_work_fails_never_once_twice_or_always():
    assert {plan.failures(number) for number in range(10)} == {0, 1, 2, plan.TRIES_MAX + 1}


def test_each_delay_level_is_sent():
    assert {plan.level_of(number) for number in range(9)} == {1, 2, 3}
