"""What clients of a simulated cluster did and saw, and what must be true of it.

Theory. A producer gives each *attempt* to send a body of its own, so that one attempt is stored at
most once. An attempt ends *acked* (SEND_OK), *stored* (a broker has it, but promises nothing: no
slave, not flushed in time), *refused*, or *unknown* (no answer). A queue is named by broker name,
topic and queue id; what a consumer sees of it is a table from offset to body.

Checked whenever something is read: it was sent, to that queue; no attempt is at two places; an
offset shows the same body to everybody for ever; offsets have no holes. (A queue may seem shorter
for a while: a master that was replaced, and does not know it, is asked for what it never had.)
A delayed message comes later, at an offset that nobody was told, and may come again.
What a transaction is about comes when it is committed, once, also at an offset that nobody was
told; it is never seen if nobody committed it (see ``rmq.sim.transactions``). Where brokers give up
after some questions, what they gave up lies in a topic of its own (``GivenUp``).
Checked at the end, when the whole of every queue was read anew: what was acked is where the ack
said; of one producer's messages in a queue those acked earlier come first; what was read is there.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, Protocol

from rmq.sim.world import SimulationError


class Outcome(Enum):
    """How an attempt to send ended."""

    PENDING = "pending"
    ACKED = "acked"
    STORED = "stored"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Fate(Enum):
    """What is decided about a transaction; a decision is for ever."""

    OPEN = "open"
    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"


class Queue(NamedTuple):
    """One queue of one broker."""

    broker: str
    topic: str
    queue_id: int


@dataclass(slots=True, eq=False)
class Attempt:
    """One try to send one message."""

    body: bytes
    producer: str
    queue: Queue
    begun_us: int
    outcome: Outcome = Outcome.PENDING
    offset: int = -1
    ended_us: int = 0
    delayed: bool = False
    fate: Fate | None = None
    """None: it is no half message."""

    @property
    def name(self) -> str:
        """The body without what makes it longer."""
        return self.body.rstrip(b".").decode()

    @property
    def comes_later(self) -> bool:
        """Whether it is first stored elsewhere: what was acked is not its offset."""
        return self.delayed or self.fate is not None


@dataclass(slots=True)
class Promises:
    """What a scenario's configuration promises under its faults."""

    acked_survive: bool = True
    reads_survive: bool = True
    gives_up: bool = False
    """Brokers ask about a transaction some times only, and keep apart what nobody ends."""


