"""How often a second the store is asked, over the last 10, 60 and 600 seconds.

Source: StoreStatsService.java, 5.3.3.
"""

from collections import deque
from typing import NamedTuple

from rmq.base.ports import Clock
from rmq.store.stats import StoreStats

SAMPLE_PERIOD_MS = 1_000
"""How often ``StoreRates.sample`` must be called."""

SPANS_S = (10, 60, 600)


class _Counts(NamedTuple):
    time_ms: int
    puts: int
    found: int
    missed: int
    messages: int


class Rates(NamedTuple):
    """Calls by second, each over the three spans: ``"0.5 0.1 0.0"``."""

    put: str
    get_found: str
    get_missed: str
    get: str
    transferred: str
    """Messages, not calls."""


class StoreRates:
    """Samples of the store's counters. Call ``sample`` every second."""

    def __init__(self, clock: Clock, stats: StoreStats) -> None:
        self._clock = clock
        self._stats = stats
        self._samples: deque[_Counts] = deque(maxlen=SPANS_S[-1] + 1)
        self.sample()

    def sample(self) -> None:
        """Remember the counters as they are now."""
        stats = self._stats
        self._samples.append(
            _Counts(
                self._clock.monotonic_ms(),
                stats.put_times,
                stats.get_times_found,
                stats.get_times_miss,
                stats.get_messages,
            )
        )

    def rates(self) -> Rates:
        """The rates up to the last sample.

        A span longer than the broker runs counts from its start; Java gives no number then.
        """
        spans = [self._over(seconds) for seconds in SPANS_S]
        puts, found, missed, gets, messages = zip(*spans, strict=True)
        return Rates(_text(puts), _text(found), _text(missed), _text(gets), _text(messages))

    def _over(self, seconds: int) -> tuple[float, float, float, float, float]:
        samples = self._samples
        last = samples[-1]
        first = samples[max(0, len(samples) - 1 - seconds)]
        passed_s = (last.time_ms - first.time_ms) / 1000
        if passed_s <= 0:
            return (0.0, 0.0, 0.0, 0.0, 0.0)
        found = (last.found - first.found) / passed_s
        missed = (last.missed - first.missed) / passed_s
        return (
            (last.puts - first.puts) / passed_s,
            found,
            missed,
            found + missed,
            (last.messages - first.messages) / passed_s,
        )


def _text(rates: tuple[float, ...]) -> str:
    return " ".join(map(str, rates))
