"""What following a master is in every mode: the log comes as bytes.

A slave is *apart* or *connected*. Connected, it says where its log ends whenever it has got more,
and else every ``heartbeat_ms``. What comes are frames, most of them chunks of the log. Rules: a
chunk begins where our log ends; in an empty log the first one begins a file; none reaches beyond
the end of its file; none is longer than ``CHUNK_SIZE_MAX``. A heartbeat is a chunk without bytes,
and obeys the same rules. A master that breaks one has another log than ours, or is none: the
connection is closed with the cause in the log, and tried again later. So is one to a master that
says nothing for ``silence_ms``.

What was appended is reported before it is dispatched: senders at a SYNC_MASTER wait for it, readers
here do not. Nothing is kept of a chunk until all of it is there, at most one is.

Source: DefaultHAClient.java, 5.3.3. On purpose different: Java waits, with a full buffer, for the
rest of a chunk that is too long.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, Protocol

from codec.errors import CodecError
from rmq.base.errors import StoreError
from rmq.base.periodic import Periodic
from rmq.base.ports import Clock
from rmq.replication.mode import MasterState, Wire
from rmq.replication.serving import RATE_PERIOD_MS, SCAN_MAX_MS, HaSettings

log = logging.getLogger(__name__)

CHUNK_SIZE_MAX: Final = 4 * 1024 * 1024 - 64
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


class Following(ABC):
    """A :class:`rmq.replication.mode.MasterConnection`, but for the frames themselves."""

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
        self._needed = 0
        self._reported = 0
        self._heard_ms = self._said_ms = -1
        self._received = 0
        self._rated_ms = 0
        self._rate = 0
        quarter = min(settings.heartbeat_ms, settings.silence_ms) // 4
        self._scan = Periodic(clock, max(1, min(SCAN_MAX_MS, quarter)), self._look)

    @abstractmethod
    def greet(self) -> None:
        """Say the first word.

        :raises StoreError: our own log is not fit for it.
        """

    @abstractmethod
    def frame_size(self, buffer: bytearray, at: int) -> int:
        """How long the frame at ``at`` is, as far as it can be known: more when more is there.

        :raises CodecError: it is none, or breaks a rule.
        """

    @abstractmethod
    def take(self, buffer: bytearray, at: int) -> None:
        """Do what the frame at ``at`` says, which is all there.

        :raises CodecError: the master lies.
        :raises StoreError: the chunk cannot be appended.
        """

    @abstractmethod
    def report(self) -> None:
        """Say where our log ends now, by ``say_end``; nothing as long as we must not."""

    def state(self, address: str | None) -> MasterState:
        """What is known of the master at ``address``."""
        ahead = self._wall_ms() - self._now_ms()
        heard_ms, said_ms = (0 if ms < 0 else ms + ahead for ms in (self._heard_ms, self._said_ms))
        return MasterState(address, self._rate, heard_ms, said_ms, self._wire is not None)

    def connected(self, wire: Wire) -> None:
        """Say the first word."""
        self._wire = wire
        self._buffer.clear()
        self._needed = 0
        self._heard_ms = self._rated_ms = self._now_ms()
        self._received = 0
        self._scan.start()
        try:
            self.greet()
        except StoreError as error:
            self.drop(str(error))

    def receive(self, data: bytes) -> None:
        """Take the frames that are whole."""
        if self._wire is None:
            return
        self._heard_ms = self._now_ms()
        self._received += len(data)
        self._buffer += data
        if len(self._buffer) < self._needed:
            return
        before = self._log.written_position
        try:
            self._take_all()
            if self._log.written_position > self._reported:
                self.report()
        except (CodecError, StoreError) as error:
            self.drop(str(error))
        try:
            self.taken(self._log.written_position > before)
        except StoreError as error:
            self.drop(str(error))

    def taken(self, has_grown: bool) -> None:
        """All that could be taken is, and was reported: let it be read.

        :raises StoreError: the disk failed.
        """
        if has_grown:
            self._grown()
            self._log.dispatch()

    def lost(self, reason: str) -> None:  # noqa: ARG002 - who connects logs it
        """Forget the connection, and the frame that is not whole."""
        self._wire = None
        self._scan.stop()
        self._buffer.clear()
        self._rate = 0

    def drop(self, reason: str) -> None:
        """Close the connection, for a reason that is logged."""
        wire = self._wire
        if wire is not None:
            log.error("master dropped reason=%s", reason)
            self.lost(reason)
            wire.close()

    def say(self, frame: bytes) -> None:
        """Send something."""
        if self._wire is not None:
            self._said_ms = self._now_ms()
            self._wire.send(frame)

    def say_end(self, pack: Callable[[int], bytes]) -> None:
        """Send where our log ends, as ``pack`` says it."""
        self._reported = self._log.written_position
        self.say(pack(self._reported))

    def check_chunk(self, position: int, size: int) -> None:
        """Whether such a chunk may be appended.

        :raises CodecError: it is not ours, or too long.
        """
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

    def _take_all(self) -> None:
        """Take whole frames; what is left of the buffer is the begin of one."""
        buffer = self._buffer
        at = 0
        while self._wire is not None:
            self._needed = self.frame_size(buffer, at)
            if len(buffer) - at < self._needed:
                break
            self.take(buffer, at)
            at += self._needed
        del buffer[:at]

    def _look(self) -> None:
        now_ms = self._now_ms()
        if now_ms - self._heard_ms > self._settings.silence_ms:
            self.drop(f"it said nothing for {self._settings.silence_ms} ms")
            return
        if now_ms - self._said_ms >= self._settings.heartbeat_ms:
            self.report()
        period_ms = now_ms - self._rated_ms
        if period_ms >= RATE_PERIOD_MS:
            self._rate = self._received * 1000 // period_ms
            self._received, self._rated_ms = 0, now_ms
