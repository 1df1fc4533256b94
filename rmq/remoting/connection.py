"""One connection without its socket: bytes in, requests answered, bytes out, limits kept.

Theory. A connection is *open* until one of these closes it, each with one reason for the log:
broken bytes, an unfinished frame that stays unfinished, silence, a peer that does not read, the
wire itself.

Holding back. Requests are answered in the order of their frames, in rounds: what is left after a
round waits in ``_held_back`` for the reactor's next turn, and meanwhile the wire stops reading. So
others are served between two rounds of one peer. When the wire says that the peer does not read
(``pause``), the next round begins when it does (``resume``): what a peer can make us hold is
bounded, one read of requests and the answers of one round.
Answers that become ready later (long polls) may add to that; beyond ``UNSENT_BYTES_MAX`` the peer
is dropped.
"""

import logging
from collections import deque
from typing import Protocol

from twisted.internet.defer import Deferred, fail

from codec.codes import ONEWAY_FLAG
from codec.command import Command, encode_command
from codec.errors import CodecError
from codec.frame import Frame, FrameBuffer
from rmq.base.errors import CallError
from rmq.base.ports import Clock
from rmq.remoting.calls import WaitingCalls
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.together import TOGETHER

log = logging.getLogger(__name__)

ROUND_BYTES_MAX = 1 << 18
"""A round ends when this many bytes of answers are ready: then the wire can say stop."""

ROUND_FRAMES_MAX = 128
"""A round ends after this many frames, so that nobody's pipeline keeps the others waiting."""

UNSENT_BYTES_MAX = 1 << 26
"""A peer that leaves this much unread is dropped: 16 full answers to a pull of 4 MiB messages."""


class Wire(Protocol):
    """The socket of a connection."""

    def write(self, data: bytes) -> None:
        """Send, or keep until it can be sent."""
        ...

    def stop_reading(self) -> None:
        """Give no more bytes to ``receive`` until ``go_on_reading``."""
        ...

    def go_on_reading(self) -> None:
        """Give bytes again."""
        ...

    def close(self) -> None:
        """Close without waiting for what is unsent."""
        ...

    @property
    def unsent(self) -> int:
        """Bytes kept because the peer does not read."""
        ...


