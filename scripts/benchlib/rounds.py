"""Warming up, rounds in turn, and what they come to."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from scripts.benchlib.cases import Case
from scripts.benchlib.load import Load
from scripts.benchlib.servers import Pair

STEADY_WITHIN = 0.05
STEADY_ROUNDS = 3
WARM_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Plan:
    """How long everything may take."""

    round_seconds: float
    warm_seconds_max: float
    """For a virtual machine; what is not compiled on the way gets ``WARM_SHARE`` of it."""
    rounds: int

    def warm_seconds_of(self, maker: str) -> float:
        """How long a maker's server may take to become steady."""
        return self.warm_seconds_max * (1.0 if maker == "java" else WARM_SHARE)


@dataclass(frozen=True, slots=True)
class Round:
    """One run of the load against one server."""

    cpu_us: float
    """User and system time of the server for one request, microseconds."""
    requests_per_second: float
    p50_us: float
    p99_us: float


@dataclass(frozen=True, slots=True)
class Side:
    """All rounds of one server in one case."""

    rounds: Sequence[Round]
    warm_rounds: int
    steady: bool

    @property
    def cpu_us(self) -> float:
        """The median."""
        return statistics.median(one.cpu_us for one in self.rounds)

    @property
    def requests_per_second(self) -> float:
        """The median."""
        return statistics.median(one.requests_per_second for one in self.rounds)

    @property
    def p99_us(self) -> float:
        """The median of the rounds' 99th percentiles."""
        return statistics.median(one.p99_us for one in self.rounds)

    @property
    def spread(self) -> float:
        """How far the largest round lies above the smallest, as a share of the median."""
        costs = [one.cpu_us for one in self.rounds]
        return (max(costs) - min(costs)) / self.cpu_us


def measured_round(case: Case, pair: Pair, load: Load, seconds: float) -> Round:
    """Load one server for some seconds."""
    server = pair.servers[case.role]
    settings = {"addr": pair.addresses[case.role], "seconds": seconds, **case.settings}
    figures, cpu_seconds = load.measure(case.mode, settings, server.cpu_seconds)
    requests = figures["requests"]
    return Round(
        cpu_us=cpu_seconds * 1e6 / requests,
        requests_per_second=requests / figures["seconds"],
        p50_us=figures["p50_us"],
        p99_us=figures["p99_us"],
    )


def warmed(
    one_round: Callable[[], Round], seconds_max: float, clock: Callable[[], float] = time.monotonic
) -> tuple[int, bool]:
    """Repeat rounds until three in a row cost nearly the same; how many, and whether they did.

    Two are not enough: a virtual machine often rests at a level before it compiles on.
    """
    deadline = clock() + seconds_max
    costs: list[float] = []
    while True:
        costs.append(one_round().cpu_us)
        last = costs[-STEADY_ROUNDS:]
        if len(last) == STEADY_ROUNDS and max(last) - min(last) < STEADY_WITHIN * max(last):
            return len(costs), True
        if clock() >= deadline:
            return len(costs), False


def compare(case: Case, pairs: Sequence[Pair], load: Load, plan: Plan) -> dict[str, Side]:
    """Warm every server up for this case, then load them in turn; a side for each maker."""
    warm: dict[str, tuple[int, bool]] = {}
    rounds: dict[str, list[Round]] = {pair.maker: [] for pair in pairs}
    for pair in pairs:
        warm[pair.maker] = warmed(
            partial(measured_round, case, pair, load, plan.round_seconds),
            plan.warm_seconds_of(pair.maker),
        )
    for turn in range(plan.rounds):
        for pair in pairs if turn % 2 == 0 else reversed(pairs):
            rounds[pair.maker].append(measured_round(case, pair, load, plan.round_seconds))
    return {maker: Side(rounds[maker], *warm[maker]) for maker in rounds}
