"""What all modes of replication have in common, so that a broker can run with any of them.

A mode (classic, AutoSwitch) is leading or following. In both it serves whoever connects to the HA
port; only a following one connects to a master. All parts are sans-IO: connections come in as
``Wire``, time as ``Clock``, and events are calls. Each event runs to its end before the next.

Two sockets' worth of shapes: ``SlaveConnection`` is our end of a connection that a slave opened,
``MasterConnection`` our end of the one to our master.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Wire(Protocol):
    """A connection, seen by who speaks on it."""

    def send(self, data: bytes) -> None:
        """Send, or keep until it can be sent."""
        ...

    def close(self) -> None:
        """Close without waiting for what is unsent; harmless when closed.

        ``lost`` is called, before this returns or later, unless it was already.
        """
        ...


class SlaveConnection(Protocol):
    """A connection that a slave opened: what the HA server tells of it."""

    def receive(self, data: bytes) -> None:
        """Take what came, however it is cut. Raises nothing: who lies is dropped."""
        ...

    def ready(self) -> None:
        """All that was sent is on its way (also once in the beginning): more may be sent.

        May be called while ``Wire.send`` runs, if that is so at once.
        """
        ...

    def lost(self, reason: str) -> None:
        """The connection is gone; nothing is called afterwards."""
        ...


class MasterConnection(Protocol):
    """A slave's state machine: what the HA client tells it of the connection to the master.

    ``connected``, then any number of ``receive``, then ``lost``, and all that again.
    """

    def connected(self, wire: Wire) -> None:
        """There is a connection to the master."""
        ...

    def receive(self, data: bytes) -> None:
        """Take what came, however it is cut. Raises nothing: a master that lies is dropped."""
        ...

    def lost(self, reason: str) -> None:
        """That connection is gone, be it that the slave closed its wire itself."""
        ...


class Connector(Protocol):
    """Keeps a slave connected to its master. ``rmq.replication.connecting.Connecting`` does."""

    def connect_to(self, address: str | None) -> None:
        """Have a connection to host:port from now on, and again after each loss; None: to nobody.

        A present connection to elsewhere is closed; to the same address it stays.
        """
        ...


@dataclass(frozen=True, slots=True)
class SlaveState:
    """A slave as an operator sees it: positions in bytes, ``rate`` in bytes per second."""

    address: str
    acked: int
    position: int
    behind: int
    in_sync: bool
    rate: int


@dataclass(frozen=True, slots=True)
class MasterState:
    """A slave's master as an operator sees it.

    ``address`` is None while it is not known; ``rate`` in bytes per second; when it was heard, and
    told something, last (wall time; 0: never); whether there is a connection now.
    """

    address: str | None
    rate: int
    heard_ms: int
    said_ms: int
    is_connected: bool


class Replication(Protocol):
    """One mode of replication. Neither leading nor following until told."""

    def lead(self, epoch: int) -> None:
        """Follow nobody, and serve slaves as their master; ``epoch`` is 0 in classic mode.

        The log ends with a whole record, and puts are not yet taken: what AutoSwitch notes as the
        epoch's begin is the end of the log now. Slaves that are connected are dropped: their
        positions were those of another time.

        :raises rmq.base.errors.StoreError: the epoch cannot be saved; nothing has changed.
        """
        ...

    def follow(self, ha_address: str | None, epoch: int) -> None:
        """Have the log from the master at ``ha_address``; None: its address is not known yet.

        The store follows already. Slaves that are connected are dropped. Said again with another
        address, the old connection is closed.
        """
        ...

    def stop(self) -> None:
        """Drop all slaves, follow nobody, set no timers; may ``lead`` or ``follow`` again."""
        ...

    def accept(self, wire: Wire, address: str) -> SlaveConnection | None:
        """Serve a new connection; None, and it is to be closed, when it is not wanted."""
        ...

    def appended(self, *_arrival: object) -> None:
        """The log has grown: the store's listener. Costs next to nothing without slaves."""
        ...

    def on_ack(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when ``acked_by`` may give more than before.

        That is when a slave has more, or another set of them counts.
        """
        ...

    def acked_by(self, count: int) -> int:
        """All below is in the logs of at least ``count`` (1 or more) slaves; 0 if of fewer."""
        ...

    @property
    def slaves(self) -> list[SlaveState]:
        """Those that are connected."""
        ...

    @property
    def master(self) -> MasterState | None:
        """Whom we follow; None unless following."""
        ...
