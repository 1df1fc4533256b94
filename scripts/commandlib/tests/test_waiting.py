"""Tests of waiting, on a clock that goes by itself."""

import itertools

import pytest

from scripts.commandlib import waiting
from scripts.commandlib.tests.clock import Clock
from scripts.commandlib.waiting import TooLateError, until


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(waiting, "time", made)
    return made


def test_waiting_gives_what_was_found():
    looks = itertools.chain([None, None], itertools.repeat("there"))

    assert until("it", lambda: next(looks), 5) == "there"


def test_what_does_not_come_in_time_is_told(clock):
    with pytest.raises(TooLateError, match="it: not within 5 s"):
        until("it", lambda: None, 5)

    assert 105 < clock.now < 106
