"""Whether the queues hold what was acknowledged, nothing else, and in order.

What is promised: a message that was acknowledged is in its queue, at the offset that the answer
told; what nobody sent is nowhere; of one producer's messages in one queue, those that were
acknowledged stand in the order in which they were sent. A message may be there twice, as DLedger
delivers at least once; copies are counted. One that was not acknowledged may be there or not, at
any place: a burst that was given up may arrive after the next.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from scripts.faultlib.attempts import UNKNOWN, Attempts, parsed, queue_of

EXAMPLES_MAX = 5
NOWHERE = -2
"""Neither an offset nor ``UNKNOWN``."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How many of what; all but the first four must be 0."""

    sent: int
    acknowledged: int
    stored: int
    again: int
    """Copies beyond the first."""
    lost: int
    """Acknowledged and not there."""
    moved: int
    """Acknowledged, and there only at another offset."""
    disordered: int
    """Acknowledged, and before one that was sent earlier."""
    invented: int
    """There, and never sent, or not to that queue."""
    examples: tuple[str, ...] = ()
    """Some of what is wrong."""

    @property
    def is_kept(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.moved or self.disordered or self.invented)

    def figures(self) -> dict[str, int]:
        """All counts."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name != "examples"
        }


def check(attempts: Sequence[Attempts], stored: Mapping[int, Iterable[bytes]]) -> Totals:
    """Hold the bodies of each queue, in order of offsets from 0, against what was sent."""
    found = _Check(attempts)
    for queue, bodies in stored.items():
        found.queue(queue, bodies)
    return found.totals()


class _Check:
    def __init__(self, attempts: Sequence[Attempts]) -> None:
        self._attempts = {one.name: one for one in attempts}
        self._places = {
            one.name: array("q", [NOWHERE]) * len(one.offsets) for one in self._attempts.values()
        }
        """Of each producer by number: where its first copy is."""
        self._copies: dict[tuple[int, int], list[int]] = {}
        """Where the others are."""
        self._examples: list[str] = []
        self._stored = self._invented = self._disordered = 0

    def queue(self, queue: int, bodies: Iterable[bytes]) -> None:
        """Find the place of each message of a queue."""
        last: dict[int, int] = {}
        for offset, body in enumerate(bodies):
            self._stored += 1
            try:
                name, number = parsed(body)
            except ValueError:
                name, number = -1, -1
            one = self._attempts.get(name)
            if one is None or not 0 <= number < len(one.offsets) or queue_of(number) != queue:
                self._invented += 1
                self._say("invented", name, number, f"{body[:40]!r} in queue {queue} at {offset}")
                continue
            places = self._places[name]
            if places[number] != NOWHERE:
                self._copies.setdefault((name, number), []).append(offset)
                continue
            places[number] = offset
            if one.offsets[number] != UNKNOWN:
                if number < last.get(name, -1):
                    self._disordered += 1
                    self._say("disordered", name, number, f"behind {last[name]} in {queue}")
                last[name] = max(number, last.get(name, -1))

    def totals(self) -> Totals:
        """What all queues come to."""
        lost = moved = 0
        for one in self._attempts.values():
            places = self._places[one.name]
            for number, offset in enumerate(one.offsets):
                if offset in {UNKNOWN, places[number]}:
                    continue
                if places[number] == NOWHERE:
                    lost += 1
                    self._say("lost", one.name, number, f"acknowledged at {offset}")
                elif offset not in self._copies.get((one.name, number), ()):
                    moved += 1
                    detail = f"acknowledged at {offset}, found at {places[number]}"
                    self._say("moved", one.name, number, detail)
        return Totals(
            sent=sum(len(one.offsets) for one in self._attempts.values()),
            acknowledged=sum(one.acknowledged for one in self._attempts.values()),
            stored=self._stored,
            again=sum(map(len, self._copies.values())),
            lost=lost,
            moved=moved,
            disordered=self._disordered,
            invented=self._invented,
            examples=tuple(self._examples),
        )

    def _say(self, what: str, name: int, number: int, detail: str) -> None:
        if len(self._examples) < EXAMPLES_MAX:
            self._examples.append(f"{what}: message {number} of producer {name}, {detail}")
