"""Logs in memory for the tests: small files, so that a few entries reach the next one."""

from rmq.base.manual import ManualClock
from rmq.dledger.disk_log import DiskLog
from rmq.dledger.settings import LedgerSettings
from rmq.net.memory_disk import MemoryDisk
from rmq.raft.messages import Entry

FOLDER = "/store/dledger-n0"
DATA_SIZE = 512
INDEX_SIZE = 128
"""Four units."""


def settings(**more) -> LedgerSettings:
    return LedgerSettings(
        **{"folder": FOLDER, "data_file_size": DATA_SIZE, "index_file_size": INDEX_SIZE, **more}
    )


def opened(disk: MemoryDisk, **more) -> DiskLog:
    log = DiskLog(disk, settings(**more))
    log.open()
    return log


def new_disk() -> MemoryDisk:
    return MemoryDisk(ManualClock(wall_ms=1_700_000_000_000))


def filled(count: int, *, term: int = 0, size: int = 100, **more) -> tuple[MemoryDisk, DiskLog]:
    """A log of ``count`` entries, five to a data file."""
    disk = new_disk()
    log = opened(disk, **more)
    for number in range(count):
        log.append(term, bytes([(number + 1) % 256]) * (size - 48))
    return disk, log


def synced(log: DiskLog) -> None:
    log.sync_now()


def contents(log: DiskLog) -> list[Entry]:
    if log.end_index < 0:
        return []
    found = [log.entry(index) for index in range(log.begin_index, log.end_index + 1)]
    return [entry for entry in found if entry is not None]


def reopened(disk: MemoryDisk, log: DiskLog, **more) -> DiskLog:
    """What the next process finds after a kill: all that was written."""
    log.close()
    return opened(disk, **more)
