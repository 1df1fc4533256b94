"""Connections that we open: one for each address, made when first needed and again when lost."""

import logging
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.python.failure import Failure

from codec.command import Command
from rmq.base.errors import CallError
from rmq.base.ports import Clock
from rmq.net.hosts import split_address
from rmq.net.protocol import RemotingProtocol
from rmq.net.twisted_ports import Reactor
from rmq.remoting.connection import Connection
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.handling import HandlerTable

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_MS = 3_000
"""As connectTimeoutMillis of the Java client side."""


class RemotingClient:
    """Sends requests to addresses; a :class:`rmq.remoting.calls.Caller`.

    Peers may send requests over these connections too; they are answered as ``serve``
    says; without it, as codes that nobody supports.
    """

    def __init__(self, reactor: Reactor, clock: Clock) -> None:
        self._reactor = reactor
        self._clock = clock
        self._dispatcher = Dispatcher({})
        self._connections: dict[str, Connection] = {}
        self._waiting: dict[str, list[Callable[[Connection | None, str], None]]] = {}
        self._stopped = False

    def serve(self, table: HandlerTable) -> None:
        """Have ``table`` answer what peers ask over connections that are made from now on."""
        self._dispatcher = Dispatcher(table)

    def call(self, address: str, command: Command, timeout_ms: int) -> Deferred[Command]:
        """Send to ``host:port`` and await the answer; fails with ``CallError``."""
        answer: Deferred[Command] = Deferred()

        def connected(connection: Connection | None, why_not: str) -> None:
            if connection is None:
                answer.errback(CallError(f"cannot connect to {address}: {why_not}"))
            else:
                connection.call(command, timeout_ms).chainDeferred(answer)

        self._with_connection(address, connected)
        return answer

    def send(self, address: str, command: Command) -> None:
        """Send one way, best effort."""

        def connected(connection: Connection | None, why_not: str) -> None:
            if connection is None:
                log.debug("not sent peer=%s cause=%s", address, why_not)
            else:
                connection.send(command)

        self._with_connection(address, connected)

    def stop(self) -> None:
        """Close all connections; what waits fails."""
        self._stopped = True
        for connection in list(self._connections.values()):
            connection.close("shutdown")

    def protocol(self) -> RemotingProtocol:
        """The protocol of a connection being opened."""
        return RemotingProtocol(self, self._dispatcher, self._clock)

    def opened(self, connection: Connection) -> None:
        """A connection is up; who asked for it is told by the endpoint."""

    def closed(self, connection: Connection) -> None:
        """A connection is gone: the next request opens another."""
        for address, known in list(self._connections.items()):
            if known is connection:
                del self._connections[address]

    def _with_connection(
        self, address: str, then: Callable[[Connection | None, str], None]
    ) -> None:
        connection = self._connections.get(address)
        if connection is not None and connection.is_open:
            then(connection, "")
            return
        if self._stopped:
            then(None, "shutting down")
            return
        if address in self._waiting:
            self._waiting[address].append(then)
            return
        try:
            host, port = split_address(address)
        except ValueError as error:
            then(None, str(error))
            return
        self._waiting[address] = [then]
        endpoint = HostnameEndpoint(self._reactor, host, port, timeout=CONNECT_TIMEOUT_MS / 1000)
        connected: Deferred[RemotingProtocol] = connectProtocol(  # type: ignore[no-untyped-call]  # Twisted left it so
            endpoint, self.protocol()
        )
        connected.addCallbacks(
            lambda protocol: self._connected(address, protocol.connection),
            lambda failure: self._not_connected(address, failure),
        )

    def _connected(self, address: str, connection: Connection) -> None:
        if self._stopped:
            connection.close("shutdown")
            for then in self._waiting.pop(address, ()):
                then(None, "shutting down")
            return
        self._connections[address] = connection
        for then in self._waiting.pop(address, ()):
            then(connection, "")

    def _not_connected(self, address: str, failure: Failure) -> None:
        for then in self._waiting.pop(address, ()):
            then(None, str(failure.value))
