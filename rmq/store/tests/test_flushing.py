"""When what is synced, and what a sync proves."""

import pytest

from rmq.store.messages import PutStatus
from rmq.store.tests.stores import a_disk, manual, message, opened, put_all, read_all


def test_flush_work_covers_what_was_written_and_only_one_is_out() -> None:
    disk = a_disk()
    store = opened(disk)
    assert store.flush_work(at_once=True) is None
    put_all(store, 40)
    written = store.written_position

    work = store.flush_work()
    assert work is None
    work = store.flush_work(at_once=True)
    assert work is not None
    assert len(work.files) == 2
    put_all(store, 1)
    assert store.flush_work(at_once=True) is None
    work.sync()
    store.flushed(work)

    assert store.flushed_position == written
    assert store.flush_work(at_once=True) is not None


def test_log_is_flushed_by_pages_or_by_age() -> None:
    disk = a_disk()
    store = opened(disk)
    put_all(store, 5)
    assert store.flush_work() is None
    manual(disk.clock).advance(10_000)
    work = store.flush_work()
    assert work is not None
    store.flushed(work)

    put_all(store, 150)

    assert store.written_position // 4096 >= 4
    assert store.flush_work() is not None


def test_queues_are_flushed_by_pages_and_tell_the_checkpoint_when_all_are() -> None:
    disk = a_disk()
    store = opened(disk, consume_queue_file_size=20_000)
    put_all(store, 410)
    put_all(store, 1, topic="U")

    work = store.queue_flush_work()
    assert work is not None
    assert [queue.topic for queue, _ in work.marks] == ["T"]
    assert store.queue_flush_work(at_once=True) is None
    store.flushed(work)
    manual(disk.clock).advance(60_000)
    work = store.queue_flush_work()
    assert work is not None
    assert [queue.topic for queue, _ in work.marks] == ["U"]
    assert work.all_queues
    store.flushed(work)
    work = store.queue_flush_work()
    assert work is not None
    assert [file.path for file in work.files] == ["/store/checkpoint"]
    store.flushed(work)

    assert store.queue_flush_work() is None


def test_failed_sync_of_queues_refuses_writes_too() -> None:
    store = opened(a_disk())
    put_all(store, 1)
    work = store.queue_flush_work(at_once=True)
    assert work is not None

    store.sync_failed(work, OSError(5, "Input/output error"))

    assert store.put(message()).status == PutStatus.SERVICE_NOT_AVAILABLE


def test_close_does_not_wait_for_a_sync_that_runs() -> None:
    disk = a_disk()
    store = opened(disk)
    records = put_all(store, 3)
    works = [store.flush_work(at_once=True), store.queue_flush_work(at_once=True)]

    store.close()

    assert read_all(opened(disk.crash())) == records
    for work in works:
        assert work is not None
        work.sync()
        store.flushed(work)
    with pytest.raises(AssertionError, match="closed"):
        assert works[0] is None or works[0].files[0].memory
