"""Twisted's side of a connection: bytes in, bytes out, flow control."""

import socket
import typing
from typing import cast

from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.tcp import Connection as TcpConnection
from twisted.python.failure import Failure

from rmq.base.ports import Clock
from rmq.net.hosts import pack_host
from rmq.net.twisted_ports import Address, Transport
from rmq.remoting.connection import Connection
from rmq.remoting.dispatch import Dispatcher


class SocketWire:
    """Writes to a Twisted transport, at once when the socket can take it.

    Twisted sends what is written only after its next look at the socket, three system calls
    later. When nothing is waiting to be sent, ``write`` asks the socket directly; whatever it does
    not take, and everything on a transport that is not a plain socket (TLS), goes Twisted's way.
    """

    __slots__ = ("_direct", "_socket", "_transport")

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._direct: TcpConnection | None = None
        self._socket: socket.socket | None = None
        if isinstance(transport, TcpConnection) and not getattr(transport, "TLS", False):
            self._direct = transport
            self._socket = transport.getHandle()

    def write(self, data: bytes) -> None:
        """Send, or keep until it can be sent."""
        direct = self._direct
        if (
            direct is not None
            and self._socket is not None
            and direct.connected
            and not direct.dataBuffer
            and not direct._tempDataBuffer  # noqa: SLF001 - the backlog has no public name
        ):
            try:
                sent = self._socket.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                sent = 0  # the transport meets the same error and reports the loss
            if sent == len(data):
                return
            data = data[sent:]
        self._transport.write(data)

    @property
    def is_direct(self) -> bool:
        """Whether the socket is asked first, and ``unsent`` tells what it did not take."""
        return self._direct is not None

    @property
    def unsent(self) -> int:
        """Bytes kept because the peer does not read."""
        direct = self._direct
        if direct is None:
            return 0
        return len(direct.dataBuffer) - direct.offset + direct._tempDataLen  # noqa: SLF001 - as above

    def stop_reading(self) -> None:
        """Give no more bytes until ``go_on_reading``."""
        self._transport.pauseProducing()

    def go_on_reading(self) -> None:
        """Give bytes again."""
        self._transport.resumeProducing()

    def close(self) -> None:
        """Close without waiting for what is unsent."""
        self._transport.abortConnection()


class Connections(typing.Protocol):
    """Who wants to know which connections live."""

    def opened(self, connection: Connection) -> None:
        """A connection is up."""
        ...

    def closed(self, connection: Connection) -> None:
        """A connection is gone."""
        ...


class RemotingProtocol(Protocol):
    """One TCP connection of the remoting protocol, either side."""

    connection: Connection

    def __init__(self, registry: Connections, dispatcher: Dispatcher, clock: Clock) -> None:
        self._registry = registry
        self._dispatcher = dispatcher
        self._clock = clock

    def connectionMade(self) -> None:
        """The socket is connected."""
        transport = cast("Transport", self.transport)
        transport.setTcpNoDelay(True)
        remote, local = transport.getPeer(), transport.getHost()
        self.connection = Connection(
            SocketWire(transport),
            self._dispatcher,
            self._clock,
            remote=_host_and_port(remote),
            local=_host_and_port(local),
            host_bytes=pack_host(*_host_and_port(remote)),
        )
        self.dataReceived = self.connection.receive  # type: ignore[method-assign]  # one call less for each read
        transport.registerProducer(self, True)
        self._registry.opened(self.connection)

    def pauseProducing(self) -> None:
        """The peer does not read what we send."""
        self.connection.pause()

    def resumeProducing(self) -> None:
        """The peer reads again."""
        self.connection.resume()

    def stopProducing(self) -> None:
        """The transport is about to be lost; ``connectionLost`` says so."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The socket is gone."""
        self.connection.lost(str(reason.value))
        self._registry.closed(self.connection)


def _host_and_port(address: Address) -> tuple[str, int]:
    return address.host, address.port
