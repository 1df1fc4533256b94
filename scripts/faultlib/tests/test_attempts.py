"""Tests of what producers remember."""

import pytest

from scripts.faultlib.attempts import (
    QUEUES,
    UNKNOWN,
    Attempts,
    longest_pause_s,
    parsed,
    queue_of,
)


def test_each_number_is_sent_once_and_is_unknown_until_it_is_acknowledged():
    one = Attempts(3)

    assert list(one.begin(2)) == [0, 1]
    assert list(one.begin(2)) == [2, 3]
    one.acked(2, 40)

    assert list(one.offsets) == [UNKNOWN, UNKNOWN, 40, UNKNOWN]
    assert one.acknowledged == 1


def test_a_body_says_who_sent_it_and_which_it_is():
    one = Attempts(3)

    assert one.body(12, b"xx") == b"3 12 xx"
    assert parsed(one.body(12)) == (3, 12)
    with pytest.raises(ValueError, match="unpack"):
        parsed(b"probe")
    assert {queue_of(number) for number in range(100)} == set(range(QUEUES))


def test_an_acknowledgement_counts_from_its_instant():
    one = Attempts(0)

    assert not one.has_acked_since(0)
    one.ack_times.append(5.0)
    assert one.has_acked_since(5.0)
    assert not one.has_acked_since(5.1)


def test_a_pause_is_without_an_answer_to_anybody():
    first, second = Attempts(0), Attempts(1)
    first.ack_times.extend([1.0, 2.0, 9.0])
    second.ack_times.extend([4.0, 5.0, 30.0])

    assert longest_pause_s([first, second], 0.0, 10.0) == 4.0
    assert longest_pause_s([first], 0.0, 10.0) == 7.0
    assert longest_pause_s([], 3.0, 10.0) == 7.0
