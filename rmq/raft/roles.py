"""What a member is, and why a group of them agrees.

The argument
------------
A group of n members has a log that all shall come to hold. Time is cut into *terms*. In a term a
member gives one vote, on disk before it is told; who has more than n/2 of them leads the term. Two
majorities share a member, so **a term has one leader at most**. Only the leader makes entries of
its term and, in one term, it only adds to its log: so term and index name one entry.

A follower takes an entry only behind one it has found equal to the leader's. DLedger says that
not in each push but by a handshake: COMPARE walks back from the leader's end until an entry is
equal, TRUNCATE cuts what is behind, then APPEND goes on from there. So **logs that hold an equal
entry are equal before it**.

An entry is *committed* when a majority holds it. A voter refuses who has an older log than itself
(last term, then last index). Each majority of voters has a member that holds the entry, so **who
leads a later term holds all that was committed**. Nothing committed is ever replaced.

What differs from the Raft paper, and what we do
------------------------------------------------
1. *Terms are not adopted at once.* A higher term in a vote or heart-beat makes a candidate that
   answers "term not ready", and raises its term at the next turn of its loop; whoever asked asks
   again. Terms still only grow and a vote counts only in the term it was given in. Safe.
2. *A follower whose leader is silent first asks for votes in its old term*, where it has voted
   already: this finds those that still hear the leader, like the paper's pre-vote. The vote is on
   disk, so nobody is voted for twice. But a leader that crashed and forgot the end of its log
   could be elected again in the same term, and make an index of that term a second time. **We**
   begin with a new term after a restart if our last vote was for ourselves.
3. *Earlier terms' entries are committed by counting* (the paper's figure 8). With members 1 to 5:
   1 leads term 2 and gives entry 2/2 (index/term) to 2, then dies; 5 leads term 3, keeps an entry
   2/3 to itself and dies; 1 leads term 4 and gives 2/2 to 3: a majority, DLedger commits; 1 dies;
   5 may win term 5, for 2/3 is newer than 2/2, and replaces what was committed. **We** by default
   commit by ``CommitRule.CURRENT_TERM``: once an entry of the leader's own term is on a majority,
   all before it are committed. A new leader writes an empty entry to have one, as RocketMQ's
   controller does itself. A DLedger broker cannot have empty entries in its commit log:
   ``no_op_body`` gives it a record that nobody reads.
4. *Java's follower compares whatever the term, and says "stored" to pushes of old leaders* whose
   entry it holds. An old leader may count that. **We** answer pushes only to the leader of our
   own term: COMPARE of another with 407 or 409, not 406, for 406 would make the asker walk back to
   its begin and then cut us there; the others with 406.
5. *A late TRUNCATE cuts what was acknowledged.* It carries no sign of when it was sent. But in one
   term a leader's log only grows: **we** never cut behind an entry found equal in this term, nor
   anything if our last entry is of this term, and say "done": the appends that follow are found
   stored. Nor do we cut what is committed: 406, and ``refused_cuts`` counts (an operator's case).
6. *Java's leader keeps a peer's watermark when it compares again.* **We** forget it, for a peer
   that lost its end no longer holds what it acknowledged.
7. *Java counts its own log before it is on disk.* **We** count it when ``advance`` says that it is.
8. *An empty TRUNCATE target keeps the follower's entries before it*, unseen by any comparison, if
   the leader has cleaned away its own. **We** keep them only if they are committed.
9. *Java's leader does not mind one member in a later term* as long as a majority follows. That
   member, if its log is older, refuses the leader and is refused by all voters, who look at logs
   before they look at terms: it is lost until the next election. **We** go to its term when it
   has refused ``max_heart_beat_leak`` heart-beats in a row; one election, and it follows again.
10. *Java's follower learns only by silence that its leader died*: after 6 s. **We** take the end of
   the leader's connection to us for a doubt, and after a short random wait begin what silence would
   have begun: a round of votes in the old term. A connection may end and its leader live. So who
   knows the leader of that very term, the leader itself above all, says so before it looks at logs
   (a refusal is always safe; Java looks at logs first and would let one whose log lags go on to the
   next term), and one such answer ends the round: no term was spent, nothing has happened. Only who
   doubts as well says "already voted". A leader so asked beats at once, and is followed again. If
   nobody knows the leader, the next term begins after another short wait. Of two that doubt, who is
   asked by the one with the newer log, or the smaller id, lets it go first, and waits as DLedger
   does: messages may take longer than short waits. If two collide all the same, all later waits are
   DLedger's. Java's members doubt by silence only, and answer for the leader until
   then: with them we wait for the end of that silence, as we would have without the doubt.

All of this shows on the wire only as codes that Java knows and treats as "try again".

Who may become what
-------------------
"""

from collections.abc import Callable

from rmq.base.ports import Chance
from rmq.raft.config import RaftConfig
from rmq.raft.log import Log
from rmq.raft.messages import NO_INDEX, Reply, Request, Role
from rmq.raft.ready import Answer, HardState, RoleChange

