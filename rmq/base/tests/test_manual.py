from typing import Any

import pytest

from rmq.base import manual
from rmq.base.manual import FixedChance, ManualClock
from rmq.base.ports import Chance, Clock


def test_calls_run_at_their_own_time_in_order() -> None:
    clock: Clock = (manual_clock := ManualClock(wall_ms=1000, monotonic_ms=5))
    seen: list[Any] = []
    clock.call_later(20, lambda: seen.append(("b", clock.wall_ms(), clock.monotonic_ms())))
    clock.call_later(10, lambda: seen.append(("a", clock.wall_ms(), clock.monotonic_ms())))
    clock.call_later(20, lambda: seen.append(("c", clock.wall_ms(), clock.monotonic_ms())))
    clock.call_later(31, lambda: seen.append("late"))

    manual_clock.advance(30)

    assert seen == [("a", 1010, 15), ("b", 1020, 25), ("c", 1020, 25)]
    assert (clock.wall_ms(), clock.monotonic_ms()) == (1030, 35)
    assert manual_clock.owed == 1


def test_a_call_scheduled_by_a_call_runs_in_the_same_advance_when_due() -> None:
    clock = ManualClock()
    seen = []
    clock.call_later(1, lambda: clock.call_later(1, lambda: seen.append(clock.monotonic_ms())))

    clock.advance(2)

    assert seen == [2]


def test_a_cancelled_call_does_not_happen() -> None:
    clock = ManualClock()
    seen = []
    timer = clock.call_later(1, lambda: seen.append(1))
    timer.cancel()
    timer.cancel()

    clock.advance(5)
    timer.run()

    assert seen == []
    assert not timer.active


def test_wall_time_jumps_alone_and_calls_keep_to_monotonic_time() -> None:
    clock = ManualClock(wall_ms=1000)
    seen = []
    clock.call_later(10, lambda: seen.append(clock.wall_ms()))

    clock.set_wall_ms(5)
    clock.advance(10)

    assert seen == [15]


def test_monotonic_time_moves_alone_and_overdue_calls_run_in_the_next_advance() -> None:
    clock = ManualClock(wall_ms=1000)
    seen = []
    clock.call_later(10, lambda: seen.append(clock.monotonic_ms()))

    clock.set_monotonic_ms(50)
    assert seen == []
    clock.advance(0)

    assert seen == [50]
    assert clock.wall_ms() == 1000
    with pytest.raises(AssertionError, match="only grows"):
        clock.set_monotonic_ms(49)


def test_what_a_call_raises_comes_out_and_the_clock_stands_there() -> None:
    clock = ManualClock()
    clock.call_later(3, lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        clock.advance(10)

    assert clock.monotonic_ms() == 3


def test_a_call_that_renews_itself_without_delay_is_found(monkeypatch: Any) -> None:
    monkeypatch.setattr(manual, "ADVANCE_CALLS_MAX", 100)
    clock = ManualClock()

    def again() -> None:
        clock.call_later(0, again)

    again()

    with pytest.raises(AssertionError, match="more than 100 calls"):
        clock.advance(1)


def test_given_numbers_come_in_order_modulo_the_limit() -> None:
    chance: Chance = FixedChance([3, 12])

    assert [chance.below(10), chance.below(10)] == [3, 2]
    with pytest.raises(StopIteration):
        chance.below(10)


def test_seeded_numbers_repeat_for_the_same_seed_and_differ_for_another() -> None:
    def numbers(seed: Any) -> Any:
        chance = FixedChance.seeded(seed)
        return [chance.below(1000) for _ in range(20)]

    assert numbers(1) == numbers(1)
    assert numbers(1) != numbers(2)
    assert all(0 <= number < 1000 for number in numbers(3))


def test_seeded_numbers_are_splitmix64() -> None:
    assert FixedChance.seeded(0).below(1 << 64) == 0xE220A8397B1DCDAF
