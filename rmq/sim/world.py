"""A world of its own: one seed, one time, one heap of events, and a trace of all that happened.

Theory. The world's time moves from event to event, in microseconds. Nothing in it reads a true
clock, takes a true random number or opens a socket; so the same seed gives the same events in the
same order, and the running hash of the trace proves it. An event belongs to a *process* (or to
the world itself): it dies with it, and waits while the process is paused.

Rule. What an event raises is a finding: in production the reactor would log it and go on, here
the run ends. So does an ERROR that the code under test logs with a traceback.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import blake2b
from heapq import heappop, heappush
from typing import Any

from twisted.logger import LogEvent, LogLevel, globalLogPublisher
from twisted.python.failure import Failure

from rmq.base.errors import RmqError
from rmq.sim.dice import Dice

BEGIN_MS = 1_700_000_000_000
"""People's time when a world begins, milliseconds since 1970."""

TRACE_LINES_MAX = 4_000
"""Lines of the trace that are kept for a report; the hash covers all."""

EVENTS_MAX = 20_000_000
"""Events of one run: beyond it, something calls itself for ever."""


class SimulationError(RmqError):
    """The run found something that must not be; the text says what."""


class Trace:
    """What happened, line by line: the last of them, and a hash of all."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=8)
        self._lines: deque[str] = deque(maxlen=TRACE_LINES_MAX)
        self.show: Callable[[str], object] | None = None

    def add(self, now_us: int, text: str) -> None:
        """One thing that happened."""
        line = f"{now_us} {text}"
        self._hash.update(line.encode())
        self._lines.append(line)
        if self.show is not None:
            self.show(line)

    @property
    def digest(self) -> str:
        """The hash of everything so far, 16 hexadecimal digits."""
        return self._hash.hexdigest()

    def tail(self, count: int) -> list[str]:
        """The last ``count`` lines."""
        return list(self._lines)[-count:]


class Event:
    """A call that is due."""

    __slots__ = ("_order", "call", "due_us")

    def __init__(self, due_us: int, order: int, call: Callable[[], object]) -> None:
        self.due_us = due_us
        self._order = order
        self.call: Callable[[], object] | None = call

    def __lt__(self, other: "Event") -> bool:
        if self.due_us != other.due_us:
            return self.due_us < other.due_us
        return self._order < other._order

    @property
    def owed(self) -> bool:
        """Whether it is still to come."""
        return self.call is not None

    def cancel(self) -> None:
        """Make it not happen; harmless when it has."""
        self.call = None

    def fall_due(self) -> None:
        """It is time."""
        self.make()

    def make(self) -> None:
        """Make the call, unless it was cancelled or made."""
        call, self.call = self.call, None
        if call is not None:
            call()


class World:
    """Time, events, chance and trace of one run."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.dice = Dice(seed)
        self.trace = Trace()
        self.now_us = 0
        self.events = 0
        self._heap: list[Event] = []
        self._order = 0
        self._after: list[Callable[[], object]] = []
        self._found: list[str] = []

    def note(self, text: str) -> None:
        """Put something into the trace."""
        self.trace.add(self.now_us, text)

    def later(self, delay_us: int, call: Callable[[], object]) -> Event:
        """Arrange for ``call`` in ``delay_us`` (0 or more)."""
        assert delay_us >= 0, f"{delay_us=}"
        event = Event(self.now_us + delay_us, self.next_order(), call)
        self.expect(event)
        return event

    def next_order(self) -> int:
        """A number for an event: of two due together the lower comes first."""
        self._order += 1
        return self._order

    def expect(self, event: Event) -> None:
        """Let an event happen in its time."""
        heappush(self._heap, event)

    def after_each_event(self, check: Callable[[], object]) -> None:
        """Have ``check`` called whenever something happened; it raises if that must not be."""
        self._after.append(check)

    def find(self, what: str) -> None:
        """Something that must not be; the run ends with it."""
        self._found.append(what)

    def run(self, until_us: int, *, done: Callable[[], bool] | None = None) -> bool:
        """Let things happen until a time, or until ``done`` says so; gives whether it did.

        :raises SimulationError: something was found.
        """
        heap, checks, found = self._heap, self._after, self._found
        while heap and heap[0].due_us <= until_us:
            event = heappop(heap)
            if event.call is None:
                continue
            self.now_us = event.due_us
            self.events += 1
            event.fall_due()
            for check in checks:
                check()
            if found:
                raise SimulationError("; ".join(found))
            if done is not None and done():
                return True
            if self.events > EVENTS_MAX:
                raise SimulationError(f"more than {EVENTS_MAX} events")
        self.now_us = max(self.now_us, until_us)
        return done is not None and done()

    def run_for(self, milliseconds: int, *, done: Callable[[], bool] | None = None) -> bool:
        """``run`` for a while."""
        return self.run(self.now_us + milliseconds * 1_000, done=done)


class _Findings(logging.Handler):
    """Takes what the code under test logs as its own fault."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        """A record with a traceback is a finding."""
        if record.exc_info and record.exc_info[0] is not None:
            text = logging.Formatter("%(name)s: %(message)s").format(record)
            self._world.find(f"logged: {text}")


@contextmanager
def watched_log(world: World) -> Iterator[None]:
    """While it lasts, whatever rmq logs as its own fault ends the run.

    So does a failure of a Deferred that nobody looked at, which Twisted logs when it is forgotten.
    """
    logger, handler = logging.getLogger("rmq"), _Findings(world)
    observer: Any = partial(_unhandled, world)  # a zope interface, to a type checker nothing
    logger.addHandler(handler)
    globalLogPublisher.addObserver(observer)
    try:
        yield
    finally:
        globalLogPublisher.removeObserver(observer)
        logger.removeHandler(handler)


def _unhandled(world: World, event: LogEvent) -> None:
    failure = event.get("log_failure")
    if isinstance(failure, Failure) and event.get("log_level") is LogLevel.critical:
        world.find(f"nobody looked at: {failure.getTraceback()}")
