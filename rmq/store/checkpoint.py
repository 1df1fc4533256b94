"""What is known to be on disk, for the next start."""

from codec.disk.checkpoint import CHECKPOINT_SIZE, Checkpoint, pack_checkpoint, parse_checkpoint
from rmq.base.errors import StoreError
from rmq.base.ports import Disk


class CheckpointFile:
    """The mapped checkpoint. Set a time only after the sync that it tells of.

    Source: StoreCheckpoint.java, 5.3.3.
    """

    def __init__(self, disk: Disk, path: str) -> None:
        try:
            self.file = disk.map(path, CHECKPOINT_SIZE)
            self.file.reserve(CHECKPOINT_SIZE)
        except OSError as error:
            raise StoreError(f"cannot open checkpoint {path}: {error}") from error
        self.values: Checkpoint = parse_checkpoint(self.file.memory[:CHECKPOINT_SIZE])
        self.dirty = False

    def set(
        self,
        *,
        log: int | None = None,
        queues: int | None = None,
        index: int | None = None,
        confirmed: int | None = None,
        master_flushed: int | None = None,
    ) -> None:
        """Note store timestamps (ms) up to which log, queues, index are on disk.

        And the positions up to which all replicas have the log, and where a slave's master had it.
        """
        old = self.values
        self.values = Checkpoint(
            old.physic_msg_timestamp if log is None else log,
            old.logics_msg_timestamp if queues is None else queues,
            old.index_msg_timestamp if index is None else index,
            old.master_flushed_offset if master_flushed is None else master_flushed,
            old.confirm_phy_offset if confirmed is None else confirmed,
        )
        if self.values != old:
            self.file.memory[:CHECKPOINT_SIZE] = pack_checkpoint(self.values)
            self.dirty = True

    def go_back(self, timestamp: int) -> None:
        """Say, on disk, that nothing stored after ``timestamp`` (ms) is known to be on disk.

        :raises OSError: the disk failed.
        """
        old = self.values
        self.set(
            log=min(old.physic_msg_timestamp, timestamp),
            queues=min(old.logics_msg_timestamp, timestamp),
            index=min(old.index_msg_timestamp, timestamp),
        )
        self.file.sync()
