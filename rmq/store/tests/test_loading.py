"""How a store finds itself again, and what it refuses to load."""

from dataclasses import replace

import pytest

from rmq.base.errors import StoreError
from rmq.store.messages import GetStatus
from rmq.store.store import MessageStore
from rmq.store.tests.ledgers import FOLDER, leading
from rmq.store.tests.stores import (
    SMALL,
    a_disk,
    a_store,
    all_paths,
    flush_all,
    message,
    opened,
    overwrite,
    put_all,
    read_all,
)

PAGE = 4096


def test_log_that_lost_what_the_queues_know_cuts_the_queues() -> None:
    disk = a_disk()
    store = opened(disk)
    records = put_all(store, 40)
    store.close()
    half = len(b"".join(records[:8]))
    for entry in disk.entries("/store/commitlog")[1:]:
        disk.delete(f"/store/commitlog/{entry.name}")
    overwrite(disk, "/store/commitlog/00000000000000000000", half, bytes(4096 - half))

    store = a_store(disk)
    report = store.load()

    assert not report.clean
    assert read_all(store) == records[:8]
    assert store.written_position == half


def test_store_without_log_files_forgets_its_queues() -> None:
    disk = a_disk()
    store = opened(disk)
    put_all(store, 3)
    store.close()
    disk.delete("/store/commitlog")

    store = opened(disk)

    assert store.queues() == []
    assert store.put(message()).position == 0


def test_batch_and_other_queues_and_prepared_records_survive_a_kill() -> None:
    disk = a_disk()
    store = opened(disk)
    put_all(store, 3, topic="A", queue_id=2)
    prepared = store.put(message(7, topic="A", queue_id=2, sys_flag=4))
    rolled_back = store.put(message(8, topic="A", queue_id=2, sys_flag=12))
    put_all(store, 30, topic="B")
    states = store.queues()
    killed = disk.crash({f"/store/{path}": [0] for path in all_paths(disk)})

    store = opened(killed)

    assert sorted(store.queues(), key=lambda q: q.topic) == states
    assert store.message_at(rolled_back.position) is not None
    assert store.query("A", "U007", 10, 0, 1 << 60).positions == [prepared.position]
    assert store.query("A", "U008", 10, 0, 1 << 60).positions == []


def test_second_store_in_the_same_folder_is_refused() -> None:
    disk = a_disk()
    opened(disk)

    with pytest.raises(StoreError, match="another broker"):
        a_store(disk).load()


def test_wrong_file_size_is_refused_and_gives_the_lock_back() -> None:
    disk = a_disk()
    store = opened(disk)
    put_all(store, 3)
    store.close()

    with pytest.raises(StoreError, match="4096 bytes, configured are 8192"):
        a_store(disk, commit_log_file_size=8192).load()
    with pytest.raises(StoreError, match="1000 bytes, configured are 2000"):
        a_store(disk, consume_queue_file_size=2000).load()
    with pytest.raises(StoreError, match="904 bytes, configured are 1104"):
        a_store(disk, index_units=50).load()

    assert len(read_all(opened(disk))) == 3


def test_disk_that_fails_in_a_load_is_a_store_error() -> None:
    disk = a_disk()
    disk.fail_replace = OSError(5, "Input/output error")

    with pytest.raises(StoreError, match="Input/output error"):
        a_store(disk).load()


def test_index_whose_beginning_is_no_record_is_built_from_the_logs_beginning() -> None:
    disk = a_disk()
    store = opened(disk)
    put_all(store, 15, disk.clock)
    store.close()
    index = f"/store/index/{disk.entries('/store/index')[0].name}"
    overwrite(disk, index, 16, (77).to_bytes(8, "big"))
    overwrite(disk, index, 40, bytes(64))
    disk.replace("/store/abort", b"1")

    store = opened(disk)

    assert len(store.query("T", "shared", 64, 0, 1 << 60).records) == 15


def test_record_of_a_topic_that_cannot_be_stored_is_passed_over() -> None:
    disk = a_disk()
    store = opened(disk)
    records = put_all(store, 2)
    store.close()
    at = records[0].rindex(b"T\0")
    overwrite(disk, "/store/commitlog/00000000000000000000", at, b"/")
    disk.delete("/store/consumequeue")

    store = opened(disk)

    assert [queue.topic for queue in store.queues()] == ["T"]
    assert read_all(store)[-1] == records[1]
    assert store.get("T", 0, 0, 1).status != GetStatus.FOUND


def test_store_without_an_index_is_recovered_and_flushed_without_one() -> None:
    disk = a_disk()
    store = opened(disk, index_enabled=False)
    records = put_all(store, 40)
    flush_all(store)
    killed = disk.crash()

    store = opened(killed, index_enabled=False)

    assert read_all(store) == records
    assert killed.entries("/store/index") == []


def test_store_whose_checkpoint_cannot_be_opened_gives_the_lock_back() -> None:
    disk = a_disk()
    disk.fail_reserve = OSError(28, "No space left on device")

    store = a_store(disk)
    with pytest.raises(StoreError, match="cannot open checkpoint"):
        store.load()
    disk.fail_reserve = None

    assert store.put(message()).remark == "the store is not loaded"
    assert opened(disk).put(message()).position == 0


def test_topic_that_was_deleted_and_used_again_is_found_after_a_kill() -> None:
    disk = a_disk()
    store = opened(disk)
    put_all(store, 60)
    store.delete_topics({"T"})
    records = put_all(store, 20)
    killed = disk.crash({f"/store/{path}": [0] for path in all_paths(disk)})

    store = opened(killed)

    assert read_all(store) == records


@pytest.mark.parametrize("kill", [False, True])
def test_store_over_a_ledger_has_what_is_committed(kill: bool) -> None:
    disk = a_disk()
    store, ledger = leading(disk)
    for number in range(30):
        store.put(message(number))
    ledger.commit(20)
    store.show_committed()
    flush_all(store)
    if not kill:
        store.close()
    settings = replace(SMALL, commit_log_folder=FOLDER)

    again = MessageStore(disk.crash(), disk.clock, settings, ledger)
    report = again.load()

    assert report.cut_reason == "end of what is committed"
    assert report.clean is not kill
    assert len(read_all(again)) == 20


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_load_with_a_limit_dispatches_no_more_than_it_allows(beyond: int) -> None:
    disk = a_disk()
    store = opened(disk)
    ends = [store.put(message(number)).end for number in range(10)]
    flush_all(store)
    killed = disk.crash()
    killed.delete("/store/consumequeue")

    again = a_store(killed)
    again.limit_dispatch(ends[5] + beyond)
    again.load()

    assert again.max_offset("T", 0) == (5 if beyond < 0 else 6)
    assert again.dispatched_position == ends[4 if beyond < 0 else 5]
