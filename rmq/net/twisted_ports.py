"""What is used of Twisted, as Protocols: its zope interfaces tell a type checker nothing."""

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred


class DelayedCall(Protocol):
    """A call that the reactor will make."""

    def active(self) -> bool:
        """Whether it is still to come."""
        ...

    def cancel(self) -> None:
        """Make it not happen."""
        ...


class Address(Protocol):
    """One end of a TCP connection."""

    @property
    def host(self) -> str:
        """The IP address."""
        ...

    @property
    def port(self) -> int:
        """The TCP port."""
        ...


class Transport(Protocol):
    """A TCP connection. Source: twisted.internet.interfaces, ITCPTransport, IPushProducer."""

    def write(self, data: bytes) -> None:
        """Send, or keep until it can be sent."""
        ...

    def abortConnection(self) -> None:
        """Close without waiting for what is unsent."""
        ...

    def setTcpNoDelay(self, enabled: bool, /) -> None:
        """Send small pieces at once."""
        ...

    def getPeer(self) -> Address:
        """The other end."""
        ...

    def getHost(self) -> Address:
        """The near end."""
        ...

    def registerProducer(self, producer: Any, streaming: bool, /) -> None:
        """Tell ``producer`` to pause when the peer does not read."""
        ...

    def pauseProducing(self) -> None:
        """Read no more."""
        ...

    def resumeProducing(self) -> None:
        """Read again."""
        ...


class ListeningPort(Protocol):
    """A port that accepts connections."""

    def getHost(self) -> Address:
        """Where it listens."""
        ...

    def stopListening(self) -> Deferred[None] | None:
        """Accept no more; fires when the port is free."""
        ...


class Reactor(Protocol):
    """Twisted's event loop."""

    def callLater(self, delay: float, callable: Callable[..., object], /) -> DelayedCall:  # noqa: A002 - Twisted's name
        """Arrange for a call, ``delay`` seconds from now."""
        ...

    def listenTCP(
        self, port: int, factory: Any, backlog: int = 50, interface: str = ""
    ) -> ListeningPort:
        """Accept connections."""
        ...

    def addSystemEventTrigger(self, phase: str, event: str, call: Callable[[], object]) -> object:
        """Call at the reactor's start or end."""
        ...

    def run(self) -> None:
        """Serve until stopped."""
        ...

    def stop(self) -> None:
        """End ``run``."""
        ...
