"""The slave's side of AutoSwitch replication: first find up to where both logs are the same.

Connected, a slave is *greeting* until the master has told its epochs, then *following*. What lies
in our log behind the common point nobody else has: it is cut off, before the first report, and the
master's epochs up to there are ours. From then on chunks come, each of one epoch, and each says up
to where the log is confirmed: beyond that nobody reads here. ``rmq.replication.following`` has the
rules of chunks, more of them:

- the frames of a state come in that state only;
- an epoch never is lower than our last one; of the same number it has begun where we know it;
- a higher one begins where our log ends, or, the chunk that ends with an epoch having the number
  of the next one already in Java, where the chunk does. In an empty log it begins no later;
- an epoch is saved before what it has written. One that begins beyond (Java's heartbeats to who
  asks for what is older than all epochs) is not noted.

No epoch in common: what we have nobody else has. If nothing of it was ever confirmed, it is cut
off; else the connection is closed, the cause logged, and all tried again later: this store, or the
master's, is another group's, or a master was elected that lacks what others have.

Source: AutoSwitchHAClient.java, 5.3.3. On purpose different: Java says its first report up to
``heartbeat_ms`` late, and greets again when the answer comes in parts; it does not note an epoch
again that it has cut off in the same life; it closes the connection whenever no epoch is common.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from codec.disk.epoch import EpochStart
from codec.errors import CodecError
from codec.ha.autoswitch import (
    CHUNK_HEADER_SIZE,
    EPOCHS_HEADER_SIZE,
    HANDSHAKE,
    STATE_SIZE,
    TRANSFER,
    ChunkHeader,
    Greeting,
    pack_greeting,
    pack_report,
    parse_chunk_header,
    parse_epochs,
    parse_epochs_header,
    parse_state,
)
from rmq.base.ports import Clock
from rmq.replication.epochs import Epochs, consistent_point
from rmq.replication.following import Following, FollowingLog
from rmq.replication.serving import HaSettings

log = logging.getLogger(__name__)


class SwitchingLog(FollowingLog, Protocol):
    """A store that follows, and can be cut."""

    confirmed_position: int
    """Kept: all below is in the logs of the whole SyncStateSet."""

    def drop_torn_tail(self) -> int:
        """Cut what is no whole record at the end; gives the end.

        :raises StoreError: the disk failed.
        """
        ...

    def truncate(self, position: int) -> None:
        """Forget what lies at ``position`` and behind.

        :raises StoreError: no record begins there, or the disk failed.
        """
        ...

    def limit_dispatch(self, position: int | None) -> None:
        """Let nobody read beyond; None: no limit. Then ask for ``dispatch``.

        :raises StoreError: None, and the disk failed.
        """
        ...


class AutoSwitchSlave(Following):
    """A :class:`rmq.replication.mode.MasterConnection` for brokers under Controllers."""

    def __init__(
        self,
        target: SwitchingLog,
        epochs: Epochs,
        clock: Clock,
        settings: HaSettings,
        greeting: Callable[[], Greeting],
    ) -> None:
        """``greeting``: who we are; asked for each connection."""
        super().__init__(target, clock, settings)
        self._target = target
        self._epochs = epochs
        self._greeting = greeting
        self._is_following = False
        self._confirmed = self._readable = -1
        self._header: ChunkHeader | None = None
        self._theirs: list[EpochStart] = []

    def greet(self) -> None:
        """Say who we are, with a log that ends with a whole record.

        :raises StoreError: the disk failed.
        """
        self._is_following = False
        self._confirmed = self._readable = -1
        self._epochs.cut(self._target.drop_torn_tail() + 1)
        self.say(pack_greeting(self._greeting()))

    def frame_size(self, buffer: bytearray, at: int) -> int:
        """See ``Following``.

        :raises CodecError: it is none, or breaks a rule.
        """
        there = len(buffer) - at
        if there < STATE_SIZE:
            return STATE_SIZE
        expected = TRANSFER if self._is_following else HANDSHAKE
        state = parse_state(bytes(buffer[at : at + STATE_SIZE]))
        if state != expected:
            raise CodecError(f"the master is in state {state}, we are in {expected}")
        size = CHUNK_HEADER_SIZE if self._is_following else EPOCHS_HEADER_SIZE
        if there < size:
            return size
        header = bytes(buffer[at : at + size])
        if not self._is_following:
            return size + parse_epochs_header(header).size
        self._header = chunk = parse_chunk_header(header)
        if chunk.position >= 0 or chunk.size or self._target.written_position:
            self.check_chunk(chunk.position, chunk.size)
        self._check_epoch(chunk)
        return size + chunk.size

    def take(self, buffer: bytearray, at: int) -> None:
        """See ``Following``.

        :raises CodecError: the master lies, or its log is another group's.
        :raises StoreError: the chunk cannot be appended, or our log not be cut.
        """
        if not self._is_following:
            end = at + EPOCHS_HEADER_SIZE
            header = parse_epochs_header(bytes(buffer[at:end]))
            self._find_common(parse_epochs(bytes(buffer[end : end + header.size])), header.end)
            self._is_following = True
            self.report()
            return
        chunk = self._header
        assert chunk is not None, "frame_size comes first"
        if chunk.position >= 0 and not self._target.written_position:
            self._adopt(chunk.position)
        if chunk.epoch > self._epochs.last_epoch and _begins_in(chunk):
            self._begin_epoch(chunk)
        if chunk.size:
            start = at + CHUNK_HEADER_SIZE
            self._target.append_raw(chunk.position, bytes(buffer[start : start + chunk.size]))
        self._confirmed = max(self._confirmed, chunk.confirmed)

    def report(self) -> None:
        """Say where our log ends, once the master has told its epochs."""
        if self._is_following:
            self.say_end(pack_report)

    def taken(self, has_grown: bool) -> None:  # noqa: ARG002 - what is confirmed counts
        """Let all be read that is confirmed.

        :raises StoreError: the disk failed.
        """
        target = self._target
        readable = min(self._confirmed, target.written_position)
        if readable >= 0 and readable != self._readable:
            self._readable = readable
            target.confirmed_position = readable
            target.limit_dispatch(readable)
            target.dispatch()

    def _find_common(self, theirs: list[EpochStart], their_end: int) -> None:
        self._theirs = theirs
        ours, end = self._epochs.entries, self._target.written_position
        if not end:
            return  # where it begins is known with the first chunk, and with that its epochs
        point: int | None = end
        if ours:
            point = consistent_point(ours, end, theirs, their_end)
        else:
            log.info("no epochs here, nothing to compare end=%d master_end=%d", end, their_end)
        if point is None:
            if self._target.confirmed_position > 0:
                raise CodecError(
                    f"no epoch in common with the master: ours {_told(ours)}, its {_told(theirs)}; "
                    "if this is the right master, empty this broker's store"
                )
            point = 0
        if point < end:
            log.warning("log cut position=%d end=%d master_end=%d", point, end, their_end)
            self._target.truncate(point)
        self._adopt(point)

    def _adopt(self, position: int) -> None:
        """Have the master's epochs up to there."""
        self._epochs.adopt([epoch for epoch in self._theirs if epoch.start_position <= position])

    def _begin_epoch(self, chunk: ChunkHeader) -> None:
        """Note an epoch, and those that the master has from between, of which nothing came."""
        for epoch, start in self._theirs:
            if epoch < chunk.epoch:
                self._epochs.append(epoch, start)
        self._epochs.append(chunk.epoch, chunk.epoch_start)

    def _check_epoch(self, chunk: ChunkHeader) -> None:
        last = self._epochs.last
        if last is None or not self._target.written_position or chunk.epoch > last.epoch:
            if chunk.size and not _begins_in(chunk):
                raise CodecError(f"{chunk} begins before its epoch")
            if self._target.written_position and last and chunk.epoch_start < chunk.position:
                raise CodecError(f"{chunk} of an epoch that has begun in our log, after {last}")
        elif chunk.epoch < last.epoch or chunk.epoch_start != last.start_position:
            raise CodecError(f"{chunk} after {last}")


def _begins_in(chunk: ChunkHeader) -> bool:
    return chunk.epoch_start <= chunk.position + chunk.size


def _told(epochs: Sequence[EpochStart]) -> str:
    return " ".join([f"{epoch}-{start}" for epoch, start in epochs[-10:]]) or "none"
