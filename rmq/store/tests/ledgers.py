"""A ledger of which the tests of this package say what is committed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from codec.disk.dledger import pack_blank, pack_entry
from rmq.net.memory_disk import MemoryDisk
from rmq.store.ledger import LedgerRefusedError
from rmq.store.segments import Holds, Segments
from rmq.store.store import MessageStore
from rmq.store.tests.stores import SMALL, a_disk

FOLDER = "/store/dledger-n0/data"
HEADER = 48


class FilesOfALedger:
    """Entries in files, committed when a test says so."""

    def __init__(self, disk: MemoryDisk, file_size: int = 4096) -> None:
        self.segments = Segments(disk, FOLDER, file_size, Holds())
        self.ends: list[int] = []
        self.end = 0
        self.committed_position = 0
        self.cuts = 0
        self.refusal: LedgerRefusedError | None = None
        self.proposals: list[int] = []
        self.takes = 100

    def open(self) -> None:
        pass

    @property
    def begin_position(self) -> int:
        return self.segments.begin

    def append(self, records: Sequence[bytes]) -> list[int]:
        if self.refusal is not None:
            raise self.refusal
        self.proposals.append(len(records))
        return [self.write(record) for record in records[: self.takes]]

    def write(self, body: bytes, position: int | None = None) -> int:
        size, file_size = HEADER + len(body), self.segments.file_size
        rest = file_size - self.end % file_size
        if size + 8 > rest:
            self._put(self.end, pack_blank(rest))
            self.end += rest
        if len(body) > 36:
            own = self.end + HEADER if position is None else position
            body = body[:28] + own.to_bytes(8, "big") + body[36:]
        self._put(self.end, pack_entry(len(self.ends), 1, self.end, body))
        self.end += size
        self.ends.append(self.end)
        return self.end - len(body)

    def _put(self, position: int, data: bytes) -> None:
        while self.segments.end <= position:
            self.segments.grow()
        at = position % self.segments.file_size
        file = self.segments.file(position)
        file.reserve(self.segments.file_size)
        file.memory[at : at + len(data)] = data
        file.sync()

    def commit(self, count: int | None = None) -> None:
        self.committed_position = self.ends[-1 if count is None else count - 1]

    def cut(self, count: int) -> None:
        self.cuts += 1
        del self.ends[count:]
        self.end = self.ends[-1] if self.ends else 0
        self.segments.cut(self.end)


def a_ledger_store(
    disk: MemoryDisk, ledger: FilesOfALedger, root: str = "/store", **changes: Any
) -> MessageStore:
    settings = replace(SMALL, root=root, commit_log_folder=FOLDER, **changes)
    return MessageStore(disk, disk.clock, settings, ledger)


def leading(disk: MemoryDisk | None = None, **changes: Any) -> tuple[MessageStore, FilesOfALedger]:
    disk = disk or a_disk()
    ledger = FilesOfALedger(disk)
    store = a_ledger_store(disk, ledger, **changes)
    store.load()
    return store, ledger
