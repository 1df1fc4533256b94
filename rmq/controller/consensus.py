"""What a Controller needs of the group of Controllers: one log, in one order, for all of them.

``rmq.dledger.member.Member`` is it; tests have one in memory.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred


class AppliedEntry(Protocol):
    """An entry of the log that a majority has."""

    @property
    def index(self) -> int:
        """Its place in the log, counted from 0."""
        ...

    @property
    def body(self) -> bytes:
        """What was proposed; empty for the barrier of a leader."""
        ...


class Consensus(Protocol):
    """A member of the group: leads it, or knows who does."""

    @property
    def self_id(self) -> str:
        """Our own id, ``n0``."""
        ...

    @property
    def peers(self) -> Mapping[str, str]:
        """All members, ourselves too, by id: ``host:port``."""
        ...

    @property
    def is_leader(self) -> bool:
        """Whether we believe to lead; another may have been elected since, unknown to us."""
        ...

    @property
    def leader_id(self) -> str | None:
        """Who leads as far as we know; None while nobody does."""
        ...

    @property
    def term(self) -> int:
        """The number of the reign that we know of; at most one member leads in each."""
        ...

    def propose(self, bodies: Sequence[bytes]) -> Deferred[Any]:
        """Append entries, all or none, side by side.

        Fires when they are committed and applied here. Fails if this member does not lead, or if
        the outcome is not known in time; what failed may still be applied later.
        """
        ...

    def on_apply(self, apply: Callable[[AppliedEntry], None]) -> None:
        """Have ``apply`` called with each committed entry, in order, beginning with the first."""
        ...

    def on_role(self, listener: Callable[[Any, int], None]) -> None:
        """Have ``listener`` called with role and term whenever this member's role changes.

        ``is_leader``, ``leader_id`` and ``term`` are already those of after the change.
        """
        ...
