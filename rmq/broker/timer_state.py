"""What is known of the timer of messages with any delay: its checkpoint and its counts.

No such message is taken here yet, but a slave keeps what its master has, so that the timer goes on
where it was when a broker that has one is master of this log again. Kept in ``config/timercheck``
and ``config/timermetrics``. Source: TimerCheckpoint.java, TimerMetrics.java, 5.3.3.
"""

import logging

from msgspec.structs import replace

from codec.bodies import decode_body
from codec.bodies.timer import TimerMetricsSerializeWrapper
from codec.disk.timer_checkpoint import (
    TIMER_CHECKPOINT_FILE_SIZE,
    TimerCheckpoint,
    pack_timer_checkpoint,
    parse_timer_checkpoint,
)
from codec.errors import CodecError
from codec.fastjson import dumps_pretty
from rmq.base.errors import StoreError
from rmq.base.ports import Disk
from rmq.broker.saving import TableFile

logger = logging.getLogger(__name__)


class TimerState:
    """The timer's checkpoint and metrics."""

    def __init__(self, disk: Disk, checkpoint_path: str, metrics: TableFile) -> None:
        self._disk = disk
        self._path = checkpoint_path
        self._file = metrics
        self._unsaved = False
        self.checkpoint = TimerCheckpoint()
        self.metrics = TimerMetricsSerializeWrapper()

    def adopt_checkpoint(self, theirs: TimerCheckpoint) -> None:
        """Note how far the master's timer is; how far our own files are stays.

        Source: SlaveSynchronize.java, syncTimerCheckPoint(), 5.3.3.
        """
        adopted = replace(
            self.checkpoint,
            last_read_time_ms=theirs.last_read_time_ms,
            master_timer_queue_offset=theirs.master_timer_queue_offset,
            data_version=theirs.data_version,
        )
        if adopted != self.checkpoint:
            self.checkpoint = adopted
            self._unsaved = True

    def adopt_metrics(self, theirs: TimerMetricsSerializeWrapper) -> None:
        """Become a copy of the master's counts.

        Source: SlaveSynchronize.java, syncTimerMetrics(), 5.3.3.
        """
        if theirs.data_version != self.metrics.data_version:
            self.metrics = theirs
            self._file.save(dumps_pretty(theirs))

    def load(self) -> None:
        """Take over what is on disk.

        :raises StoreError: a file cannot be read, nor the metrics' backup.
        """
        try:
            stored = self._disk.read(self._path)
            if stored:
                self.checkpoint = parse_timer_checkpoint(stored)
        except (CodecError, OSError) as error:
            raise StoreError(f"{self._path}: {error}") from error
        loaded = self._file.load(lambda text: decode_body(TimerMetricsSerializeWrapper, text))
        if loaded is not None:
            self.metrics = loaded

    def persist(self) -> None:
        """Save a changed checkpoint; what the disk refuses is tried again by the next call."""
        if not self._unsaved:
            return
        packed = pack_timer_checkpoint(self.checkpoint)
        try:
            self._disk.replace(self._path, packed.ljust(TIMER_CHECKPOINT_FILE_SIZE, b"\0"))
        except OSError as error:
            logger.error("event=timer_checkpoint_not_saved path=%s cause=%s", self._path, error)  # noqa: TRY400 - expected of disks
        else:
            self._unsaved = False
