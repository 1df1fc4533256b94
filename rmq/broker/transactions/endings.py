"""What is known of half messages beyond what lies on disk: how they ended, where they went.

Java keeps nothing of it, so a transaction that is ended twice is delivered twice there, and one
whose half message was put back while its end was under way is asked about once more. All tables
are bounded; what has dropped out of them, or was lost in a restart, is as in Java.

A transaction may have several half messages that nobody has ended: who leads next begins where
the last master was known to be, and puts back again what that one had put back. Its commit is found
by the index; but where a group must agree first the index has it later, so that this knows, too,
which transactions were committed.
"""

from collections import OrderedDict
from typing import TypeAlias

KNOWN_MAX = 65_536
"""Half messages remembered in each table: those of half a minute at 2,000 a second."""

Place: TypeAlias = tuple[int, int]
"""A half message: its queue and its offset there."""

Identity: TypeAlias = tuple[bytes, bytes, bytes, int]
"""A transaction: what all its half messages have in common. See ``half.identity_of``."""


class Endings:
    """How transactions ended, by the last place of their half message."""

    def __init__(self, known_max: int = KNOWN_MAX) -> None:
        self._known_max = known_max
        self.begun_at = 0
        """Where the log ended when this broker began to be master: of what lies below another one
        may have stored commits, of which nothing is remembered here."""
        # A plain dict finds its first key past the traces of all that were deleted before it.
        self._outcomes: OrderedDict[Place, int] = OrderedDict()
        self._moves: OrderedDict[Place, int] = OrderedDict()
        self._committed: OrderedDict[Identity, None] = OrderedDict()

    def clear(self) -> None:
        """Forget all: the half queues may have got another end."""
        self._outcomes.clear()
        self._moves.clear()
        self._committed.clear()

    def moved(self, queue_id: int, offset: int, new_offset: int) -> None:
        """Note that a half message was put back at the end of its queue."""
        self._moves[queue_id, offset] = new_offset
        if len(self._moves) > self._known_max:
            self._moves.popitem(last=False)

    def latest(self, queue_id: int, offset: int) -> int:
        """Where a half message is now: each move leads to a greater offset."""
        moves = self._moves
        while (new_offset := moves.get((queue_id, offset))) is not None:
            offset = new_offset
        return offset

    def end(self, queue_id: int, offset: int, outcome: int) -> None:
        """Note how a transaction ended: a transaction type of sysFlag, COMMIT or ROLLBACK."""
        self._outcomes[queue_id, offset] = outcome
        if len(self._outcomes) > self._known_max:
            self._outcomes.popitem(last=False)

    def outcome(self, queue_id: int, offset: int) -> int | None:
        """How it ended; None if it is not known to have ended."""
        return self._outcomes.get((queue_id, offset))

    def commit_unseen(self, transaction: Identity) -> None:
        """Note that a commit was stored which the index does not show yet."""
        self._committed[transaction] = None
        if len(self._committed) > self._known_max:
            self._committed.popitem(last=False)

    def has_committed(self, transaction: Identity) -> bool:
        """Whether a commit was stored that the index may not have shown yet."""
        return transaction in self._committed