TRANSITIONS: dict[tuple[Role, Role], str] = {
    (Role.UNKNOWN, Role.CANDIDATE): "started",
    (Role.CANDIDATE, Role.CANDIDATE): "heard of a higher term",
    (Role.CANDIDATE, Role.FOLLOWER): "heard the leader of its own term",
    (Role.CANDIDATE, Role.LEADER): "has a majority's votes in its own term",
    (Role.FOLLOWER, Role.CANDIDATE): (
        "leader silent, or its connection gone; higher term; told to take leadership"
    ),
    (Role.LEADER, Role.CANDIDATE): "majority silent; higher term; a second leader heard",
}
"""All changes of role there are, and their causes. Never LEADER to FOLLOWER or FOLLOWER to LEADER:
between two leaders a member stands as candidate, with no leader, and gets no entries."""

FAR = 1 << 62
"""A time that does not come, ms."""
NO_TERM_TO_TAKE = -1


class Standing:
    """What a member is now, and its out-boxes; shared by the parts of a node."""

    __slots__ = (
        "answers",
        "chance",
        "config",
        "cuts",
        "durable_index",
        "hard_state_changed",
        "increase_term_at_once",
        "joined",
        "known_max_term",
        "leader_id",
        "log",
        "now_ms",
        "on_change",
        "refused_cuts",
        "requests",
        "role",
        "role_changes",
        "term",
        "term_to_take",
        "transferee",
        "voted_for",
    )

    def __init__(
        self, config: RaftConfig, log: Log, hard_state: HardState, chance: Chance, now_ms: int
    ) -> None:
        self.config = config
        self.log = log
        self.chance = chance
        self.now_ms = now_ms
        self.role = Role.CANDIDATE  # UNKNOWN ends here; nobody is told, as in Java
        self.term = hard_state.term
        self.voted_for = hard_state.voted_for
        self.leader_id: str | None = None
        self.known_max_term = -1
        self.increase_term_at_once = False
        self.transferee: str | None = None
        self.term_to_take = NO_TERM_TO_TAKE
        self.durable_index = log.end_index
        self.cuts = 0
        self.refused_cuts = 0
        self.hard_state_changed = False
        self.requests: list[Request] = []
        self.answers: list[Answer] = []
        self.role_changes: list[RoleChange] = []
        self.joined: tuple[str, ...] = ()
        """Who accepts this leader and did not before: see ``Ready.joined``."""
        self.on_change: Callable[[Role, int], None] = _nobody

    @property
    def is_leader(self) -> bool:
        """Whether this member leads its term."""
        return self.role is Role.LEADER

    @property
    def is_taking_leadership(self) -> bool:
        """Whether it was told to take leadership in this term, and is preferred to have it.

        Source: DLedgerLeaderElector.java, isTakingLeadership(), 0.3.1.2.
        """
        return (
            self.term_to_take == self.term
            and self.config.self_id in self.config.preferred_leader_ids
        )

    def follows(self, leader_id: str | None, term: int) -> bool:
        """Whether this member follows that leader in that term."""
        return self.role is Role.FOLLOWER and term == self.term and leader_id == self.leader_id

    def ask(self, request: Request) -> None:
        """Have a request sent."""
        self.requests.append(request)

    def answer(self, request: Request, token: object, reply: Reply) -> None:
        """Have a request answered."""
        self.answers.append(Answer(request, reply, token))

    def vote_for(self, candidate: str) -> None:
        """Give this term's vote, on disk before it is told."""
        assert self.voted_for in (None, candidate), (self.term, self.voted_for, candidate)
        if self.voted_for is None:
            self.voted_for = candidate
            self.hard_state_changed = True

    def next_term(self) -> None:
        """Go to the highest term heard of, or to the next; it has no vote yet.

        Source: MemberState.java, nextTerm(), 0.3.1.2.
        """
        assert self.role is Role.CANDIDATE, self.role
        self.term = max(self.known_max_term, self.term + 1)
        self.voted_for = None
        self.hard_state_changed = True

    def become_candidate(self, term: int) -> None:
        """Stand without a leader; ``term``, this one or a later one, is where to go next."""
        assert term >= self.term, (term, self.term)
        self.known_max_term = max(self.known_max_term, term)
        self._become(Role.CANDIDATE, term, None)

    def become_follower(self, leader_id: str) -> None:
        """Follow the leader of this term."""
        self._become(Role.FOLLOWER, self.term, leader_id)

    def become_leader(self) -> None:
        """Lead this term."""
        self._become(Role.LEADER, self.term, self.config.self_id)

    def _become(self, role: Role, term: int, leader_id: str | None) -> None:
        assert (self.role, role) in TRANSITIONS, (self.role, role)
        self.role = role
        self.leader_id = leader_id
        self.transferee = None
        self.joined = ()
        self.role_changes.append(RoleChange(role, term, leader_id))
        self.on_change(role, term)

    def log_was_cut(self, last_kept_index: int) -> None:
        """Note that entries behind this one were forgotten, and maybe others written since."""
        self.cuts += 1
        self.durable_index = min(self.durable_index, last_kept_index)

    def commit(self, index: int) -> bool:
        """Move the committed index forward as far as the log goes; whether it moved.

        Source: DLedgerMmapFileStore.java, updateCommittedIndex(), 0.3.1.2.
        """
        index = min(index, self.log.end_index)
        if index == NO_INDEX or index <= self.log.committed_index or index < self.log.begin_index:
            return False
        self.log.commit(index)
        return True


def _nobody(role: Role, term: int) -> None:
    """Where a change goes before the node is complete."""
