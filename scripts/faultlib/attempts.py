"""What producers sent and what they were told.

A producer sends each number once: 0, 1, 2, ..., each to the queue that the number says, and never
again, whatever came of it. So a message that is there twice was doubled by the servers, and the
order in one queue is that of the numbers.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from itertools import pairwise

QUEUES = 8
UNKNOWN = -1
"""No answer, or none that says it is stored: it may be all the same."""


class Attempts:
    """Of one producer; only its own thread writes."""

    def __init__(self, name: int) -> None:
        self.name = name
        self.offsets = array("q")
        """By number: its offset in its queue, or ``UNKNOWN``."""
        self.failures: Counter[str] = Counter()
        """Why bursts were given up: response codes and names of errors."""
        self.ack_times = array("d")
        """Monotonic, seconds: each time when at least one was acknowledged."""
        self.acknowledged = 0

    def begin(self, count: int) -> range:
        """The numbers of the next ``count`` messages, which are about to be sent."""
        first = len(self.offsets)
        self.offsets.extend([UNKNOWN] * count)
        return range(first, first + count)

    def acked(self, number: int, offset: int) -> None:
        """A broker says where it has a message."""
        self.offsets[number] = offset
        self.acknowledged += 1

    def has_acked_since(self, begin: float) -> bool:
        """Whether anything was acknowledged from an instant on."""
        return bool(self.ack_times) and self.ack_times[-1] >= begin

    def body(self, number: int, padding: bytes = b"") -> bytes:
        """What is sent."""
        return b"%d %d %b" % (self.name, number, padding)


def queue_of(number: int) -> int:
    """Where a number is sent."""
    return number % QUEUES


def parsed(body: bytes) -> tuple[int, int]:
    """Producer and number of a body.

    :raises ValueError: nobody sends such a one.
    """
    name, number, _ = body.split(b" ", 2)
    return int(name), int(number)


def longest_pause_s(attempts: list[Attempts], begin: float, end: float) -> float:
    """The longest time in which no producer got an acknowledgement, between two instants."""
    times = [begin, end]
    for one in attempts:
        known = one.ack_times[:]
        times += known[bisect_left(known, begin) : bisect_left(known, end)]
    times.sort()
    return max(later - earlier for earlier, later in pairwise(times))
