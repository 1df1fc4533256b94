"""What the consumer says is taken as it is meant."""

import pytest

from scripts.takeoverlib.listener import Consumed


def test_numbers_are_kept_in_the_order_in_which_they_came():
    consumed = Consumed()

    for line in ("consumed 1 0 0", "consumed 0 0 0", "consumed 1 1 2", "consumed 1 2 1", "end\n"):
        consumed.take(line)

    assert consumed.numbers == {1: [0, 2, 1], 0: [0]}
    assert consumed.offsets == {0: 0, 1: 2}
    assert consumed.has_ended


def test_what_the_consumer_does_not_say_is_refused():
    with pytest.raises(ValueError, match="expected consumed or end"):
        Consumed().take("found 1 0 0")
