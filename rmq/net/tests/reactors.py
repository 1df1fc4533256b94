"""Twisted's reactor and transports in memory, completed where ours asks for more."""

from types import SimpleNamespace

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IReactorPluggableNameResolver
from twisted.internet.testing import MemoryReactorClock, StringTransportWithDisconnection
from zope.interface import implementer


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


class Port:
    """A listening port."""

    def __init__(self, port, stopped):
        self.port = port
        self._stopped = stopped

    def getHost(self):
        return IPv4Address("TCP", "0.0.0.0", self.port)

    def stopListening(self):
        self._stopped.append(self.port)
