import pytest

from codec.ha.default import pack_chunk_header, pack_report
from rmq.base.manual import ManualClock
from rmq.net.memory_disk import MemoryDisk
from rmq.replication.classic import Classic
from rmq.replication.serving import HaSettings
from rmq.store.tests.stores import message, opened


class AWire:
    def __init__(self):
        self.sent = b""
        self.closed = False

    def send(self, data):
        self.sent += data

    def close(self):
        self.closed = True


class World:
    def __init__(self):
        self.clock = ManualClock()
        self.store = opened(MemoryDisk(self.clock))
        self.dialled = []
        self.replication = Classic(self.store, self.dial, self.clock, HaSettings())
        self.store.on_arrival(self.replication.appended)

    def dial(self, address, connection):
        self.dialled.append((address, connection))

    def slave(self):
        wire = AWire()
        slave = self.replication.accept(wire, "10.0.0.9:1")
        slave.ready()
        slave.receive(pack_report(0))
        slave.ready()
        return slave, wire

    def follow(self, address="m:1"):
        self.store.follow("a slave")
        self.replication.follow(address, 0)


@pytest.fixture
def world():
    return World()


def test_nobody_is_served_before_there_is_a_role(world):
    assert world.replication.accept(AWire(), "10.0.0.9:1") is None
    assert world.replication.master is None


def test_a_leader_serves_and_follows_nobody(world):
    world.replication.lead(0)
    slave, wire = world.slave()
    acks = []
    world.replication.on_ack(lambda: acks.append(world.replication.acked_by(1)))

    end = world.store.put(message(1)).end
    world.clock.advance(0)
    slave.receive(pack_report(end))

    assert wire.sent.endswith(world.store.log_bytes(0, 4096))
    assert acks == [end]
    assert [one.address for one in world.replication.slaves] == ["10.0.0.9:1"]
    assert world.dialled == []


def test_a_follower_copies_and_serves_slaves_of_its_own(world):
    source = opened(MemoryDisk(world.clock))
    source.put(message(1))
    copied = source.log_bytes(0, 4096)
    world.follow()
    [(address, connection)] = world.dialled
    connection.connected(AWire())
    _, wire = world.slave()

    connection.receive(pack_chunk_header(0, len(copied)) + copied)
    world.clock.advance(0)

    assert address == "m:1"
    assert world.store.log_bytes(0, 4096) == copied
    assert world.store.max_offset("topic", 0) == source.max_offset("topic", 0)
    assert wire.sent.endswith(copied)
    assert world.replication.master.address == "m:1"


def test_a_follower_whose_master_is_not_known_waits(world):
    world.follow(None)
    assert world.dialled == []
    _, wire = world.slave()

    world.replication.follow("m:1", 0)

    assert [address for address, _ in world.dialled] == ["m:1"]
    assert not wire.closed


def test_a_change_of_role_drops_everybody(world):
    world.replication.lead(0)
    _, served = world.slave()

    world.follow()
    assert served.closed
    up = AWire()
    world.dialled[0][1].connected(up)
    _, served = world.slave()
    world.replication.lead(0)

    assert served.closed
    assert up.closed
    assert world.replication.master is None


def test_the_end_drops_everybody(world):
    world.replication.lead(0)
    _, served = world.slave()

    world.replication.stop()
    world.clock.advance(60_000)

    assert served.closed
    assert world.replication.accept(AWire(), "10.0.0.9:1") is None