@dataclass(slots=True)
class History:
    """All attempts and all reads of one run."""

    promises: Promises = field(default_factory=Promises)
    attempts: dict[bytes, Attempt] = field(default_factory=dict)
    reads: int = 0
    given_up: set[bytes] = field(default_factory=set)
    _numbers: dict[str, int] = field(default_factory=dict)
    _places: dict[bytes, tuple[Queue, int]] = field(default_factory=dict)
    _bodies: dict[tuple[Queue, int], bytes] = field(default_factory=dict)

    def next_number(self, producer: str) -> int:
        """The number of a producer's next attempt, from 1; its processes share them."""
        number = self._numbers[producer] = self._numbers.get(producer, 0) + 1
        return number

    def begun(self, attempt: Attempt) -> None:
        """A client is about to send."""
        assert attempt.body not in self.attempts, "bodies are used once"
        self.attempts[attempt.body] = attempt

    def acked(self) -> list[Attempt]:
        """Those that a broker promised to keep, in the order in which they were begun."""
        return [one for one in self.attempts.values() if one.outcome is Outcome.ACKED]

    def transactions(self) -> list[Attempt]:
        """Attempts that are half messages."""
        return [one for one in self.attempts.values() if one.fate is not None]

    def asked(self, body: bytes, transaction_id: str | None, by: str) -> Attempt:
        """A broker asks what has become of a transaction.

        :raises SimulationError: there is none.
        """
        attempt = self.attempts.get(body)
        if attempt is None or attempt.fate is None or attempt.name != transaction_id:
            raise SimulationError(f"invented: {by} asks about {transaction_id}, half {body!r}")
        return attempt

    def read(self, queue: Queue, offset: int, body: bytes, by: str) -> None:
        """Somebody was shown ``body``.

        :raises SimulationError: that cannot be.
        """
        self.reads += 1
        where = f"{by} read {body!r} at {_place(queue, offset)}"
        attempt = self.attempts.get(body)
        if attempt is None:
            raise SimulationError(f"invented: {where}, which nobody sent")
        if attempt.queue != queue:
            raise SimulationError(f"misplaced: {where}, but it was sent to {attempt.queue}")
        if attempt.fate not in {None, Fate.COMMITTED}:
            raise SimulationError(f"shown: {where}, whose transaction is {attempt.fate.value}")
        acked = attempt.outcome is Outcome.ACKED and not attempt.comes_later
        if acked and attempt.offset != offset:
            raise SimulationError(f"moved: {where}, acknowledged at {attempt.offset}")
        if not self.promises.reads_survive:
            return
        known = self._bodies.setdefault((queue, offset), body)
        if known != body:
            raise SimulationError(f"changed: {where}, where {known!r} was read before")
        place = self._places.setdefault(body, (queue, offset))
        if place != (queue, offset) and not attempt.delayed:
            raise SimulationError(f"doubled: {where}, and before at {_place(*place)}")

    def skipped(self, queue: Queue, offset: int, following: int, by: str) -> None:
        """Somebody who wanted ``offset`` was sent on to ``following``.

        :raises SimulationError: nothing is deleted in these runs, so it has to be there.
        """
        raise SimulationError(f"hole: {by} wanted {_place(queue, offset)}, sent to {following}")

    def missing(self, tables: dict[Queue, list[bytes]]) -> list[Attempt]:
        """Messages that were acked to come later, and have not come yet."""
        there = self.given_up.union(*tables.values())
        return [
            one
            for one in self.attempts.values()
            if one.comes_later and self._is_owed(one) and one.body not in there
        ]

    def judge(self, tables: dict[Queue, list[bytes]]) -> None:
        """Compare the whole of every queue, read after the storm, with what happened.

        :raises SimulationError: something is lost, invented, doubled, or in the wrong order.
        """
        seen: dict[bytes, Queue] = {}
        for queue, bodies in tables.items():
            for offset, body in enumerate(bodies):
                if body in seen and not self._is_delayed(body):
                    raise SimulationError(f"doubled: {body!r} at {_place(queue, offset)} again")
                seen[body] = queue
                self.read(queue, offset, body, "the judge")
        if not self.promises.acked_survive:
            return
        for attempt in self.missing(tables):
            fate = attempt.fate
            why = "acknowledged to be delivered later" if fate is None else fate.value
            raise SimulationError(f"lost: {attempt.body!r}, {why}")
        last: dict[tuple[str, Queue], int] = {}
        for attempt in self.acked():
            if attempt.comes_later:
                continue
            bodies = tables.get(attempt.queue, [])
            place = _place(attempt.queue, attempt.offset)
            if attempt.offset >= len(bodies) or bodies[attempt.offset] != attempt.body:
                found = bodies[attempt.offset] if attempt.offset < len(bodies) else "nothing"
                raise SimulationError(
                    f"lost: {attempt.body!r}, acknowledged at {place}, where there is {found!r}"
                )
            key = (attempt.producer, attempt.queue)
            if last.get(key, -1) >= attempt.offset:
                raise SimulationError(f"reordered: {attempt.body!r} at {place}")
            last[key] = attempt.offset
        if not self.promises.reads_survive:
            return
        for (queue, offset), body in self._bodies.items():
            bodies = tables.get(queue, [])
            if offset >= len(bodies):
                raise SimulationError(f"unread: {body!r} was at {_place(queue, offset)}")

    def _is_owed(self, attempt: Attempt) -> bool:
        """Whether it must come or be given up, if what was acked survives."""
        is_asked_for = attempt.fate is Fate.OPEN and self.promises.gives_up
        owed = attempt.fate in {None, Fate.COMMITTED} or is_asked_for
        return attempt.outcome is Outcome.ACKED and owed

    def _is_delayed(self, body: bytes) -> bool:
        attempt = self.attempts.get(body)
        return attempt is not None and attempt.delayed


class Reads(Protocol):
    """Where a consumer tells what it reads."""

    def read(self, queue: Queue, offset: int, body: bytes, by: str) -> None:
        """Somebody was shown ``body``."""
        ...

    def skipped(self, queue: Queue, offset: int, following: int, by: str) -> None:
        """Somebody who wanted ``offset`` was sent on to ``following``."""
        ...


class GivenUp:
    """What is read of transactions that brokers have given up; there may be several copies."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.skipped = history.skipped

    def read(self, queue: Queue, offset: int, body: bytes, by: str) -> None:
        """A half message was given up.

        :raises SimulationError: it is none, or nobody gives up.
        """
        attempt = self._history.attempts.get(body)
        if attempt is None or attempt.fate is None or not self._history.promises.gives_up:
            place = _place(queue, offset)
            raise SimulationError(f"invented: {by} read {body!r} at {place}, given up")
        self._history.given_up.add(body)


def _place(queue: Queue, offset: int) -> str:
    return f"{queue.broker}/{queue.topic}/{queue.queue_id}@{offset}"
