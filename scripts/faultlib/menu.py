"""Which faults there are, and what each draw of one is.

Nothing here touches a process: a fault is drawn from chance, the number of brokers and the number
of the leader, so a seed gives the same draws again as long as the same brokers lead.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scripts.failoverlib.network import HUB_NUMBER

Pair = tuple[int, int]
"""Sender and receiver, numbers of brokers or ``HUB_NUMBER``."""

MEANINGS = {
    "kill-leader": "the leader is killed (SIGKILL) and started again",
    "kill-any": "any broker is",
    "kill-majority": "a majority is, at once",
    "pause-leader": "the leader hangs (SIGSTOP) and goes on",
    "pause-any": "any broker does",
    "halves": "the group falls in two parts that do not hear each other",
    "outgoing": "what one broker sends is lost, what is sent to it is not",
    "incoming": "what is sent to one broker is lost, what it sends is not",
    "ring": "each hears a majority, and no two the same (of three: two do not hear each other)",
    "isolated": "the leader and the others do not hear each other; clients hear it, or not",
    "slow-disk": "for one broker each sync and each other call that waits for a disk takes long",
    "clock": "one broker's wall clock is wrong, jumps, or runs at another speed",
}
KINDS = tuple(MEANINGS)
OF_NETWORK = ("halves", "outgoing", "incoming", "ring", "isolated")

SECONDS = {"clock": (0.5, 4.0), "slow-disk": (1.5, 4.0), "pause-any": (0.2, 4.0)}
USUAL_SECONDS = (0.3, 3.5)
"""How long faults last, at least and at most: some end before another leads, some do not."""
DELAYS_MS = (50, 200, 500, 1000)
CLOCKS = ("+2", "+90", "+3600", "-2", "-90", "-3600", "+0 x0.5", "+0 x2", "-45 x1.5")
"""As libfaketime takes them: seconds off, and how fast it runs."""
LEADER_SHARE = 0.6
"""Of the faults that may hit anybody, the share that hits the leader."""
HUB_SHARE = 0.5
"""Of the faults of the network, the share that NameServer and clients notice, too."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One draw."""

    kind: str
    victims: tuple[int, ...]
    """Numbers of brokers."""
    seconds: float
    """How long it lasts, before the repair."""
    drops: frozenset[Pair] = frozenset()
    delay_ms: int = 0
    """Of each call of a slow disk."""
    clock: str = ""

    def __str__(self) -> str:
        """One line for people."""
        who = ",".join(f"n{one}" for one in self.victims)
        told = [f"{self.kind} {who} for {self.seconds:.1f} s"]
        if self.drops:
            told.append(f"lost: {' '.join(map(_arrow, sorted(self.drops)))}")
        if self.delay_ms:
            told.append(f"each call {self.delay_ms} ms")
        if self.clock:
            told.append(f"clock {self.clock}")
        return ", ".join(told)


def draw(kind: str, brokers: int, leader: int | None, chance: random.Random) -> Fault:
    """One fault of a kind; ``leader`` is the number of who leads, if somebody does."""
    seconds = round(chance.uniform(*SECONDS.get(kind, USUAL_SECONDS)), 2)
    first = _victim(kind, brokers, leader, chance)
    everybody = range(brokers)
    others = [one for one in everybody if one != first]
    if kind == "kill-majority":
        more = chance.sample(others, brokers // 2)
        return Fault(kind, (first, *sorted(more)), seconds)
    if kind == "halves":
        part = (first, *sorted(chance.sample(others, brokers // 2 - 1)))
        rest = [one for one in everybody if one not in part]
        if chance.random() < HUB_SHARE:
            rest.append(HUB_NUMBER)
        return Fault(kind, part, seconds, both_ways((a, b) for a in part for b in rest))
    if kind == "ring":
        order = [first, *chance.sample(others, len(others))]
        return Fault(kind, tuple(order), seconds, ring(order))
    if kind in {"outgoing", "incoming"}:
        far = [*others, HUB_NUMBER] if chance.random() < HUB_SHARE else others
        lost = [(first, one) if kind == "outgoing" else (one, first) for one in far]
        return Fault(kind, (first,), seconds, frozenset(lost))
    if kind == "isolated":
        far = [*others, HUB_NUMBER] if chance.random() < HUB_SHARE else others
        return Fault(kind, (first,), seconds, both_ways((first, one) for one in far))
    if kind == "slow-disk":
        return Fault(kind, (first,), seconds, delay_ms=chance.choice(DELAYS_MS))
    if kind == "clock":
        return Fault(kind, (first,), seconds, clock=chance.choice(CLOCKS))
    return Fault(kind, (first,), seconds)


def ring(order: Sequence[int]) -> frozenset[Pair]:
    """What is lost if each hears its two neighbours in a ring.

    Of three that would be all; so the first and the last do not hear each other. After the
    "majorities ring" of Jepsen's tests.
    """
    count = len(order)
    near = {
        frozenset((order[at], order[(at + 1) % count])) for at in range(count if count > 3 else 2)
    }
    return frozenset(
        (a, b) for a in order for b in order if a != b and frozenset((a, b)) not in near
    )


def both_ways(pairs: Iterable[Pair]) -> frozenset[Pair]:
    """The pairs, and each turned round."""
    return frozenset(way for a, b in pairs for way in ((a, b), (b, a)))


class Menu:
    """Draws kinds so that each comes as often as any other, in an order of chance."""

    def __init__(self, kinds: Sequence[str], chance: random.Random) -> None:
        self._kinds = kinds
        self._chance = chance
        self._left: list[str] = []

    def next(self, brokers: int, leader: int | None) -> Fault:
        """The next fault."""
        if not self._left:
            self._left = self._chance.sample(self._kinds, len(self._kinds))
        return draw(self._left.pop(), brokers, leader, self._chance)

    def put_back(self, fault: Fault) -> None:
        """Have the next one be of this kind."""
        self._left.append(fault.kind)


def _victim(kind: str, brokers: int, leader: int | None, chance: random.Random) -> int:
    anybody = chance.randrange(brokers)
    is_lucky = chance.random() >= LEADER_SHARE
    if leader is None or kind.endswith("-any"):
        return anybody
    if kind in {"kill-leader", "pause-leader", "isolated"}:
        return leader
    return anybody if is_lucky else leader


def _arrow(pair: Pair) -> str:
    return ">".join("clients" if one == HUB_NUMBER else f"n{one}" for one in pair)
