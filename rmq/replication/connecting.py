"""Keeping a slave connected to its master.

At any time there is an address or none, and for an address one attempt: dialling, or connected, or
over, and then the next begins after a pause. An attempt that is not the present one any more says
nothing to the slave: if it still gets through, it is closed.

A master that merely restarts, or changes its role, is there again soon, so the first pauses are
short. Connections that end before they have lasted as long as the longest pause count as vain: so
who accepts and hangs up is not asked any more often than who refuses.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

from rmq.base.ports import Clock, Timer
from rmq.replication.mode import MasterConnection, Wire

log = logging.getLogger(__name__)

RETRIES_MS = (100, 1_000, 5_000)
"""From a loss, or a vain attempt, to the next one; the last holds for all that follow.

Source: DefaultHAClient.java, run(), 5.3.3, which always waits for the last.
"""


class Dial(Protocol):
    """Opens connections; ``rmq.net.ha.HaClient.dial`` is one."""

    def __call__(self, address: str, connection: MasterConnection, /) -> None:
        """Connect to host:port, then tell ``connection`` what happens.

        Either ``connected`` and all that follows, or ``lost`` if it could not be; in a bounded
        time, perhaps before this returns. Raises nothing.
        """
        ...


class Connecting:
    """A :class:`rmq.replication.mode.Connector` for one slave."""

    def __init__(
        self,
        dial: Dial,
        slave: MasterConnection,
        clock: Clock,
        *,
        retries_ms: Sequence[int] = RETRIES_MS,
    ) -> None:
        self.slave = slave
        self._dial = dial
        self._clock = clock
        self._retries_ms = retries_ms
        self._vain = 0
        self._address: str | None = None
        self._attempt: Attempt | None = None
        self._timer: Timer | None = None

    @property
    def address(self) -> str | None:
        """Where the master is, as we were told."""
        return self._address

    def connect_to(self, address: str | None) -> None:
        """See :class:`rmq.replication.mode.Connector`."""
        if address == self._address:
            return
        self._address = address
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._vain = 0
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.give_up()
        self._try()

    def now_ms(self) -> int:
        """The monotonic clock."""
        return self._clock.monotonic_ms()

    def over(self, attempt: "Attempt", reason: str) -> None:
        """The present attempt has ended."""
        if attempt.wire is not None and self.now_ms() - attempt.since_ms >= self._retries_ms[-1]:
            self._vain = 0
        retry_ms = self._retries_ms[min(self._vain, len(self._retries_ms) - 1)]
        self._vain += 1
        log.warning(
            "master %s address=%s reason=%s: trying again in %d ms",
            "not reached" if attempt.wire is None else "lost",
            self._address,
            reason,
            retry_ms,
        )
        self._attempt = None
        self._timer = self._clock.call_later(retry_ms, self._try)
        if attempt.wire is not None:
            self.slave.lost(reason)

    def is_present(self, attempt: "Attempt") -> bool:
        """Whether that is the attempt that counts."""
        return self._attempt is attempt

    def _try(self) -> None:
        self._timer = None
        if self._address is not None:
            self._attempt = Attempt(self)
            self._dial(self._address, self._attempt)


class Attempt:
    """One connection to the master, or the wish for one; ``wire`` when there is one."""

    __slots__ = ("_owner", "since_ms", "wire")

    def __init__(self, owner: Connecting) -> None:
        self._owner = owner
        self.wire: Wire | None = None
        self.since_ms = 0
        """When it came about, ms."""

    def connected(self, wire: Wire) -> None:
        """There is a connection."""
        if not self._owner.is_present(self):
            wire.close()
            return
        self.wire = wire
        self.since_ms = self._owner.now_ms()
        log.info("master connected address=%s", self._owner.address)
        self._owner.slave.connected(wire)

    def receive(self, data: bytes) -> None:
        """The master speaks."""
        if self._owner.is_present(self):
            self._owner.slave.receive(data)

    def lost(self, reason: str) -> None:
        """There is none any more, or never was."""
        if self._owner.is_present(self):
            self._owner.over(self, reason)

    def give_up(self) -> None:
        """Close, for nobody wants it any more."""
        if self.wire is not None:
            self._owner.slave.lost("another master, or none, is to be followed")
            self.wire.close()
