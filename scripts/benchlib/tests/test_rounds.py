"""Tests of warming up and of medians."""

import pytest

from scripts.benchlib import rounds


def side(*costs, steady=True):
    return rounds.Side([rounds.Round(cost, 1e6 / cost, 1.0, 2.0) for cost in costs], 2, steady)


def run_warm(costs, seconds_max):
    left = iter(costs)
    now = iter(range(100))
    return rounds.warmed(lambda: side(next(left)).rounds[0], seconds_max, lambda: next(now))


def test_warming_up_ends_when_three_rounds_are_alike():
    assert run_warm([100.0, 60.0, 59.0, 50.0, 49.0, 48.0, 1.0], seconds_max=50) == (6, True)


def test_warming_up_ends_in_time():
    assert run_warm([100.0, 60.0, 30.0, 15.0], seconds_max=2) == (2, False)


def test_side_is_the_median_of_its_rounds_and_tells_their_spread():
    three = side(10.0, 30.0, 12.0)

    assert three.cpu_us == 12.0
    assert three.p99_us == 2.0
    assert three.requests_per_second == pytest.approx(1e6 / 12)
    assert three.spread == pytest.approx(20 / 12)


def test_only_a_virtual_machine_gets_long_to_warm_up():
    plan = rounds.Plan(round_seconds=3.0, warm_seconds_max=40.0, rounds=5)

    assert plan.warm_seconds_of("java") == 40.0
    assert plan.warm_seconds_of("rmq") == 10.0
