import logging
from typing import Any

from rmq.base.manual import ManualClock
from rmq.base.periodic import Periodic


def test_calls_come_each_period_until_stopped() -> None:
    clock = ManualClock()
    seen = []
    periodic = Periodic(clock, 10, lambda: seen.append(clock.monotonic_ms()))

    periodic.start()
    periodic.start()
    assert periodic.running
    clock.advance(35)
    periodic.stop()
    periodic.stop()
    clock.advance(100)

    assert seen == [10, 20, 30]
    assert not periodic.running


def test_the_first_call_may_come_sooner() -> None:
    clock = ManualClock()
    seen = []
    periodic = Periodic(clock, 10, lambda: seen.append(clock.monotonic_ms()), first_ms=0)

    periodic.start()
    clock.advance(10)

    assert seen == [0, 10]


def test_the_period_counts_from_the_end_of_a_call() -> None:
    clock = ManualClock()
    seen = []

    def slow() -> None:
        seen.append(clock.monotonic_ms())
        clock.set_monotonic_ms(clock.monotonic_ms() + 7)

    Periodic(clock, 10, slow).start()
    clock.advance(30)

    assert seen == [10, 27]


def test_a_raising_call_is_logged_and_comes_again(caplog: Any) -> None:
    clock = ManualClock()
    seen = []

    def broken() -> None:
        seen.append(clock.monotonic_ms())
        raise ValueError("no luck")

    Periodic(clock, 10, broken).start()
    with caplog.at_level(logging.ERROR):
        clock.advance(20)

    assert seen == [10, 20]
    assert "no luck" in caplog.text
    assert "periodic_call_failed" in caplog.text


def test_a_call_may_stop_its_own_series() -> None:
    clock = ManualClock()
    seen = []

    def once() -> None:
        seen.append(1)
        periodic.stop()

    periodic = Periodic(clock, 10, once)
    periodic.start()
    clock.advance(50)

    assert seen == [1]


def test_a_call_may_stop_and_start_without_doubling_the_series() -> None:
    clock = ManualClock()
    seen = []

    def restart() -> None:
        seen.append(clock.monotonic_ms())
        periodic.stop()
        periodic.start()

    periodic = Periodic(clock, 10, restart)
    periodic.start()
    clock.advance(30)

    assert seen == [10, 20, 30]
