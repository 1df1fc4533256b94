"""What a member does when its disk is slow, full or broken."""

import json
from errno import EIO
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from codec.codes import DLedgerRequestCode as Code
from codec.codes import DLedgerResponseCode as Result
from codec.codes import ResponseCode
from rmq.dledger.errors import ProposalError
from rmq.dledger.member import WAITING_MAX, Member
from rmq.dledger.tests.groups import Group, SlowWorker
from rmq.raft.messages import Role


def refusal(refused: Deferred[Any]) -> Result:
    """The code with which something failed by now."""
    found: list[Failure] = []
    refused.addErrback(found.append)
    assert found, "not refused yet"
    assert isinstance(found[0].value, ProposalError)
    return found[0].value.code


def test_a_stop_waits_for_a_running_sync():
    group = Group(1)
    worker = group.workers["n0"] = SlowWorker()
    group.start()
    member = group.elected()
    group.run(20)
    assert worker.calls
    stopped: list[None] = []

    member.stop().addCallback(stopped.append)
    assert stopped == []
    worker.finish()

    assert stopped == [None]


def test_entries_are_synced_soon_though_nobody_waits():
    group = Group(1).start()
    group.proposed(b"a")

    group.run(11)

    assert group.members["n0"].log.flushed_index == 1


def test_a_durable_member_acknowledges_after_the_sync():
    group = Group(durable=True)
    for one in group.ids:
        group.workers[one] = SlowWorker()
    group.start()
    leader = group.elected()
    found: list[object] = []
    leader.propose([b"a"]).addCallback(found.append)

    group.run(500)
    assert found == []
    for _ in range(10):
        for worker in group.workers.values():
            worker.finish()
        group.run(10)

    assert len(found) == 1
    assert leader.log.flushed_index >= 1


def slow_group():
    """A durable group whose leader and followers are in the middle of a sync each."""
    group = Group(durable=True)
    for one in group.ids:
        group.workers[one] = SlowWorker()
    group.start()
    leader = group.elected()
    other = next(m for m in group.members.values() if m is not leader)
    group.until(lambda: other.log.end_index == 0 and group.workers[other.self_id].calls)
    return group, leader, other


def asked(group, other, code, **fields):
    body = json.dumps({"group": "g", "remoteId": other.self_id, "term": other.term, **fields})
    answer = group.say(other.self_id, code, body.encode())
    assert isinstance(answer, Deferred)
    return answer


def test_heart_beats_and_votes_are_answered_while_a_sync_runs_and_pushes_are_not():
    group, leader, other = slow_group()
    who = {"leaderId": leader.self_id, "localId": leader.self_id}

    vote = asked(group, other, Code.VOTE, leaderId="n9")
    beat = asked(group, other, Code.HEART_BEAT, **who)
    push = asked(group, other, Code.PUSH, type="COMMIT", **who)
    group.run(20)
    assert (vote.called, beat.called, push.called) == (True, True, False)
    group.workers[other.self_id].finish()
    group.run(20)

    assert push.called


def test_a_leader_whose_disk_is_slow_goes_on_leading():
    group, leader, _ = slow_group()
    group.run(5900)
    assert leader.is_leader
    assert {one.leader_id for one in group.members.values()} == {leader.self_id}


def test_a_member_whose_disk_hangs_is_silent_until_it_goes_on():
    group, leader, other = slow_group()
    group.run(6100)
    who = {"leaderId": leader.self_id, "localId": leader.self_id}
    sent = len(group.wires[leader.self_id].sent)

    beat = asked(group, other, Code.HEART_BEAT, **who)
    group.run(5000)
    assert not beat.called
    assert len(group.wires[leader.self_id].sent) == sent
    for _ in range(3):
        for worker in group.workers.values():
            worker.finish()
        group.run(10)

    assert beat.called
    assert group.elected()


def test_a_role_is_told_before_the_sync_and_what_is_proposed_then_shares_it():
    group = Group(1, durable=True)
    worker = group.workers["n0"] = SlowWorker()
    group.start()
    member, proposed = group.members["n0"], []
    found: list[object] = []

    def lead(role, term):
        proposed.append(member.propose([b"a"]).addCallback(found.append))

    member.on_role(lead)
    group.until(lambda: proposed)
    group.run(1)
    assert len(worker.calls) == 1
    worker.finish()
    group.run(1)

    assert len(found) == 1


