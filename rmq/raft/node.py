"""One member of a group: consensus as a state machine without I/O.

The driver gives it requests, replies, failures, time and bodies; whatever it then wants done comes
out of ``ready()``. It never blocks, reads no clock, calls nobody but its ``Log`` and ``Chance``.
"""

from collections.abc import Sequence

from rmq.base.ports import Chance
from rmq.raft.config import RaftConfig
from rmq.raft.log import Log
from rmq.raft.messages import Reply, Request, Role
from rmq.raft.ready import HardState, Proposal, Ready


class Node:
    """A member. One thread calls it."""

    def __init__(
        self, config: RaftConfig, log: Log, hard_state: HardState, chance: Chance, now_ms: int
    ) -> None:
        """Begin as a candidate with what was persisted (``HardState()`` if nothing was)."""
        raise NotImplementedError

    # What is known now; all are plain attributes or properties.
    role: Role
    term: int
    leader_id: str | None
    voted_for: str | None
    transferee: str | None
    """To whom leadership is being given; proposals are refused meanwhile."""

    @property
    def committed_index(self) -> int:
        """Entries up to this one are committed, as far as this member knows."""
        raise NotImplementedError

    @property
    def next_due_ms(self) -> int:
        """When ``tick`` must be called at the latest; may be in the past: at once."""
        raise NotImplementedError

    def tick(self, now_ms: int) -> None:
        """Let time be ``now_ms`` (it never goes back) and do what is due.

        Call it too before ``step``, ``replied`` and ``propose``, cheap as it is: they take the
        time of the last tick.
        """
        raise NotImplementedError

    def step(self, request: Request, token: object = None) -> None:
        """Take a peer's request; one of the next ``Ready.answers`` carries this very object and
        the ``token``. A transfer's answer may come much later.
        """
        raise NotImplementedError

    def replied(self, request: Request, reply: Reply) -> None:
        """Take the reply to a request of ours: the very object that ``Ready.requests`` gave."""
        raise NotImplementedError

    def failed(self, request: Request) -> None:
        """Learn that a request of ours (the very object) got no reply: timeout, connection."""
        raise NotImplementedError

    def propose(self, bodies: Sequence[bytes]) -> Proposal:
        """Append bodies to the leader's log, or say why not.

        Codes: NOT_LEADER, LEADER_TRANSFERRING, LEADER_PENDING_FULL, REQUEST_WITH_EMPTY_BODYS,
        DISK_ERROR.
        """
        raise NotImplementedError

    def transfer(self, transferee: str) -> int:
        """Ask this leader to give leadership away; SUCCESS: it has begun, see ``transferee``.

        Codes: NOT_LEADER, UNKNOWN_MEMBER, FALL_BEHIND_TOO_MUCH, LEADER_TRANSFERRING,
        UNEXPECTED_ARGUMENT (to itself).
        """
        raise NotImplementedError

    def ready(self) -> Ready | None:
        """What the driver is to do now, None if nothing. See ``rmq.raft.ready`` for the order."""
        raise NotImplementedError

    def advance(self, ready: Ready) -> None:
        """Learn that a ready's hard state is persisted and its log is durable."""
        raise NotImplementedError
