from errno import EIO
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from codec.codes import DLedgerRequestCode as Code
from codec.codes import DLedgerResponseCode as Result
from codec.command import Command
from rmq.base.errors import CallError
from rmq.dledger.errors import ProposalError
from rmq.dledger.member import Member
from rmq.dledger.member_ports import MemberPorts
from rmq.dledger.tests.groups import Group
from rmq.raft.messages import Entry, Role
from rmq.remoting.testing import FakeChannel


def refusal(refused: Deferred[Any]) -> Result:
    """The code with which something failed by now."""
    found: list[Failure] = []
    refused.addErrback(found.append)
    assert found, "not refused yet"
    assert isinstance(found[0].value, ProposalError)
    return found[0].value.code


def bodies(group: Group, one: str) -> list[bytes]:
    return [entry.body for entry in group.applied[one]]


def test_a_member_alone_leads_and_commits_by_itself():
    group = Group(1).start()

    entries = group.proposed(b"a", b"b")

    assert [entry.body for entry in entries] == [b"a", b"b"]
    assert bodies(group, "n0") == [b"", b"a", b"b"]


def test_what_is_proposed_is_applied_everywhere_in_order():
    group = Group().start()

    group.proposed(b"a")
    group.proposed(b"b", b"c")
    group.run(3000)

    assert bodies(group, "n0") == bodies(group, "n1") == bodies(group, "n2")
    assert bodies(group, "n0") == [b"", b"a", b"b", b"c"]
    for member in group.members.values():
        assert member._applied == member.committed_index == 3
        assert member.committed_position == member.log.end_position


def test_members_hold_the_same_bytes():
    group = Group(is_enable_batch_push=True).start()
    for number in range(60):
        group.proposed(b"%d" % number * 40, b"x")
    group.run(3000)

    files = [
        {entry.name: disk.read(f"/{one}/dledger-{one}/data/{entry.name}") for entry in entries}
        for one, disk in group.disks.items()
        for entries in [disk.entries(f"/{one}/dledger-{one}/data")]
    ]
    assert files[0] == files[1] == files[2]
    assert len(files[0]) > 1


def test_a_proposal_fires_after_it_was_applied_here():
    group = Group(1).start()
    leader = group.elected()
    seen: list[int] = []

    leader.propose([b"a"]).addCallback(lambda entries: seen.append(leader._applied))
    group.until(lambda: seen)

    assert seen == [1]


def test_a_follower_refuses_and_the_leader_is_known():
    group = Group().start()
    leader = group.elected()
    group.run(500)
    follower = next(m for m in group.members.values() if m is not leader)

    assert refusal(follower.propose([b"a"])) is Result.NOT_LEADER
    assert refusal(follower.transfer("n0")) is Result.NOT_LEADER
    assert follower.leader_id == leader.self_id
    assert follower.term == leader.term


def test_nothing_to_propose_is_refused():
    group = Group(1).start()

    assert refusal(group.elected().propose([])) is Result.REQUEST_WITH_EMPTY_BODYS


def test_without_a_quorum_a_proposal_ends_in_time():
    group = Group().start()
    leader = group.elected()
    group.run(500)
    group.cut_off = set(group.ids) - {leader.self_id}
    refused = leader.propose([b"a"])
    found: list[Failure] = []
    refused.addErrback(found.append)

    group.run(2600)

    assert found[0].value.code is Result.WAIT_QUORUM_ACK_TIMEOUT


def test_a_leader_that_is_deposed_tells_who_waits():
    group = Group(max_wait_ack_time_ms=20_000).start()
    old = group.elected()
    group.run(500)
    group.cut_off = {old.self_id}
    found: list[Failure] = []
    old.propose([b"a"]).addErrback(found.append)
    group.until(lambda: group.leader is not None and group.leader is not old)
    assert found == []

    group.cut_off = set()
    group.until(lambda: found)

    assert found[0].value.code is Result.TERM_CHANGED
    assert (Role.FOLLOWER, group.elected().term) in group.roles[old.self_id]


def test_another_leads_when_the_leader_is_cut_off_and_it_follows_when_it_is_back():
    group = Group().start()
    old = group.elected()
    group.proposed(b"a")
    group.cut_off = {old.self_id}
    group.until(lambda: group.leader is not None and group.leader is not old)
    group.proposed(b"b")

    group.cut_off = set()
    group.until(lambda: len(bodies(group, old.self_id)) == 4)

    assert bodies(group, old.self_id) == [b"", b"a", b"", b"b"]
    assert old.role is Role.FOLLOWER
    assert old.leader_id == group.elected().self_id


@pytest.mark.parametrize("durable", [False, True])
def test_a_killed_member_comes_back_with_what_it_had(durable):
    group = Group(durable=durable).start()
    group.proposed(b"a", b"b")
    group.run(4000)
    killed = group.elected().self_id
    group.kill(killed)
    group.proposed(b"c")

    group.start(killed)
    group.until(lambda: bodies(group, killed)[-1:] == [b"c"])

    others = [one for one in group.ids if one != killed]
    assert bodies(group, killed) == bodies(group, others[0]) == bodies(group, others[1])


