"""Twisted's reactor for a simulated process: what production uses of it, and no more.

So whole servers run here unchanged, sockets and all. Each process has a reactor of its own; its
calls and connections end with the process. Source: twisted.internet.base, tcp and abstract, whose
order of calls is kept: a write leaves at the end of the turn, an aborted connection is lost in
a turn of its own, a pull producer is asked again when all was sent.
"""

from collections.abc import Callable
from math import ceil
from types import SimpleNamespace
from typing import Any, Protocol, cast

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import (
    CannotListenError,
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    UserError,
)
from twisted.internet.error import (
    ConnectionRefusedError as RefusedError,
)
from twisted.internet.error import (
    TimeoutError as ConnectTimeoutError,
)
from twisted.internet.interfaces import IReactorPluggableNameResolver, IReactorTCP, IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer  # type: ignore[import-untyped]  # zope has no types

from rmq.sim.network import Address, Network, Stream
from rmq.sim.process import Process
from rmq.sim.world import Event

BUFFER = 1 << 16
"""Unsent bytes at which a producer is told to pause: Twisted's FileDescriptor.bufferSize."""


def _failure(error: Callable[[], BaseException]) -> Failure:
    return Failure(error())  # type: ignore[no-untyped-call]  # Twisted left it so


class TwistedProtocol(Protocol):
    """The program's side of a connection."""

    def makeConnection(self, transport: object) -> None:
        """It is there."""
        ...

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""
        ...

    def connectionLost(self, reason: Failure) -> None:
        """It is gone."""
        ...


class Producer(Protocol):
    """Who writes to a transport as fast as it takes."""

    def pauseProducing(self) -> None:
        """Write no more."""
        ...

    def resumeProducing(self) -> None:
        """Write again; a pull producer writes once."""
        ...


class DelayedCall:
    """A call that a ``SimReactor`` owes."""

    def __init__(self, event: Event, time: float) -> None:
        self._event = event
        self._time = time

    def active(self) -> bool:
        """Whether it is still to come."""
        return self._event.owed

    def cancel(self) -> None:
        """Make it not happen."""
        self._event.cancel()

    def getTime(self) -> float:
        """When it is due, seconds."""
        return self._time


class SimTransport:
    """One end of a connection, as Twisted's ``tcp.Connection``."""

    def __init__(self, out: Stream, here: Address, there: Address) -> None:
        self._out = out
        self._host, self._peer = here, there
        self._protocol: TwistedProtocol | None = None
        self._producer: Producer | None = None
        self._streaming = False
        self._producer_paused = False
        self.connected = True
        self.disconnecting = False
        self.ended: Callable[[Failure], object] = lambda _reason: None
        out.sender = out.back.receiver = self

    def begin(self, protocol: TwistedProtocol) -> None:
        """Connect the program's side."""
        self._protocol = protocol
        protocol.makeConnection(self)

    # the program's calls

    def write(self, data: bytes) -> None:
        """Send, or keep until it can be sent."""
        if not data or not self.connected or self.disconnecting:
            return
        self._out.write(bytes(data))
        if self._streaming and not self._producer_paused and self._out.unsent > BUFFER:
            self._producer_paused = True
            cast("Producer", self._producer).pauseProducing()

    def writeSequence(self, pieces: list[bytes]) -> None:
        """Send all of them."""
        self.write(b"".join(pieces))

    def loseConnection(self) -> None:
        """Close when all is sent."""
        if self.connected and not self.disconnecting:
            self.disconnecting = True
            if not self._out.unsent and self._producer is None:
                self._close()

    def abortConnection(self) -> None:
        """Close without waiting for what is unsent."""
        if self.connected and self._protocol is not None:
            self.disconnecting = True
            self._out.back.stop_reading()
            self._out.news("reset")
            self._out.source.later(0, lambda: self._lost(_failure(ConnectionAborted)))

    def _close(self) -> None:
        self._out.news("close")
        self._out.source.later(0, lambda: self._lost(_failure(ConnectionDone)))

    def registerProducer(self, producer: Producer, streaming: bool) -> None:
        """Tell ``producer`` when to write."""
        assert self._producer is None, "one producer at a time"
        if not self.connected:
            cast("Any", producer).stopProducing()
            return
        self._producer, self._streaming = producer, streaming
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """It writes no more."""
        self._producer, self._streaming = None, False
        if self.connected and self.disconnecting and not self._out.unsent:
            self._close()

    def pauseProducing(self) -> None:
        """Read no more."""
        self._out.back.stop_reading()

    def resumeProducing(self) -> None:
        """Read again."""
        if self.connected and not self.disconnecting:
            self._out.back.go_on_reading()

    def stopProducing(self) -> None:
        """Close when all is sent."""
        self.loseConnection()

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Nothing changes: what is written leaves at the end of the turn."""

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Nothing changes: a run is shorter than the system's interval."""

    def getPeer(self) -> IPv4Address:
        """The other end."""
        return IPv4Address("TCP", *self._peer)

    def getHost(self) -> IPv4Address:
        """The near end."""
        return IPv4Address("TCP", *self._host)

    # the network's calls

    def received(self, data: bytes) -> None:
        """Bytes came."""
        if self.connected and self._protocol is not None:
            self._protocol.dataReceived(data)

    def closed(self, *, clean: bool) -> None:
        """The other side closed."""
        self._lost(_failure(ConnectionDone if clean else ConnectionLost))

    def sent(self) -> None:
        """All is on its way: ask for more."""
        if not self.connected:
            return
        if self._producer is not None:
            if self._producer_paused or not self._streaming:
                self._producer_paused = False
                self._producer.resumeProducing()
        elif self.disconnecting:
            self._close()

    def _lost(self, reason: Failure) -> None:
        if not self.connected:
            return
        self.connected = False
        self._out.ended = True
        if self._protocol is not None:
            self._protocol.connectionLost(reason)
        self.ended(reason)


