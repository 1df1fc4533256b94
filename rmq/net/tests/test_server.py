import pytest
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from codec.codes import RequestCode
from codec.command import Command, encode_command
from rmq.base.manual import ManualClock
from rmq.net.server import BACKLOG, RemotingServer
from rmq.net.tests.reactors import Reactor, accepted
from rmq.remoting.handling import Response, handler_table, handles


class Beats:
    @handles(RequestCode.HEART_BEAT)
    def beat(self, request):
        return Response()


class World:
    def __init__(self, port=10911, **options):
        self.reactor = Reactor()
        self.clock = ManualClock()
        self.gone = []
        self.server = RemotingServer(
            self.reactor,
            self.clock,
            handler_table([Beats()]),
            interface="127.0.0.1",
            port=port,
            closed=self.gone.append,
            **options,
        )

    def connect(self):
        return accepted(self.reactor)


@pytest.fixture
def world():
    world = World()
    world.server.start()
    return world


def test_server_listens_where_it_was_told(world):
    ((port, _, backlog, interface),) = world.reactor.tcpServers

    assert (port, backlog, interface) == (10911, BACKLOG, "127.0.0.1")
    assert world.server.port == 10911


def test_port_that_the_system_chose_is_known_once_it_listens():
    world = World(port=0)

    assert world.server.port == 0
    world.server.start()

    assert world.server.port == 4711


def test_requests_of_a_connection_are_answered(world):
    protocol, transport = world.connect()

    protocol.dataReceived(encode_command(Command(code=RequestCode.HEART_BEAT)))

    assert transport.value()


def test_live_connections_are_known_until_they_are_gone(world):
    first, _ = world.connect()
    second, _ = world.connect()
    assert world.server.connections == {first.connection, second.connection}

    first.connectionLost(Failure(ConnectionDone()))

    assert world.server.connections == {second.connection}
    assert world.gone == [first.connection]


def test_silent_connections_are_closed():
    world = World(idle_ms=20_000)
    world.server.start()
    silent, transport = world.connect()
    world.clock.advance(15_000)
    fresh, _ = world.connect()

    world.clock.advance(10_000)

    assert silent.connection.close_reason == "idle"
    assert transport.disconnected
    assert fresh.connection.is_open


def test_unfinished_frames_are_not_waited_for_long():
    world = World(unfinished_ms=1000)
    world.server.start()
    protocol, _ = world.connect()
    protocol.dataReceived(b"\0\0")

    world.clock.advance(1000)
    assert protocol.connection.is_open
    world.clock.advance(1000)

    assert protocol.connection.close_reason == "frame left unfinished"


def test_server_that_stops_closes_its_port_and_its_connections(world):
    protocol, _ = world.connect()
    stopped = []

    world.server.stop().addCallback(stopped.append)

    assert stopped == [None]
    assert world.reactor.stopped == [10911]
    assert protocol.connection.close_reason == "shutdown"
    assert world.clock.owed == 0


def test_server_that_never_listened_stops_too():
    stopped = []

    World().server.stop().addCallback(stopped.append)

    assert stopped == [None]


def test_connections_may_go_unnoticed():
    world = World()
    server = RemotingServer(world.reactor, world.clock, {}, port=1)
    server.start()
    protocol, _ = world.connect()

    protocol.connectionLost(Failure(ConnectionDone()))

    assert server.connections == set()
