"""What is found after each kind of end: closed, killed, power lost with torn pages."""

import pytest

from codec.message.record import Record, parse_record
from rmq.net.memory_disk import MemoryDisk
from rmq.store.recovery import check_whole
from rmq.store.tests.stores import (
    a_disk,
    a_store,
    all_paths,
    flush_all,
    manual,
    message,
    opened,
    overwrite,
    put_all,
    read_all,
)

PAGE = 4096


def a_record(content: bytes) -> Record:
    record = parse_record(content, 0, len(content))
    assert isinstance(record, Record)
    return record


def log_bytes(disk: MemoryDisk) -> bytes:
    return b"".join(
        disk.read(f"/store/commitlog/{entry.name}") or b""
        for entry in disk.entries("/store/commitlog")
    )


def write_log(disk: MemoryDisk, at: int, content: bytes, file_size: int = 4096) -> None:
    while content:
        start = at - at % file_size
        part = content[: start + file_size - at]
        path = f"/store/commitlog/{start:020d}"
        disk.map(path, file_size).close()
        overwrite(disk, path, at - start, part)
        at, content = at + len(part), content[len(part) :]


def test_closed_store_is_opened_without_reading_records_again() -> None:
    disk = a_disk()
    store = opened(disk)
    records = put_all(store, 50)
    store.close()

    store = a_store(disk)
    report = store.load()

    assert (report.clean, report.records) == (True, 0)
    assert read_all(store) == records
    assert store.put(message()).queue_offset == 50


def test_killed_store_finds_all_that_was_written() -> None:
    disk = a_disk()
    store = opened(disk)
    records = put_all(store, 50)
    positions = store.query("T", "shared", 64, 0, 1 << 60).positions
    killed = disk.crash({f"/store/{path}": [0] for path in all_paths(disk)})

    store = a_store(killed)
    report = store.load()

    assert not report.clean
    assert read_all(store) == records
    assert store.query("T", "shared", 64, 0, 1 << 60).positions == positions
    assert store.put(message()).queue_offset == 50


def a_crash(synced: int, unsynced: int) -> tuple[MemoryDisk, list[bytes], int, bytes]:
    """A disk after a loss of power, the synced records, where they end, and the lost log bytes."""
    disk = a_disk()
    store = opened(disk)
    records = put_all(store, synced, disk.clock)
    flush_all(store)
    end = store.written_position
    for number in range(unsynced):
        manual(disk.clock).advance(1000)
        store.put(message(1000 + number))
    return disk.crash(), records, end, log_bytes(disk)[end : store.written_position]


def test_every_torn_tail_leaves_all_synced_records_and_nothing_else() -> None:
    crashed, records, end, lost = a_crash(5, 2)
    whole = [len(lost) // 2, len(lost)]

    for written in range(len(lost) + 1):
        disk = crashed.crash()
        write_log(disk, end, lost[:written])
        store = opened(disk)

        found = read_all(store)
        assert found[:5] == records, written
        assert len(found) == 5 + sum(written >= size for size in whole), written
        assert store.max_offset("T", 0) == len(found)
        assert log_bytes(disk)[store.written_position :].strip(b"\0") == b""


def test_unwritten_page_within_properties_ends_the_log() -> None:
    disk = a_disk()
    store = opened(disk, commit_log_file_size=65_536)
    records = put_all(store, 3)
    flush_all(store)
    big = message(3, properties=b"P\x01" + b"v" * 20_000 + b"\x02")
    store.put(big)
    path = "/store/commitlog/00000000000000000000"

    crashed = disk.crash({path: [0, 1, 2, 4, 5]})

    assert read_all(opened(crashed, commit_log_file_size=65_536)) == records
    kept = opened(disk.crash({path: range(6)}), commit_log_file_size=65_536)
    assert len(read_all(kept)) == 4


def test_records_of_an_earlier_life_of_the_file_are_not_found() -> None:
    crashed, records, end, lost = a_crash(5, 8)
    size = len(lost) // 8
    write_log(crashed, end + size, lost[size:])  # the first record after the sync was not written
    store = opened(crashed)
    assert read_all(store) == records

    again = store.put(message(1000))
    work = store.flush_work(at_once=True)
    assert work is not None
    work.sync()
    store = opened(crashed.crash())

    assert again.end == end + size
    assert len(read_all(store)) == 6
    assert store.written_position == end + size


def test_copy_of_a_record_at_another_place_ends_the_log() -> None:
    disk = a_disk()
    store = opened(disk)
    records = put_all(store, 2)
    store.close()
    write_log(disk, len(records[0]) * 2, records[1])
    disk.replace("/store/abort", b"1")

    store = a_store(disk)
    report = store.load()

    assert report.cut_reason == (
        f"record at {len(records[0]) * 2} says it lies at {len(records[0])}"
    )
    assert read_all(store) == records


def test_power_loss_with_any_pages_of_queues_and_index_finds_all_synced_records() -> None:
    disk = a_disk()
    store = opened(disk, consume_queue_file_size=20_000, index_units=2000)
    records = put_all(store, 300, disk.clock)
    flush_all(store)
    records += put_all(store, 300, disk.clock)
    work = store.flush_work(at_once=True)
    assert work is not None
    work.sync()
    queue = "/store/consumequeue/T/0/00000000000000000000"
    index = f"/store/index/{disk.entries('/store/index')[0].name}"

    for pages in ([], [0], [1], [2], [0, 2], [1, 2], [0, 1, 2]):
        for index_pages in ([], [0], range(1, 10), range(10)):
            crashed = disk.crash({queue: pages, index: index_pages})
            again = a_store(crashed, consume_queue_file_size=20_000, index_units=2000)

            assert again.load().records in {303, 600}
            assert read_all(again) == records, (pages, index_pages)
            for number in (0, 299):
                found = again.query("T", f"U{number:03d}", 10, 0, 1 << 60).records
                assert records[300 + number] in found


def test_records_torn_in_topic_or_ending_in_zero_are_not_whole() -> None:
    disk = a_disk()
    store = opened(disk)
    (record,) = put_all(store, 1, properties=b"A\x01b\0c\x02")
    check_whole(a_record(record), 0)

    for broken, at in ((b"\0", record.index(b"T")), (b"\0", len(record) - 1)):
        torn = record[:at] + broken + record[at + 1 :]
        with pytest.raises(ValueError, match="torn"):
            check_whole(a_record(torn), 0)