def test_a_whole_group_comes_back():
    group = Group().start()
    group.proposed(b"a")
    group.run(4000)
    term = group.elected().term
    for one in group.ids:
        group.kill(one)

    group.start()
    assert bodies(group, "n0") == [b"", b"a"]
    group.proposed(b"b")

    assert group.elected().term > term


def test_a_killed_leader_is_replaced_at_once():
    group = Group().start()
    group.proposed(b"a")
    group.run(3000)
    killed = group.elected()

    group.kill(killed.self_id)
    group.until(lambda: group.leader is not None, 1000)

    assert group.elected() is not killed
    group.proposed(b"b")


def test_a_leader_whose_connections_end_goes_on_leading():
    group = Group().start()
    group.proposed(b"a")
    leader = group.elected()
    term = leader.term

    for _ in range(30):
        group.wires[leader.self_id].hang_up()
        group.run(333)

    assert (group.elected(), leader.term) == (leader, term)
    group.run(100)
    assert {one.leader_id for one in group.members.values()} == {leader.self_id}
    group.proposed(b"b")


def test_only_the_last_connection_of_a_member_matters():
    group = Group().start()
    group.proposed(b"a")
    leader = group.elected()
    follower = next(one for one in group.members.values() if one is not leader)
    group.run(3000)
    old = group.channels.pop((leader.self_id, follower.self_id))
    group.run(3000)

    follower.channel_closed(old)
    group.run(1000)

    assert group.roles[follower.self_id][-1] == (Role.FOLLOWER, leader.term)


def test_other_connections_than_the_leaders_do_not_matter():
    group = Group().start()
    group.proposed(b"a")
    leader = group.elected()
    before = {one: list(roles) for one, roles in group.roles.items()}

    for one in group.members.values():
        one.channel_closed(FakeChannel())
    group.run(1000)

    assert group.roles == before
    assert leader.is_leader


def test_connections_of_strangers_and_ends_after_the_stop_do_not_matter():
    group = Group().start()
    group.proposed(b"a")
    follower = next(one for one in group.members.values() if not one.is_leader)
    stranger = FakeChannel()
    group.say(follower.self_id, Code.HEART_BEAT, b'{"localId":"n9","term":0}', stranger)
    group.say(follower.self_id, Code.HEART_BEAT, b'{"term":0}', stranger)
    follower.channel_closed(stranger)
    group.run(1000)
    assert follower.role is Role.FOLLOWER

    follower.stop()
    for channel in group.channels.values():
        follower.channel_closed(channel)

    assert follower.role is Role.UNKNOWN


def test_leadership_is_given_away():
    group = Group().start()
    leader = group.elected()
    group.proposed(b"a")
    other = next(one for one in group.ids if one != leader.self_id)
    given: list[object] = []

    leader.transfer(other).addCallback(lambda _: given.append(leader.role))
    group.until(lambda: given)

    assert given != [Role.LEADER]
    group.until(lambda: group.members[other].is_leader)


def test_leadership_is_not_given_to_who_cannot_be_reached():
    group = Group().start()
    leader = group.elected()
    group.proposed(b"a")
    other = next(one for one in group.ids if one != leader.self_id)
    group.cut_off = {other}
    found: list[Failure] = []

    leader.transfer(other).addErrback(found.append)
    group.until(lambda: found, 10_000)

    assert found[0].value.code is Result.TAKE_LEADERSHIP_FAILED
    assert leader.is_leader


def test_leadership_is_not_given_to_a_stranger():
    group = Group().start()

    assert refusal(group.elected().transfer("n9")) is Result.UNKNOWN_MEMBER


def test_before_its_start_and_after_its_stop_a_member_refuses():
    group = Group(1).start()
    member = group.elected()
    stopped: list[None] = []

    member.stop().addCallback(stopped.append)

    assert stopped == [None]
    assert (member.role, member.term, member.leader_id) == (Role.UNKNOWN, -1, None)
    assert refusal(member.propose([b"a"])) is Result.NOT_LEADER
    assert refusal(member.transfer("n0")) is Result.NOT_LEADER
    assert group.clock.owed == 0
    again: list[None] = []
    member.stop().addCallback(again.append)
    assert again == [None]


def test_a_stop_ends_what_waits_and_writes_the_checkpoint():
    group = Group().start()
    leader = group.elected()
    group.run(500)
    waiting = leader.propose([b"a"])
    giving = leader.transfer(next(one for one in group.ids if one != leader.self_id))
    folder = f"/{leader.self_id}/dledger-{leader.self_id}"

    leader.stop()

    assert refusal(waiting) is Result.TERM_CHANGED
    assert refusal(giving) is Result.TERM_CHANGED
    assert group.disks[leader.self_id].read(f"{folder}/checkpoint").endswith(b"endIndex=1\n")


