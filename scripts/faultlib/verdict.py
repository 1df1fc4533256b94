"""What a run came to: who kept what, and whether all is as promised."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from scripts.failoverlib.checker import Verdict
from scripts.failoverlib.figures import spread
from scripts.faultlib import linearizability
from scripts.faultlib.linearizability import NEVER, Operation, UndecidedError
from scripts.faultlib.register import Placed
from scripts.faultlib.storm import Suffered
from scripts.faultlib.totals import Totals


@dataclass(frozen=True, slots=True)
class Registers:
    """What the search for orders found."""

    histories: int
    operations: int
    unknown: int
    """Of these, writes of unknown outcome."""
    reads: int
    undecided: int = 0
    wrong: tuple[str, ...] = ()
    """Registers for which there is no order, each with what does not fit."""

    @property
    def is_kept(self) -> bool:
        """Whether all are linearizable."""
        return not (self.wrong or self.undecided)


def registers(histories: Mapping[int, Sequence[Operation]]) -> Registers:
    """Look for an order of each history."""
    undecided, wrong = 0, []
    for number, operations in histories.items():
        try:
            found = linearizability.check(operations)
        except UndecidedError:
            undecided += 1
            continue
        if not found.is_linearizable:
            wrong.append(f"register {number}: no place for {found.stuck}")
    every = [one for operations in histories.values() for one in operations]
    return Registers(
        histories=len(histories),
        operations=len(every),
        unknown=sum(one.end == NEVER for one in every),
        reads=sum(one.kind == linearizability.READ for one in every),
        undecided=undecided,
        wrong=tuple(wrong),
    )


def misplaced(placed: Iterable[Placed], stored: Mapping[int, Sequence[bytes]]) -> list[Placed]:
    """What was acknowledged and is not where its answer said."""
    return [one for one in placed if stored[one.queue][one.offset : one.offset + 1] != [one.body]]


@dataclass
class Outcome:
    """All that a run found; None and nothing: it did not get there."""

    suffered: list[Suffered] = field(default_factory=list)
    late_calls: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    """Why bursts of our own producers were given up."""
    totals: dict[str, Totals] = field(default_factory=dict)
    """Of each member."""
    misplaced: dict[str, int] = field(default_factory=dict)
    """Of each member: messages of registers."""
    registers: Registers | None = None
    java: Verdict | None = None
    """What a stock consumer found of a stock producer."""
    logs: dict[str, str] = field(default_factory=dict)
    """Of each member: the sum of its log."""
    unread: dict[str, str] = field(default_factory=dict)
    """Members that could not be read, and why."""
    stuck: str | None = None
    """What did not happen in time after everything was repaired."""
    died: str | None = None
    """A broker that ended by itself."""

    @property
    def are_logs_equal(self) -> bool:
        """Whether all members have the same log."""
        return len(set(self.logs.values())) == 1

    def is_kept(self, *, java: bool) -> bool:
        """Whether all was looked at, and every promise kept."""
        return (
            self.died is None
            and self.stuck is None
            and not self.unread
            and bool(self.totals)
            and all(one.is_kept for one in self.totals.values())
            and not any(self.misplaced.values())
            and self.registers is not None
            and self.registers.is_kept
            and self.are_logs_equal
            and (not java or (self.java is not None and self.java.is_kept))
        )

    def by_kind(self) -> dict[str, dict[str, float]]:
        """Of each kind of fault: how many, and the spread of what came of them."""
        found: dict[str, dict[str, float]] = {}
        for kind in dict.fromkeys(one.fault.kind for one in self.suffered):
            own = [one for one in self.suffered if one.fault.kind == kind]
            again, pause = (
                spread([one.again_s for one in own]),
                spread([one.pause_s for one in own]),
            )
            found[kind] = {
                "count": len(own),
                "again_median_s": again.median,
                "again_max_s": again.longest,
                "pause_median_s": pause.median,
                "pause_max_s": pause.longest,
            }
        return found

    def sentences(self) -> list[str]:
        """For people, the bad ones in capitals."""
        said = [
            f"{len(self.suffered)} faults; {self.late_calls:,} system calls held up by slow disks"
        ]
        for member, one in self.totals.items():
            said.append(
                f"{member}: of {one.acknowledged:,} acknowledged messages {one.lost:,} lost, "
                f"{one.moved:,} moved, {one.disordered:,} out of order; "
                f"{one.invented:,} never sent, {one.again:,} there again; {one.stored:,} stored, "
                f"{self.misplaced.get(member, 0):,} of registers misplaced"
            )
            said += [f"  {example}" for example in one.examples]
        if (found := self.registers) is not None:
            said.append(
                f"{found.histories:,} registers, {found.operations:,} operations, "
                f"{found.reads:,} of them reads, {found.unknown:,} writes of unknown outcome: "
                f"{len(found.wrong)} not linearizable, {found.undecided} undecided"
            )
            said += [f"  {example}" for example in found.wrong[:5]]
        if (java := self.java) is not None:
            said.append(
                f"stock producer and consumer: of {java.acknowledged:,} acknowledged "
                f"{java.in_words()}"
            )
        if self.logs:
            said.append(f"commit logs {'are equal' if self.are_logs_equal else 'DIFFER'}")
        if self.failures:
            said.append(f"bursts given up: {self.failures}")
        said += [f"{member} could not be read: {why}" for member, why in self.unread.items()]
        if self.stuck is not None:
            said.append(f"STUCK: {self.stuck}")
        if self.died is not None:
            said.append(f"DIED: {self.died}")
        return said

    def as_json(self) -> dict[str, object]:
        """For programs."""
        found, java = self.registers, self.java
        return {
            "faults": [
                {
                    "kind": one.fault.kind,
                    "what": str(one.fault),
                    "at_s": round(one.at_s, 3),
                    "again_s": round(one.again_s, 3),
                    "pause_s": round(one.pause_s, 3),
                }
                for one in self.suffered
            ],
            "by_kind": self.by_kind(),
            "late_calls": self.late_calls,
            "members": {member: one.figures() for member, one in self.totals.items()},
            "misplaced": self.misplaced,
            "registers": None
            if found is None
            else {
                "histories": found.histories,
                "operations": found.operations,
                "reads": found.reads,
                "unknown": found.unknown,
                "undecided": found.undecided,
                "wrong": list(found.wrong),
            },
            "java": None if java is None else java.as_json(),
            "logs_equal": self.are_logs_equal,
            "failures": self.failures,
            "unread": self.unread,
            "stuck": self.stuck,
            "died": self.died,
        }
