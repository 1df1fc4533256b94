"""The slave's side of classic replication: the log comes from the master as bytes.

The slave is *apart* or *connected*. Connected, it says at once where its log ends, then whenever it
has got more, and else every ``heartbeat_ms``. What comes are chunks of the log. Rules: a chunk
begins where our log ends; in an empty log the first one begins a file; none reaches beyond the end
of its file; none is longer than ``CHUNK_SIZE_MAX``. A heartbeat is a chunk without bytes, and obeys
the same rules. A master that breaks one has another log than ours, or is none: the connection is
closed with the cause in the log, and tried again later. So is one to a master that says nothing for
``silence_ms``.

What was appended is reported before it is dispatched: senders at a SYNC_MASTER wait for it, readers
here do not. Nothing is kept of a chunk until all of it is there, at most one is.

Source: DefaultHAClient.java, 5.3.3. On purpose different: Java says its first word up to
``heartbeat_ms`` late, and waits, with a full buffer, for the rest of a chunk that is too long.
"""

import logging
from collections.abc import Callable
from typing import Final, Protocol

from codec.errors import CodecError
from codec.ha.default import CHUNK_HEADER_SIZE, ChunkHeader, pack_report, parse_chunk_header
from rmq.base.errors import StoreError
from rmq.base.periodic import Periodic
from rmq.base.ports import Clock
from rmq.replication.master import RATE_PERIOD_MS, SCAN_MAX_MS, HaSettings
from rmq.replication.mode import MasterState, Wire

log = logging.getLogger(__name__)

CHUNK_SIZE_MAX: Final = 4 * 1024 * 1024 - CHUNK_HEADER_SIZE
"""Longest chunk that is taken. Source: DefaultHAClient.java, READ_MAX_BUFFER_SIZE, 5.3.3."""


class FollowingLog(Protocol):
    """Where the copy goes: a store that follows."""

    @property
    def log_file_size(self) -> int:
        """Bytes of each file."""
        ...

    @property
    def written_position(self) -> int:
        """Where the log ends; 0 when it is empty."""
        ...

    def append_raw(self, position: int, data: bytes) -> None:
        """Append what follows; ``position`` is the log's end, or the first of an empty log.

        :raises StoreError: the store does not follow, or the disk failed.
        """
        ...

    def dispatch(self) -> int:
        """Give queues and readers all whole records that are new; how many they were.

        :raises StoreError: the disk failed.
        """
        ...


class ClassicSlave:
    """A :class:`rmq.replication.mode.MasterConnection` that speaks the classic way."""

    def __init__(
        self,
        target: FollowingLog,
        clock: Clock,
        settings: HaSettings,
        grown: Callable[[], None] = lambda: None,
    ) -> None:
        """``grown`` is called when the log has; for slaves of this slave."""
        self._log = target
        self._now_ms = clock.monotonic_ms
        self._wall_ms = clock.wall_ms
        self._settings = settings
        self._grown = grown
        self._wire: Wire | None = None
        self._buffer = bytearray()
        self._needed = CHUNK_HEADER_SIZE
        self._reported = 0
        self._heard_ms = self._said_ms = -1
        self._received = 0
        self._rated_ms = 0
        self._rate = 0
        quarter = min(settings.heartbeat_ms, settings.silence_ms) // 4
        self._scan = Periodic(clock, max(1, min(SCAN_MAX_MS, quarter)), self._look)

    def state(self, address: str | None) -> MasterState:
        """What is known of the master at ``address``."""
        ahead = self._wall_ms() - self._now_ms()
        heard_ms, said_ms = (0 if ms < 0 else ms + ahead for ms in (self._heard_ms, self._said_ms))
        return MasterState(address, self._rate, heard_ms, said_ms)

    def connected(self, wire: Wire) -> None:
        """Say where our log ends."""
        self._wire = wire
        self._buffer.clear()
        self._needed = CHUNK_HEADER_SIZE
        self._heard_ms = self._rated_ms = self._now_ms()
        self._received = 0
        self._scan.start()
        self._report()

    def receive(self, data: bytes) -> None:
        """Append the chunks that are whole."""
        if self._wire is None:
            return
        self._heard_ms = self._now_ms()
        self._received += len(data)
        self._buffer += data
        if len(self._buffer) < self._needed:
            return
        before = self._log.written_position
        try:
            self._take()
            if self._log.written_position > self._reported:
                self._report()
        except (CodecError, StoreError) as error:
            self._drop(str(error))
        if self._log.written_position > before:
            self._dispatch()

    def lost(self, reason: str) -> None:  # noqa: ARG002 - who connects logs it
        """Forget the connection, and the chunk that is not whole."""
        self._wire = None
        self._scan.stop()
        self._buffer.clear()
        self._rate = 0

    def _take(self) -> None:
        """Append whole chunks; what is left of the buffer is the begin of one.

        :raises CodecError: the master lies.
        :raises StoreError: the chunk cannot be appended.
        """
        buffer = self._buffer
        at = 0
        while len(buffer) - at >= CHUNK_HEADER_SIZE:
            body = at + CHUNK_HEADER_SIZE
            header = parse_chunk_header(bytes(buffer[at:body]))
            self._check(header)
            end = body + header.size
            if len(buffer) < end:
                self._needed = end - at
                break
            if header.size:
                self._log.append_raw(header.position, bytes(buffer[body:end]))
            at = end
        else:
            self._needed = CHUNK_HEADER_SIZE
        del buffer[:at]

    def _check(self, header: ChunkHeader) -> None:
        position, size = header
        end, file_size = self._log.written_position, self._log.log_file_size
        if end and position != end:
            raise CodecError(f"the master sends from {position}, our log ends at {end}")
        if not end and position % file_size:
            raise CodecError(
                f"the master sends from {position}, but our log is empty, and files of {file_size} "
                "bytes (mappedFileSizeCommitLog) do not begin there"
            )
        if size > CHUNK_SIZE_MAX:
            raise CodecError(f"a chunk of {size} bytes, at most {CHUNK_SIZE_MAX} are taken")
        if position % file_size + size > file_size:
            raise CodecError(
                f"a chunk of {size} bytes at {position} reaches beyond a file of {file_size} "
                "(mappedFileSizeCommitLog): is it the same at the master?"
            )

    def _dispatch(self) -> None:
        self._grown()
        try:
            self._log.dispatch()
        except StoreError as error:
            self._drop(str(error))

    def _report(self) -> None:
        """Say where our log ends now."""
        if self._wire is not None:
            self._reported = self._log.written_position
            self._said_ms = self._now_ms()
            self._wire.send(pack_report(self._reported))

    def _drop(self, reason: str) -> None:
        wire = self._wire
        if wire is not None:
            log.error("master dropped reason=%s", reason)
            self.lost(reason)
            wire.close()

    def _look(self) -> None:
        now_ms = self._now_ms()
        if now_ms - self._heard_ms > self._settings.silence_ms:
            self._drop(f"it said nothing for {self._settings.silence_ms} ms")
            return
        if now_ms - self._said_ms >= self._settings.heartbeat_ms:
            self._report()
        period_ms = now_ms - self._rated_ms
        if period_ms >= RATE_PERIOD_MS:
            self._rate = self._received * 1000 // period_ms
            self._received, self._rated_ms = 0, now_ms
