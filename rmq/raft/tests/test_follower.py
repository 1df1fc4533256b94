from rmq.raft.messages import Entry, HeartBeat, Push, PushKind, Vote, VoteReply, VoteResult
from rmq.raft.tests.nodes import drain, new_node, requests


def test_a_waiting_append_makes_the_gap_check_due():
    node = new_node()
    node.step(HeartBeat(group="g", sender="n1", target="n0", term=0, leader_id="n1"))
    push = Push(
        group="g",
        sender="n1",
        target="n0",
        term=0,
        leader_id="n1",
        kind=PushKind.APPEND,
        entries=(Entry(4, 0, b"x"),),
    )
    node.step(push)
    drain(node)

    assert node.next_due_ms == 1000


def test_appends_that_wait_are_dropped_by_who_comes_to_lead():
    node = new_node()
    base = {"group": "g", "sender": "n1", "target": "n0", "term": 0, "leader_id": "n1"}
    append = Push(**base, kind=PushKind.APPEND, entries=(Entry(0, 0, b"x"),))
    node.step(append)
    node.tick(0)
    votes = requests(node, Vote)
    node.tick(1000)
    assert node.ready() is None
    node.replied(votes[0], VoteReply(VoteResult.ACCEPT, 0))
    answers = [answer for ready in drain(node) for answer in ready.answers]
    node.step(append)
    answers += [answer for ready in drain(node) for answer in ready.answers]

    assert [answer.reply.code for answer in answers] == [413, 405]
