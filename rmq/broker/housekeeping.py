"""What follows when a client's connection closes, or is silent for too long.

Source: ClientHousekeepingService.java, 5.3.3.
"""

from collections.abc import Iterable
from typing import Protocol

from rmq.base.periodic import Periodic
from rmq.base.ports import Clock
from rmq.remoting.channel import Channel

SCAN_MS = 10_000
"""How often silent connections are looked for."""

NOTICE_MS = 15_000
"""How often members hear of each other where ``realTimeNotifyConsumerChange`` is false."""


class Clients(Protocol):
    """A table of connected clients: producers or consumers."""

    def channel_closed(self, channel: Channel) -> bool:
        """Forget whoever used a connection; whether there was anyone."""
        ...

    def close_silent(self) -> int:
        """Close and forget connections without heartbeat for too long; how many memberships."""
        ...


class Leases(Protocol):
    """A table of leases that run out by themselves."""

    def remove_expired(self) -> None:
        """Forget those that ran out."""
        ...


class Waiting(Protocol):
    """A table of requests held for connections."""

    def drop(self, owner: Channel) -> None:
        """Give up all of one connection."""
        ...


class Notices(Protocol):
    """A table of clients that may have to be told something together."""

    def send_notices(self) -> None:
        """Tell them what changed since the last time."""
        ...


class Housekeeping:
    """Keeps the tables of clients free of those that are gone."""

    def __init__(
        self,
        clock: Clock,
        clients: Iterable[Clients],
        *,
        leases: Iterable[Leases] = (),
        waiting: Iterable[Waiting] = (),
        notices: Iterable[Notices] = (),
    ) -> None:
        """``clients`` are told in the given order; Java's is producers, then consumers."""
        self._clients = tuple(clients)
        self._leases = tuple(leases)
        self._waiting = tuple(waiting)
        self._notices = tuple(notices)
        self._scans = Periodic(clock, SCAN_MS, self.scan)
        self._notifying = Periodic(clock, NOTICE_MS, self.send_notices)

    def start(self) -> None:
        """Begin to look for silent connections, and to tell clients of each other."""
        self._scans.start()
        self._notifying.start()

    def stop(self) -> None:
        """End that; ``channel_closed`` goes on to work."""
        self._scans.stop()
        self._notifying.stop()

    def channel_closed(self, channel: Channel) -> None:
        """Forget everything about a connection; to be called once when it is gone."""
        for waiting in self._waiting:
            waiting.drop(channel)
        for clients in self._clients:
            clients.channel_closed(channel)

    def scan(self) -> None:
        """Close silent connections, forget leases that ran out."""
        for clients in self._clients:
            clients.close_silent()
        for leases in self._leases:
            leases.remove_expired()

    def send_notices(self) -> None:
        """Tell clients what they were not told at once."""
        for notices in self._notices:
            notices.send_notices()
