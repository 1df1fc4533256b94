"""Small stores in memory for the tests of this package."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from rmq.base.manual import ManualClock
from rmq.base.ports import Clock
from rmq.net.memory_disk import MemoryDisk
from rmq.store.messages import PutMessage
from rmq.store.settings import StoreSettings
from rmq.store.store import MessageStore

GOLDEN = Path(__file__).parents[3] / "codec/tests/golden"
SMALL = StoreSettings(
    root="/store",
    store_host=b"\x0a\0\0\x02\0\0\x2a\x9f",
    commit_log_file_size=4096,
    consume_queue_file_size=1000,
    index_slots=16,
    index_units=40,
)
LONG_TOPIC = "%RETRY%" + "L" * 130
BORN_HOST = b"\x0a\0\0\x01\0\0\x30\x39"


def a_disk(wall_ms: int = 1_700_000_000_000) -> MemoryDisk:
    return MemoryDisk(ManualClock(wall_ms))


def write_file(disk: MemoryDisk, path: str, content: bytes) -> None:
    file = disk.map(path, len(content))
    file.reserve(len(content))
    file.memory[:] = content
    file.sync()
    file.close()


def copy_golden(disk: MemoryDisk, name: str) -> None:
    root = GOLDEN / name
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.stat().st_size:
            below = path.relative_to(root).as_posix().replace("RETRY-130L", LONG_TOPIC)
            write_file(disk, f"/store/{below}", path.read_bytes())


def manual(clock: Clock) -> ManualClock:
    assert isinstance(clock, ManualClock)
    return clock


def opened(disk: MemoryDisk, **changes: Any) -> MessageStore:
    store = a_store(disk, **changes)
    store.load()
    return store


def a_store(disk: MemoryDisk, **changes: Any) -> MessageStore:
    return MessageStore(disk, disk.clock, replace(SMALL, **changes))


def message(number: int = 0, topic: str = "T", queue_id: int = 0, **fields: Any) -> PutMessage:
    given: dict[str, Any] = {
        "body": b"body-%d" % number,
        "properties": b"KEYS\x01k%d shared\x02UNIQ_KEY\x01U%03d\x02TAGS\x01tag%d\x02"
        % (number, number, number % 3),
        "born_timestamp": 1_600_000_000_000 + number,
        "born_host": BORN_HOST,
    }
    return PutMessage(topic, queue_id, **(given | fields))


def put_all(
    store: MessageStore, count: int, clock: Clock | None = None, **fields: Any
) -> list[bytes]:
    """Put messages 0 to count-1 of one queue, a second apart if there is a clock; their records."""
    records = []
    for number in range(count):
        if clock is not None:
            manual(clock).advance(1000)
        result = store.put(message(number, **fields))
        assert result.status == 0, result
        record = store.message_at(result.position)
        assert record is not None
        records.append(record)
    return records


def read_all(store: MessageStore, topic: str = "T", queue_id: int = 0) -> list[bytes]:
    """All records of a queue, one by one."""
    first, end = store.min_offset(topic, queue_id), store.max_offset(topic, queue_id)
    records = []
    for offset in range(first, end):
        result = store.get(topic, queue_id, offset, 1)
        assert result.count == 1, (offset, result)
        records += result.slices
    return records


def flush_all(store: MessageStore) -> None:
    for make_work in (store.flush_work, store.queue_flush_work, store.queue_flush_work):
        work = make_work(at_once=True)
        if work is not None:
            work.sync()
            store.flushed(work)


def overwrite(disk: MemoryDisk, path: str, at: int, content: bytes) -> None:
    size = next(e.size for e in disk.entries(path.rpartition("/")[0]) if path.endswith(e.name))
    file = disk.map(path, size)
    file.reserve(size)
    file.memory[at : at + len(content)] = content
    file.sync()
    file.close()


def all_paths(disk: MemoryDisk, folder: str = "") -> list[str]:
    paths = []
    for entry in disk.entries(f"/store/{folder}".rstrip("/")):
        path = f"{folder}/{entry.name}".lstrip("/")
        paths += all_paths(disk, path) if entry.is_folder else [path]
    return paths
