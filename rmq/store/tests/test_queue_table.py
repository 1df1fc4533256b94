from dataclasses import replace

import pytest

from rmq.base.errors import StoreError
from rmq.store.flush import FlushPolicy
from rmq.store.queue_table import QueueTable
from rmq.store.segments import Holds
from rmq.store.tests.stores import SMALL, a_disk, opened, put_all, read_all


def test_many_queues_share_few_maps() -> None:
    disk = a_disk()
    store = opened(disk, queue_maps_max=3, commit_log_file_size=65_536)
    records = {}
    for queue_id in range(10):
        records[queue_id] = put_all(store, 5, queue_id=queue_id)
        work = store.queue_flush_work(at_once=True)
        assert work is not None
        store.flushed(work)

    assert len(store._queues._mapped) == 3
    for queue_id in range(10):
        assert read_all(store, "T", queue_id) == records[queue_id]
    assert put_all(store, 1, queue_id=2)
    assert store.max_offset("T", 2) == 6
    assert len(store._queues._mapped) == 3


def test_maps_that_must_be_synced_first_are_kept() -> None:
    store = opened(a_disk(), queue_maps_max=3, commit_log_file_size=65_536)

    for queue_id in range(10):
        put_all(store, 1, queue_id=queue_id)

    assert len(store._queues._mapped) == 10
    assert store.delete_topics({"T"}) == 1
    assert store._queues._mapped == {}
    assert store._queues.dirty == []


def test_queues_are_loaded_from_folders_named_by_a_number() -> None:
    disk = a_disk()
    store = opened(disk)
    put_all(store, 3, queue_id=7)
    store.close()
    disk.replace("/store/consumequeue/file", b"x")
    disk.replace("/store/consumequeue/T/file", b"x")
    disk.replace("/store/consumequeue/T/x/file", b"x")

    table = QueueTable(disk, SMALL, Holds())
    table.load()

    assert [(queue.topic, queue.queue_id, queue.next_offset) for queue in table] == [("T", 7, 3)]


def test_topic_that_cannot_be_a_folder_is_refused() -> None:
    table = QueueTable(a_disk(), SMALL, Holds())

    for topic in ("", ".", "..", "a/b", "x" * 256, "é" * 128, "a\0b"):
        with pytest.raises(StoreError, match="cannot be stored"):
            table.get_or_create(topic, 0)


def test_clean_queue_is_dropped_too() -> None:
    table = QueueTable(a_disk(), replace(SMALL), Holds())
    queue = table.get_or_create("T", 0)
    assert table.get_or_create("T", 0) is queue

    table.drop(queue)

    assert list(table) == []


def test_queue_is_dirty_until_it_is_chosen() -> None:
    table = QueueTable(a_disk(), SMALL, Holds())
    queue = table.get_or_create("T", 0)
    queue.append(0, 1, 0)
    table.note_dirty(queue)
    table.note_dirty(queue)

    assert table.to_flush(FlushPolicy(2, 0, 0)) == []
    assert table.to_flush(None) == [(queue, 1)]
    assert table.to_flush(None) == []