class Connection:
    """A peer's connection; is its own :class:`rmq.remoting.channel.Channel`."""

    __slots__ = (
        "__weakref__",
        "_calls",
        "_clock",
        "_dispatcher",
        "_frames",
        "_held_back",
        "_local",
        "_paused",
        "_quiet_scans",
        "_remote",
        "_stale_scans",
        "_wire",
        "close_reason",
        "host_bytes",
        "is_open",
    )

    def __init__(
        self,
        wire: Wire,
        dispatcher: Dispatcher,
        clock: Clock,
        *,
        remote: tuple[str, int],
        local: tuple[str, int],
        host_bytes: bytes,
    ) -> None:
        self._wire = wire
        self._dispatcher = dispatcher
        self._clock = clock
        self._frames = FrameBuffer()
        self._held_back: deque[Frame] = deque()
        self._calls: WaitingCalls | None = None
        self._paused = False
        self._quiet_scans = 0
        self._stale_scans = 0
        self._remote = remote
        self._local = local
        self.host_bytes = host_bytes
        self.is_open = True
        self.close_reason = ""

    @property
    def remote_address(self) -> str:
        """The peer, ``ip:port``."""
        return f"{self._remote[0]}:{self._remote[1]}"

    @property
    def local_address(self) -> str:
        """Our end, ``ip:port``."""
        return f"{self._local[0]}:{self._local[1]}"

    # bytes in

    def receive(self, data: bytes) -> None:
        """Take what the socket read: answer every whole request, write once a round."""
        self._quiet_scans = 0
        try:
            frames = self._frames.feed(data)
            if frames:
                self._stale_scans = 0
                if self._held_back:
                    self._held_back.extend(frames)
                else:
                    self._answer_all(frames)
                self._frames.check()
        except CodecError as error:
            self.close(f"broken bytes: {error}")

    def _answer_all(self, frames: list[Frame]) -> None:
        """Answer a round of frames in order, hold the rest back; a broken header closes.

        What was answered before that header is written.
        """
        ready: list[bytes] = []
        broken = ""
        rest: list[Frame] = []
        if len(frames) > ROUND_FRAMES_MAX:
            frames, rest = frames[:ROUND_FRAMES_MAX], frames[ROUND_FRAMES_MAX:]
        try:
            done = self._dispatcher.answer_round(frames, self, ready, ROUND_BYTES_MAX)
            if done < len(frames):
                rest = frames[done:] + rest
        except CodecError as error:
            broken = f"broken bytes: {error}"
        if ready and self.is_open:
            self._wire.write(ready[0] if len(ready) == 1 else b"".join(ready))
        if broken:
            self.close(broken)
        elif rest and self.is_open:
            self._held_back.extend(rest)
            if not self._paused:
                self._wire.stop_reading()
                self._clock.call_later(0, self._go_on)

    def _go_on(self) -> None:
        """Answer what was held back; once nothing is, go on reading."""
        if self._held_back and not self._paused:
            frames = list(self._held_back)
            self._held_back.clear()
            self._answer_all(frames)
        if not self._held_back and not self._paused and self.is_open:
            self._wire.go_on_reading()

    # what the wire says

    def pause(self) -> None:
        """The peer does not read: answer nothing more, read nothing more."""
        self._paused = True
        self._wire.stop_reading()

    def resume(self) -> None:
        """The peer reads again: answer what was held back, then go on reading."""
        self._paused = False
        self._stale_scans = 0
        self._go_on()

    def lost(self, reason: str) -> None:
        """The socket is gone: fail the calls that wait. Call once."""
        self.is_open = False
        self.close_reason = self.close_reason or reason
        self._held_back.clear()
        if self._calls is not None:
            self._calls.closed(self.close_reason)

    def scan(self, quiet_scans_max: int, stale_scans_max: int) -> None:
        """Notice silence; call at a steady pace.

        Closed when nothing came for more than ``quiet_scans_max`` scans, or when an unfinished
        frame was there, with no frame finished, for more than ``stale_scans_max``.
        """
        self._quiet_scans += 1
        if self._paused:
            self._quiet_scans = 0
            self._stale_scans += 1
        elif self._frames.pending:
            self._stale_scans += 1
        else:
            self._stale_scans = 0
        if self._stale_scans > stale_scans_max:
            self.close("does not read its answers" if self._paused else "frame left unfinished")
        elif self._quiet_scans > quiet_scans_max:
            self.close("idle")

    # bytes out

    def reply(self, encoded: bytes) -> None:
        """Send an answer that became ready after its round."""
        if TOGETHER.is_on:
            TOGETHER.keep(self, encoded)
        else:
            self.write_now(encoded)

    def write_now(self, encoded: bytes) -> None:
        """Send answers, or the end of a peer that does not read them."""
        if not self.is_open:
            return
        self._wire.write(encoded)
        if self._paused and self._wire.unsent > UNSENT_BYTES_MAX:
            self.close(f"does not read: {self._wire.unsent} bytes unsent")

    def send(self, command: Command) -> None:
        """Send one way; nothing happens if the connection is closed."""
        if self.is_open:
            command.opaque = self._waiting_calls().take_opaque()
            command.flag |= ONEWAY_FLAG
            self.reply(encode_command(command))

    def call(self, command: Command, timeout_ms: int) -> Deferred[Command]:
        """Send and await the answer; fails with ``CallError``."""
        if not self.is_open:
            return fail(CallError(f"connection to {self.remote_address} is closed"))
        calls = self._waiting_calls()
        command.opaque = calls.take_opaque()
        answer = calls.expect(command.opaque, timeout_ms)
        self.reply(encode_command(command))
        return answer

    def answered(self, command: Command) -> None:
        """An answer to one of our calls came; one that nobody waits for is dropped."""
        if self._calls is None or not self._calls.answered(command):
            log.debug("answer to nothing peer=%s opaque=%d", self.remote_address, command.opaque)

    def close(self, reason: str) -> None:
        """Drop the connection; one line in the log."""
        if self.is_open:
            self.is_open = False
            self.close_reason = reason
            log.info("connection closed peer=%s reason=%s", self.remote_address, reason)
            self._held_back.clear()
            self._wire.close()

    def _waiting_calls(self) -> WaitingCalls:
        if self._calls is None:
            self._calls = WaitingCalls(self._clock, self.remote_address)
        return self._calls
