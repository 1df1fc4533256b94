"""A master and what follows it, for the tests of this package."""

from typing import Any

from rmq.net.memory_disk import MemoryDisk
from rmq.store.store import MessageStore
from rmq.store.tests.stores import opened


def a_slave(disk: MemoryDisk, **changes: Any) -> MessageStore:
    store = opened(disk, **changes)
    store.follow("it is a slave")
    return store


def copy(master: MessageStore, slave: MessageStore, *, chunk: int = 1000, end: int = -1) -> None:
    """Bring the slave's log up to ``end``, by default the master's, and dispatch."""
    end = master.written_position if end < 0 else end
    while slave.written_position < end:
        at = slave.written_position
        slave.append_raw(at, master.log_bytes(at, min(chunk, end - at)))
        slave.dispatch()


def content(disk: MemoryDisk, below: str) -> dict[str, bytes]:
    """All files below a folder of the store that are not empty, by path."""
    found: dict[str, bytes] = {}
    for entry in disk.entries(f"/store/{below}"):
        path = f"{below}/{entry.name}"
        if entry.is_folder:
            found |= content(disk, path)
        else:
            data = disk.read(f"/store/{path}") or b""
            if data.strip(b"\0"):
                found[path] = data
    return found


def assert_same(one: MemoryDisk, other: MemoryDisk) -> None:
    """Logs, queues and indexes hold the same bytes; index files are named by a clock."""
    for below in ("commitlog", "consumequeue"):
        assert content(other, below) == content(one, below)
    assert [*content(other, "index").values()] == [*content(one, "index").values()]
