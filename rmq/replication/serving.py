"""What serving slaves is in every mode: each gets the commit log as bytes.

A slave's connection is *new* until its first report, *following* from then on, *gone* at the end.
The first report says from where to send: the slave's own end; or it is 0, of a slave that has
nothing, and the mode says where that one begins. From there on chunks follow, each of one file, up
to what was written. Every later report is an acknowledgement: all below it is in the slave's log.

Rules. ``acked <= position <= log's end``, where ``position`` is that of the next chunk; who reports
anything else is lying, or has another log, and is dropped. So is who says nothing, or reads
nothing, for ``silence_ms``. One chunk is on its way to a slave at a time, the next is read from
the log when the connection asks for it: a slow slave costs no memory, and nobody else anything.
A connection that takes a chunk at once gets the next in the reactor's next turn.

Source: DefaultHAService.java, DefaultHAConnection.java, 5.3.3. On purpose different: Java goes on
with a slave that is ahead of it, and sends it what does not fit once it has as much; and counts the
headers alone as bytes transferred.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from codec.errors import CodecError
from rmq.base.periodic import Periodic
from rmq.base.ports import Clock
from rmq.replication.mode import SlaveState, Wire

log = logging.getLogger(__name__)

SLAVES_MAX = 64
"""Connections at once: each may cost a file's mapping and a chunk of memory."""

SCAN_MAX_MS = 1_000
"""How often, at least, slaves are looked at: who is silent, who needs a heartbeat."""

RATE_PERIOD_MS = 1_000
"""Over what time transferred bytes are counted. Source: FlowMonitor.java, run(), 5.3.3."""


class Log(Protocol):
    """What is replicated."""

    @property
    def log_file_size(self) -> int:
        """Bytes of each file."""
        ...

    @property
    def min_position(self) -> int:
        """Where the first file begins."""
        ...

    @property
    def written_position(self) -> int:
        """Where the log ends."""
        ...

    def log_bytes(self, position: int, size_max: int) -> bytes:
        """What follows ``position`` in its file; empty where nothing is.

        :raises OSError: the file cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HaSettings:
    """How slaves are served. The comment at a field names RocketMQ's own key."""

    heartbeat_ms: int = 5_000  # haSendHeartbeatInterval
    silence_ms: int = 20_000  # haHousekeepingInterval
    chunk_max: int = 32_768  # haTransferBatchSize, bytes
    gap_max: int = 268_435_456  # haMaxGapNotInSync, bytes
    rate_max: int | None = None  # maxHaTransferByteInSecond, if haFlowControlEnable


class Served(ABC):
    """One connection of a slave. Made by ``Serving.accept``; the connection calls the rest."""

    __slots__ = (
        "_heard_ms",
        "_is_ready",
        "_is_sending",
        "_rest",
        "_sent",
        "_sent_ms",
        "_server",
        "_wire",
        "acked",
        "address",
        "is_gone",
        "position",
        "rate",
    )

    def __init__(self, server: "Serving", wire: Wire, address: str, now_ms: int) -> None:
        self._server = server
        self._wire = wire
        self._rest = b""
        self._heard_ms = self._sent_ms = now_ms
        self._is_ready = self._is_sending = False
        self._sent = 0
        self.address = address
        self.position = -1
        self.acked = 0
        self.rate = 0
        self.is_gone = False

    @abstractmethod
    def take(self, data: bytes) -> bytes:
        """Read what the slave says, and give back what is not whole yet: less than a frame.

        :raises CodecError: it lies.
        """

    @abstractmethod
    def header(self, size: int) -> bytes:
        """What goes before the ``size`` bytes at ``position``, or before none: a heartbeat."""

    @abstractmethod
    def begin_of_empty(self) -> int:
        """From where a slave that has nothing is served."""

    def chunk_size_max(self) -> int:
        """How many bytes may go in one chunk now; 0 or less: none."""
        return self._server.settings.chunk_max

    def receive(self, data: bytes) -> None:
        """Take what the slave says."""
        if self.is_gone:
            return
        self._heard_ms = self._server.now_ms()
        try:
            self._rest = self.take(self._rest + data)
        except CodecError as error:
            self.drop(str(error))

    def ready(self) -> None:
        """All that was sent is on its way: there is room for another chunk."""
        self._is_ready = True
        if not self._is_sending:
            self.send_chunk()

    def lost(self, reason: str) -> None:
        """The connection is gone."""
        if not self.is_gone:
            self.is_gone = True
            log.info("slave gone address=%s acked=%d reason=%s", self.address, self.acked, reason)
            self._server.forget(self)

    def drop(self, reason: str) -> None:
        """Close the connection, for a reason that is logged."""
        self.lost(reason)
        self._wire.close()

    def report(self, reported: int) -> None:
        """The slave has all below ``reported``.

        :raises CodecError: it cannot have, or had more before.
        """
        if self.position < 0:
            self._begin(reported)
        elif not self.acked <= reported <= self.position:
            raise CodecError(
                f"it reports {reported}, expected {self.acked} to {self.position}, what was sent"
            )
        if reported > self.acked:
            self.acked = reported
            self._server.acknowledged()

    def send_chunk(self) -> None:
        """Send the next piece of the log, if there is one and the slave can take it."""
        if not self._is_ready or self.position < 0 or self.is_gone:
            return
        size_max = self.chunk_size_max()
        rate_max = self._server.settings.rate_max
        if rate_max is not None:
            size_max = min(size_max, rate_max - self._sent)
        try:
            data = self._server.log.log_bytes(self.position, size_max)
        except OSError as error:
            self.drop(f"the log cannot be read at {self.position}: {error}")
            return
        if data:
            self._send(data)

    def scan(self, now_ms: int) -> None:
        """Look at what time has done."""
        settings = self._server.settings
        if now_ms - self._heard_ms > settings.silence_ms:
            self.drop(f"it said nothing for {settings.silence_ms} ms")
        elif not self._is_ready and now_ms - self._sent_ms > settings.silence_ms:
            self.drop(f"it read nothing for {settings.silence_ms} ms")
        elif self._is_ready and self.position >= 0:
            self.send_chunk()
            if now_ms - self._sent_ms >= settings.heartbeat_ms:
                self._send(b"")

    def count_rate(self, period_ms: int) -> None:
        """Note how much was sent in the time that is over."""
        self.rate = self._sent * 1000 // period_ms
        self._sent = 0

    def _begin(self, reported: int) -> None:
        source = self._server.log
        end = source.written_position
        if reported > end:
            raise CodecError(f"its log ends at {reported}, ours at {end}: it is not our slave")
        self.position = reported or self.begin_of_empty()
        log.info("slave follows address=%s position=%d", self.address, self.position)
        if self.position < source.min_position:
            log.warning(
                "slave asks for what is deleted address=%s position=%d begin=%d: it gets nothing; "
                "empty its store, to have it begin with a file that is there",
                self.address,
                self.position,
                source.min_position,
            )
        if self._is_ready:
            self._send(b"")

    def _send(self, data: bytes) -> None:
        header = self.header(len(data))
        self.position += len(data)
        self._put_out(header + data)

    def _put_out(self, frame: bytes) -> None:
        self._is_ready = False
        self._sent_ms = self._server.now_ms()
        self._sent += len(frame)
        self._is_sending = True
        self._wire.send(frame)
        self._is_sending = False
        if self._is_ready and 0 <= self.position < self._server.log.written_position:
            self._server.appended()


