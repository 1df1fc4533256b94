from rmq.raft.messages import HeartBeat, HeartBeatReply, Vote, VoteReply, VoteResult
from rmq.raft.tests.nodes import drain, new_node, requests


def test_answers_that_come_after_the_decision_change_nothing():
    node = new_node(peers=("n0", "n1", "n2", "n3", "n4"))
    node.tick(0)
    votes = requests(node, Vote)
    for vote in votes[:2]:
        node.replied(vote, VoteReply(VoteResult.ACCEPT, 0))
    beats = requests(node, HeartBeat)

    node.replied(votes[2], VoteReply(VoteResult.REJECT_ALREADY_HAS_LEADER, 0))
    for beat in beats:
        node.replied(beat, HeartBeatReply())
        node.replied(beat, HeartBeatReply(code=403, term=0))

    assert node.is_leader


def test_a_term_heard_of_is_due_at_once():
    node = new_node()
    node.tick(7)
    drain(node)

    node.step(HeartBeat(group="g", sender="n1", target="n0", term=5, leader_id="n1"))

    assert node.next_due_ms == 7


def test_an_odd_answer_to_a_heart_beat_counts_as_none():
    node = new_node()
    node.tick(0)
    node.replied(requests(node, Vote)[0], VoteReply(VoteResult.ACCEPT, 0))

    for beat in requests(node, HeartBeat):
        node.replied(beat, HeartBeatReply(code=401, term=0))

    assert node.is_leader


def test_a_vote_is_due_again_when_nobody_answers():
    node = new_node()
    node.tick(0)
    drain(node)
    assert node.next_due_ms == 2000

    node.tick(2000)
    assert requests(node, Vote) == []
    assert node.next_due_ms == 2300
    node.tick(2300)

    assert len(requests(node, Vote)) == 2
