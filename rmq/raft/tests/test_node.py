import pytest

from rmq.raft.log import MemoryLog
from rmq.raft.messages import (
    Entry,
    HeartBeat,
    HeartBeatReply,
    Push,
    PushKind,
    PushReply,
    Role,
    Transfer,
    TransferReply,
    Vote,
    VoteReply,
    VoteResult,
)
from rmq.raft.ready import HardState
from rmq.raft.tests.nodes import drain, elected, new_node


def test_a_node_that_has_nothing_to_do_says_so():
    assert new_node().ready() is None


def test_the_vote_is_to_be_persisted_before_it_is_asked_for():
    node = new_node()

    node.tick(0)
    ready = node.ready()

    assert ready.hard_state == HardState(0, "n0")
    assert {request.target for request in ready.requests} == {"n1", "n2"}
    assert node.ready() is None


def test_what_was_committed_before_a_restart_is_told_at_once():
    log = MemoryLog((Entry(0, 0, b"a"), Entry(1, 0, b"b", 49)), 0)

    assert new_node(log).ready().committed_index == 0


def test_a_ready_of_a_log_since_cut_makes_nothing_durable():
    log = MemoryLog((Entry(0, 0, b"a"),))
    node = new_node(log, state=HardState(1))
    node.step(HeartBeat(group="g", sender="n1", target="n0", term=1, leader_id="n1"))
    drain(node)
    base = {"group": "g", "sender": "n1", "target": "n0", "term": 1, "leader_id": "n1"}
    node.step(Push(**base, kind=PushKind.APPEND, entries=(Entry(1, 0, b"b", 49),)))
    before_cut = node.ready()
    node.step(Push(**base, kind=PushKind.TRUNCATE, entries=(Entry(7, 0, b"h", 700),)))
    after_cut = node.ready()

    node.advance(before_cut)
    assert node.durable_index == -1
    node.advance(after_cut)
    assert node.durable_index == 7


def test_the_token_of_a_request_comes_back_with_its_answer():
    node, token = new_node(), object()

    node.step(HeartBeat(group="g", sender="n1", target="n0", term=0, leader_id="n1"), token)
    answer = node.ready().answers[0]

    assert answer.token is token
    assert answer.reply == HeartBeatReply()


def test_time_never_goes_back():
    node = new_node()
    node.tick(5)

    with pytest.raises(AssertionError):
        node.tick(4)


def test_a_leader_knows_itself():
    node = elected()

    assert (node.is_leader, node.leader_id, node.voted_for, node.term) == (True, "n0", "n0", 0)
    assert (node.committed_index, node.refused_cuts, node.transferee) == (-1, 0, None)
    assert node.watermark("n1") == -1


def test_replies_without_a_question_are_ignored():
    node = new_node()
    beat = HeartBeat(group="g", sender="n0", target="n1", term=0, leader_id="n0")
    vote = Vote(
        group="g", sender="n0", target="n1", term=0, leader_id="n0", end_index=0, end_term=0
    )
    push = Push(group="g", sender="n0", target="n1", term=0, leader_id="n0", kind=PushKind.COMMIT)
    take = Transfer(
        group="g",
        sender="n0",
        target="n1",
        term=0,
        leader_id="n0",
        transfer_id="n0",
        transferee_id="n1",
    )

    node.replied(beat, HeartBeatReply())
    node.replied(vote, VoteReply(VoteResult.ACCEPT, 0))
    node.replied(push, PushReply())
    node.replied(take, TransferReply())
    for request in (beat, vote, push, take):
        node.failed(request)

    assert node.role is Role.CANDIDATE
    assert node.ready() is None
