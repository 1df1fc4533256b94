import pytest

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


def appended(index):
    return PushReply(index=index, count=1, end_index=index)


def pushed_to(node, peer):
    return [push for push in requests(node, Push) if push.target == peer]


def kept_pace(node, now_ms, body=b"x"):
    """What goes to n1 when an entry is proposed; n1 stores it, which commits it."""
    node.tick(now_ms)
    node.propose([body])
    pushes = pushed_to(node, "n1")
    node.replied(pushes[-1], appended(pushes[-1].last_index))
    return [push.kind for push in pushes]


def test_a_peer_is_told_of_a_commitment_when_nothing_else_came_for_a_moment():
    node = appending()
    kept_pace(node, 10)
    assert node.committed_index == 1
    assert pushed_to(node, "n1") == []
    assert node.next_due_ms == 30

    node.tick(29)
    assert pushed_to(node, "n1") == []
    node.tick(30)
    told = pushed_to(node, "n1")

    assert [(push.kind, push.commit_index, push.entries) for push in told] == [
        (PushKind.COMMIT, 1, ())
    ]
    assert node.next_due_ms > 30


def test_a_quiet_moment_costs_one_commit_and_quiet_seconds_one_each():
    node = appending(compare_timeout_ms=1 << 40, max_heart_beat_leak=1 << 40)
    kept_pace(node, 0)
    told_ms = []

    for now_ms in range(1, 3100):
        node.tick(now_ms)
        told_ms += [(now_ms, push.kind) for push in pushed_to(node, "n1")]

    assert told_ms == [(ms, PushKind.COMMIT) for ms in (20, 1020, 2020, 3020)]


@pytest.mark.parametrize("gap_ms", [0, 1, 19])
def test_messages_one_after_the_other_tell_commitments_along_the_way(gap_ms):
    node = appending()

    kinds = [kept_pace(node, number * gap_ms) for number in range(50)]

    assert kinds == [[PushKind.APPEND]] * 50
    assert node.committed_index == 50


def test_the_pause_begins_with_the_commitment_however_long_ago_the_push_was():
    node = appending()
    node.propose([b"x"])
    append = pushed_to(node, "n1")[0]

    node.tick(300)
    node.replied(append, appended(1))

    assert pushed_to(node, "n1") == []
    assert node.next_due_ms == 320


def test_a_peer_that_has_not_stored_all_is_told_nothing_before_it_has():
    node = appending()
    kept_pace(node, 0)
    node.propose([b"y"])
    slow = pushed_to(node, "n1")[0]
    assert (slow.first_index, slow.commit_index) == (2, 1)

    node.tick(500)
    assert pushed_to(node, "n1") == []
    node.replied(slow, appended(2))
    node.tick(520)

    assert [push.commit_index for push in pushed_to(node, "n1")] == [2]


def both_appending(**settings):
    """A leader that appends to both others."""
    node = elected(MemoryLog((Entry(0, 0, b"a"),)), **settings)
    for compare in requests(node, Push):
        node.replied(compare, PushReply(end_index=0))
    requests(node, Push)
    node.tick(20)
    requests(node, Push)
    return node


def test_a_slow_peer_is_told_at_once_what_was_committed_a_while_ago():
    node = both_appending()
    node.propose([b"b"])
    fast, slow = requests(node, Push)
    node.replied(fast, appended(1))
    node.tick(40)
    assert [(push.target, push.kind) for push in requests(node, Push)] == [
        (fast.target, PushKind.COMMIT)
    ]

    node.tick(200)
    node.replied(slow, appended(1))

    assert [(push.target, push.commit_index) for push in requests(node, Push)] == [(slow.target, 1)]


def test_an_entry_pushed_again_tells_a_commitment_no_further_than_itself():
    node = both_appending(max_push_timeout_ms=100)
    node.propose([b"b", b"c"])
    _, waits, _, done = requests(node, Push)
    node.replied(done, appended(2))
    assert (node.committed_index, waits.commit_index) == (2, 0)

    node.tick(130)
    again = pushed_to(node, waits.target)[0]
    assert (again.last_index, again.commit_index) == (1, 2)
    node.replied(again, appended(1))
    node.replied(waits, appended(2))

    told = pushed_to(node, waits.target)
    assert [(push.kind, push.commit_index) for push in told] == [(PushKind.COMMIT, 2)]


def test_a_peer_that_follows_again_is_told_at_once_what_is_committed():
    node = both_appending()
    node.propose([b"b"])
    one, other = requests(node, Push)
    node.replied(one, appended(1))
    node.tick(500)
    node.failed(other)
    node.tick(1000)
    compare = next(push for push in requests(node, Push) if push.kind is PushKind.COMPARE)

    node.replied(compare, PushReply(end_index=1))

    assert [(push.kind, push.commit_index) for push in pushed_to(node, other.target)] == [
        (PushKind.COMMIT, 1)
    ]


def test_a_peer_that_does_not_answer_a_commit_is_told_again_by_the_second():
    node = appending()
    kept_pace(node, 0)
    node.tick(20)
    told = pushed_to(node, "n1")[0]

    node.failed(told)

    assert pushed_to(node, "n1") == []
    node.tick(1020)
    assert [push.kind for push in pushed_to(node, "n1")] == [PushKind.COMMIT]
