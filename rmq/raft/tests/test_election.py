import pytest

from rmq.raft.messages import HeartBeat, HeartBeatReply, Vote, VoteReply, VoteResult
from rmq.raft.ready import HardState
from rmq.raft.tests.nodes import drain, elected, following, new_node, requests


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


def test_a_leaders_next_beat_is_due():
    node = elected()
    assert node.next_due_ms == 2000

    for beat in requests(node, HeartBeat):
        node.replied(beat, HeartBeatReply())

    assert node.next_due_ms == 2000


def test_a_leader_that_asks_for_votes_of_its_own_term_hears_that_it_leads():
    node = new_node(state=HardState(0, "n2"))
    who = {"group": "g", "sender": "n1", "target": "n0", "term": 0, "leader_id": "n1"}
    node.step(HeartBeat(**who))
    drain(node)

    node.step(Vote(**who, end_index=-1, end_term=-1))

    [answer] = [one for ready in drain(node) for one in ready.answers]
    assert answer.reply.result is VoteResult.REJECT_ALREADY_HAS_LEADER


def test_a_follower_in_doubt_is_due_when_it_stands():
    node = following()
    assert node.next_due_ms == 6001

    node.peer_lost("n1")
    assert node.next_due_ms == 10
    node.peer_found("n1")

    assert node.next_due_ms == 6001


def test_a_leader_that_slept_longer_than_others_are_patient_leads_no_more():
    node = new_node()
    node.tick(0)
    node.replied(requests(node, Vote)[0], VoteReply(VoteResult.ACCEPT, 0))
    for beat in requests(node, HeartBeat):
        node.replied(beat, HeartBeatReply())
    drain(node)

    node.tick(6000)
    assert node.is_leader
    for beat in requests(node, HeartBeat):
        node.replied(beat, HeartBeatReply())
    node.tick(12_001)

    assert not node.is_leader


def test_a_leader_without_others_may_sleep():
    node = new_node(peers=("n0",))
    node.tick(0)
    drain(node)

    node.tick(60_000)

    assert node.is_leader


def joined(node):
    return [member for ready in drain(node) for member in ready.joined]


def beats_of(node, at_ms):
    """The heart-beats of this time by whom they are for."""
    node.tick(at_ms)
    return {beat.target: beat for beat in requests(node, HeartBeat)}


def answered(node, beats, **replies):
    """Who joins when these members answer so, None for not at all."""
    for member, reply in replies.items():
        if reply is None:
            node.failed(beats[member])
        else:
            node.replied(beats[member], reply)
    return joined(node)


def leader_with_beats():
    node = new_node()
    node.tick(0)
    node.replied(requests(node, Vote)[0], VoteReply(VoteResult.ACCEPT, 0))
    return node, {beat.target: beat for beat in requests(node, HeartBeat)}


def test_who_accepts_a_new_leader_joins_it_once():
    node, beats = leader_with_beats()

    assert answered(node, beats, n1=HeartBeatReply()) == ["n1"]
    assert answered(node, beats, n2=HeartBeatReply()) == ["n2"]

    assert answered(node, beats_of(node, 2000), n1=HeartBeatReply(), n2=HeartBeatReply()) == []


@pytest.mark.parametrize("code", [403, 409, 416])
def test_who_refused_joins_again_when_it_accepts(code):
    node, beats = leader_with_beats()
    answered(node, beats, n1=HeartBeatReply(), n2=HeartBeatReply())
    refusal = HeartBeatReply(code=code, term=0)

    assert answered(node, beats_of(node, 2000), n1=HeartBeatReply(), n2=refusal) == []

    assert answered(node, beats_of(node, 4000), n1=HeartBeatReply(), n2=HeartBeatReply()) == ["n2"]


@pytest.mark.parametrize(("silent_rounds", "joins"), [(2, []), (3, ["n2"])])
def test_who_was_silent_for_longer_than_it_is_patient_joins_again(silent_rounds, joins):
    node, beats = leader_with_beats()
    answered(node, beats, n1=HeartBeatReply(), n2=HeartBeatReply())
    now_ms = 0
    for _ in range(silent_rounds):
        now_ms += 2000
        assert answered(node, beats_of(node, now_ms), n1=HeartBeatReply(), n2=None) == []

    beats = beats_of(node, now_ms + 2000)

    assert answered(node, beats, n1=HeartBeatReply(), n2=HeartBeatReply()) == joins


def test_in_a_new_term_all_join_their_leader_anew():
    node, beats = leader_with_beats()
    answered(node, beats, n1=HeartBeatReply(), n2=HeartBeatReply())
    node.tick(6001)
    drain(node)
    assert not node.is_leader
    node.tick(7000)
    for vote in requests(node, Vote):
        node.replied(vote, VoteReply(VoteResult.ACCEPT, node.term))
    beats = {beat.target: beat for beat in requests(node, HeartBeat)}

    assert answered(node, beats, n1=HeartBeatReply(), n2=HeartBeatReply()) == ["n1", "n2"]


def test_who_leads_no_more_is_joined_by_nobody():
    node, beats = leader_with_beats()
    node.replied(beats["n1"], HeartBeatReply())

    node.step(HeartBeat(group="g", sender="n2", target="n0", term=5, leader_id="n2"))

    assert not node.is_leader
    assert joined(node) == []
