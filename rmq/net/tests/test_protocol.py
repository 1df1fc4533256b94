import socket

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.tcp import Connection as TcpConnection
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from codec.codes import RequestCode
from codec.command import Command, decode_command, encode_command
from codec.frame import FrameBuffer
from rmq.base.manual import ManualClock
from rmq.net.protocol import RemotingProtocol, SocketWire
from rmq.net.tests.reactors import Transport
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.handling import Response, handler_table, handles

BIG = bytes(range(256)) * 8192


class Echo:
    @handles(RequestCode.HEART_BEAT)
    def echo(self, request):
        return Response(body=request.body)


class Registry:
    def __init__(self):
        self.live = []
        self.gone = []

    def opened(self, connection):
        self.live.append(connection)

    def closed(self, connection):
        self.gone.append((connection, connection.close_reason))


def a_protocol(registry=None):
    dispatcher = Dispatcher(handler_table([Echo()]))
    return RemotingProtocol(registry or Registry(), dispatcher, ManualClock())


def a_frame(body=b""):
    return encode_command(Command(code=RequestCode.HEART_BEAT, body=body))


# a transport that is no plain socket


class World:
    def __init__(self):
        self.registry = Registry()
        self.protocol = a_protocol(self.registry)
        self.transport = Transport()
        self.protocol.makeConnection(self.transport)
        (self.connection,) = self.registry.live


@pytest.fixture
def world():
    return World()


def test_connection_is_registered_with_both_ends(world):
    assert world.connection is world.protocol.connection
    assert world.connection.remote_address == "10.0.0.1:40000"
    assert world.connection.local_address == "10.0.0.9:10911"
    assert world.connection.host_bytes == b"\x0a\0\0\1\0\0\x9c\x40"
    assert world.transport.no_delay


def test_request_is_answered(world):
    world.protocol.dataReceived(a_frame(b"one"))

    (frame,) = FrameBuffer().feed(world.transport.value())
    assert decode_command(frame).body == b"one"


def test_transport_and_connection_hold_each_other_back(world):
    assert world.transport.producer is world.protocol

    world.protocol.pauseProducing()
    assert world.transport.producerState == "paused"
    world.protocol.resumeProducing()

    assert world.transport.producerState == "producing"


def test_lost_connection_is_told_with_its_reason(world):
    world.protocol.stopProducing()
    world.protocol.connectionLost(Failure(ConnectionDone("bye")))

    assert not world.connection.is_open
    (gone,) = world.registry.gone
    assert gone == (world.connection, str(ConnectionDone("bye")))


def test_broken_bytes_abort_the_transport(world):
    world.protocol.dataReceived(b"\xff" * 12)

    assert world.transport.disconnected
    assert not world.transport.value()


def test_nothing_is_known_of_what_a_foreign_transport_keeps(world):
    assert SocketWire(world.transport).unsent == 0


# a plain socket


class Pair:
    """Twisted's side of a socket pair, with a reactor that runs when the test says so."""

    def __init__(self):
        ours, self.peer = socket.socketpair()
        ours.setblocking(False)
        self.peer.setblocking(False)
        self.reactor = MemoryReactorClock()
        self.protocol = a_protocol()
        self.tcp = TcpConnection(ours, self.protocol, self.reactor)
        self.tcp.connected = 1
        self.wire = SocketWire(self.tcp)
        self.received = b""

    def read(self):
        try:
            while data := self.peer.recv(1 << 20):
                self.received += data
        except BlockingIOError:
            pass

    def drain(self):
        """Let the reactor write until nothing is left."""
        for _ in range(1000):
            self.read()
            if not self.reactor.writers:
                return
            self.tcp.doWrite()


@pytest.fixture
def pair():
    pair = Pair()
    yield pair
    pair.peer.close()
    pair.tcp.socket.close()


def test_answer_is_sent_without_waiting_for_the_reactor(pair):
    pair.wire.write(b"one")
    pair.read()

    assert pair.received == b"one"
    assert pair.wire.unsent == 0
    assert not pair.reactor.writers


def test_what_the_socket_does_not_take_is_kept_in_order(pair):
    pair.wire.write(BIG)
    kept = pair.wire.unsent
    pair.wire.write(b"after")

    assert 0 < kept < len(BIG)
    assert pair.wire.unsent == kept + 5
    pair.drain()
    assert pair.received == BIG + b"after"
    assert pair.wire.unsent == 0


def test_full_socket_takes_nothing_and_nothing_is_lost(pair):
    filled = 0
    while True:
        try:
            filled += pair.tcp.socket.send(b"f" * 65536)
        except BlockingIOError:
            break
    while True:
        try:
            filled += pair.tcp.socket.send(b"f")
        except BlockingIOError:
            break

    pair.wire.write(b"late")
    assert pair.wire.unsent == 4
    pair.drain()

    assert pair.received[filled:] == b"late"


def test_lost_socket_is_left_to_the_transport(pair):
    pair.peer.close()

    pair.wire.write(b"x")
    pair.wire.write(b"x")

    assert pair.reactor.writers


def test_closed_transport_is_not_written_to(pair):
    pair.tcp.connected = 0

    pair.wire.write(b"x")
    pair.read()

    assert pair.received == b""


def test_encrypted_transport_is_not_bypassed():
    ours, peer = socket.socketpair()
    tcp = TcpConnection(ours, a_protocol(), MemoryReactorClock())
    tcp.connected, tcp.TLS = 1, True
    written = []
    tcp.write = written.append

    wire = SocketWire(tcp)
    wire.write(b"secret")

    assert written == [b"secret"]
    assert wire.unsent == 0
    ours.close()
    peer.close()


def test_reading_stops_and_goes_on(pair):
    pair.wire.go_on_reading()
    assert pair.tcp in pair.reactor.readers

    pair.wire.stop_reading()

    assert pair.tcp not in pair.reactor.readers


def test_closing_waits_for_nothing(pair):
    pair.wire.write(BIG)

    pair.wire.close()

    assert pair.wire.unsent > 0
    assert not pair.reactor.writers
