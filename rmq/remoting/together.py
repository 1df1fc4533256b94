"""Answers that one event makes ready, late and many at once: one write for each connection.

An acknowledgement of a slave, or a sync of the disk, may end the waiting of a hundred senders, and
a write to a socket costs as much as putting a message. From the begin to the end of ``TOGETHER``
connections keep what they would write; at its end they write it. All of that is within one event,
so that nobody notices but the processor.
"""

from typing import Protocol


class Keeper(Protocol):
    """A connection."""

    def write_now(self, encoded: bytes) -> None:
        """Write answers."""
        ...


class Together:
    """What is kept, by connection, in the order in which it came. Inside itself it does nothing."""

    __slots__ = ("_depth", "_kept")

    def __init__(self) -> None:
        self._depth = 0
        self._kept: dict[Keeper, list[bytes]] = {}

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *_error: object) -> None:
        self._depth -= 1
        if self._depth:
            return
        kept, self._kept = self._kept, {}
        for connection, answers in kept.items():
            connection.write_now(answers[0] if len(answers) == 1 else b"".join(answers))

    @property
    def is_on(self) -> bool:
        """Whether answers are to be kept."""
        return self._depth > 0

    def keep(self, connection: Keeper, encoded: bytes) -> None:
        """Write that at the end; in between only."""
        self._kept.setdefault(connection, []).append(encoded)


TOGETHER = Together()
"""The one of this process: it has one thread, and an event ends before the next begins."""
