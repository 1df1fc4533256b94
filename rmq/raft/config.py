"""The settings of a group's member, with DLedger's names and defaults."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum


class CommitRule(Enum):
    """When a leader says that an entry is committed."""

    CURRENT_TERM = "current term"
    """Raft's (paper, 5.4.2): a quorum has it, and it is of the leader's own term or stands before
    one that is. Needs a first entry in each term to go on: ``no_op_on_election``."""
    BY_COUNT = "by count"
    """DLedger's: a quorum has it. Entries of earlier terms so committed can be lost (``roles``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RaftConfig:
    """A member and its group. Times in ms; defaults are those of DLedger 0.3.1.2."""

    group: str
    self_id: str
    peers: frozenset[str]
    """All members' ids, with this one's."""

    heart_beat_interval_ms: int = 2000
    max_heart_beat_leak: int = 3
    """After so many intervals of silence a leader is doubted, or a leader gives up."""
    min_vote_interval_ms: int = 300
    max_vote_interval_ms: int = 1000
    min_take_leadership_vote_interval_ms: int = 30
    max_take_leadership_vote_interval_ms: int = 100
    min_lost_vote_interval_ms: int = 10
    max_lost_vote_interval_ms: int = 150
    """Who lost the connection of its leader waits so long twice: before it asks whether others hear
    that leader, and before it asks for votes in the next term. For the answers to the first of
    these questions it waits the greater of these at most. DLedger has no such thing."""
    vote_wait_ms: int = 2000
    """How long a round of votes waits for answers, and up to ``max_vote_interval_ms`` more."""
    pace_ms: int = 10
    """What DLedger does "at once" happens after its loop's pause: at least so much later."""

    max_push_timeout_ms: int = 1000
    """An append unanswered so long is pushed again; a gap so old is told to the leader."""
    max_pending_size: int = 1000
    """Pushes to one peer that may be unanswered."""
    push_retry_ms: int = 500
    """Pause after a push that failed, before it is compared again."""
    compare_timeout_ms: int = 3000
    commit_interval_ms: int = 1000
    """An idle leader tells the committed index that often."""
    commit_pause_ms: int = 20
    """What was just committed is told after so much idleness, once: if entries come one after the
    other, the next one tells it without a further request. Ours: DLedger's followers wait for
    ``commit_interval_ms``."""
    fast_forward_check_ms: int = 1000
    is_enable_batch_push: bool = False
    max_batch_push_size: int = 4096
    """Bytes of entries that end a batch."""
    push_queue_max: int = 1024
    """COMPARE, TRUNCATE and COMMIT that may wait in a follower (421 beyond)."""
    append_queue_max: int = 4096
    """APPENDs that may wait in a follower; a leader sends ``max_pending_size`` at most."""

    max_pending_requests_num: int = 10000
    max_wait_ack_time_ms: int = 2500
    commit_rule: CommitRule = CommitRule.CURRENT_TERM
    no_op_on_election: bool = True
    """A new leader writes an entry at once, as RocketMQ's controller does."""
    no_op_body: Callable[[], bytes] = bytes
    """What that entry holds: nothing, unless the log's readers cannot bear that."""

    preferred_leader_ids: tuple[str, ...] = ()
    preferred_check_ms: int = 1000
    max_leadership_transfer_wait_index: int = 1000
    leadership_transfer_wait_timeout_ms: int = 1000

    others: tuple[str, ...] = field(init=False)
    """The other members' ids, sorted."""

    def __post_init__(self) -> None:
        assert self.self_id in self.peers, (self.self_id, sorted(self.peers))
        assert 0 < self.min_vote_interval_ms < self.max_vote_interval_ms
        assert 0 < self.min_lost_vote_interval_ms < self.max_lost_vote_interval_ms
        object.__setattr__(self, "others", tuple(sorted(self.peers - {self.self_id})))

    @property
    def patience_ms(self) -> int:
        """How long a leader may be silent."""
        return self.max_heart_beat_leak * self.heart_beat_interval_ms

    def is_quorum(self, count: int) -> bool:
        """Whether ``count`` members are more than half."""
        return count > len(self.peers) // 2

    @classmethod
    def dledger(cls, group: str, self_id: str, peers: frozenset[str]) -> "RaftConfig":
        """DLedger's timing, with Raft's rule of commitment and the controller's empty entry."""
        return cls(group=group, self_id=self_id, peers=peers)

    @classmethod
    def fast(cls, group: str, self_id: str, peers: frozenset[str]) -> "RaftConfig":
        """Elections after 150 to 300 ms as in the Raft paper, all else in proportion.

        A leader silent for 3 * 50 ms is doubted; then votes every 15 to 150 ms.
        """
        return cls(
            group=group,
            self_id=self_id,
            peers=peers,
            heart_beat_interval_ms=50,
            min_vote_interval_ms=15,
            max_vote_interval_ms=150,
            min_take_leadership_vote_interval_ms=2,
            max_take_leadership_vote_interval_ms=10,
            min_lost_vote_interval_ms=2,
            max_lost_vote_interval_ms=30,
            vote_wait_ms=100,
            pace_ms=1,
            max_push_timeout_ms=100,
            push_retry_ms=20,
            compare_timeout_ms=150,
            commit_interval_ms=50,
            commit_pause_ms=5,
            fast_forward_check_ms=100,
            preferred_check_ms=100,
            leadership_transfer_wait_timeout_ms=100,
            is_enable_batch_push=True,
        )
