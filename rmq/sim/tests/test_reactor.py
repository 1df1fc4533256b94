import pytest
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.error import (
    CannotListenError,
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    UserError,
)
from twisted.internet.error import ConnectionRefusedError as RefusedError

from rmq.sim.reactor import BUFFER
from rmq.sim.tests.talk import Pair, Talker


@pytest.fixture
def pair():
    return Pair()


class Producer:
    def __init__(self, transport=None):
        self.calls = []
        self.transport = transport

    def pauseProducing(self):
        self.calls.append("pause")

    def resumeProducing(self):
        self.calls.append("resume")
        if self.transport is not None and len(self.calls) < 4:
            self.transport.write(b"chunk")

    def stopProducing(self):
        self.calls.append("stop")


def test_production_s_way_of_connecting_works(pair):
    endpoint = HostnameEndpoint(pair.reactor(pair.b), "10.0.0.1", 1, timeout=3)
    got = []
    connectProtocol(endpoint, Talker()).addCallback(got.append)
    pair.run(100)

    client, server = got[0], pair.accepted.made[0]
    client.transport.setTcpNoDelay(True)
    client.transport.setTcpKeepAlive(True)
    client.transport.writeSequence([b"a", b"b"])
    pair.run()

    assert server.seen == b"ab"
    peer, host = server.transport.getPeer(), server.transport.getHost()
    assert (peer.host, host.host, host.port) == ("10.0.0.2", "10.0.0.1", 1)
    assert peer.port == client.transport.getHost().port


def test_a_closed_connection_sends_everything_first(pair):
    server, client = pair.talking()
    client.transport.write(b"last words")
    client.transport.loseConnection()
    client.transport.loseConnection()
    client.transport.write(b"unheard")

    pair.run()

    assert server.seen == b"last words"
    assert isinstance(server.lost, ConnectionDone)
    assert isinstance(client.lost, ConnectionDone)
    assert pair.opened.told_lost is client.lost
    assert not client.transport.connected


def test_a_connection_with_nothing_unsent_closes_at_once(pair):
    server, client = pair.talking()

    client.transport.stopProducing()
    pair.run()

    assert (type(client.lost), type(server.lost)) == (ConnectionDone, ConnectionDone)


def test_an_aborted_connection_is_lost_in_a_turn_of_its_own(pair):
    server, client = pair.talking()
    client.transport.write(b"never sent")

    client.transport.abortConnection()
    assert client.lost is None
    pair.run()
    client.transport.abortConnection()
    client.transport.loseConnection()
    client.transport.resumeProducing()

    assert isinstance(client.lost, ConnectionAborted)
    assert isinstance(server.lost, ConnectionLost)
    assert server.seen == b""


def test_a_streaming_producer_pauses_when_too_much_is_unsent(pair):
    server, client = pair.talking()
    server.transport.pauseProducing()
    producer = Producer()
    client.transport.registerProducer(producer, True)

    client.transport.write(b"x" * (BUFFER + 1))
    client.transport.write(b"x")
    assert producer.calls == ["pause"]
    pair.run()

    assert producer.calls == ["pause", "resume"]


def test_a_pull_producer_is_asked_whenever_all_is_sent(pair):
    server, client = pair.talking()
    producer = Producer(client.transport)

    client.transport.registerProducer(producer, False)
    pair.run()

    assert producer.calls == ["resume"] * 4
    assert server.seen == b"chunk" * 3


def test_a_connection_closes_when_its_producer_has_ended(pair):
    _, client = pair.talking()
    client.transport.registerProducer(Producer(), True)
    client.transport.loseConnection()
    pair.run()
    assert client.lost is None

    client.transport.unregisterProducer()
    pair.run()

    assert isinstance(client.lost, ConnectionDone)
    late = Producer()
    client.transport.unregisterProducer()
    client.transport.registerProducer(late, True)
    assert late.calls == ["stop"]


def test_a_connection_to_no_listening_port_is_refused(pair):
    pair.port.stopListening()

    pair.connect()
    pair.run()

    assert isinstance(pair.opened.failed, RefusedError)


def test_a_connection_being_made_may_be_given_up(pair):
    connector = pair.connect()
    assert connector.getDestination().host == "10.0.0.1"

    connector.disconnect()
    pair.run()
    connector.stopConnecting()
    connector.disconnect()

    assert isinstance(pair.opened.failed, UserError)
    assert isinstance(pair.accepted.made[0].lost, ConnectionLost)


def test_a_connector_closes_its_connection(pair):
    _, client = pair.talking()

    pair.opened.connector.disconnect()
    pair.run()

    assert isinstance(client.lost, ConnectionDone)


def test_a_taken_port_cannot_be_listened_at(pair):
    with pytest.raises(CannotListenError):
        pair.listen()
    assert pair.port.getHost().port == 1


def test_a_factory_may_decline_a_connection(pair):
    pair.accepted.buildProtocol = lambda addr: None

    _client = pair.connect()
    pair.run()

    assert isinstance(pair.opened.made[0].lost, ConnectionLost)


def test_calls_are_made_in_time_unless_cancelled(pair):
    reactor, seen = pair.reactor(pair.a), []
    late = reactor.callLater(0.5, seen.append, "late")
    cancelled = reactor.callLater(0.2, seen.append, "cancelled")
    reactor.callFromThread(seen.append, "soon")
    assert (late.active(), round(late.getTime(), 3)) == (True, reactor.seconds() + 0.5)

    cancelled.cancel()
    pair.run(300)
    assert seen == ["soon"]
    pair.run(300)

    assert seen == ["soon", "late"]
    assert not late.active()
    assert reactor.getDelayedCalls() == []


def test_a_reactor_that_stops_ends_its_process(pair):
    reactor = pair.reactor(pair.a)
    reactor.addSystemEventTrigger("before", "shutdown", Deferred)
    reactor.run()

    reactor.stop()
    pair.run()

    assert pair.a.process is None
    with pytest.raises(NotImplementedError):
        reactor.installNameResolver(None)