class Serving(ABC):
    """All slaves of a master."""

    def __init__(self, source: Log, clock: Clock, settings: HaSettings) -> None:
        """``source`` is loaded before the first connection."""
        self.log = source
        self.settings = settings
        self.now_ms = clock.monotonic_ms
        self._clock = clock
        self._connections: list[Served] = []
        self._is_waking = False
        self._rated_ms = self.now_ms()
        self._on_ack: list[Callable[[], None]] = []
        quarter = min(settings.heartbeat_ms, settings.silence_ms) // 4
        self._scan = Periodic(clock, max(1, min(SCAN_MAX_MS, quarter)), self._look)

    @abstractmethod
    def connection(self, wire: Wire, address: str) -> Served:
        """A connection as this mode speaks on it."""

    @abstractmethod
    def is_in_sync(self, slave: Served, end: int) -> bool:
        """Whether a slave counts as one that has the log, which ends at ``end``."""

    def start(self) -> None:
        """Begin to look at slaves by time."""
        self._scan.start()

    def stop(self) -> None:
        """Drop all slaves; may start again."""
        self._scan.stop()
        for slave in list(self._connections):
            slave.drop("shutdown, or another role")

    def accept(self, wire: Wire, address: str) -> Served | None:
        """Serve a new connection; None, and it is to be closed, when there are too many."""
        if len(self._connections) >= SLAVES_MAX:
            log.warning("slave refused address=%s: there are %d", address, SLAVES_MAX)
            return None
        slave = self.connection(wire, address)
        self._connections.append(slave)
        return slave

    def forget(self, slave: Served) -> None:
        """A slave is gone."""
        self._connections.remove(slave)

    def appended(self, *_arrival: object) -> None:
        """The log has grown: chunks go out at the end of the reactor's turn, for all puts of it.

        The store's listener; costs next to nothing without slaves.
        """
        if self._connections and not self._is_waking:
            self._is_waking = True
            self._clock.call_later(0, self._wake)

    def on_ack(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when a slave has more than before."""
        self._on_ack.append(listener)

    def acknowledged(self) -> None:
        """A slave has more than before."""
        for listener in self._on_ack:
            listener()

    def acked_by(self, count: int) -> int:
        """All below is in the logs of at least ``count`` (1 or more) slaves."""
        assert count >= 1, f"{count=}"
        acked = sorted((slave.acked for slave in self._connections), reverse=True)
        return acked[count - 1] if count <= len(acked) else 0

    @property
    def slaves(self) -> list[SlaveState]:
        """Those that are connected. Source: DefaultHAService.java, getRuntimeInfo(), 5.3.3."""
        end = self.log.written_position
        return [
            SlaveState(
                slave.address,
                slave.acked,
                slave.position,
                end - slave.acked,
                self.is_in_sync(slave, end),
                slave.rate,
            )
            for slave in self._connections
        ]

    def _wake(self) -> None:
        self._is_waking = False
        for slave in list(self._connections):
            slave.send_chunk()

    def _look(self) -> None:
        now_ms = self.now_ms()
        period_ms = now_ms - self._rated_ms
        is_rated = period_ms >= RATE_PERIOD_MS
        if is_rated:
            self._rated_ms = now_ms
        for slave in list(self._connections):
            if is_rated:
                slave.count_rate(period_ms)
            slave.scan(now_ms)
