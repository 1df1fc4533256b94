"""What a node wants done: persist, then send, then apply.

A driver does, for each ``Ready`` that ``Node.ready()`` gives, in this order:

1. persist ``hard_state``, if there is one, so that it survives a crash;
2. send ``requests``; hand what comes back to ``Node.replied`` or ``Node.failed``;
3. make the log durable up to ``durable_index`` (a driver as lax as Java's skips this: a member
   that loses power may then forget what it acknowledged);
4. give ``answers`` to those who asked;
5. ``Node.advance(ready)``: only now a leader counts its own log as holding those entries;
6. apply entries up to ``committed_index``, tell listeners ``role_changes`` and then ``joined``, and
   proposers ``ended``.

Steps 2 and 3 may overlap: that is how a leader's disk and its network work at the same time. While
a disk syncs, the driver may go on stepping and take further readies: it does their steps 1 and 2
at once, and their steps 3 to 6 in the order in which it got them.
"""

from msgspec import Struct

from rmq.raft.messages import Entry, Reply, Request, Role


class HardState(Struct, frozen=True, gc=False):
    """What a member must never forget: its term, and whom it voted for in it."""

    term: int = 0
    voted_for: str | None = None


class RoleChange(Struct, frozen=True, gc=False):
    """A member became something.

    ``term`` of a candidate may be one that it has only heard of and goes to next, as in Java.
    """

    role: Role
    term: int
    leader_id: str | None


class Answer(Struct, frozen=True, gc=True):
    """The reply to one request that was stepped, with the token its driver gave along."""

    request: Request
    reply: Reply
    token: object = None


class Proposal:
    """What became of proposed bodies: taken if ``code`` is SUCCESS.

    It has then ended when its node's ``committed_index`` (of the same term of leadership) reaches
    ``last_index``, or when ``Ready.ended`` names it. Compared by identity.
    """

    __slots__ = ("code", "due_ms", "entries", "last_index", "leader_id", "term")

    def __init__(
        self, code: int, term: int, leader_id: str | None, entries: tuple[Entry, ...], due_ms: int
    ) -> None:
        self.code = code
        self.term = term
        self.leader_id = leader_id
        self.entries = entries
        self.last_index = entries[-1].index if entries else -1
        self.due_ms = due_ms


class Ended(Struct, frozen=True, gc=True):
    """A proposal that was taken and is over.

    ``code``: SUCCESS, committed; TERM_CHANGED, this member no longer leads: nobody knows;
    WAIT_QUORUM_ACK_TIMEOUT, not committed in time: it may be later.
    """

    proposal: Proposal
    code: int


class Ready(Struct, frozen=True, kw_only=True, gc=True):
    """One batch of work for the driver."""

    hard_state: HardState | None
    """Persist it before anything else; None if it has not changed."""
    requests: tuple[Request, ...]
    answers: tuple[Answer, ...]
    durable_index: int
    """The log must be durable so far before ``answers`` go out: its end; it may long be so."""
    cuts: int
    """How often the log was cut when this was made: ``durable_index`` is of that log."""
    committed_index: int
    """Entries up to this one are to be applied; it never shrinks while a node lives, except when
    the log restarts at a later entry (a follower too far behind)."""
    role_changes: tuple[RoleChange, ...]
    joined: tuple[str, ...]
    """Members that accept this leader now and did not: it is new, or they refused, or were silent
    for longer than they are patient. What such a one told others as leader of an older term may
    still be on its way to them."""
    ended: tuple[Ended, ...]
