"""When to sync, and what."""

from dataclasses import dataclass

from rmq.base.ports import MappedFile
from rmq.store.consume_queue import ConsumeQueue

PAGE_SIZE = 4096


@dataclass(frozen=True, slots=True, eq=False)
class FlushWork:
    """Files to sync. Afterwards the log, or queues and index, are on disk below ``position``.

    The files stay open until the store is told ``flushed`` or ``sync_failed``.
    """

    files: tuple[MappedFile, ...]
    position: int
    store_timestamp: int
    of_log: bool
    marks: tuple[tuple[ConsumeQueue, int], ...] = ()
    all_queues: bool = False

    def sync(self) -> None:
        """Block until all files are on disk; for a worker thread.

        :raises OSError: the disk failed.
        """
        for file in self.files:
            file.sync()


class FlushPolicy:
    """By how much must be written, and after how long anything is flushed.

    Source: CommitLog.java, FlushRealTimeService; DefaultMessageStore.java,
    FlushConsumeQueueService, 5.3.3.
    """

    def __init__(self, least_pages: int, thorough_ms: int, now_ms: int) -> None:
        self._least_pages = least_pages
        self._thorough_ms = thorough_ms
        self._last_thorough_ms = now_ms

    def is_thorough(self, now_ms: int) -> bool:
        """Whether this round flushes anything that is dirty; counts as done when it does."""
        if now_ms - self._last_thorough_ms < self._thorough_ms:
            return False
        self._last_thorough_ms = now_ms
        return True

    def is_enough(self, flushed: int, written: int) -> bool:
        """Whether between these byte positions lie enough pages for any round."""
        return written // PAGE_SIZE - flushed // PAGE_SIZE >= self._least_pages
