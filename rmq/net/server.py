"""A listening port of the remoting protocol."""

import logging
from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Factory

from rmq.base.periodic import Periodic
from rmq.base.ports import Clock
from rmq.net.protocol import RemotingProtocol
from rmq.net.twisted_ports import Address, ListeningPort, Reactor
from rmq.remoting.connection import Connection
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.handling import HandlerTable

log = logging.getLogger(__name__)

SCAN_PERIOD_MS = 5_000
"""How often, at least, connections are looked at for silence and unfinished frames."""

UNFINISHED_FRAME_MS = 30_000
"""How long a frame, or an unread answer, may stay unfinished while nothing else is finished."""

BACKLOG = 1024
"""Connections that the system may hold for us, as serverSocketBacklog."""


class RemotingServer:
    """Accepts connections and answers them by a role's table.

    ``closed`` is told of each connection that is gone, in the order in which they go.
    """

    def __init__(
        self,
        reactor: Reactor,
        clock: Clock,
        table: HandlerTable,
        *,
        interface: str = "",
        port: int,
        idle_ms: int = 120_000,
        unfinished_ms: int = UNFINISHED_FRAME_MS,
        closed: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._dispatcher = Dispatcher(table)
        self._interface = interface
        self._port = port
        self._closed = closed
        scan_ms = max(1, min(SCAN_PERIOD_MS, unfinished_ms // 2))
        self._quiet_scans_max = max(1, idle_ms // scan_ms)
        self._stale_scans_max = unfinished_ms // scan_ms
        self._connections: set[Connection] = set()
        self._listening: ListeningPort | None = None
        self._scan = Periodic(clock, scan_ms, self._scan_connections)

    @property
    def port(self) -> int:
        """The port in fact: where 0 was asked for, the system chose."""
        if self._listening is None:
            return self._port
        return self._listening.getHost().port

    @property
    def connections(self) -> set[Connection]:
        """The live ones."""
        return self._connections

    def start(self) -> None:
        """Listen.

        :raises twisted.internet.error.CannotListenError: the port is taken, or not ours to take.
        """
        self._listening = self._reactor.listenTCP(
            self._port, _PeerFactory(self), BACKLOG, self._interface
        )
        self._scan.start()

    def stop(self) -> Deferred[None]:
        """Close the port and every connection; fires when the port is closed."""
        self._scan.stop()
        listening, self._listening = self._listening, None
        for connection in list(self._connections):
            connection.close("shutdown")
        if listening is None:
            return succeed(None)
        return listening.stopListening() or succeed(None)

    def protocol(self) -> RemotingProtocol:
        """The protocol of a connection just accepted."""
        return RemotingProtocol(self, self._dispatcher, self._clock)

    def opened(self, connection: Connection) -> None:
        """A connection is up."""
        self._connections.add(connection)

    def closed(self, connection: Connection) -> None:
        """A connection is gone."""
        self._connections.discard(connection)
        self._closed(connection)

    def _scan_connections(self) -> None:
        for connection in list(self._connections):
            connection.scan(self._quiet_scans_max, self._stale_scans_max)


class _PeerFactory(Factory):
    """Makes the protocol for each accepted connection."""

    noisy = False

    def __init__(self, server: RemotingServer) -> None:
        self._server = server

    def buildProtocol(self, addr: Address | None) -> RemotingProtocol:  # noqa: ARG002 - asked of the transport later
        return self._server.protocol()
