"""The HA port, both ends of it: where slaves come to, and how a slave gets to its master."""

from typing import cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from rmq.net.hosts import split_address
from rmq.net.protocol import SocketWire
from rmq.net.twisted_ports import Address, ListeningPort, Reactor, Transport
from rmq.replication.mode import MasterConnection, Replication, SlaveConnection
from rmq.replication.serving import SLAVES_MAX

CONNECT_TIMEOUT_MS = 5_000
"""Source: RemotingHelper.java, connect(), 5.3.3."""


class HaServer:
    """Accepts slaves for whatever mode of replication there is."""

    def __init__(
        self, reactor: Reactor, replication: Replication, *, interface: str, port: int
    ) -> None:
        self._reactor = reactor
        self._replication = replication
        self._interface = interface
        self._port = port
        self._listening: ListeningPort | None = None

    def start(self) -> None:
        """Listen; the store must be loaded.

        :raises twisted.internet.error.CannotListenError: the port is taken, or not ours to take.
        """
        self._listening = self._reactor.listenTCP(
            self._port, _SlaveFactory(self._replication), SLAVES_MAX, self._interface
        )

    def stop(self) -> Deferred[None]:
        """Stop replication, and close the port; fires when that is closed."""
        self._replication.stop()
        listening, self._listening = self._listening, None
        if listening is None:
            return succeed(None)
        return listening.stopListening() or succeed(None)


class SlaveProtocol(Protocol):
    """One TCP connection of a slave.

    The transport pulls: it asks for the next chunk when it has sent the last. What the socket takes
    at once never gets to the transport, and is told here.
    """

    _wire: SocketWire

    def __init__(self, replication: Replication) -> None:
        self._replication = replication
        self._slave: SlaveConnection | None = None

    def connectionMade(self) -> None:
        """The socket is connected."""
        transport = cast("Transport", self.transport)
        transport.setTcpNoDelay(True)
        self._wire = SocketWire(transport)
        peer = transport.getPeer()
        self._slave = self._replication.accept(self, f"{peer.host}:{peer.port}")
        if self._slave is None:
            transport.abortConnection()
        else:
            transport.registerProducer(self, False)

    def dataReceived(self, data: bytes) -> None:
        """The slave speaks."""
        if self._slave is not None:
            self._slave.receive(data)

    def resumeProducing(self) -> None:
        """All is sent."""
        if self._slave is not None:
            self._slave.ready()

    def stopProducing(self) -> None:
        """The transport is about to be lost; ``connectionLost`` says so."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The socket is gone."""
        if self._slave is not None:
            self._slave.lost(str(reason.value))

    def send(self, data: bytes) -> None:
        """What the slave is told."""
        wire = self._wire
        wire.write(data)
        if wire.is_direct and not wire.unsent and self._slave is not None:
            self._slave.ready()

    def close(self) -> None:
        """Close without waiting for what is unsent."""
        cast("Transport", self.transport).abortConnection()


class _SlaveFactory(Factory):
    """Makes the protocol for each accepted connection."""

    noisy = False

    def __init__(self, replication: Replication) -> None:
        self._replication = replication

    def buildProtocol(self, addr: Address | None) -> SlaveProtocol:  # noqa: ARG002 - asked of the transport later
        return SlaveProtocol(self._replication)


class HaClient:
    """Opens connections to masters; ``dial`` is a :class:`rmq.replication.connecting.Dial`."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor

    def dial(self, address: str, connection: MasterConnection) -> None:
        """Connect to host:port, and tell ``connection``."""
        try:
            host, port = split_address(address)
        except ValueError as error:
            connection.lost(str(error))
            return
        endpoint = HostnameEndpoint(self._reactor, host, port, timeout=CONNECT_TIMEOUT_MS / 1000)
        connected: Deferred[MasterProtocol] = connectProtocol(  # type: ignore[no-untyped-call]  # Twisted left it so
            endpoint, MasterProtocol(connection)
        )
        connected.addErrback(lambda failure: connection.lost(str(failure.value)))


class MasterProtocol(Protocol):
    """One TCP connection to a master."""

    def __init__(self, connection: MasterConnection) -> None:
        self._connection = connection

    def connectionMade(self) -> None:
        """The socket is connected."""
        cast("Transport", self.transport).setTcpNoDelay(True)
        self._connection.connected(self)

    def dataReceived(self, data: bytes) -> None:
        """The master speaks."""
        self._connection.receive(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The socket is gone."""
        self._connection.lost(str(reason.value))

    def send(self, data: bytes) -> None:
        """What the master is told."""
        cast("Transport", self.transport).write(data)

    def close(self) -> None:
        """Close without waiting for what is unsent."""
        cast("Transport", self.transport).abortConnection()
