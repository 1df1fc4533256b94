from rmq.raft.log import MemoryLog
from rmq.raft.messages import Entry, Push, PushKind, PushReply
from rmq.raft.push import BATCHES_MAX
from rmq.raft.tests.nodes import FullDisk, appending, elected, requests


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


def test_pushes_answered_for_another_term_change_nothing():
    node = elected(MemoryLog((Entry(0, 0, b"a"),)))
    old = Push(group="g", sender="n0", target="n1", term=-1, leader_id="n0", kind=PushKind.COMPARE)

    node.replied(old, PushReply(end_index=0))

    assert node.watermark("n1") == -1


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


def test_batches_are_kept_for_who_is_behind_but_not_for_ever():
    node = elected(MemoryLog((Entry(0, 0, b"a"),)))
    compares = requests(node, Push)
    node.replied(compares[0], PushReply(end_index=0))
    node.propose([b"x"] * (BATCHES_MAX + 2))
    first = requests(node, Push)

    node.replied(compares[1], PushReply(end_index=0))
    second = requests(node, Push)

    assert len(first) == len(second) == BATCHES_MAX + 2
    assert [one.entries for one in first] == [one.entries for one in second]
    assert len(node._leadership._batches) == BATCHES_MAX


def test_nothing_is_due_before_its_time():
    node = appending(max_pending_size=1, commit_interval_ms=10)
    node.propose([b"b", b"c"])
    requests(node, Push)

    node.tick(20)
    requests(node, Push)

    assert node.next_due_ms > 20


def test_a_refused_comparison_is_due_after_a_pause():
    node = elected(MemoryLog((Entry(0, 0, b"a"),)))
    for compare in requests(node, Push):
        node.replied(compare, PushReply(code=405))

    assert node.next_due_ms == 500


def test_a_leader_of_an_empty_log_waits_for_its_next_heart_beat():
    assert elected().next_due_ms == 2000
