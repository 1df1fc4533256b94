"""How a leader is found and kept: votes and heart-beats.

A *round* asks all members once and ends with a decision: early, when the answers suffice, or at
its due time. Java's loop blocks in a round; here a round is a value, dropped when role or term
changes under it. Answers to heart-beats also tell who joins a leader, which Java's does not note:
what it means is told at ``Ready.joined``. Sources: DLedgerLeaderElector.java, MemberState.java,
0.3.1.2.
"""

from collections.abc import Callable
from enum import Enum

from codec.codes import DLedgerResponseCode as Code
from rmq.raft.messages import HeartBeat, HeartBeatReply, Role, Vote, VoteReply, VoteResult
from rmq.raft.roles import FAR, Standing


class NextRound(Enum):
    """What a round of votes leads to. Source: VoteResponse.java, ParseResult, 0.3.1.2."""

    WAIT_TO_REVOTE = "again in this term, later"
    REVOTE_IMMEDIATELY = "again in this term, at once"
    PASSED = "elected"
    WAIT_TO_VOTE_NEXT = "in the next term, later"


class VoteRound:
    """The votes for one candidate in one term, as far as they came in."""

    __slots__ = (
        "accepted",
        "all",
        "asked",
        "bigger_ledger",
        "due_ms",
        "has_leader",
        "max_term",
        "not_ready",
        "term",
        "valid",
    )

    def __init__(self, term: int, due_ms: int) -> None:
        self.term = term
        self.due_ms = due_ms
        self.asked: dict[str, Vote] = {}
        self.all = self.valid = self.accepted = self.not_ready = self.bigger_ledger = 0
        self.has_leader = False
        self.max_term = term

    def count(self, reply: VoteReply | None) -> None:
        """Take one answer; None: there will be none."""
        self.all += 1
        if reply is None:
            return
        result = reply.result
        self.valid += result is not VoteResult.UNKNOWN
        if result is VoteResult.ACCEPT:
            self.accepted += 1
        elif result is VoteResult.REJECT_ALREADY_HAS_LEADER:
            self.has_leader = True
        elif result in (
            VoteResult.REJECT_TERM_SMALL_THAN_LEDGER,
            VoteResult.REJECT_EXPIRED_VOTE_TERM,
        ):
            self.max_term = max(self.max_term, reply.term)
        elif result in (
            VoteResult.REJECT_EXPIRED_LEDGER_TERM,
            VoteResult.REJECT_SMALL_LEDGER_END_INDEX,
        ):
            self.bigger_ledger += 1
        elif result is VoteResult.REJECT_TERM_NOT_READY:
            self.not_ready += 1


class BeatRound:
    """The answers to one heart-beat of a leader."""

    __slots__ = ("all", "asked", "due_ms", "inconsistent", "max_term", "not_ready", "succeeded")

    def __init__(self, due_ms: int) -> None:
        self.due_ms = due_ms
        self.asked: dict[str, HeartBeat] = {}
        self.all = self.succeeded = 1  # itself
        self.not_ready = 0
        self.max_term = -1
        self.inconsistent = False

    def count(self, reply: HeartBeatReply | None) -> None:
        """Take one answer; None: there will be none."""
        self.all += 1
        if reply is None:
            return
        if reply.code == Code.SUCCESS:
            self.succeeded += 1
        elif reply.code == Code.EXPIRED_TERM:
            self.max_term = reply.term
        elif reply.code == Code.INCONSISTENT_LEADER:
            self.inconsistent = True
        elif reply.code == Code.TERM_NOT_READY:
            self.not_ready += 1


