"""Encoded route answers, kept until what they tell changes.

A route is asked for far more often than it changes: every client asks for each of its topics
every 30 s. So the bytes of an answer are kept for each topic and flavour, and whoever changes a
table forgets exactly the topics concerned. Topics that do not exist are never kept: their names
are the caller's invention.
"""

from typing import NamedTuple

BODIES_MAX = 100_000
"""Kept bodies; beyond it all are dropped. Flavours multiply by the addresses we are reached at."""


class Flavour(NamedTuple):
    """Which of the texts for one and the same route."""

    standard: bool
    """Whether keys are quoted, as clients from 4.9.4 on expect."""
    host: str
    """By which of our own addresses the client came; empty if that makes no difference."""


class RouteCache:
    """Bodies by topic and flavour."""

    def __init__(self, bodies_max: int = BODIES_MAX) -> None:
        self._bodies_max = bodies_max
        self._kept = 0
        self._topics: dict[str, dict[tuple[bool, str], bytes]] = {}

    def __len__(self) -> int:
        return self._kept

    def get(self, topic: str, standard: bool, host: str) -> bytes | None:
        """The body of a route, or None if it must be made."""
        flavours = self._topics.get(topic)
        return None if flavours is None else flavours.get((standard, host))

    def put(self, topic: str, flavour: Flavour, body: bytes) -> None:
        """Keep a body just made."""
        if self._kept >= self._bodies_max:
            self.forget_all()
        flavours = self._topics.setdefault(topic, {})
        self._kept += flavour not in flavours
        flavours[flavour] = body

    def forget(self, topic: str) -> None:
        """What this topic's route tells has changed."""
        self._kept -= len(self._topics.pop(topic, ()))

    def forget_all(self) -> None:
        """What any route tells may have changed."""
        self._topics.clear()
        self._kept = 0
