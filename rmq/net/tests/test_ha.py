import socket

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.tcp import Connection as TcpConnection
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from codec.ha.default import pack_chunk_header, pack_report
from rmq.base.manual import ManualClock
from rmq.net.ha import HaClient, HaServer, SlaveProtocol
from rmq.net.memory_disk import MemoryDisk
from rmq.net.tests.reactors import Reactor, Transport, accepted
from rmq.replication.classic import Classic
from rmq.replication.serving import SLAVES_MAX, HaSettings
from rmq.store.tests.stores import message, opened


class SocketTransport(TcpConnection):
    """A connected socket, with addresses that a socket pair has not."""

    connected = 1

    def setTcpNoDelay(self, enabled):
        pass

    def getPeer(self):
        return IPv4Address("TCP", "10.0.0.1", 40000)


class World:
    def __init__(self):
        self.reactor = Reactor()
        self.clock = ManualClock()
        self.store = opened(MemoryDisk(self.clock))
        self.client = HaClient(self.reactor)
        self.replication = Classic(self.store, self.client.dial, self.clock, HaSettings())
        self.replication.lead(0)
        self.store.on_arrival(self.replication.appended)
        self.server = HaServer(self.reactor, self.replication, interface="127.0.0.1", port=10912)

    def connect(self):
        return accepted(self.reactor)


@pytest.fixture
def world():
    world = World()
    world.server.start()
    return world


def test_slaves_are_listened_for_where_it_was_told(world):
    ((port, _, backlog, interface),) = world.reactor.tcpServers

    assert (port, backlog, interface) == (10912, SLAVES_MAX, "127.0.0.1")


def test_a_slave_gets_what_is_put(world):
    protocol, transport = world.connect()
    protocol.resumeProducing()
    protocol.dataReceived(pack_report(0))
    protocol.resumeProducing()
    end = world.store.put(message(1)).end
    world.clock.advance(0)

    log = world.store.log_bytes(0, 4096)
    assert transport.value() == pack_chunk_header(0, 0) + pack_chunk_header(0, end) + log
    assert transport.no_delay
    assert [slave.address for slave in world.replication.slaves] == ["10.0.0.1:40000"]


def test_the_transport_pulls(world):
    _, transport = world.connect()

    assert not transport.streaming


def test_what_the_socket_takes_at_once_needs_no_turn_of_the_transport(world):
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    peer.setblocking(False)
    reactor = MemoryReactorClock()
    with ours, peer:
        protocol = SlaveProtocol(world.replication)
        transport = SocketTransport(ours, protocol, reactor)
        protocol.makeConnection(transport)
        protocol.dataReceived(pack_report(0))
        end = world.store.put(message(1)).end
        world.clock.advance(0)

        log = world.store.log_bytes(0, 4096)
        assert peer.recv(4096) == pack_chunk_header(0, 0) + pack_chunk_header(0, end) + log
        assert not reactor.writers

        peer.close()


def test_a_lie_ends_the_connection(world):
    protocol, transport = world.connect()

    protocol.dataReceived(pack_report(1))

    assert transport.aborting


def test_a_connection_lost_is_forgotten(world):
    protocol, _ = world.connect()

    protocol.stopProducing()
    protocol.connectionLost(Failure(ConnectionDone()))

    assert world.replication.slaves == []


def test_one_connection_too_many_is_closed_and_heard_no_more(world):
    for _ in range(SLAVES_MAX):
        world.connect()

    protocol, transport = world.connect()
    protocol.dataReceived(pack_report(0))
    protocol.resumeProducing()
    protocol.connectionLost(Failure(ConnectionDone()))

    assert transport.aborting
    assert transport.value() == b""
    assert len(world.replication.slaves) == SLAVES_MAX


def test_the_end_closes_port_and_connections(world):
    _, transport = world.connect()
    fired = []

    world.server.stop().addCallback(fired.append)
    world.server.stop().addCallback(fired.append)

    assert transport.aborting
    assert world.reactor.stopped == [10912]
    assert fired == [None, None]


class ASlave:
    """Notes what it hears of its connection."""

    def __init__(self):
        self.wire = None
        self.heard = []

    def connected(self, wire):
        self.wire = wire

    def receive(self, data):
        self.heard.append(data)

    def lost(self, reason):
        self.heard.append(f"lost: {reason}")


def connect(world, address="master:10912"):
    """Dial, and let the connecting succeed."""
    slave = ASlave()
    world.client.dial(address, slave)
    protocol = world.reactor.tcpClients[-1][2].buildProtocol(None)
    transport = Transport(peer=("10.0.0.7", 10912))
    transport.protocol = protocol
    protocol.makeConnection(transport)
    return slave, protocol, transport


def test_a_slave_gets_to_its_master_and_both_are_heard(world):
    slave, protocol, transport = connect(world)

    slave.wire.send(b"12345678")
    protocol.dataReceived(b"chunk")

    assert world.reactor.tcpClients[-1][:2] == ("10.0.0.7", 10912)
    assert transport.value() == b"12345678"
    assert transport.no_delay
    assert slave.heard == [b"chunk"]


def test_a_slave_can_hang_up_and_hears_of_it(world):
    slave, protocol, transport = connect(world)

    slave.wire.close()
    protocol.connectionLost(Failure(ConnectionDone()))

    assert transport.aborting
    assert slave.heard == ["lost: Connection was closed cleanly."]


def test_a_master_that_is_not_there_is_a_loss(world):
    slave = ASlave()

    world.client.dial("master:10912", slave)
    factory = world.reactor.tcpClients[-1][2]
    factory.clientConnectionFailed(None, Failure(ConnectError(string="refused")))
    world.reactor.advance(1)

    assert len(slave.heard) == 1
    assert "refused" in slave.heard[0]


def test_an_address_without_port_is_a_loss(world):
    slave = ASlave()

    world.client.dial("master", slave)

    assert slave.heard == ["lost: address 'master', expected host:port"]
