import pytest

from rmq.base.errors import StoreError
from rmq.base.manual import FixedChance
from rmq.raft.config import RaftConfig
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
    return Node(config, log or MemoryLog(), state or HardState(), FixedChance([0] * 99), 0)


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


def test_a_full_disk_refuses_a_proposal_and_keeps_the_leader():
    log = FullDisk()
    log.room = 1
    node = elected(log)

    assert node.propose([b"a", b"b"]).code == 414
    assert node.is_leader
    assert log.end_index == 0


def test_a_full_disk_does_not_stop_an_election():
    node = elected(FullDisk(), no_op_on_election=True)

    assert node.log.end_index == -1


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


def test_pushes_answered_for_another_term_change_nothing():
    node = elected(MemoryLog((Entry(0, 0, b"a"),)))
    old = Push(group="g", sender="n0", target="n1", term=-1, leader_id="n0", kind=PushKind.COMPARE)

    node.replied(old, PushReply(end_index=0))

    assert node.watermark("n1") == -1


def appending(log=None, **settings):
    """A leader that appends to n1."""
    node = elected(log or MemoryLog((Entry(0, 0, b"a"),)), **settings)
    compare = next(push for push in requests(node, Push) if push.target == "n1")
    node.replied(compare, PushReply(end_index=0))
    requests(node, Push)
    return node


def test_odd_answers_to_an_append_are_waited_out():
    node = appending()
    node.propose([b"b"])
    append = requests(node, Push)[0]

    node.replied(append, PushReply(code=413))

    assert requests(node, Push) == []
    assert node.watermark("n1") == 0


def test_an_append_answered_twice_counts_once():
    node = appending()
    node.propose([b"b"])
    append = requests(node, Push)[0]

    node.replied(append, PushReply(index=1, count=1, end_index=1))
    node.replied(append, PushReply(index=1, count=1, end_index=1))

    assert node.watermark("n1") == 1


def test_a_failed_append_compares_after_a_pause():
    node = appending()
    node.propose([b"b"])
    append = requests(node, Push)[0]

    node.failed(append)
    assert requests(node, Push) == []
    node.tick(500)
    again = [push for push in requests(node, Push) if push.target == "n1"]

    assert [push.kind for push in again] == [PushKind.COMPARE]
    node.failed(append)  # what fails now is old
    assert node.watermark("n1") == -1


def test_a_failed_cut_compares_after_a_pause():
    log = MemoryLog((Entry(0, 0, b"a"),))
    node = elected(log)
    compare = next(push for push in requests(node, Push) if push.target == "n1")
    node.replied(compare, PushReply(code=406, begin_index=-1, end_index=-1))
    cut = requests(node, Push)[0]
    assert cut.kind is PushKind.TRUNCATE

    node.replied(cut, PushReply(code=406, begin_index=-1, end_index=-1))
    node.tick(500)

    again = [push for push in requests(node, Push) if push.target == "n1"]
    assert [push.kind for push in again] == [PushKind.COMPARE]


def test_a_log_cleaned_under_a_leader_makes_it_compare():
    log = MemoryLog((Entry(0, 0, b"a"),))
    node = appending(log, max_pending_size=1)
    node.propose([b"b", b"c", b"d"])
    append = requests(node, Push)[0]
    log.clean_before(3)

    node.replied(append, PushReply(index=1, count=1, end_index=1))

    compare = requests(node, Push)[0]
    assert (compare.kind, compare.first_index) == (PushKind.COMPARE, 3)


def test_a_log_cleaned_before_an_append_is_pushed_again_makes_it_compare():
    log = MemoryLog((Entry(0, 0, b"a"),))
    node = appending(log)
    node.propose([b"b", b"c"])
    requests(node, Push)
    log.clean_before(2)

    node.tick(1000)

    kinds = [push.kind for push in requests(node, Push) if push.target == "n1"]
    assert PushKind.COMPARE in kinds


def test_a_cut_at_an_entry_cleaned_meanwhile_compares_first():
    log = MemoryLog((Entry(0, 0, b"a"), Entry(1, 0, b"b", 49)))
    node = elected(log)
    compare = next(push for push in requests(node, Push) if push.target == "n1")
    log.clean_before(1)
    node.replied(compare, PushReply(code=200, begin_index=0, end_index=9))
    requests(node, Push)
    log.append(0, b"c")
    log.clean_before(2)

    node.tick(3000)
    requests(node, Push)
    node.tick(3500)

    pushed = [push for push in requests(node, Push) if push.target == "n1"]
    assert [(push.kind, push.first_index) for push in pushed] == [(PushKind.COMPARE, 2)]


def test_peers_that_keep_pace_share_a_batch():
    node = elected(MemoryLog((Entry(0, 0, b"a"),)), is_enable_batch_push=True)
    for compare in requests(node, Push):
        node.replied(compare, PushReply(end_index=0))
    requests(node, Push)

    node.propose([b"b", b"c"])
    one, other = requests(node, Push)

    assert one.entries is other.entries
    assert (one.batch, one.first_index, one.last_index) == (True, 1, 2)


def test_nothing_is_due_before_its_time():
    node = appending(max_pending_size=1, commit_interval_ms=10)
    node.propose([b"b", b"c"])
    requests(node, Push)

    node.tick(20)
    requests(node, Push)

    assert node.next_due_ms > 20


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


def following():
    node = new_node()
    node.step(HeartBeat(group="g", sender="n1", target="n0", term=0, leader_id="n1"))
    drain(node)
    return node


def codes(node):
    return [answer.reply.code for ready in drain(node) for answer in ready.answers]


def test_a_second_wish_to_take_leadership_replaces_one_that_waits():
    node = following()

    node.step(take(index=7))
    node.step(take(index=8))

    assert codes(node) == [418]
    assert node.next_due_ms == 1000


def test_leadership_of_another_term_is_not_taken():
    node = following()

    node.step(take(term=3))

    assert codes(node) == [407]


def test_a_wish_to_take_leadership_fails_if_another_leads_on():
    node = following()
    node.step(take())
    node.step(HeartBeat(group="g", sender="n1", target="n0", term=0, leader_id="n1"))
    assert codes(node) == [418, 200]

    node.step(take())
    node.replied(take(), TransferReply())

    assert codes(node) == []
    assert node.role is Role.CANDIDATE


def test_a_transfer_begun_again_ends_the_wish_before():
    node = appending()
    wish = Transfer(
        group="g",
        sender="admin",
        target="n0",
        term=0,
        leader_id=None,
        transfer_id="n0",
        transferee_id="n1",
    )
    node.step(wish)
    first = requests(node, Transfer)[0]
    node.step(HeartBeat(group="g", sender="n1", target="n0", term=1, leader_id="n1"))
    node.tick(1)
    drain(node)

    node.replied(first, TransferReply(code=200, term=1))

    assert codes(node) == [200]
    assert node.transferee is None


def test_a_term_heard_of_is_due_at_once():
    node = new_node()
    node.tick(7)
    drain(node)

    node.step(HeartBeat(group="g", sender="n1", target="n0", term=5, leader_id="n1"))

    assert node.next_due_ms == 7


def test_a_refused_comparison_is_due_after_a_pause():
    node = elected(MemoryLog((Entry(0, 0, b"a"),)))
    for compare in requests(node, Push):
        assert node.next_due_ms == 2000
        node.replied(compare, PushReply(code=405))

    assert node.next_due_ms == 500


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


def test_a_preferred_leader_looks_for_no_other():
    node = appending(preferred_leader_ids=("n0", "n1"))

    node.tick(1000)

    assert requests(node, Transfer) == []
    assert node.next_due_ms <= 2000
