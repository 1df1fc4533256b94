import logging

import pytest
from twisted.internet.defer import Deferred

from rmq.base.errors import CallError
from rmq.base.manual import ManualClock
from rmq.broker.rounds import Rounds


class Work:
    """Rounds that wait until the test ends them."""

    def __init__(self) -> None:
        self.under_way: list[Deferred[None]] = []

    async def __call__(self) -> None:
        waiting: Deferred[None] = Deferred()
        self.under_way.append(waiting)
        await waiting


def scene() -> tuple[ManualClock, Work, Rounds]:
    clock, work = ManualClock(), Work()
    return clock, work, Rounds(clock, 100, work)


def test_the_first_round_comes_at_once_and_only_once() -> None:
    _, work, rounds = scene()

    rounds.start()
    rounds.start()

    assert len(work.under_way) == 1
    assert rounds.running


def test_the_next_round_comes_a_period_after_the_end_of_the_last() -> None:
    clock, work, rounds = scene()
    rounds.start()
    clock.advance(1_000)

    work.under_way[0].callback(None)
    clock.advance(99)
    assert len(work.under_way) == 1
    clock.advance(1)

    assert len(work.under_way) == 2


def test_the_first_round_may_be_put_off_and_be_wanted_sooner() -> None:
    clock, work, rounds = scene()
    rounds.start(50)
    assert work.under_way == []

    rounds.soon()
    clock.advance(50)

    assert len(work.under_way) == 1


def test_what_is_wanted_during_a_round_comes_right_after_it() -> None:
    clock, work, rounds = scene()
    rounds.start()
    rounds.soon()

    work.under_way[0].callback(None)
    clock.advance(0)
    assert len(work.under_way) == 2
    work.under_way[1].callback(None)
    clock.advance(99)

    assert len(work.under_way) == 2


def test_after_the_end_no_round_begins() -> None:
    clock, work, rounds = scene()
    rounds.start()
    rounds.stop()
    rounds.soon()

    work.under_way[0].callback(None)
    clock.advance(1_000)

    assert len(work.under_way) == 1
    assert not rounds.running


def test_a_start_during_the_last_round_begins_after_it() -> None:
    clock, work, rounds = scene()
    rounds.start()
    rounds.stop()
    rounds.start()
    assert len(work.under_way) == 1

    work.under_way[0].callback(None)
    clock.advance(0)

    assert len(work.under_way) == 2


@pytest.mark.parametrize(
    ("error", "level"), [(CallError("gone"), logging.WARNING), (KeyError("x"), logging.ERROR)]
)
def test_a_round_that_fails_is_logged_and_the_next_one_comes(
    error: Exception, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    clock, work, rounds = scene()
    rounds.start()

    work.under_way[0].errback(error)
    clock.advance(100)

    assert len(work.under_way) == 2
    (record,) = caplog.records
    assert record.levelno == level
    assert (record.exc_info is None) == isinstance(error, CallError)


def test_the_same_failure_again_is_a_warning_only_once(caplog: pytest.LogCaptureFixture) -> None:
    clock, work, rounds = scene()
    rounds.start()

    for cause in ("gone", "gone", "late", "gone"):
        work.under_way[-1].errback(CallError(cause))
        clock.advance(100)

    assert [record.getMessage().split("=")[-1] for record in caplog.records] == [
        "gone",
        "late",
        "gone",
    ]
