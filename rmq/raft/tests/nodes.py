"""One node on a table, for tests."""

from itertools import repeat

from rmq.base.errors import StoreError
from rmq.base.manual import FixedChance
from rmq.raft.config import RaftConfig
from rmq.raft.log import MemoryLog
from rmq.raft.messages import (
    Entry,
    HeartBeat,
    Push,
    PushReply,
    Role,
    Transfer,
    Vote,
    VoteReply,
    VoteResult,
)
from rmq.raft.node import Node
from rmq.raft.ready import HardState


class FullDisk(MemoryLog):
    """A log that takes so many entries, and no more."""

    room = 0

    def append(self, term, body):
        self.room -= 1
        if self.room < 0:
            raise StoreError("no room")
        return super().append(term, body)


def new_node(log=None, peers=("n0", "n1", "n2"), state=None, **settings):
    config = RaftConfig(
        group="g",
        self_id="n0",
        peers=frozenset(peers),
        **{"no_op_on_election": False, **settings},
    )
    return Node(config, log or MemoryLog(), state or HardState(), FixedChance(repeat(0)), 0)


def drain(node):
    readies = []
    while ready := node.ready():
        readies.append(ready)
        node.advance(ready)
    return readies


def requests(node, kind):
    return [one for ready in drain(node) for one in ready.requests if isinstance(one, kind)]


def elected(log=None, **settings):
    node = new_node(log, **settings)
    node.tick(0)
    votes = requests(node, Vote)
    node.replied(votes[0], VoteReply(VoteResult.ACCEPT, 0))
    assert node.role is Role.LEADER
    return node


def appending(log=None, **settings):
    """A leader that appends to n1."""
    node = elected(log or MemoryLog((Entry(0, 0, b"a"),)), **settings)
    compare = next(push for push in requests(node, Push) if push.target == "n1")
    node.replied(compare, PushReply(end_index=0))
    requests(node, Push)
    return node


def following():
    node = new_node()
    node.step(HeartBeat(group="g", sender="n1", target="n0", term=0, leader_id="n1"))
    drain(node)
    return node


def take(term=0, index=-1):
    return Transfer(
        group="g",
        sender="n1",
        target="n0",
        term=term,
        leader_id="n1",
        transfer_id="n1",
        transferee_id="n0",
        take_index=index,
    )


def codes(node):
    return [answer.reply.code for ready in drain(node) for answer in ready.answers]