def test_who_joins_is_told_after_the_role_though_a_sync_runs():
    group = Group(durable=True)
    for one in group.ids:
        group.workers[one] = SlowWorker()
    group.start()
    told: list[tuple[str, object]] = []
    for one, member in group.members.items():
        member.on_role(lambda role, term, one=one: told.append((one, role)))
        member.on_joined(lambda other, one=one: told.append((one, other)))
    for _ in range(600):
        group.run(5)
        for worker in group.workers.values():
            worker.finish()
    leader = group.elected().self_id

    seen = [what for one, what in told if one == leader]

    assert seen[seen.index(Role.LEADER) + 1 :] == [one for one in group.ids if one != leader]


def test_a_member_may_be_stopped_by_who_hears_of_its_role():
    group = Group(1, durable=True)
    worker = group.workers["n0"] = SlowWorker()
    group.start()
    member, stopped = group.members["n0"], []

    member.on_role(lambda role, term: member.stop().addCallback(stopped.append))
    group.until(lambda: member.role is Role.UNKNOWN)
    worker.finish()

    assert stopped == [None]


def test_a_member_may_be_stopped_by_who_hears_what_is_committed():
    group, leader, _ = slow_group()
    stopped: list[object] = []
    leader.on_commit(lambda _: leader.stop().addCallback(stopped.append))
    for _ in range(5):  # the others have the first entry on disk, and the leader learns it
        for other in set(group.ids) - {leader.self_id}:
            group.workers[other].finish()
        group.run(5)
    assert stopped == []

    group.workers[leader.self_id].finish()

    assert leader.role is Role.UNKNOWN
    assert stopped == [None]


def test_only_so_many_requests_wait_for_the_disk():
    group, leader, other = slow_group()
    for _ in range(WAITING_MAX):
        asked(group, other, Code.PUSH, type="COMMIT", localId="n9")
    found: list[Failure] = []

    asked(group, other, Code.PUSH, type="COMMIT", localId="n9").addErrback(found.append)

    assert found[0].value.code == ResponseCode.SYSTEM_BUSY
    beat = asked(group, other, Code.HEART_BEAT, leaderId=leader.self_id, localId=leader.self_id)
    group.run(1)
    assert beat.called


def test_a_sync_that_began_before_is_followed_by_another():
    group = Group(1, durable=True)
    worker = group.workers["n0"] = SlowWorker()
    group.start()
    member = group.elected()
    group.run(1)
    worker.finish()
    group.run(1)
    member.log.append(member.term, b"unseen")
    member._flush_now()
    found: list[object] = []

    member.propose([b"a"]).addCallback(found.append)
    group.run(1)
    worker.finish()
    assert found == []
    worker.finish()
    group.run(1)

    assert found


def test_a_log_that_refuses_cannot_be_made_durable():
    group = Group(1, durable=True).start()
    member = group.elected()
    group.proposed(b"a")
    refused = member.propose([b"b"])

    member.log.refusal = "broken"
    group.run(1)

    assert refusal(refused) is Result.DISK_ERROR
    assert member.failure == "broken"


def test_a_sync_that_fails_after_the_stop_ends_it_as_well():
    group = Group(1)
    worker = group.workers["n0"] = SlowWorker()
    group.start()
    member = group.elected()
    group.run(20)
    stopped: list[None] = []
    member.stop().addCallback(stopped.append)

    worker.calls[0][1].errback(OSError(EIO, "broken"))

    assert stopped == [None]
    assert member.failure is None


