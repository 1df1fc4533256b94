"""The port where slaves fetch the commit log."""

from typing import cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from rmq.net.twisted_ports import Address, ListeningPort, Reactor, Transport
from rmq.replication.master import SLAVES_MAX, Master, Slave


class HaServer:
    """Accepts slaves for a master."""

    def __init__(self, reactor: Reactor, master: Master, *, interface: str, port: int) -> None:
        self._reactor = reactor
        self._master = master
        self._interface = interface
        self._port = port
        self._listening: ListeningPort | None = None

    def start(self) -> None:
        """Listen; the store must be loaded.

        :raises twisted.internet.error.CannotListenError: the port is taken, or not ours to take.
        """
        self._listening = self._reactor.listenTCP(
            self._port, _SlaveFactory(self._master), SLAVES_MAX, self._interface
        )
        self._master.start()

    def stop(self) -> Deferred[None]:
        """Close the port and every connection; fires when the port is closed."""
        self._master.stop()
        listening, self._listening = self._listening, None
        if listening is None:
            return succeed(None)
        return listening.stopListening() or succeed(None)


class SlaveProtocol(Protocol):
    """One TCP connection of a slave.

    The transport pulls: it asks for the next chunk when it has sent the last.
    """

    def __init__(self, master: Master) -> None:
        self._master = master
        self._slave: Slave | None = None

    def connectionMade(self) -> None:
        """The socket is connected."""
        transport = cast("Transport", self.transport)
        transport.setTcpNoDelay(True)
        peer = transport.getPeer()
        self._slave = self._master.accept(self, f"{peer.host}:{peer.port}")
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
        """The master's chunk."""
        cast("Transport", self.transport).write(data)

    def close(self) -> None:
        """Close without waiting for what is unsent."""
        cast("Transport", self.transport).abortConnection()


class _SlaveFactory(Factory):
    """Makes the protocol for each accepted connection."""

    noisy = False

    def __init__(self, master: Master) -> None:
        self._master = master

    def buildProtocol(self, addr: Address | None) -> SlaveProtocol:  # noqa: ARG002 - asked of the transport later
        return SlaveProtocol(self._master)