def test_a_stopped_member_does_not_answer():
    group = Group().start()
    member = group.members["n0"]
    member.stop()

    answer = group.say("n0", Code.HEART_BEAT, b'{"group":"g","remoteId":"n0","term":9}')

    assert isinstance(answer, Deferred)
    assert not answer.called


def test_answers_that_come_after_the_stop_are_dropped():
    group = Group().start()
    leader = group.elected()
    for cut_off in (set(), set(group.ids)):
        group.cut_off = cut_off
        leader.propose([b"a"]).addErrback(lambda _: None)
        group.run(0)

    leader.stop()
    group.run(5000)

    assert leader.role is Role.UNKNOWN


def test_where_entries_lie_is_known_when_they_are_submitted():
    group = Group(1).start()
    member = group.elected()
    found: list[list[Entry]] = []

    submitted = member.submit([b"a", b"b"])
    submitted.done.addCallback(found.append)

    assert [(entry.index, entry.pos) for entry in submitted.entries] == [(1, 48), (2, 97)]
    group.run(1)
    assert found == [list(submitted.entries)]
    with pytest.raises(ProposalError, match="REQUEST_WITH_EMPTY_BODYS"):
        member.submit([])


def broken(*_):
    raise OSError(EIO, "broken")


def test_a_peer_that_refuses_counts_as_silent():
    group = Group().start()
    leader = group.elected()
    wire = group.wires[leader.self_id]
    answers: list[Command] = []

    def refusing(address, command, timeout_ms):
        answer: Deferred[Command] = Deferred()
        answer.callback(answers[0])
        return answer

    wire.call = refusing
    for answer in (Command(code=1, remark="no"), Command(code=200, body=b"garbage")):
        answers[:] = [answer]
        group.run(2500)

    assert leader.is_leader
    group.run(9000)
    assert not leader.is_leader


def test_an_error_of_ours_in_a_reply_is_logged(caplog):
    group = Group().start()
    group.elected()
    group.run(500)
    member = group.elected()
    wire = group.wires[member.self_id]
    wire.call = lambda *_: _failed(RuntimeError("ours"))

    group.run(2500)

    assert "event=dledger_reply_failed" in caplog.text


def _failed(error: Exception) -> Deferred[Any]:
    answer: Deferred[Any] = Deferred()
    answer.errback(error)
    return answer


def test_listeners_hear_what_is_committed():
    group = Group(1)
    heard: list[int] = []
    group.start()
    member = group.members["n0"]
    member.on_commit(heard.append)
    group.proposed(b"a")

    assert heard[-1] == 1


def test_listeners_hear_who_joins_their_leader_and_who_joins_it_again():
    group = Group().start()
    leader = group.elected()
    others = [one for one in group.ids if one != leader.self_id]
    group.run(5000)
    assert sorted(group.joined[leader.self_id]) == others
    assert group.joined[others[0]] == group.joined[others[1]] == []

    for cut_ms in (2000, 7000):
        group.cut_off = {others[1]}
        group.run(cut_ms)
        group.cut_off = set()
        group.run(5000)

    assert group.elected() is leader
    assert group.joined[leader.self_id][2:] == others[1:]


def test_an_old_leader_that_comes_back_joins_the_new_one():
    group = Group().start()
    old = group.elected()
    group.run(500)
    group.cut_off = {old.self_id}
    group.until(lambda: group.leader is not None and group.leader is not old)
    new = group.elected()
    group.run(5000)
    assert old.self_id not in group.joined[new.self_id]

    group.cut_off = set()
    group.until(lambda: old.role is Role.FOLLOWER)
    group.run(10)

    assert group.joined[new.self_id].count(old.self_id) == 1


def test_without_a_listener_no_entry_is_read_back():
    group = Group(1).start()
    member = group.elected()
    member._apply.clear()
    member.log.entry = broken

    group.proposed(b"a")

    assert member._applied == 1


def test_a_wire_cannot_send_one_way():
    with pytest.raises(CallError):
        Group().wires["n0"].send("x", Command(code=1))


def test_a_member_tells_who_it_is():
    group = Group().start()
    member = group.members["n1"]

    assert (member.group, member.self_id) == ("g", "n1")
    assert member.peers == group.addresses


def test_opening_twice_is_opening_once_and_a_member_never_opened_can_be_stopped():
    group = Group(1).start()
    group.proposed(b"a")
    member = group.members["n0"]
    member.open()
    assert bodies(group, "n0") == [b"", b"a"]
    ports = MemberPorts(
        group.disks["n0"], group.clock, group.chance, group.wires["n0"], group.workers["n0"]
    )
    stopped: list[None] = []

    Member(group.settings("n0"), ports).stop().addCallback(stopped.append)

    assert stopped == [None]