class Election:
    """Votes and heart-beats of one member, as asker and as asked."""

    __slots__ = (
        "_accepted_ms",
        "_ahead",
        "_beats",
        "_doubt_due_ms",
        "_in_haste",
        "_last_beat_ms",
        "_last_success_ms",
        "_next",
        "_next_vote_ms",
        "_standing",
        "_votes",
        "heard",
        "live",
    )

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._votes: VoteRound | None = None
        self._beats: BeatRound | None = None
        self._next_vote_ms = standing.now_ms
        self._last_beat_ms = -FAR
        self._last_success_ms = standing.now_ms
        self._doubt_due_ms = FAR
        """When a follower whose leader's connection is gone stands as candidate; FAR: no doubt."""
        self._in_haste = False
        """Whether it stands for such a doubt, and has not gone to the next term since."""
        led_maybe = standing.voted_for == standing.config.self_id
        self._next = NextRound.WAIT_TO_VOTE_NEXT if led_maybe else NextRound.WAIT_TO_REVOTE
        self._ahead: dict[str, int] = {}
        """How many heart-beats in a row each member refused from a later term."""
        self._accepted_ms: dict[str, int] = {}
        """When each member accepted this leader, and has not refused since."""
        self.live: dict[str, bool] = {}
        """Whether each other member answered this leader's last heart-beat."""
        self.heard: Callable[[str], None] = _ignore
        """Told which member accepts this leader, at each heart-beat."""

    @property
    def next_due_ms(self) -> int:
        """When ``maintain`` has something to do at the latest."""
        standing, config = self._standing, self._standing.config
        if standing.role is Role.LEADER:
            next_beat_ms = self._last_beat_ms + config.heart_beat_interval_ms
            return min(next_beat_ms, self._beats.due_ms) if self._beats else next_beat_ms
        if standing.role is Role.FOLLOWER:
            return min(self._last_success_ms + self._patience_ms + 1, self._doubt_due_ms)
        if standing.increase_term_at_once:
            return standing.now_ms
        return self._votes.due_ms if self._votes else self._next_vote_ms

    @property
    def _patience_ms(self) -> int:
        return self._standing.config.patience_ms

    @property
    def _slept(self) -> bool:
        """Whether this leader did nothing for so long that others lead by now, as after SIGSTOP.

        Java's asks them first, and tells clients meanwhile that it leads.
        """
        standing = self._standing
        is_late = standing.now_ms > self._last_success_ms + self._patience_ms
        return is_late and bool(standing.config.others)

    def maintain(self) -> None:
        """Do what is due now in this role."""
        role, now_ms = self._standing.role, self._standing.now_ms
        if role is Role.LEADER:
            if self._beats and now_ms >= self._beats.due_ms:
                self._end_beats(self._beats)
            elif not self._beats and self._slept:
                self.become_candidate(self._standing.term)
            if self._standing.is_leader and now_ms >= (
                self._last_beat_ms + self._standing.config.heart_beat_interval_ms
            ):
                self._beat()
        elif role is Role.FOLLOWER:
            if now_ms > self._last_success_ms + self._patience_ms:
                self.become_candidate(self._standing.term)
            elif now_ms >= self._doubt_due_ms:
                self.become_candidate(self._standing.term)
                self._in_haste, self._next_vote_ms = True, now_ms
        elif self._standing.increase_term_at_once:
            self._increase_term()
            self._standing.increase_term_at_once = False
            self._next_vote_ms = self._vote_later()
        elif self._votes:
            if now_ms >= self._votes.due_ms:
                self._end_votes(self._votes)
        elif now_ms >= self._next_vote_ms:
            self._vote()

    # Connections of the leader.

    def lost(self, member: str) -> None:
        """Doubt the leader if it is this one: its connection to us is gone. See ``roles``, 10."""
        standing = self._standing
        if standing.role is Role.FOLLOWER and member == standing.leader_id:
            self._doubt_due_ms = self._soon()

    def found(self, member: str) -> None:
        """Doubt no more, if it is the leader that has come again."""
        if member == self._standing.leader_id:
            self._doubt_due_ms = FAR

    def _yield(self, request: Vote) -> None:
        """Let another that doubts the same leader go first, if its log is newer or its id smaller.

        So two do not go to the next term together, even if messages take longer than the waits.
        """
        standing, log = self._standing, self._standing.log
        newer = (request.end_term, request.end_index) > (log.end_term, log.end_index)
        if not newer and request.sender > standing.config.self_id:
            return
        if standing.role is Role.FOLLOWER:
            self._doubt_due_ms = self._vote_later()
        else:
            self._votes, self._in_haste = None, False
            self._next, self._next_vote_ms = NextRound.WAIT_TO_REVOTE, self._vote_later()

    def _soon(self) -> int:
        config = self._standing.config
        least, most = config.min_lost_vote_interval_ms, config.max_lost_vote_interval_ms
        return self._standing.now_ms + least + self._standing.chance.below(most - least)

    # Changes of role.

    def become_candidate(self, term: int) -> None:
        """Stand without a leader; whatever was asked before no longer matters."""
        self._votes = self._beats = None
        self._doubt_due_ms, self._in_haste = FAR, False
        self._standing.become_candidate(term)

    def _become_follower(self, leader_id: str) -> None:
        self._votes = None
        self._in_haste = False
        self._next = NextRound.WAIT_TO_REVOTE
        self._last_success_ms = self._standing.now_ms
        self._standing.become_follower(leader_id)

    def _become_leader(self) -> None:
        self.live.clear()
        self._ahead.clear()
        self._accepted_ms.clear()
        self._last_success_ms = self._standing.now_ms
        self._standing.become_leader()
        self._beat()

    def _increase_term(self) -> None:
        self._votes = None
        self._next = NextRound.WAIT_TO_REVOTE
        self._standing.next_term()

    def _step_down(self, term: int) -> None:
        """Make room for a term heard of; its number is taken at the next turn."""
        self.become_candidate(term)
        self._standing.increase_term_at_once = True

    # Votes, asked for.

    def _vote_later(self) -> int:
        config = self._standing.config
        least, most = config.min_vote_interval_ms, config.max_vote_interval_ms
        if self._standing.is_taking_leadership:
            least = config.min_take_leadership_vote_interval_ms
            most = config.max_take_leadership_vote_interval_ms
        return self._standing.now_ms + least + self._standing.chance.below(most - least)

    def _vote(self) -> None:
        standing, config = self._standing, self._standing.config
        if self._next is NextRound.WAIT_TO_VOTE_NEXT:
            self._increase_term()
            self._in_haste = False
        if self._in_haste:  # who lives answers soon, and the dead may not even refuse
            wait_ms = config.max_lost_vote_interval_ms
        else:
            wait_ms = config.vote_wait_ms + standing.chance.below(config.max_vote_interval_ms)
        votes = self._votes = VoteRound(standing.term, standing.now_ms + wait_ms)
        for target in (config.self_id, *config.others):
            vote = Vote(
                group=config.group,
                sender=config.self_id,
                target=target,
                term=standing.term,
                leader_id=config.self_id,
                end_index=standing.log.end_index,
                end_term=standing.log.end_term,
            )
            if target == config.self_id:
                votes.count(self._answer_to_vote(vote, itself=True))
            else:
                votes.asked[target] = vote
                standing.ask(vote)
        self._decide_votes(votes)

    def voted(self, request: Vote, reply: VoteReply | None) -> None:
        """Take the answer to a vote asked for; None: there is none."""
        votes = self._votes
        if votes is None or votes.asked.get(request.target) is not request:
            return
        del votes.asked[request.target]
        votes.count(reply)
        self._decide_votes(votes)

    def _decide_votes(self, votes: VoteRound) -> None:
        is_quorum = self._standing.config.is_quorum
        if (
            votes.has_leader
            or is_quorum(votes.accepted + votes.not_ready)
            or votes.all == len(self._standing.config.peers)
        ):
            self._end_votes(votes)

    def _end_votes(self, votes: VoteRound) -> None:
        standing, config = self._standing, self._standing.config
        in_haste, self._in_haste = self._in_haste, False
        self._votes = None
        if votes.max_term > votes.term:
            self._next, self._next_vote_ms = NextRound.WAIT_TO_VOTE_NEXT, self._vote_later()
            self.become_candidate(votes.max_term)
        elif votes.has_leader:
            self._next = NextRound.WAIT_TO_REVOTE
            self._next_vote_ms = self._vote_later() + self._patience_ms
            if in_haste:  # nothing has changed for who is silent
                self._next_vote_ms = self._last_success_ms + self._patience_ms + 1
        elif not config.is_quorum(votes.valid):
            self._next, self._next_vote_ms = NextRound.WAIT_TO_REVOTE, self._vote_later()
        elif not config.is_quorum(votes.valid - votes.bigger_ledger):
            self._next = NextRound.WAIT_TO_REVOTE
            self._next_vote_ms = self._vote_later() + config.max_vote_interval_ms
        elif config.is_quorum(votes.accepted):
            self._next = NextRound.PASSED
            self._become_leader()
        elif config.is_quorum(votes.accepted + votes.not_ready):
            self._next = NextRound.REVOTE_IMMEDIATELY
            self._next_vote_ms = standing.now_ms + config.pace_ms
        else:
            self._next, self._in_haste = NextRound.WAIT_TO_VOTE_NEXT, in_haste
            self._next_vote_ms = self._soon() if in_haste else self._vote_later()

    # Votes, given.

    def asked_to_vote(self, request: Vote, token: object) -> None:
        """Answer a candidate."""
        self._standing.answer(request, token, self._answer_to_vote(request, itself=False))

    def _answer_to_vote(self, request: Vote, *, itself: bool) -> VoteReply:
        """The vote. Source: DLedgerLeaderElector.java, handleVote(), 0.3.1.2.

        On purpose different: see ``roles``, 10.
        """
        standing, log = self._standing, self._standing.log
        candidate, term = request.leader_id, standing.term
        knows_leader = standing.leader_id is not None and self._doubt_due_ms == FAR
        if candidate is None or candidate not in standing.config.peers:
            return VoteReply(VoteResult.REJECT_UNKNOWN_LEADER, term)
        if not itself and candidate == standing.config.self_id:
            return VoteReply(VoteResult.REJECT_UNEXPECTED_LEADER, term)
        if knows_leader and request.term == term and candidate != standing.leader_id:
            self._beat_soon()
            return VoteReply(VoteResult.REJECT_ALREADY_HAS_LEADER, term)
        end_index, end_term = log.end_index, log.end_term
        if request.end_term < end_term:
            return VoteReply(VoteResult.REJECT_EXPIRED_LEDGER_TERM, term)
        if request.end_term == end_term and request.end_index < end_index:
            return VoteReply(VoteResult.REJECT_SMALL_LEDGER_END_INDEX, term)
        if request.term < term:
            return VoteReply(VoteResult.REJECT_EXPIRED_VOTE_TERM, term)
        if request.term > term:
            self._step_down(request.term)
            return VoteReply(VoteResult.REJECT_TERM_NOT_READY, term)
        if standing.voted_for not in (None, candidate):
            if knows_leader:
                return VoteReply(VoteResult.REJECT_ALREADY_HAS_LEADER, term)
            if not itself and (self._in_haste or self._doubt_due_ms != FAR):
                self._yield(request)
            return VoteReply(VoteResult.REJECT_ALREADY_VOTED, term)
        if request.term < end_term:
            return VoteReply(VoteResult.REJECT_TERM_SMALL_THAN_LEDGER, end_term)
        if (
            not itself
            and standing.is_taking_leadership
            and request.end_term == end_term
            and request.end_index <= end_index
        ):
            return VoteReply(VoteResult.REJECT_TAKING_LEADERSHIP, term)
        standing.vote_for(candidate)
        return VoteReply(VoteResult.ACCEPT, term)

    def _beat_soon(self) -> None:
        """As leader: be heard by who seems to have lost it, unless it is to be heard just now."""
        if self._standing.is_leader and self._beats is None:
            config = self._standing.config
            paced_ms = self._standing.now_ms + config.pace_ms - config.heart_beat_interval_ms
            self._last_beat_ms = min(self._last_beat_ms, paced_ms)

    # Heart-beats, sent.

    def _beat(self) -> None:
        standing, config = self._standing, self._standing.config
        self._last_beat_ms = standing.now_ms
        beats = self._beats = BeatRound(standing.now_ms + config.heart_beat_interval_ms)
        for target in config.others:
            beat = HeartBeat(
                group=config.group,
                sender=config.self_id,
                target=target,
                term=standing.term,
                leader_id=config.self_id,
            )
            beats.asked[target] = beat
            standing.ask(beat)
        self._decide_beats(beats)

    def beaten(self, request: HeartBeat, reply: HeartBeatReply | None) -> None:
        """Take the answer to a heart-beat; None: there is none."""
        if self._standing.is_leader and request.term == self._standing.term:
            self._note(request.target, reply)
        beats = self._beats
        if beats is None or beats.asked.get(request.target) is not request:
            return
        del beats.asked[request.target]
        beats.count(reply)
        self._decide_beats(beats)

    def _note(self, member: str, reply: HeartBeatReply | None) -> None:
        """Remember who lives, who follows, and who has gone ahead to a later term for good."""
        self.live[member] = reply is not None and reply.code != Code.NETWORK_ERROR
        if reply is not None and reply.code == Code.SUCCESS:
            self._ahead.pop(member, None)
            self._accept(member)
            self.heard(member)
            return
        if reply is None:
            return
        self._accepted_ms.pop(member, None)
        if reply.code == Code.EXPIRED_TERM and reply.term > self._standing.term:
            self._ahead[member] = times = self._ahead.get(member, 0) + 1
            if times >= self._standing.config.max_heart_beat_leak:
                self._step_down(reply.term)

    def _accept(self, member: str) -> None:
        """Have it told that a member joins, if it did not follow by now.

        Who was silent for no longer than it is patient itself has followed all the time.
        """
        standing = self._standing
        if standing.now_ms > self._accepted_ms.get(member, -FAR) + self._patience_ms:
            standing.joined += (member,)
        self._accepted_ms[member] = standing.now_ms

    def _decide_beats(self, beats: BeatRound) -> None:
        config = self._standing.config
        if config.is_quorum(beats.succeeded + beats.not_ready) or beats.all == len(config.peers):
            self._end_beats(beats)

    def _end_beats(self, beats: BeatRound) -> None:
        standing, config = self._standing, self._standing.config
        self._beats = None
        if config.is_quorum(beats.succeeded):
            self._last_success_ms = standing.now_ms
        elif config.is_quorum(beats.succeeded + beats.not_ready):
            self._last_beat_ms = standing.now_ms + config.pace_ms - config.heart_beat_interval_ms
        elif beats.max_term > standing.term:
            self.become_candidate(beats.max_term)
        elif beats.inconsistent or standing.now_ms > self._last_success_ms + self._patience_ms:
            self.become_candidate(standing.term)

    # Heart-beats, heard.

    def heard_beat(self, request: HeartBeat, token: object) -> None:
        """Answer who says that it leads."""
        self._standing.answer(request, token, self._answer_to_beat(request))

    def _answer_to_beat(self, request: HeartBeat) -> HeartBeatReply:
        """The judgement. Source: DLedgerLeaderElector.java, handleHeartBeat(), 0.3.1.2."""
        standing, leader_id = self._standing, request.leader_id
        if leader_id is None or leader_id not in standing.config.peers:
            return HeartBeatReply(code=Code.UNKNOWN_MEMBER, term=standing.term)
        if leader_id == standing.config.self_id:
            return HeartBeatReply(code=Code.UNEXPECTED_MEMBER, term=standing.term)
        if request.term < standing.term:
            return HeartBeatReply(code=Code.EXPIRED_TERM, term=standing.term)
        if request.term > standing.term:
            self._step_down(request.term)
            return HeartBeatReply(code=Code.TERM_NOT_READY)
        if standing.leader_id is None:
            self._become_follower(leader_id)
        elif standing.leader_id != leader_id:
            return HeartBeatReply(code=Code.INCONSISTENT_LEADER)
        self._last_success_ms = standing.now_ms
        self._doubt_due_ms = FAR
        return HeartBeatReply()


def _ignore(member: str) -> None:
    """Where acceptance is told before the node is complete."""
