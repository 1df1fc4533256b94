"""One member of a group: consensus as a state machine without I/O.

The driver gives it requests, replies, failures, time and bodies; whatever it then wants done comes
out of ``ready()``. It never blocks, reads no clock, calls nobody but its ``Log`` and ``Chance``.
"""

from collections.abc import Sequence

from codec.codes import DLedgerResponseCode as Code
from rmq.base.ports import Chance
from rmq.raft.config import RaftConfig
from rmq.raft.election import Election
from rmq.raft.follower import Following
from rmq.raft.log import Log
from rmq.raft.messages import (
    NO_INDEX,
    HeartBeat,
    HeartBeatReply,
    Push,
    PushReply,
    Reply,
    Request,
    Role,
    TransferReply,
    Vote,
    VoteReply,
    VoteResult,
)
from rmq.raft.push import Leadership
from rmq.raft.ready import HardState, Proposal, Ready
from rmq.raft.roles import Standing
from rmq.raft.transfer import Transfers


class Node:
    """A member. One thread calls it.

    After each call the driver asks ``ready()`` until it gives None. Steps may be gathered before:
    entries proposed together are pushed together.
    """

    __slots__ = (
        "_committed_index",
        "_election",
        "_following",
        "_leadership",
        "_offered",
        "_standing",
        "_transfers",
    )

    def __init__(
        self, config: RaftConfig, log: Log, hard_state: HardState, chance: Chance, now_ms: int
    ) -> None:
        """Begin as a candidate with what was persisted (``HardState()`` if nothing was).

        All of the log is taken to be durable: who opens it sees to that.
        """
        self._standing = standing = Standing(config, log, hard_state, chance, now_ms)
        self._election = Election(standing)
        self._leadership = Leadership(standing)
        self._following = Following(standing)
        self._transfers = Transfers(standing, self._election, self._leadership)
        standing.on_change = self._role_changed
        self._election.heard = self._leadership.accepted_by
        self._committed_index = NO_INDEX  # nothing was told to the driver
        self._offered = (0, log.end_index)

    def _role_changed(self, role: Role, term: int) -> None:
        self._leadership.role_changed(role, term)
        self._transfers.role_changed(role, term)

    # What is known now.

    @property
    def config(self) -> RaftConfig:
        """Its settings."""
        return self._standing.config

    @property
    def log(self) -> Log:
        """Its log."""
        return self._standing.log

    @property
    def role(self) -> Role:
        """What it is."""
        return self._standing.role

    @property
    def is_leader(self) -> bool:
        """Whether it leads its term."""
        return self._standing.role is Role.LEADER

    @property
    def term(self) -> int:
        """The term it is in."""
        return self._standing.term

    @property
    def voted_for(self) -> str | None:
        """Who has its vote in this term."""
        return self._standing.voted_for

    @property
    def leader_id(self) -> str | None:
        """Who leads this term, as far as it heard."""
        return self._standing.leader_id

    @property
    def transferee(self) -> str | None:
        """To whom leadership is being given; proposals are refused meanwhile."""
        return self._standing.transferee

    @property
    def committed_index(self) -> int:
        """Entries up to this one are committed, as far as it knows."""
        return self._standing.log.committed_index

    @property
    def durable_index(self) -> int:
        """Entries up to this one are on disk, as the driver said by ``advance``."""
        return self._standing.durable_index

    @property
    def refused_cuts(self) -> int:
        """How often a leader wanted committed entries cut: somebody lost data. See ``roles``."""
        return self._standing.refused_cuts

    def watermark(self, peer: str) -> int:
        """As leader: the last entry another member is known to hold, -1 if none."""
        return self._leadership.watermark(peer)

    @property
    def next_due_ms(self) -> int:
        """When ``tick`` must be called at the latest; may be in the past: at once."""
        return min(
            self._election.next_due_ms,
            self._leadership.next_due_ms,
            self._following.next_due_ms,
            self._transfers.next_due_ms,
        )

    # What happens.

    def tick(self, now_ms: int) -> None:
        """Let time be ``now_ms`` (it never goes back) and do what is due.

        Call it too before ``step``, ``replied``, ``propose`` and ``advance``, if time went on: they
        take the time of the last tick.
        """
        standing = self._standing
        assert now_ms >= standing.now_ms, (now_ms, standing.now_ms)
        standing.now_ms = now_ms
        self._election.maintain()
        self._following.check_gaps()
        self._transfers.maintain()
        self._leadership.expire()

    def step(self, request: Request, token: object = None) -> None:
        """Take a peer's request.

        One of the next ``Ready.answers`` carries this very object and the ``token``; that of a
        push or transfer may come much later, or never if the node stops.
        """
        standing = self._standing
        if request.target != standing.config.self_id:
            standing.answer(request, token, self._refusal(request, Code.UNKNOWN_MEMBER))
        elif request.group != standing.config.group:
            standing.answer(request, token, self._refusal(request, Code.UNKNOWN_GROUP))
        elif isinstance(request, Push):
            self._following.step(request, token)
        elif isinstance(request, HeartBeat):
            self._election.heard_beat(request, token)
        elif isinstance(request, Vote):
            self._election.asked_to_vote(request, token)
        else:
            self._transfers.step(request, token)

    def _refusal(self, request: Request, code: Code) -> Reply:
        """Java's answer to who meant another: the request's base, with the leader known here."""
        term, leader_id = request.term, self._standing.leader_id
        if isinstance(request, Push):
            return PushReply(code=code, term=term, leader_id=leader_id, echo=True)
        if isinstance(request, HeartBeat):
            return HeartBeatReply(code=code, term=term, leader_id=leader_id, echo=True)
        if isinstance(request, Vote):
            return VoteReply(VoteResult.UNKNOWN, term, code, leader_id)
        return TransferReply(code=code, term=term, leader_id=leader_id, echo=True)

    def replied(self, request: Request, reply: Reply) -> None:
        """Take the reply to a request of ours: the very object that ``Ready.requests`` gave."""
        if isinstance(request, Push):
            assert isinstance(reply, PushReply), reply
            self._leadership.pushed(request, reply)
        elif isinstance(request, HeartBeat):
            assert isinstance(reply, HeartBeatReply), reply
            self._election.beaten(request, reply)
        elif isinstance(request, Vote):
            assert isinstance(reply, VoteReply), reply
            self._election.voted(request, reply)
        else:
            assert isinstance(reply, TransferReply), reply
            self._transfers.given(request, reply)

    def failed(self, request: Request) -> None:
        """Learn that a request of ours (the very object) got no reply: timeout, connection."""
        if isinstance(request, Push):
            self._leadership.pushed(request, None)
        elif isinstance(request, HeartBeat):
            self._election.beaten(request, None)
        elif isinstance(request, Vote):
            self._election.voted(request, None)
        else:
            self._transfers.given(request, None)

    def peer_lost(self, peer: str) -> None:
        """Learn that the connection over which ``peer`` asked us has ended.

        If it is the leader that we follow, votes are asked for soon, unless it is found again.
        """
        self._election.lost(peer)

    def peer_found(self, peer: str) -> None:
        """Learn that ``peer`` asks us over a new connection."""
        self._election.found(peer)

    def propose(self, bodies: Sequence[bytes]) -> Proposal:
        """Append bodies to the leader's log, or say why not.

        Codes: NOT_LEADER, LEADER_TRANSFERRING, LEADER_PENDING_FULL, REQUEST_WITH_EMPTY_BODYS,
        DISK_ERROR (then some of several bodies may have been written, and may be committed).
        """
        return self._leadership.propose(bodies)

    def transfer(self, transferee: str) -> int:
        """Ask this leader to give leadership away; SUCCESS: it has begun, see ``transferee``.

        Codes: NOT_LEADER, UNKNOWN_MEMBER, FALL_BEHIND_TOO_MUCH, LEADER_TRANSFERRING,
        UNEXPECTED_ARGUMENT (to itself).
        """
        return self._transfers.begin(transferee)

    # What is to be done.

    def ready(self) -> Ready | None:
        """What the driver is to do now, None if nothing. See ``rmq.raft.ready`` for the order."""
        standing, log = self._standing, self._standing.log
        self._following.work()
        self._transfers.maintain()
        if standing.role is Role.LEADER:
            self._leadership.pump()
        offered, committed_index = (standing.cuts, log.end_index), log.committed_index
        if not (
            standing.requests
            or standing.answers
            or standing.hard_state_changed
            or standing.role_changes
            or standing.joined
            or self._leadership.ended
            or offered != self._offered
            or committed_index != self._committed_index
        ):
            return None
        ready = Ready(
            hard_state=self._hard_state(),
            requests=tuple(standing.requests),
            answers=tuple(standing.answers),
            durable_index=log.end_index,
            cuts=standing.cuts,
            committed_index=committed_index,
            role_changes=tuple(standing.role_changes),
            joined=standing.joined,
            ended=tuple(self._leadership.ended),
        )
        standing.requests.clear()
        standing.answers.clear()
        standing.role_changes.clear()
        standing.joined = ()
        self._leadership.ended.clear()
        self._offered, self._committed_index = offered, committed_index
        return ready

    def _hard_state(self) -> HardState | None:
        standing = self._standing
        if not standing.hard_state_changed:
            return None
        standing.hard_state_changed = False
        return HardState(standing.term, standing.voted_for)

    def advance(self, ready: Ready) -> None:
        """Learn that a ready's hard state is persisted and its log is durable."""
        standing = self._standing
        if ready.cuts == standing.cuts and ready.durable_index > standing.durable_index:
            standing.durable_index = ready.durable_index
            if standing.role is Role.LEADER:
                self._leadership.commit()
