"""When to sync, and what."""

from dataclasses import dataclass

from rmq.base.ports import MappedFile


@dataclass(frozen=True, slots=True, eq=False)
class FlushWork:
    """Files to sync. Afterwards all of the log (or the queues) below ``position`` is on disk."""

    files: tuple[MappedFile, ...]
    position: int
    store_timestamp: int
    of_log: bool
    complete: bool

    def sync(self) -> None:
        """Block until all files are on disk; for a worker thread.

        :raises OSError: the disk failed.
        """
        for file in self.files:
            file.sync()
