"""Stores written by Apache RocketMQ 5.3.3, opened, rebuilt and written again."""

import pytest

from codec.disk.index import parse_header
from codec.message.record import Blank, Record, parse_record
from rmq.store.messages import PutMessage
from rmq.store.settings import StoreSettings
from rmq.store.tests.followers import content
from rmq.store.tests.stores import GOLDEN, LONG_TOPIC, a_disk, copy_golden, manual, opened

STORES = ["store-plain", "store-crcprop"]
BORN_HOST = b"\x0a\0\0\x01\0\0\x30\x39"


def golden_records(name: str) -> list[Record]:
    records: list[Record] = []
    for path in sorted((GOLDEN / name / "commitlog").iterdir()):
        data, at = path.read_bytes(), 0
        while at < len(data) - 8 and any(data[at : at + 8]):
            record = parse_record(data, at, len(data))
            if isinstance(record, Blank):
                break
            records.append(record)
            at += record.total_size
    return records


@pytest.mark.parametrize("name", STORES)
def test_java_store_is_opened_as_closed_and_read(name: str) -> None:
    disk = a_disk()
    copy_golden(disk, name)

    store = opened(disk)

    records = golden_records(name)
    assert store.max_offset("TopicA", 1) == 5
    result = store.get("TopicA", 1, 0, 3)
    assert len(result.slices) == 1
    assert parse_record(result.slices[0], 0, result.size) == records[0]
    assert store.written_position == records[-1].position + records[-1].total_size
    assert len(store.query("TopicA", "shared", 10, 0, 1 << 62).records) == 3


@pytest.mark.parametrize("name", STORES)
@pytest.mark.parametrize("abort", [True, False])
def test_queues_and_index_that_were_deleted_are_rebuilt_to_the_byte(name: str, abort: bool) -> None:
    disk = a_disk()
    copy_golden(disk, name)
    queues, index = content(disk, "consumequeue"), content(disk, "index")
    (java_index,) = index.values()
    for below in ("consumequeue", "index", "checkpoint"):
        disk.delete(f"/store/{below}")
    if abort:
        disk.replace("/store/abort", b"1")

    store = opened(disk)
    store.close()

    assert content(disk, "consumequeue") == queues
    (rebuilt,) = content(disk, "index").values()
    assert parse_header(rebuilt) == parse_header(java_index)
    assert rebuilt == java_index


@pytest.mark.parametrize("name", STORES)
def test_same_messages_at_same_times_give_the_same_bytes(name: str) -> None:
    source, disk = a_disk(), a_disk()
    copy_golden(source, name)
    store = opened(disk, append_crc=name == "store-crcprop")
    records = golden_records(name)

    for record in records:
        manual(disk.clock).set_wall_ms(record.store_timestamp)
        properties = record.properties
        if name == "store-crcprop":
            properties = properties[:-20]
        result = store.put(
            PutMessage(
                record.topic.decode(),
                record.queue_id,
                record.body,
                properties,
                record.flag,
                record.sys_flag,
                record.born_timestamp,
                record.born_host,
            )
        )
        assert result.position == record.position
    store.close()

    for below in ("commitlog", "consumequeue"):
        assert content(disk, below) == content(source, below)
    assert [*content(disk, "index").values()] == [*content(source, "index").values()]
    assert disk.exists(f"/store/consumequeue/{LONG_TOPIC}/0") == (name == "store-plain")


@pytest.mark.parametrize("name", [*STORES, "store-autoswitch"])
def test_log_received_as_bytes_gives_the_same_queues_and_index(name: str) -> None:
    source, disk = a_disk(), a_disk()
    copy_golden(source, name)
    master, slave = opened(source), opened(disk)
    slave.follow("it is a slave")

    for start in range(0, master.written_position, 4096):
        data = master.log_bytes(start, 4096)
        for at in range(0, len(data), 100):
            slave.append_raw(start + at, data[at : at + 100])
            slave.dispatch()
    slave.close()

    for below in ("commitlog", "consumequeue"):
        assert content(disk, below) == content(source, below)
    theirs = [
        file for file in content(source, "index").values() if parse_header(file).begin_timestamp
    ]
    assert [*content(disk, "index").values()] == theirs


def test_confirm_offset_of_a_java_store_is_read() -> None:
    disk = a_disk()
    copy_golden(disk, "store-autoswitch")

    store = opened(disk)

    assert (store.confirmed_position, store.written_position) == (5790, 5888)


def test_default_store_is_small_and_ready() -> None:
    disk = a_disk()

    store = opened(
        disk,
        **{
            key: getattr(StoreSettings(root="/store"), key)
            for key in (
                "commit_log_file_size",
                "consume_queue_file_size",
                "index_slots",
                "index_units",
            )
        },
    )

    assert [entry.name for entry in disk.entries("/store")] == ["abort", "checkpoint"]
    assert store.queues() == []
