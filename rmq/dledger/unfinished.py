"""What a member's node wanted done and is done but for the disk, which still syncs.

Answers to heart-beats and votes do not wait here: see ``rmq.dledger.member``.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from twisted.internet.defer import Deferred

from rmq.raft.messages import HeartBeat, Request, Vote
from rmq.raft.ready import Answer, Ready


class Unfinished(NamedTuple):
    """One batch of work: its log has been cut ``cuts`` times so far."""

    ready: Ready
    answers: Sequence[Answer]
    cuts: int

    def is_synced(self, cuts: int, flushed_index: int) -> bool:
        """Whether the log, as it is now, needs no sync for this; what was cut needs none."""
        return cuts != self.cuts or flushed_index >= self.ready.durable_index

    def adds_nothing_to(self, other: "Unfinished") -> bool:
        """Whether nobody would notice if this were left out after ``other``."""
        mine, its = self.ready, other.ready
        return not (self.answers or mine.role_changes or mine.joined or mine.ended) and (
            (mine.durable_index, mine.committed_index, mine.cuts, self.cuts)
            == (its.durable_index, its.committed_index, its.cuts, other.cuts)
        )


class Backlog:
    """Batches in the order in which they came.

    A batch that only had heart-beats and votes to answer leaves nothing here, so peers cannot make
    it long by asking. What a leader is asked for is bounded by its node.
    """

    __slots__ = ("_batches", "since_ms")

    def __init__(self) -> None:
        self._batches: deque[Unfinished] = deque()
        self.since_ms = 0
        """Since when, in ms of the monotonic clock, the first batch has been the first."""

    def __bool__(self) -> bool:
        return bool(self._batches)

    def add(self, ready: Ready, cuts: int, now_ms: int) -> None:
        """Answer what promises nothing of the log, keep the rest."""
        late: list[Answer] = []
        for answer in ready.answers:
            if is_urgent(answer.request):
                give(answer)
            else:
                late.append(answer)
        batch = Unfinished(ready, late, cuts)
        if not self._batches:
            self.since_ms = now_ms
        elif batch.adds_nothing_to(self._batches[-1]):
            return
        self._batches.append(batch)

    def take(self, cuts: int, flushed_index: int, now_ms: int) -> Unfinished | None:
        """The first batch, if the disk has all that it needs; None if not, or if there is none."""
        if not self._batches or not self._batches[0].is_synced(cuts, flushed_index):
            return None
        self.since_ms = now_ms
        return self._batches.popleft()

    def clear(self) -> None:
        """Forget all."""
        self._batches.clear()


def is_urgent(request: Request) -> bool:
    """Whether the answer to a request needs the hard state only."""
    return isinstance(request, HeartBeat | Vote)


def give(answer: Answer) -> None:
    """Let who asked have the answer."""
    assert isinstance(answer.token, Deferred), answer
    answer.token.callback(answer.reply)
