"""Time and chance that do what they are told: the ports of tests and of the simulator."""

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import Self

ADVANCE_CALLS_MAX = 1_000_000
"""Calls one ``advance`` may run: beyond it, something calls itself with no delay for ever."""

_MASK = (1 << 64) - 1


class ManualTimer:
    """A call that a ``ManualClock`` owes."""

    def __init__(self, due_ms: int, order: int, call: Callable[[], object]) -> None:
        self.due_ms = due_ms
        self._order = order
        self._call: Callable[[], object] | None = call

    def __lt__(self, other: "ManualTimer") -> bool:
        return (self.due_ms, self._order) < (other.due_ms, other._order)

    @property
    def active(self) -> bool:
        """Whether the call is still owed."""
        return self._call is not None

    def cancel(self) -> None:
        """Make it not happen; harmless when it has happened or was cancelled."""
        self._call = None

    def run(self) -> None:
        """Make the call, unless it was cancelled or made."""
        call, self._call = self._call, None
        if call is not None:
            call()


class ManualClock:
    """A ``Clock`` that stands still until ``advance`` moves it.

    Both times grow together; ``set_wall_ms`` and ``set_monotonic_ms`` move one of them alone, as
    a corrected system time or a suspended machine would. Calls are due by monotonic time.
    """

    def __init__(self, wall_ms: int = 1_700_000_000_000, monotonic_ms: int = 0) -> None:
        self._wall_ms = wall_ms
        self._monotonic_ms = monotonic_ms
        self._timers: list[ManualTimer] = []
        self._scheduled = 0

    def wall_ms(self) -> int:
        """Milliseconds since 1970, as people and records count."""
        return self._wall_ms

    def monotonic_ms(self) -> int:
        """Milliseconds that only grow."""
        return self._monotonic_ms

    def call_later(self, delay_ms: int, call: Callable[[], object]) -> ManualTimer:
        """Arrange for ``call`` once, ``delay_ms`` (0 or more) from now."""
        assert delay_ms >= 0, f"{delay_ms=}"
        self._scheduled += 1
        timer = ManualTimer(self._monotonic_ms + delay_ms, self._scheduled, call)
        heappush(self._timers, timer)
        return timer

    def advance(self, ms: int) -> None:
        """Let ``ms`` (0 or more) pass; each call that falls due runs at its own time, in order.

        What a call raises comes out of here, the clock then stands at that call's time.
        """
        assert ms >= 0, f"{ms=}"
        end_ms = self._monotonic_ms + ms
        for _ in range(ADVANCE_CALLS_MAX):
            if not self._timers or self._timers[0].due_ms > end_ms:
                self._move(end_ms)
                return
            timer = heappop(self._timers)
            if timer.active:
                self._move(timer.due_ms)
                timer.run()
        raise AssertionError(f"more than {ADVANCE_CALLS_MAX} calls within {ms} ms")

    def set_wall_ms(self, wall_ms: int) -> None:
        """Let people's time jump, to either side; no call falls due by it."""
        self._wall_ms = wall_ms

    def set_monotonic_ms(self, monotonic_ms: int) -> None:
        """Let only the growing time grow; what fell due runs in the next ``advance``."""
        assert monotonic_ms >= self._monotonic_ms, "monotonic time only grows"
        self._monotonic_ms = monotonic_ms

    @property
    def owed(self) -> int:
        """How many calls are still to come."""
        return sum(timer.active for timer in self._timers)

    def _move(self, monotonic_ms: int) -> None:
        if monotonic_ms > self._monotonic_ms:
            self._wall_ms += monotonic_ms - self._monotonic_ms
            self._monotonic_ms = monotonic_ms


class FixedChance:
    """A ``Chance`` that gives known numbers, each modulo the limit asked for."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = iter(numbers)

    @classmethod
    def seeded(cls, seed: int) -> Self:
        """Endless numbers that look random and are the same for the same ``seed``."""
        return cls(_splitmix64(seed))

    def below(self, limit: int) -> int:
        """The next number modulo ``limit``.

        :raises StopIteration: the given numbers are used up.
        """
        assert limit >= 1, f"{limit=}"
        return next(self._numbers) % limit


def _splitmix64(seed: int) -> Iterator[int]:
    """The SplitMix64 sequence of Steele, Lea and Flood: 64-bit numbers, period 2**64."""
    state = seed & _MASK
    while True:
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        yield mixed ^ (mixed >> 31)
