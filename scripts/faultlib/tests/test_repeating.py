"""Tests of a thread that does the same again and again."""

import threading

import pytest

from scripts.faultlib import repeating
from scripts.faultlib.repeating import Repeating


class Counting(Repeating):
    """Counts, and fails or hangs at a number if it is told so."""

    def __init__(self, fails_at=0, hangs_at=0):
        super().__init__("a counter")
        self.fails_at, self.hangs_at = fails_at, hangs_at
        self.count = 0
        self.closed = 0
        self.at_three, self.released = threading.Event(), threading.Event()

    def again(self):
        self.count += 1
        if self.count == 3:
            self.at_three.set()
        if self.count == self.fails_at:
            raise KeyError("two")
        if self.count == self.hangs_at:
            self.released.wait(10)

    def hang_up(self):
        self.closed += 1


def test_it_goes_on_until_it_is_stopped_and_closes_what_is_open():
    one = Counting()
    one.start()
    assert one.at_three.wait(10)

    one.stop()

    assert one.count >= 3
    assert one.closed == 1


def test_an_end_by_itself_is_told():
    one = Counting(fails_at=2)
    one.start()
    one._thread.join(10)

    assert isinstance(one.failure, KeyError)
    with pytest.raises(RuntimeError, match="a counter: 'two'"):
        one.stop()
    assert (one.count, one.closed) == (2, 1)


def test_one_that_does_not_end_is_told(monkeypatch):
    monkeypatch.setattr(repeating, "JOIN_MAX_S", 0)
    one = Counting(hangs_at=3)
    one.start()
    assert one.at_three.wait(10)

    with pytest.raises(RuntimeError, match="a counter: does not end"):
        one.stop()
    one.released.set()
