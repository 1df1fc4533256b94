"""What the rounds come to: a table for people, JSON for programs."""

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from rich import box
from rich.table import Table

from scripts.failoverlib.checker import Verdict
from scripts.failoverlib.ledger import Ack

P90 = 0.9

TIMES = {
    "registered_s": "new master at the NameServer",
    "served_s": "it acknowledges what is sent at once",
    "acknowledged_s": "it acknowledges the stock producer",
    "led_s": "new Controller leader",
    "pause_s": "longest pause of the producer",
    "whole_s": "all in step after the repair",
}
"""Fields of :class:`Round` that are times, and their meaning."""


@dataclass(frozen=True, slots=True)
class Round:
    """One fault. Times are seconds from it, ``whole_s`` from its repair; None: does not apply."""

    fault: str
    ended: float
    """Monotonic time when all was whole again, or was not in time."""
    registered_s: float | None = None
    served_s: float | None = None
    acknowledged_s: float | None = None
    led_s: float | None = None
    pause_s: float | None = None
    whole_s: float | None = None
    failure: str | None = None
    """What did not happen in time."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Of some times, seconds."""

    count: int
    median: float
    p90: float
    longest: float


def spread(times: Sequence[float]) -> Spread:
    """Median, the least that nine tenths do not exceed, and the longest."""
    ordered = sorted(times)
    p90 = ordered[math.ceil(P90 * len(ordered)) - 1]
    return Spread(len(ordered), statistics.median(ordered), p90, ordered[-1])


def spreads(rounds: Sequence[Round]) -> dict[str, dict[str, Spread]]:
    """For each fault, in the order they came, its times that apply."""
    found: dict[str, dict[str, Spread]] = {}
    for fault in dict.fromkeys(one.fault for one in rounds):
        of_fault = found[fault] = {}
        for name in TIMES:
            values = [getattr(one, name) for one in rounds if one.fault == fault]
            if times := [value for value in values if value is not None]:
                of_fault[name] = spread(times)
    return found


def lost_by_fault(rounds: Sequence[Round], lost: Sequence[Ack]) -> dict[str, list[int]]:
    """How many acknowledged messages each round lost: what was acknowledged since the one before.

    What comes after the last round counts for it.
    """
    counts = [0] * len(rounds)
    for ack in lost:
        later = (index for index, one in enumerate(rounds) if one.ended >= ack.at)
        counts[next(later, len(rounds) - 1)] += 1
    by_fault: dict[str, list[int]] = {}
    for one, count in zip(rounds, counts, strict=True):
        by_fault.setdefault(one.fault, []).append(count)
    return by_fault


def failures(rounds: Sequence[Round]) -> Mapping[str, int]:
    """In how many rounds of which fault something did not happen in time, and what."""
    return Counter(f"{one.fault}: {one.failure}" for one in rounds if one.failure is not None)


def table(title: str, rounds: Sequence[Round], verdict: Verdict | None) -> Table:
    """All times, and what was lost."""
    made = Table(title=title, box=box.SIMPLE, pad_edge=False)
    made.add_column("fault")
    made.add_column("until, seconds")
    for heading in ("rounds", "median", "p90", "max", "lost"):
        made.add_column(heading, justify="right")
    lost = {} if verdict is None else lost_by_fault(rounds, verdict.lost)
    for fault, times in spreads(rounds).items():
        for index, (name, one) in enumerate(times.items()):
            made.add_row(
                fault if index == 0 else "",
                TIMES[name],
                str(one.count),
                *(f"{value:.3f}" for value in (one.median, one.p90, one.longest)),
                str(sum(lost[fault])) if index == 0 and fault in lost else "",
            )
    return made


def as_json(
    machine: Mapping[str, object],
    options: Mapping[str, object],
    rounds: Sequence[Round],
    verdict: Verdict | None,
    logs_equal: bool | None,
    failures: Mapping[str, int],
) -> dict[str, object]:
    """All that was measured, every round included."""
    return {
        "machine": machine,
        "options": options,
        "faults": {
            fault: {name: asdict(one) for name, one in times.items()}
            for fault, times in spreads(rounds).items()
        },
        "rounds": [asdict(one) for one in rounds],
        "check": None
        if verdict is None
        else {
            **verdict.as_json(),
            "lost_by_fault": lost_by_fault(rounds, verdict.lost) if rounds else {},
        },
        "logs_equal": logs_equal,
        "failed_sends": dict(failures),
    }
