"""Whether all that was acknowledged is there, once and in order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scripts.failoverlib.ledger import Ack


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a consumer found, held against what the producer was promised."""

    acknowledged: int
    stored: int
    """Records; those that are there twice count twice."""
    lost: Sequence[Ack]
    """Acknowledged and not there."""
    again: int
    """Copies beyond the first, and no break of a promise: the producer sends a message again that
    was not acknowledged."""
    disordered: int
    """First copies that come after one that was sent later."""
    invented: int
    """Numbers that were never sent."""
    jumps: Sequence[str] = ()
    """Where a queue's offsets do not grow by one, in words."""

    @property
    def is_kept(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.disordered or self.invented or self.jumps)

    def in_words(self) -> str:
        """What became of the messages, for people."""
        return (
            f"{len(self.lost):,} lost, {self.again:,} there again, "
            f"{self.disordered:,} out of order, {self.invented:,} never sent, "
            f"{len(self.jumps):,} jumps of offsets"
        )

    def as_json(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "acknowledged": self.acknowledged,
            "stored": self.stored,
            "lost": len(self.lost),
            "again": self.again,
            "disordered": self.disordered,
            "invented": self.invented,
            "jumps": list(self.jumps),
        }


class Found(NamedTuple):
    """What a consumer got."""

    numbers: Mapping[int, Sequence[int]]
    """Of each queue, in order of its offsets."""
    jumps: Sequence[str]
    """Where offsets do not grow by one, in words."""


def found(lines: Iterable[str]) -> Found:
    """What is in the queues, from what ``Steady read`` said.

    :raises ValueError: no whole output.
    """
    numbers: dict[int, list[int]] = {}
    jumps: list[str] = []
    offsets: dict[int, int] = {}
    for line in lines:
        words = line.split()
        if words == ["end"]:
            return Found(numbers, jumps)
        _, queue, offset, number = words[0], *map(int, words[1:])
        if offset != offsets.get(queue, offset - 1) + 1:
            jumps.append(f"queue {queue}: offset {offset} comes after {offsets[queue]}")
        offsets[queue] = offset
        numbers.setdefault(queue, []).append(number)
    raise ValueError("the consumer did not get to its end")


def check(
    acks: Sequence[Ack], stored: Mapping[int, Sequence[int]], jumps: Sequence[str] = ()
) -> Verdict:
    """Hold one against the other; ``jumps`` are taken as they were found.

    A producer goes on only when a number is acknowledged, so none beyond the last but one is new.
    """
    distinct = {queue: set(numbers) for queue, numbers in stored.items()}
    last: dict[int, int] = {}
    for ack in acks:
        last[ack.queue] = max(ack.number, last.get(ack.queue, -1))
    lost = [ack for ack in acks if ack.number not in distinct.get(ack.queue, ())]
    total = sum(map(len, stored.values()))
    return Verdict(
        acknowledged=len(acks),
        stored=total,
        lost=lost,
        again=total - sum(map(len, distinct.values())),
        disordered=sum(_disordered(numbers) for numbers in stored.values()),
        invented=sum(
            number > last.get(queue, -1) + 1
            for queue, numbers in distinct.items()
            for number in numbers
        ),
        jumps=jumps,
    )


def _disordered(numbers: Sequence[int]) -> int:
    seen: set[int] = set()
    highest, count = -1, 0
    for number in numbers:
        if number not in seen and number < highest:
            count += 1
        seen.add(number)
        highest = max(highest, number)
    return count
