import logging

import pytest
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.python.failure import Failure

from codec.codes import ONEWAY_FLAG, RESPONSE_FLAG, RequestCode
from codec.command import Command, decode_command, encode_command
from codec.frame import FrameBuffer
from rmq.base.errors import CallError
from rmq.base.manual import ManualClock
from rmq.net.client import RemotingClient
from rmq.net.tests.reactors import Reactor, Transport
from rmq.remoting.handling import Response, handler_table, handles

ADDRESS = "namesrv:9876"


class Beats:
    @handles(RequestCode.HEART_BEAT)
    def beat(self, request):
        return Response(remark="beat")


class World:
    def __init__(self):
        self.reactor = Reactor()
        self.clock = ManualClock()
        self.client = RemotingClient(self.reactor, self.clock)
        self.client.serve(handler_table([Beats()]))
        self.told = []

    def call(self, address=ADDRESS, timeout_ms=3000, body=b""):
        self.client.call(address, Command(code=105, body=body), timeout_ms).addCallbacks(
            self.told.append, lambda failure: self.told.append(failure.value)
        )

    def connect(self):
        """Let the latest connecting succeed."""
        factory = self.reactor.tcpClients[-1][2]
        protocol, transport = factory.buildProtocol(None), Transport(peer=("10.0.0.7", 9876))
        transport.protocol = protocol
        protocol.makeConnection(transport)
        return protocol, transport

    def refuse(self):
        """Let the latest connecting fail."""
        factory = self.reactor.tcpClients[-1][2]
        factory.clientConnectionFailed(None, Failure(ConnectError(string="refused")))
        self.reactor.advance(1)


@pytest.fixture
def world():
    return World()


def sent(transport):
    return [decode_command(frame) for frame in FrameBuffer().feed(transport.value())]


def answer(protocol, opaque, body=b"yes"):
    response = Command(code=0, opaque=opaque, flag=RESPONSE_FLAG, body=body)
    protocol.dataReceived(encode_command(response))


def test_call_connects_first(world):
    world.call(body=b"ask")

    ((host, port, _, timeout, _),) = world.reactor.tcpClients
    assert (host, port, timeout) == ("10.0.0.7", 9876, 3)
    protocol, transport = world.connect()
    (command,) = sent(transport)
    assert (command.code, command.body) == (105, b"ask")
    answer(protocol, command.opaque)

    assert [command.body for command in world.told] == [b"yes"]


def test_all_calls_to_an_address_share_its_connection(world):
    world.call()
    world.call()
    _, transport = world.connect()
    world.call()

    assert len(world.reactor.tcpClients) == 1
    assert [command.opaque for command in sent(transport)] == [0, 1, 2]


def test_call_to_where_nobody_listens_fails(world):
    world.call()
    world.call()

    world.refuse()

    assert all(isinstance(error, CallError) for error in world.told)
    assert len(world.told) == 2
    assert str(world.told[0]).startswith(f"cannot connect to {ADDRESS}: ")
    world.call()
    assert len(world.reactor.tcpClients) == 2


def test_call_to_what_is_no_address_fails(world):
    world.call("nowhere")

    assert str(world.told[0]) == (
        "cannot connect to nowhere: address 'nowhere', expected host:port"
    )


def test_call_without_an_answer_fails_in_time(world):
    world.call(timeout_ms=500)
    world.connect()

    world.clock.advance(500)

    assert isinstance(world.told[0], CallError)


def test_lost_connection_fails_its_calls_and_the_next_call_opens_another(world):
    world.call()
    world.call("other:1")
    _, other = world.connect()
    world.reactor.tcpClients.pop()
    protocol, _ = world.connect()

    protocol.connectionLost(Failure(ConnectionDone()))
    assert isinstance(world.told[0], CallError)
    world.call()
    world.call("other:1")

    assert len(world.reactor.tcpClients) == 2
    assert len(sent(other)) == 2


def test_connection_that_closed_itself_is_not_used_again(world):
    world.call()
    protocol, _ = world.connect()
    protocol.dataReceived(b"\xff" * 12)

    world.call()

    assert len(world.reactor.tcpClients) == 2


def test_oneway_is_sent_without_an_answer(world):
    world.client.send(ADDRESS, Command(code=104))

    _, transport = world.connect()

    (command,) = sent(transport)
    assert command.flag == ONEWAY_FLAG


def test_oneway_to_where_nobody_listens_is_forgotten(world, caplog):
    with caplog.at_level(logging.DEBUG):
        world.client.send(ADDRESS, Command(code=104))
        world.refuse()

    assert f"not sent peer={ADDRESS}" in caplog.text


def test_peer_may_ask_over_the_same_connection(world):
    world.call()
    protocol, transport = world.connect()

    protocol.dataReceived(encode_command(Command(code=RequestCode.HEART_BEAT, opaque=9)))

    response = sent(transport)[1]
    assert (response.opaque, response.remark) == (9, "beat")


def test_client_that_stops_closes_its_connections_and_opens_no_more(world):
    world.call()
    _, transport = world.connect()

    world.client.stop()
    assert transport.disconnected
    world.call()

    assert str(world.told[-1]) == f"cannot connect to {ADDRESS}: shutting down"


def test_connection_that_is_made_after_the_stop_is_closed(world):
    world.call()
    world.client.stop()

    _, transport = world.connect()

    assert transport.disconnected
    assert sent(transport) == []
    assert str(world.told[0]) == f"cannot connect to {ADDRESS}: shutting down"
