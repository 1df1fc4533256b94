from types import SimpleNamespace

from rmq.broker.group_replication import GroupReplication
from rmq.raft.messages import Role


def test_replication_is_the_members():
    member = SimpleNamespace(role=Role.LEADER, leader_id="n1")
    replication = GroupReplication(member)
    replication.on_ack(print)
    replication.appended("T", 0)
    replication.lead(3)
    assert replication.master is None

    member.role, member.leader_id = Role.FOLLOWER, "n0"
    replication.follow(None, 3)
    assert replication.master.is_connected
    member.role, member.leader_id = Role.CANDIDATE, None
    assert not replication.master.is_connected

    assert replication.slaves == []
    assert replication.acked_by(1) == 0
    assert replication.accept(None, "h:1") is None
    replication.stop()
