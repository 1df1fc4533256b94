"""What the producer was told, and when."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from scripts.failoverlib.heard import Heard

NANOS = 1e9
UNORDERED_S = 1.0
"""How far the times of two neighbours may be in the wrong order: threads say what they measured."""


class Ack(NamedTuple):
    """A message that a broker acknowledged."""

    at: float
    """Monotonic time, seconds."""
    queue: int
    number: int
    """The producer's own number in this queue, from 0."""
    address: str
    """Of the broker."""


class Ledger(Heard):
    """All that ``Steady send`` said."""

    def __init__(self) -> None:
        self.acks: list[Ack] = []
        self.failures: Counter[str] = Counter()

    def understand(self, line: str, words: list[str]) -> None:
        """An answer that the producer got, or none.

        :raises ValueError: none of these.
        """
        what, nanos, queue, number, last = words
        if what == "acked":
            self.acks.append(Ack(int(nanos) / NANOS, int(queue), int(number), last))
        elif what == "failed":
            self.failures[last] += 1
        else:
            raise ValueError(f"{line!r}, expected acked, failed or end")

    def since(self, begin: float) -> Sequence[Ack]:
        """What was acknowledged from ``begin`` on, in order of time."""
        at = len(self.acks)
        while at and self.acks[at - 1].at >= begin - UNORDERED_S:
            at -= 1
        return sorted(ack for ack in self.acks[at:] if ack.at >= begin)

    def first_by(self, address: str, begin: float) -> float | None:
        """When a broker first acknowledged from ``begin`` on."""
        return next((ack.at for ack in self.since(begin) if ack.address == address), None)

    def first_by_another(self, address: str, begin: float) -> float | None:
        """When another broker than that first acknowledged from ``begin`` on."""
        return next((ack.at for ack in self.since(begin) if ack.address != address), None)

    def longest_pause_s(self, begin: float, end: float) -> float:
        """The longest time without an acknowledgement between two instants."""
        times = [begin, *(ack.at for ack in self.since(begin) if ack.at < end), end]
        return max(later - earlier for earlier, later in pairwise(times))
