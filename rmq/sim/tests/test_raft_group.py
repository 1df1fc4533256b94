import pytest

from rmq.raft.invariants import BrokenInvariantError
from rmq.raft.messages import Role
from rmq.raft.ready import HardState
from rmq.sim.cluster import Cluster
from rmq.sim.raft_group import GroupShape, RaftGroup
from rmq.sim.world import SimulationError, World

SHAPE = GroupShape(members=3, fast=True, durable=True, propose_ms=(2, 60))


@pytest.fixture
def cluster():
    return Cluster(World(1))


@pytest.fixture
def group(cluster):
    group = RaftGroup(cluster, SHAPE)
    cluster.start()
    cluster.world.run_for(2_000)
    return group


def test_a_group_agrees_on_what_it_is_asked(cluster, group):
    group.stopped = True
    cluster.world.run_for(1_000)

    assert group.agrees()
    group.judge()
    assert 5 < len(group.agreed.acked) <= group.agreed.proposed
    assert group.serves_since(1_000_000)
    assert [one.role for one in group.members].count(Role.LEADER) == 1


def test_a_member_that_is_down_is_seen_as_its_disk_is(cluster, group):
    watched, machine = group.members[0], cluster.servers[0]
    before = watched.persisted, watched.log.end_index, watched.starts

    machine.kill()
    assert watched.look()
    assert not watched.look()

    assert (watched.persisted, watched.log.end_index, watched.starts) == before
    assert (watched.role, watched.term, watched.committed_index) == (Role.UNKNOWN, -1, -1)
    machine.start()
    assert watched.look()
    assert watched.starts == 2


def test_what_is_agreed_on_and_is_not_there_is_found(group):
    group.agreed.acked[b"never"] = 1
    group.cluster.world.run_for(1_000, done=group.agrees)

    with pytest.raises(SimulationError, match="lost: b'never'"):
        group.judge()


class Log:
    begin_index, end_index = 0, 1

    def __init__(self, *bodies):
        self._bodies = bodies

    def entry(self, index):
        return self._bodies[index]


class Body:
    body = b"same"


@pytest.mark.parametrize(
    ("log", "finding"), [(Log(Body, Body), "doubled"), (Log(None, None), "not there")]
)
def test_a_log_that_cannot_be_is_found(cluster, log, finding):
    group = RaftGroup(cluster, SHAPE)

    class Seen:
        committed_index = 1

    Seen.log = log
    group.members = [Seen]

    with pytest.raises(SimulationError, match=finding):
        group.judge()


def test_an_entry_applied_out_of_turn_is_found(cluster, group):
    entry = group.members[0].log.entry(0)

    group.applied(group.members[0], entry)

    with pytest.raises(SimulationError, match="AppliedInOrder"):
        cluster.world.run_for(100)


def test_invariants_are_checked_after_every_event(cluster, group):
    class Liar:
        def check(self, members):
            raise BrokenInvariantError("seen")

    group._invariants.all = (Liar(),)

    with pytest.raises(BrokenInvariantError):
        cluster.world.run_for(3_000)


def test_a_leader_whose_term_is_not_on_its_disk_is_found(group):
    leader = next(one for one in group.members if one.role is Role.LEADER)
    leader.persisted = HardState()

    with pytest.raises(BrokenInvariantError, match="leads"):
        group._check_vote(leader)


def test_a_leader_needs_votes_on_the_disks_of_a_majority(group):
    leader = next(one for one in group.members if one.role is Role.LEADER)
    others = [one for one in group.members if one is not leader]
    leader.persisted = HardState(leader.term, others[0].self_id)
    for one in others:
        one.persisted = HardState(leader.term, leader.self_id)
    group._check_vote(leader)

    others[0].persisted = HardState(leader.term + 1)
    group._check_vote(leader)

    others[0].persisted = HardState(leader.term, others[0].self_id)
    with pytest.raises(BrokenInvariantError, match="leads"):
        group._check_vote(leader)
