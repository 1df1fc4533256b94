"""Twisted's reactor and transports in memory, completed where ours asks for more."""

from types import SimpleNamespace

from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError, ConnectError, ConnectionDone
from twisted.internet.interfaces import IReactorPluggableNameResolver
from twisted.internet.testing import MemoryReactorClock, StringTransportWithDisconnection
from twisted.python.failure import Failure
from zope.interface import implementer  # type: ignore[import-untyped]  # zope has no types


class Transport(StringTransportWithDisconnection):
    """A connection from 10.0.0.1:40000 to 10.0.0.9:10911, unless told otherwise."""

    def __init__(self, host=("10.0.0.9", 10911), peer=("10.0.0.1", 40000)):
        super().__init__(IPv4Address("TCP", *host), IPv4Address("TCP", *peer))
        self.no_delay = False

    def setTcpNoDelay(self, enabled):
        self.no_delay = bool(enabled)

    def abortConnection(self):
        self.aborting = True
        self.disconnected = True


class Resolver:
    """Knows every host: 10.0.0.7."""

    def resolveHostName(self, receiver, hostName, portNumber=0, **_):
        receiver.resolutionBegan(SimpleNamespace(name=hostName, cancel=lambda: None))
        receiver.addressResolved(IPv4Address("TCP", "10.0.0.7", portNumber))
        receiver.resolutionComplete()


@implementer(IReactorPluggableNameResolver)
class Reactor(MemoryReactorClock):
    """A reactor in memory that resolves names and binds port 0 to 4711."""

    def __init__(self):
        super().__init__()
        self.nameResolver = Resolver()
        self.stopped = []

    def installNameResolver(self, resolver):
        raise NotImplementedError

    def listenTCP(self, port, factory, backlog=50, interface=""):
        super().listenTCP(port, factory, backlog, interface)
        return Port(port or 4711, self.stopped)


def accepted(reactor):
    """A client's connection to the first port: its protocol and transport."""
    factory = reactor.tcpServers[0][1]
    protocol, transport = factory.buildProtocol(None), Transport()
    protocol.makeConnection(transport)
    return protocol, transport


class Port:
    """A listening port."""

    def __init__(self, port, stopped):
        self.port = port
        self._stopped = stopped

    def getHost(self):
        return IPv4Address("TCP", "0.0.0.0", self.port)

    def stopListening(self):
        self._stopped.append(self.port)


class Pipe(Transport):
    """One end of a connection within the process; what is written arrives a turn later."""

    def __init__(self, reactor, host, peer):
        super().__init__(host, peer)
        self._reactor = reactor
        self.other = None
        self.protocol = None
        self.gone = False

    def registerProducer(self, producer, streaming):
        super().registerProducer(producer, streaming)
        self.pull()

    def pull(self):
        """Ask a producer that waits for it for more."""
        if self.producer is not None and not self.streaming:
            self._reactor.callLater(0, self.producer.resumeProducing)

    def write(self, data):
        self._reactor.callLater(0, self.other.deliver, bytes(data))
        self.pull()

    def deliver(self, data):
        if not self.gone:
            self.protocol.dataReceived(data)

    def abortConnection(self):
        self._reactor.callLater(0, self.lose)
        self._reactor.callLater(0, self.other.lose)

    def lose(self):
        if not self.gone:
            self.gone = True
            self.protocol.connectionLost(Failure(ConnectionDone()))


class Loop(Reactor):
    """A reactor in memory whose clients reach its servers; the rest of the world is gone."""

    def __init__(self):
        super().__init__()
        self.listening = {}
        self.taken = set()

    def listenTCP(self, port, factory, backlog=50, interface=""):
        if port in self.taken or port in self.listening:
            raise CannotListenError(interface, port, "in use")
        self.listening[port] = factory
        return LoopPort(self, port)

    def connectTCP(self, host, port, factory, timeout=30, bindAddress=None):
        self.callLater(0, self._connect, port, factory)

    def callFromThread(self, call, *args, **kwargs):
        self.callLater(0, call, *args, **kwargs)

    def _connect(self, port, factory):
        server = self.listening.get(port)
        if server is None:
            factory.clientConnectionFailed(None, Failure(ConnectError(string="refused")))
            return
        here, there = ("127.0.0.1", 40000), ("127.0.0.1", port)
        near, far = Pipe(self, here, there), Pipe(self, there, here)
        near.other, far.other = far, near
        near.protocol, far.protocol = factory.buildProtocol(None), server.buildProtocol(None)
        far.protocol.makeConnection(far)
        near.protocol.makeConnection(near)

    def spin(self, seconds=0.2):
        """Let time pass, in turns of a millisecond."""
        for _ in range(int(seconds * 1000)):
            self.advance(0.001)


class LoopPort:
    """A listening port of a ``Loop``."""

    def __init__(self, reactor, port):
        self._reactor = reactor
        self._port = port

    def getHost(self):
        return IPv4Address("TCP", "127.0.0.1", self._port)

    def stopListening(self):
        del self._reactor.listening[self._port]
