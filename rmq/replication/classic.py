"""Classic replication as a whole: serves slaves in both roles, follows a master in one.

Source: DefaultHAService.java, 5.3.3, which also accepts slaves while it is one itself.
"""

from collections.abc import Callable
from typing import Protocol

from rmq.base.ports import Clock
from rmq.replication.connecting import Connecting, Dial
from rmq.replication.following import FollowingLog
from rmq.replication.master import Master
from rmq.replication.mode import MasterState, SlaveConnection, SlaveState, Wire
from rmq.replication.serving import HaSettings, Log
from rmq.replication.slave import ClassicSlave


class ClassicLog(Log, FollowingLog, Protocol):
    """What is replicated, and where it goes."""


class Classic:
    """The classic :class:`rmq.replication.mode.Replication`; it knows no epochs."""

    def __init__(self, log: ClassicLog, dial: Dial, clock: Clock, settings: HaSettings) -> None:
        """``log`` is loaded before anything is asked of this."""
        self._master = Master(log, clock, settings)
        self._slave = ClassicSlave(log, clock, settings, self._master.appended)
        self._connecting = Connecting(dial, self._slave, clock)
        self._is_leading = self._is_following = False
        self.appended = self._master.appended
        """See :class:`rmq.replication.mode.Replication`; a shortcut, as each put calls it."""

    def lead(self, epoch: int) -> None:  # noqa: ARG002 - there are none
        """Follow nobody, and serve slaves."""
        self.stop()
        self._is_leading = True
        self._master.start()

    def follow(self, ha_address: str | None, epoch: int) -> None:  # noqa: ARG002 - there are none
        """Have the log from there, and serve it to slaves as well."""
        if not self._is_following:
            self.stop()
            self._is_following = True
            self._master.start()
        self._connecting.connect_to(ha_address)

    def stop(self) -> None:
        """Drop everybody."""
        self._is_leading = self._is_following = False
        self._connecting.connect_to(None)
        self._master.stop()

    def accept(self, wire: Wire, address: str) -> SlaveConnection | None:
        """Serve a slave."""
        if not (self._is_leading or self._is_following):
            return None
        return self._master.accept(wire, address)

    def on_ack(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when a slave has more."""
        self._master.on_ack(listener)

    def acked_by(self, count: int) -> int:
        """All below is in the logs of at least ``count`` (1 or more) slaves."""
        return self._master.acked_by(count)

    @property
    def slaves(self) -> list[SlaveState]:
        """Those that are connected."""
        return self._master.slaves

    @property
    def master(self) -> MasterState | None:
        """Whom we follow."""
        return self._slave.state(self._connecting.address) if self._is_following else None