@pytest.mark.parametrize("durable", [False, True])
def test_what_breaks_while_it_is_applied_ends_the_membership(durable, caplog):
    group = Group(1, durable=durable)
    worker = group.workers["n0"] = SlowWorker() if durable else group.workers["n0"]
    group.start()
    member = group.members["n0"]
    member.on_apply(lambda entry: 1 // (not entry.body.startswith(b"a")))
    group.elected()
    for body in (b"b", b"a"):
        member.propose([body]).addErrback(lambda _: None)
        group.run(1)
        if isinstance(worker, SlowWorker):
            worker.finish()
            group.run(1)
            worker.finish()
            group.run(1)

    assert "event=dledger_broke" in caplog.text
    assert "ZeroDivisionError" in member.failure
    assert member.role is Role.UNKNOWN


def test_what_breaks_after_a_sync_ends_the_membership(caplog):
    group = Group(1)
    worker = group.workers["n0"] = SlowWorker()
    group.start()
    member = group.elected()
    group.run(20)
    member.log.synced = lambda _: 1 // 0

    worker.finish()

    assert "event=dledger_broke" in caplog.text
    assert "ZeroDivisionError" in member.failure


def test_a_durable_member_loses_nothing_with_its_power():
    group = Group(durable=True).start()
    group.proposed(b"a")
    group.proposed(b"b")
    for one in group.ids:
        group.kill(one)
        group.disks[one] = group.disks[one].crash()

    group.start()
    group.elected()
    group.proposed(b"c")

    applied = [entry.body for entry in group.applied[group.elected().self_id]]
    assert applied[-1] == b"c"
    assert {b"a", b"b"} <= set(applied)


def test_a_failed_sync_ends_the_membership(caplog):
    group = Group().start()
    leader = group.elected()
    group.proposed(b"a")
    group.run(100)
    group.disks[leader.self_id].fail_sync = OSError(EIO, "broken")
    group.proposed(b"b")

    group.until(lambda: leader.failure)

    assert "broken" in leader.failure
    assert group.roles[leader.self_id][-1] == (Role.UNKNOWN, -1)
    assert group.elected() is not leader
    stopped: list[None] = []
    leader.stop().addCallback(stopped.append)
    assert stopped == [None]


def test_a_failed_sync_of_a_durable_member_refuses_what_waits():
    group = Group(durable=True).start()
    leader = group.elected()
    group.proposed(b"a")
    group.disks[leader.self_id].fail_sync = OSError(EIO, "broken")
    refused = leader.propose([b"b"])

    group.run(10)

    assert refusal(refused) is Result.DISK_ERROR


def test_a_worker_that_breaks_counts_as_a_failed_sync():
    group = Group(1)
    worker = group.workers["n0"] = SlowWorker()
    group.start()
    group.elected()
    group.run(20)

    worker.calls[0][1].errback(RuntimeError("thread"))

    assert "RuntimeError: thread" in group.members["n0"].failure


def test_a_term_that_cannot_be_saved_ends_the_membership():
    group = Group(1)
    group.disks["n0"].fail_replace = OSError(EIO, "broken")
    group.start()

    group.run(2000)

    assert "cannot save term" in group.members["n0"].failure
    assert group.roles["n0"] == [(Role.UNKNOWN, -1)]


def test_a_checkpoint_that_cannot_be_saved_is_only_told(caplog):
    group = Group(1).start()
    group.proposed(b"a")
    group.disks["n0"].fail_replace = OSError(EIO, "broken")

    group.run(3001)

    assert "event=checkpoint_not_saved" in caplog.text
    assert group.members["n0"].failure is None


def test_a_disk_whose_share_cannot_be_told_is_only_told(caplog):
    group = Group(1).start()
    group.disks["n0"].used_share = broken

    group.run(1001)

    assert "event=ledger_not_cleaned" in caplog.text


def test_deleted_files_are_told_of_though_nothing_is_committed():
    group = Group(1, cleaned=True)
    group.start()
    for _ in range(4):
        group.proposed(bytes(3000))
    told = []
    member = group.members["n0"]
    member.on_commit(lambda index: told.append((index, member.log.begin_position)))

    group.run(3000)
    assert told == []
    group.disks["n0"].used_share_told = 0.99
    group.run(1001)

    assert told == [(4, 3 * 4096)]


def broken(*_):
    raise OSError(EIO, "broken")


def test_a_log_that_cannot_be_cut_ends_the_membership():
    group = Group(1).start()
    member = group.elected()

    member.log.refusal = "cannot cut"
    group.run(3000)

    assert member.failure == "cannot cut"


def test_a_full_disk_refuses_proposals():
    group = Group(1).start()
    leader = group.elected()
    group.disks["n0"].used_share_told = 0.99
    group.run(1001)

    assert refusal(leader.propose([b"a"])) is Result.DISK_FULL

    group.disks["n0"].used_share_told = 0.1
    group.run(1001)
    assert group.proposed(b"a")


def test_a_member_that_lost_its_term_file_votes_in_none_of_its_logs_terms():
    group = Group(1).start()
    group.elected()
    group.kill("n0")
    group.start()
    term = group.elected().term
    group.proposed(b"a")
    group.kill("n0")
    group.disks["n0"].delete("/n0/dledger-n0/currterm")

    group.start()

    assert group.members["n0"].term == term + 1
    assert group.elected().term > term > 0


def test_messages_one_after_the_other_are_a_push_each_though_the_leaders_disk_is_slow():
    group = Group(2, durable=True)
    workers = {one: SlowWorker() for one in group.ids}
    group.workers.update(workers)

    def run(ms: int, slow: Member | None = None) -> None:
        for _ in range(ms):
            group.run(1)
            for one, worker in workers.items():
                if slow is None or slow.self_id != one:
                    worker.finish()

    group.start()
    run(5_000)
    leader = group.elected()
    sent = group.wires[leader.self_id].sent
    sent.clear()
    found: list[object] = []
    for number in range(10):
        leader.propose([b"a"]).addCallback(found.append)
        run(50, slow=leader)
        assert len(found) == number
        workers[leader.self_id].finish()
        run(5)
        assert len(found) == number + 1

    assert [command.code for _, command in sent].count(Code.PUSH) == 10
