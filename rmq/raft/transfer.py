"""Leadership given to another member on purpose.

The leader refuses proposals and tells the transferee "take it"; that one waits until it has the
leader's last entry, goes to the next term as candidate, and answers when it has become something.
A leader that is not preferred looks each second for a preferred member that keeps pace, and gives
it the leadership. Sources: DLedgerServer.java, handleLeadershipTransfer(), checkPreferredLeader();
DLedgerLeaderElector.java, TakeLeadershipTask, 0.3.1.2. Where Java's leader would refuse proposals
for ever because the transferee did not answer, this one goes on.
"""

from codec.codes import DLedgerResponseCode as Code
from rmq.raft.election import Election
from rmq.raft.messages import SUCCESS, Role, Transfer, TransferReply
from rmq.raft.push import Leadership
from rmq.raft.roles import FAR, NO_TERM_TO_TAKE, Standing


class Asked:
    """A transfer that is not answered yet."""

    __slots__ = ("due_ms", "request", "token")

    def __init__(self, request: Transfer, token: object, due_ms: int = FAR) -> None:
        self.request = request
        self.token = token
        self.due_ms = due_ms


class Transfers:
    """Transfers that this member gives, takes, or begins itself."""

    __slots__ = (
        "_election",
        "_given",
        "_leadership",
        "_preferred_ms",
        "_standing",
        "_taken",
        "_wait",
    )

    def __init__(self, standing: Standing, election: Election, leadership: Leadership) -> None:
        self._standing = standing
        self._election = election
        self._leadership = leadership
        self._given: tuple[Transfer, Asked | None] | None = None
        """The "take it" under way, and who wished it (None: this leader itself)."""
        self._wait: Asked | None = None
        """A "take it" that waits for entries."""
        self._taken: Asked | None = None
        """A "take it" that waits for an election."""
        self._preferred_ms = standing.now_ms + standing.config.preferred_check_ms

    @property
    def next_due_ms(self) -> int:
        """When ``maintain`` has something to do at the latest."""
        due_ms = self._wait.due_ms if self._wait else FAR
        if self._standing.is_leader and self._standing.config.preferred_leader_ids:
            due_ms = min(due_ms, self._preferred_ms)
        return due_ms

    def step(self, request: Transfer, token: object) -> None:
        """Take a wish (this is the leader) or a "take it" (this is the transferee)."""
        self_id = self._standing.config.self_id
        asked = Asked(request, token)
        if request.transfer_id == self_id:
            code = self._refusal(request)
            if code is None:
                self._give(request.transferee_id or "", asked)
            elif code is Code.LEADER_TRANSFERRING:
                self._answer(asked, TransferReply(code=code, term=self._standing.term))
            else:
                self._refuse(asked, code)
        elif request.transferee_id == self_id:
            self._asked_to_take(asked)
        else:
            reply = TransferReply(code=Code.UNEXPECTED_ARGUMENT, term=self._standing.term)
            self._answer(asked, reply)

    def begin(self, transferee: str) -> int:
        """Give leadership away of this member's own accord; SUCCESS or why not."""
        config, term = self._standing.config, self._standing.term
        wish = Transfer(
            group=config.group,
            sender=None,
            target=config.self_id,
            term=term,
            leader_id=None,
            transfer_id=config.self_id,
            transferee_id=transferee,
        )
        code = self._refusal(wish)
        if code is None:
            self._give(transferee, None)
        return SUCCESS if code is None else code

    def _refusal(self, wish: Transfer) -> Code | None:
        standing, transferee = self._standing, wish.transferee_id
        if transferee not in standing.config.peers:
            return Code.UNKNOWN_MEMBER
        if wish.term != standing.term:
            return Code.INCONSISTENT_TERM
        if not standing.is_leader:
            return Code.NOT_LEADER
        if transferee == standing.config.self_id:
            return Code.UNEXPECTED_ARGUMENT
        behind = self._leadership.fall_behind(transferee)
        if behind >= standing.config.max_leadership_transfer_wait_index:
            return Code.FALL_BEHIND_TOO_MUCH
        return None if standing.transferee is None else Code.LEADER_TRANSFERRING

    def _give(self, transferee: str, asked: Asked | None) -> None:
        standing, config = self._standing, self._standing.config
        standing.transferee = transferee
        take = Transfer(
            group=config.group,
            sender=config.self_id,
            target=transferee,
            term=standing.term,
            leader_id=config.self_id,
            transfer_id=config.self_id,
            transferee_id=transferee,
            take_index=standing.log.end_index,
        )
        self._end_given(TransferReply(code=Code.TAKE_LEADERSHIP_FAILED, term=standing.term))
        self._given = take, asked
        standing.ask(take)

    def given(self, request: Transfer, reply: TransferReply | None) -> None:
        """Take the transferee's answer; None: there is none."""
        if self._given is None or self._given[0] is not request:
            return
        standing = self._standing
        if reply is None:
            reply = TransferReply(code=Code.NETWORK_ERROR, term=standing.term)
        if reply.code != SUCCESS or standing.term == request.term:
            standing.transferee = None
        self._end_given(reply)

    def _end_given(self, reply: TransferReply) -> None:
        if self._given is not None and self._given[1] is not None:
            self._answer(self._given[1], reply)
        self._given = None

    def _asked_to_take(self, asked: Asked) -> None:
        standing = self._standing
        if asked.request.transfer_id is None or asked.request.transfer_id != standing.leader_id:
            self._refuse(asked, Code.INCONSISTENT_LEADER)
            return
        if self._wait is not None:
            self._refuse(self._wait, Code.TAKE_LEADERSHIP_FAILED)
        asked.due_ms = standing.now_ms + standing.config.leadership_transfer_wait_timeout_ms
        self._wait = asked
        self.maintain()

    def maintain(self) -> None:
        """Take leadership if the entries waited for are here; look for a preferred leader."""
        standing, wait = self._standing, self._wait
        if wait is not None:
            if standing.log.end_index >= wait.request.take_index:
                self._wait = None
                self._take(wait)
            elif standing.now_ms >= wait.due_ms:
                self._wait = None
                self._refuse(wait, Code.TAKE_LEADERSHIP_FAILED)
        if standing.now_ms >= self._preferred_ms:
            self._preferred_ms = standing.now_ms + standing.config.preferred_check_ms
            self._prefer()

    def _take(self, asked: Asked) -> None:
        """Go for the next term. Source: handleTakeLeadership()."""
        standing, term = self._standing, asked.request.term
        if term != standing.term:
            self._answer(asked, TransferReply(code=Code.INCONSISTENT_TERM, term=standing.term))
            return
        assert self._taken is None  # it would stand as candidate, and none such is asked
        standing.term_to_take = term + 1
        self._taken = asked
        self._election.become_candidate(term + 1)
        standing.increase_term_at_once = True

    def role_changed(self, role: Role, term: int) -> None:
        """Answer a "take it" once it is decided. Source: TakeLeadershipTask.check()."""
        standing = self._standing
        if self._taken is None:
            return
        if term > standing.term_to_take:
            self._end_taken(TransferReply(code=Code.EXPIRED_TERM, term=term))
        elif role is Role.FOLLOWER:
            self._end_taken(TransferReply(code=Code.TAKE_LEADERSHIP_FAILED, term=term))
        elif role is Role.LEADER:
            self._end_taken(TransferReply(term=term))

    def _end_taken(self, reply: TransferReply) -> None:
        assert self._taken is not None
        self._answer(self._taken, reply)
        self._taken = None
        self._standing.term_to_take = NO_TERM_TO_TAKE

    def _prefer(self) -> None:
        """Give leadership to the preferred, live member that is least behind."""
        standing, config = self._standing, self._standing.config
        preferred = config.preferred_leader_ids
        if not standing.is_leader or standing.transferee or config.self_id in preferred:
            return
        live = [one for one in preferred if self._election.live.get(one)]
        if live:
            self.begin(min(live, key=self._leadership.fall_behind))

    def _answer(self, asked: Asked, reply: TransferReply) -> None:
        self._standing.answer(asked.request, asked.token, reply)

    def _refuse(self, asked: Asked, code: Code) -> None:
        """Refuse as DLedgerServer does: request's base repeated, with the leader known here."""
        term, leader_id = asked.request.term, self._standing.leader_id
        reply = TransferReply(code=code, term=term, leader_id=leader_id, echo=True)
        self._answer(asked, reply)