class ListeningPort:
    """A port that accepts connections."""

    def __init__(self, host: Address, end: Callable[[], None]) -> None:
        self._host = host
        self._end = end

    def getHost(self) -> IPv4Address:
        """Where it listens."""
        return IPv4Address("TCP", *self._host)

    def stopListening(self) -> Deferred[None]:
        """Accept no more."""
        self._end()
        return succeed(None)


class Connector:
    """A connection being made."""

    def __init__(self, reactor: "SimReactor", there: Address, factory: Any) -> None:
        self._reactor = reactor
        self._there = there
        self._factory = factory
        self._state = "connecting"
        self._transport: SimTransport | None = None

    def getDestination(self) -> IPv4Address:
        """Where it goes to."""
        return IPv4Address("TCP", *self._there)

    def disconnect(self) -> None:
        """Give up, or close."""
        if self._state == "connecting":
            self.stopConnecting()
        elif self._transport is not None:
            self._transport.loseConnection()

    def stopConnecting(self) -> None:
        """Give up."""
        self.fail(_failure(UserError))

    def fail(self, reason: Failure) -> None:
        """It comes to nothing; only while connecting."""
        if self._state == "connecting":
            self._state = "disconnected"
            self._factory.clientConnectionFailed(self, reason)
            self._factory.doStop()

    def made(self, here: Address, out: Stream | None) -> None:
        """The other side answered; None: it refused."""
        if out is None:
            self.fail(_failure(RefusedError))
        elif self._state != "connecting":
            out.news("reset")
        else:
            self._state = "connected"
            protocol = self._factory.buildProtocol(self.getDestination())
            self._transport = SimTransport(out, here, self._there)
            self._transport.ended = self._ended
            self._transport.begin(protocol)

    def _ended(self, reason: Failure) -> None:
        self._state = "disconnected"
        self._factory.clientConnectionLost(self, reason)
        self._factory.doStop()


class _Resolver:
    """Knows no names: machines are called by their addresses."""

    def resolveHostName(
        self,
        receiver: Any,
        hostName: str,
        portNumber: int = 0,
        **_options: object,
    ) -> None:
        """Give the address that the name already is."""
        receiver.resolutionBegan(SimpleNamespace(name=hostName, cancel=lambda: None))
        receiver.addressResolved(IPv4Address("TCP", hostName, portNumber))
        receiver.resolutionComplete()


@implementer(IReactorTime, IReactorTCP, IReactorPluggableNameResolver)
class SimReactor:
    """The reactor of one process."""

    def __init__(self, network: Network, process: Process) -> None:
        self.network = network
        self.process = process
        self.nameResolver = _Resolver()

    def seconds(self) -> float:
        """The machine's growing time."""
        return self.process.machine.clock.monotonic_ms() / 1_000

    def callLater(
        self, delay: float, call: Callable[..., object], *args: object, **named: object
    ) -> DelayedCall:
        """Arrange for a call, ``delay`` seconds from now; a timer counts in milliseconds."""
        own_us = ceil(delay * 1_000) * 1_000
        delay_us = self.process.machine.clock.world_us(own_us)
        event = self.process.later(delay_us, lambda: call(*args, **named))
        return DelayedCall(event, self.seconds() + delay)

    def getDelayedCalls(self) -> list[DelayedCall]:
        """Never asked for by production."""
        return []

    def callFromThread(self, call: Callable[..., object], *args: object, **named: object) -> None:
        """Call in a turn of its own."""
        self.callLater(0, call, *args, **named)

    def installNameResolver(self, resolver: object) -> object:
        """Names stay what they are."""
        raise NotImplementedError(resolver)

    def addSystemEventTrigger(self, phase: str, event: str, call: Callable[[], object]) -> object:
        """A process dies here, or is stopped by its ``stop``; triggers are the command line's."""
        return (phase, event, call)

    def run(self) -> None:
        """The world runs it."""

    def stop(self) -> None:
        """The process ends by itself."""
        self.callLater(0, self.process.machine.kill)

    def listenTCP(
        self, port: int, factory: Any, backlog: int = 50, interface: str = ""
    ) -> ListeningPort:
        """Accept connections, at any of the machine's addresses, which are one.

        :raises CannotListenError: the port is taken.
        """
        del backlog  # nobody waits to be accepted
        here = (self.process.machine.ip, port)

        def accept(out: Stream, there: Address) -> None:
            transport = SimTransport(out, here, there)
            protocol = factory.buildProtocol(IPv4Address("TCP", *there))
            if protocol is None:
                out.news("reset")
            else:
                transport.begin(protocol)

        end = self.network.listen(self.process, port, accept)
        if end is None:
            raise CannotListenError(interface, port, OSError("in use"))  # type: ignore[no-untyped-call]  # Twisted left it so
        factory.doStart()
        return ListeningPort(here, end)

    def connectTCP(
        self,
        host: str,
        port: int,
        factory: Any,
        timeout: float = 30,
        bindAddress: object = None,
    ) -> Connector:
        """Open a connection; the factory is told of it."""
        del bindAddress  # a machine has one address
        connector = Connector(self, (host, port), factory)
        here = (self.process.machine.ip, self.network.port())
        factory.doStart()
        factory.startedConnecting(connector)
        self.callLater(timeout, lambda: connector.fail(_failure(ConnectTimeoutError)))
        self.network.connect(
            self.process, here, (host, port), lambda out: connector.made(here, out)
        )
        return connector
