from typing import Any

from twisted.internet.defer import Deferred

from rmq.dledger.unfinished import Backlog, is_urgent
from rmq.raft.messages import HeartBeat, HeartBeatReply, Push, PushKind, PushReply, Role
from rmq.raft.ready import Answer, Ready, RoleChange

WHO: Any = {"group": "g", "sender": "n1", "target": "n0", "term": 1, "leader_id": "n1"}
BEAT = HeartBeat(**WHO)
PUSH = Push(**WHO, kind=PushKind.COMMIT, entries=(), commit_index=0)


def ready(*answers, index=5, committed=3, changes=(), joined=()):
    return Ready(
        hard_state=None,
        requests=(),
        answers=answers,
        durable_index=index,
        cuts=0,
        committed_index=committed,
        role_changes=changes,
        joined=joined,
        ended=(),
    )


def test_heart_beats_are_answered_and_pushes_kept():
    beaten, pushed = Deferred(), Deferred()
    backlog = Backlog()

    backlog.add(
        ready(Answer(BEAT, HeartBeatReply(), beaten), Answer(PUSH, PushReply(), pushed)), 0, 7
    )

    assert (beaten.called, pushed.called) == (True, False)
    batch = backlog.take(0, 5, 9)
    assert [answer.token for answer in batch.answers] == [pushed]
    assert not backlog


def test_batches_are_taken_in_order_as_the_disk_has_them():
    first, second = ready(index=5), ready(index=6)
    backlog = Backlog()
    backlog.add(first, 0, 7)
    backlog.add(second, 0, 8)

    assert backlog.take(0, 4, 9) is None
    assert backlog.since_ms == 7
    assert backlog.take(0, 5, 9).ready is first
    assert backlog.since_ms == 9
    assert backlog.take(0, 5, 9) is None
    assert backlog.take(1, 0, 9).ready is second  # cut since
    assert backlog.take(1, 9, 9) is None


def test_what_adds_nothing_is_not_kept():
    backlog = Backlog()
    backlog.add(ready(), 0, 7)
    for _ in range(9):
        backlog.add(ready(Answer(BEAT, HeartBeatReply(), Deferred())), 0, 8)
    backlog.add(ready(changes=(RoleChange(Role.CANDIDATE, 2, None),)), 0, 8)
    backlog.add(ready(joined=("n1",)), 0, 8)
    backlog.add(ready(committed=4), 0, 8)

    taken = [backlog.take(0, 5, 9) for _ in range(5)]

    assert [one and one.ready.committed_index for one in taken] == [3, 3, 3, 4, None]


def test_all_can_be_forgotten():
    backlog = Backlog()
    backlog.add(ready(), 0, 7)

    backlog.clear()

    assert not backlog


def test_only_heart_beats_and_votes_are_urgent():
    assert is_urgent(BEAT)
    assert not is_urgent(PUSH)
