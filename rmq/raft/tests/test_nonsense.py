"""Peers that say anything: a node answers or ignores it, and keeps its own rules."""

import pytest

from rmq.base.manual import FixedChance
from rmq.raft.invariants import TermMonotonic, VoteOncePerTerm
from rmq.raft.log import MemoryLog
from rmq.raft.messages import (
    Entry,
    HeartBeat,
    HeartBeatReply,
    Push,
    PushKind,
    PushReply,
    Transfer,
    TransferReply,
    Vote,
    VoteReply,
    VoteResult,
)
from rmq.raft.ready import HardState
from rmq.raft.tests.nodes import new_node


class Nonsense:
    """A node, and peers that make things up."""

    def __init__(self, seed: int) -> None:
        self.below = FixedChance.seeded(seed).below
        self.log = MemoryLog(tuple(Entry(index, 0, b"x", 49 * index) for index in range(3)), 1)
        self.node = new_node(self.log)
        self.self_id, self.starts, self.persisted = "n0", 1, HardState()
        self.asked: list[object] = []
        self.now_ms = 0

    role = property(lambda self: self.node.role)
    term = property(lambda self: self.node.term)

    def number(self) -> int:
        return self.below(8) - 2

    def name(self) -> str | None:
        return ("n0", "n1", "n2", "n1", "n9", None)[self.below(6)]

    def entries(self) -> tuple[Entry, ...]:
        index, term = self.number(), self.number()
        count = self.below(4)
        return tuple(
            Entry(index + one, term, b"xy"[: self.below(3)], 49 * (index + one))
            for one in range(count)
        )

    def request(self):
        base = {
            "group": "g" if self.below(9) else "other",
            "sender": "n1",
            "target": "n0" if self.below(9) else "n1",
            "term": self.node.term + self.below(4) - 1 if self.below(9) else self.number(),
            "leader_id": self.name(),
        }
        kind = self.below(6)
        if kind == 0:
            return HeartBeat(**base)
        if kind == 1:
            return Vote(**base, end_index=self.number() + 2, end_term=self.number())
        if kind == 2:
            names = {"transfer_id": self.name(), "transferee_id": self.name()}
            return Transfer(**base, **names, take_index=self.number())
        kinds = list(PushKind)
        return Push(
            **base,
            kind=kinds[self.below(4)],
            entries=self.entries(),
            commit_index=self.number(),
            batch=bool(self.below(2)),
        )

    def reply(self, request):
        code = (200, 200, 200, 401, 403, 405, 406, 409, 416)[self.below(9)]
        if isinstance(request, Vote):
            return VoteReply(list(VoteResult)[self.below(12)], self.node.term + self.below(2))
        if isinstance(request, HeartBeat):
            return HeartBeatReply(code=code, term=self.node.term + self.below(2))
        if isinstance(request, Transfer):
            return TransferReply(code=code)
        return PushReply(code=code, begin_index=self.number(), end_index=self.number())

    def happen(self) -> None:
        node, kind = self.node, self.below(10)
        if kind < 4 or not self.asked:
            node.step(self.request())
        elif kind < 7:
            request = self.asked.pop(self.below(len(self.asked)))
            node.replied(request, self.reply(request))
        elif kind == 7:
            node.failed(self.asked.pop(self.below(len(self.asked))))
        elif kind == 8:
            node.propose([b"p"] * self.below(3))
        else:
            node.transfer(self.name() or "")
        self.now_ms += self.below(3) * self.below(400)
        node.tick(self.now_ms)
        for _ in range(9):
            ready = node.ready()
            if ready is None:
                return
            self.persisted = ready.hard_state or self.persisted
            self.asked = (self.asked + list(ready.requests))[-20:]
            node.advance(ready)
        raise AssertionError("it is never ready")


@pytest.mark.parametrize("seed", range(40))
def test_nonsense_is_survived(seed):
    story, rules = Nonsense(seed), (TermMonotonic(), VoteOncePerTerm())

    for _ in range(400):
        committed_index = story.log.committed_index
        begin_index = story.log.begin_index
        story.happen()

        assert story.log.committed_index >= committed_index or story.log.begin_index != begin_index
        for rule in rules:
            rule.check([story])
