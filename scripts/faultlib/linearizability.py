"""Whether there is an order in which a register could have done what its clients saw.

Theory (Herlihy and Wing, 1990). A history is a set of operations, each with the instants between
which it was under way. It is *linearizable* if each operation can be given one instant of its own
between its two, so that, done one after the other in that order, each gives what its client saw.
So an operation that ended before another began comes first, and of two that overlap either may.

- **The register** begins with ``None``. A write always succeeds, a read must give what was written
  last.
- **Unknown outcome.** A client that got no answer does not know whether its write happens, or
  when: it ends never, and needs no place in the order. A read without an answer says nothing.
  A write without an answer that nobody has read may be left out of every order that has it: what
  reads find stays the same. Any other may come at any time after its begin.
- **Search** (Wing and Gong, 1993). All begins and ends are in one list by time. An operation whose
  begin stands before the first end that is left may be the next of the order, if the register
  allows it: it is taken out of the list, and the search goes on from the list's head. If the first
  end belongs to one that was not taken, this order is wrong: the last one taken is put back, and
  the next is tried. All that must end were taken: linearizable.
- **Memory** (Lowe, 2017). What may follow depends only on which operations were taken and on the
  register's value. A pair that was met before is not tried again.
- **Locality.** Several registers are linearizable together exactly if each is alone, so histories
  are kept short by going on to a new register now and then. The time is exponential at worst: who
  has more than ``STATES_MAX`` pairs to remember gives up, and says so.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

STATES_MAX = 1_000_000
"""A few hundred bytes each."""

READ, WRITE = "read", "write"
NEVER = math.inf
"""The end of an operation whose outcome is unknown."""


class UndecidedError(Exception):
    """The search had to remember too much."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What one client did with the register; times are of one clock."""

    kind: str
    """``READ`` or ``WRITE``."""
    value: str | None
    """What was read or written."""
    begin: float
    end: float = NEVER
    client: str = ""

    def __str__(self) -> str:
        """One line for people."""
        end = "never" if self.end == NEVER else f"{self.end:.6f}"
        return f"{self.kind} {self.value} by {self.client}, {self.begin:.6f} to {end}"


@dataclass(eq=False, slots=True)
class _Event:
    """A begin or an end in the list."""

    number: int
    """Of its operation."""
    is_begin: bool
    before: "_Event | None" = None
    after: "_Event | None" = None
    end: "_Event | None" = None
    """Of a begin: the end that belongs to it, if it has one."""


@dataclass(slots=True)
class Finding:
    """What the search came to."""

    is_linearizable: bool
    ordered: Sequence[Operation] = ()
    """The order, or the longest that could be found."""
    stuck: Operation | None = None
    """What ended before it could be given a place in the longest order."""


def check(operations: Iterable[Operation], states_max: int = STATES_MAX) -> Finding:
    """Look for an order.

    :raises UndecidedError: there is too much to try.
    """
    return _Search(_relevant(operations), states_max).run()


def _relevant(operations: Iterable[Operation]) -> list[Operation]:
    every = list(operations)
    was_read = {one.value for one in every if one.kind == READ and one.end != NEVER}
    return [
        one for one in every if one.end != NEVER or (one.kind == WRITE and one.value in was_read)
    ]


def _listed(operations: Sequence[Operation]) -> _Event:
    """The head of the list; at one instant begins come before ends, as the two may overlap."""
    begins = [_Event(number, is_begin=True) for number in range(len(operations))]
    timed: list[tuple[float, bool, int, _Event]] = []
    for number, (one, begin) in enumerate(zip(operations, begins, strict=True)):
        assert one.begin <= one.end, f"{one} ends before it begins"
        timed.append((one.begin, False, number, begin))
        if one.end != NEVER:
            begin.end = _Event(number, is_begin=False)
            timed.append((one.end, True, number, begin.end))
    head = last = _Event(-1, is_begin=True)
    for _, _, _, event in sorted(timed, key=lambda one: one[:3]):
        last.after, event.before = event, last
        last = event
    return head


@dataclass(slots=True)
class _Search:
    operations: Sequence[Operation]
    states_max: int
    _seen: set[tuple[int, str | None]] = field(default_factory=set)
    _taken: list[tuple[_Event, str | None]] = field(default_factory=list)
    """In order, each with the value before it."""

    def run(self) -> Finding:
        head = _listed(self.operations)
        value: str | None = None
        mask, left = 0, sum(one.end != NEVER for one in self.operations)
        longest: list[Operation] = []
        stuck: Operation | None = None
        event = head.after
        while left:
            assert event is not None, "an end that is left stands in the list"
            one = self.operations[event.number]
            if event.is_begin:
                if (one.kind == WRITE or one.value == value) and self._is_new(
                    mask | 1 << event.number, one.value
                ):
                    self._taken.append((event, value))
                    mask |= 1 << event.number
                    value = one.value
                    left -= event.end is not None
                    _take(event)
                    event = head.after
                else:
                    event = event.after
                continue
            if stuck is None or len(self._taken) > len(longest):
                longest, stuck = self._order(), one
            if not self._taken:
                return Finding(is_linearizable=False, ordered=longest, stuck=stuck)
            event, value = self._taken.pop()
            mask &= ~(1 << event.number)
            left += event.end is not None
            _put_back(event)
            event = event.after
        return Finding(is_linearizable=True, ordered=self._order())

    def _is_new(self, mask: int, value: str | None) -> bool:
        state = (mask, value)
        if state in self._seen:
            return False
        if len(self._seen) >= self.states_max:
            raise UndecidedError(f"{len(self.operations)} operations, {self.states_max} states")
        self._seen.add(state)
        return True

    def _order(self) -> list[Operation]:
        return [self.operations[event.number] for event, _ in self._taken]


def _take(begin: _Event) -> None:
    for event in (begin, begin.end):
        if event is not None:
            assert event.before is not None
            event.before.after = event.after
            if event.after is not None:
                event.after.before = event.before


def _put_back(begin: _Event) -> None:
    for event in (begin.end, begin):
        if event is not None:
            assert event.before is not None
            event.before.after = event
            if event.after is not None:
                event.after.before = event
