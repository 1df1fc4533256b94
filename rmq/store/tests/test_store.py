"""The facade: what callers see of puts, gets, times, upkeep."""

from errno import ENOSPC
from typing import Any

import pytest

from codec.message.batch import BatchItem
from codec.message.java_hash import java_hash
from codec.message.record import pack_record, parse_record
from codec.message.sysflag import BORN_HOST_V6, STORE_HOST_V6
from rmq.base.errors import StoreError
from rmq.net.memory_disk import MemoryDisk
from rmq.store.messages import GetStatus, PutMessage, PutStatus, QueueState
from rmq.store.store import MessageStore
from rmq.store.tests.followers import a_slave
from rmq.store.tests.ledgers import leading
from rmq.store.tests.stores import (
    BORN_HOST,
    LONG_TOPIC,
    SMALL,
    a_disk,
    a_store,
    manual,
    message,
    opened,
    put_all,
    read_all,
)

NO_SPACE = OSError(ENOSPC, "No space left on device")
V6 = bytes(range(16)) + b"\0\0\x2a\x9f"


@pytest.mark.parametrize("born_host", [BORN_HOST, V6])
@pytest.mark.parametrize("store_host", [SMALL.store_host, V6])
@pytest.mark.parametrize("topic", ["T", LONG_TOPIC])
def test_what_put_writes_is_what_pack_record_builds(
    born_host: bytes, store_host: bytes, topic: str
) -> None:
    disk = a_disk()
    store = opened(disk, store_host=store_host)
    put_all(store, 1, topic=topic, queue_id=3)
    put = message(
        5,
        topic,
        3,
        flag=-7,
        sys_flag=1 | STORE_HOST_V6,
        born_host=born_host,
        reconsume_times=2,
        prepared_transaction_offset=99,
    )

    result = store.put(put)

    flags = (BORN_HOST_V6 if len(born_host) == 20 else 0) | (
        STORE_HOST_V6 if len(store_host) == 20 else 0
    )
    record = pack_record(
        body=put.body,
        topic=topic.encode(),
        properties=put.properties,
        queue_id=3,
        flag=-7,
        queue_offset=1,
        position=result.position,
        sys_flag=1 | flags,
        born_timestamp=put.born_timestamp,
        born_host=born_host,
        store_timestamp=result.store_timestamp,
        store_host=store_host,
        reconsume_times=2,
        prepared_transaction_offset=99,
    )
    assert store.message_at(result.position) == record
    assert (result.size, result.end) == (len(record), result.position + len(record))
    assert result.end == store.written_position


def test_full_disk_is_noticed_when_the_next_file_is_made() -> None:
    disk = a_disk()
    store = opened(disk)
    store.put(message())

    def fail(path: str, size: int) -> Any:
        raise NO_SPACE

    disk.map = fail  # type: ignore[method-assign]  # a disk without room for another file
    store.prepare_next()

    assert store.refusal == "No space left on device: /store"


def test_store_time_never_goes_back() -> None:
    disk = a_disk()
    store = opened(disk)
    first = store.put(message())
    manual(disk.clock).set_wall_ms(5)

    second = store.put(message())
    third = store.put_batch(message(), [BatchItem(b"x")])

    assert first.store_timestamp == second.store_timestamp == third.store_timestamp


def test_listener_is_told_of_every_message_that_can_be_read() -> None:
    told: list[tuple[object, ...]] = []
    store = opened(a_disk())
    store.on_arrival(lambda *arrival: told.append(arrival))

    put = store.put(message(1, queue_id=4))
    store.put(message(2, sys_flag=4))
    store.put_batch(message(0, properties=b"TAGS\x01a\x02"), [BatchItem(b"x", b"P\x01q")])

    time = put.store_timestamp
    assert told == [
        ("T", 4, 1, java_hash("tag1"), time, message(1).properties),
        ("T", 0, 1, java_hash("a"), time, b"P\x01q\x02TAGS\x01a\x02"),
    ]


def test_delayed_message_is_queued_by_its_delivery_time() -> None:
    codes: list[int] = []
    store = opened(a_disk())
    store.on_arrival(lambda *arrival: codes.append(arrival[3]))

    for level in (b"3", b"99", b"0", b"x"):
        properties = b"DELAY\x01" + level + b"\x02TAGS\x01a\x02"
        result = store.put(message(topic="SCHEDULE_TOPIC_XXXX", properties=properties))
    store.put(message(topic="SCHEDULE_TOPIC_XXXX", properties=b"TAGS\x01a\x02"))

    time, tag = result.store_timestamp, java_hash("a")
    assert codes == [time + 10_000, time + 7_200_000, tag, tag, tag]


def test_prepared_and_rolled_back_records_are_in_no_queue() -> None:
    store = opened(a_disk())

    for sys_flag in (4, 12):
        result = store.put(message(sys_flag=sys_flag))
        record = store.message_at(result.position)
        assert record is not None
        assert parse_record(record, 0, len(record)).queue_offset == 0  # type: ignore[union-attr]  # not a blank

    assert store.max_offset("T", 0) == 0
    assert store.put(message(sys_flag=8)).queue_offset == 0


def test_batch_is_consecutive_and_each_item_has_the_common_properties() -> None:
    store = opened(a_disk())
    put_all(store, 1)
    items = [BatchItem(b"a", b"KEYS\x01k\x02", 1), BatchItem(b"b", b"X\x01y", 2), BatchItem(b"c")]

    result = store.put_batch(message(properties=b"CLUSTER\x01c\x02"), items)

    assert (result.status, result.queue_offset) == (PutStatus.PUT_OK, 1)
    records = [parse_record(r, 0, len(r)) for r in read_all(store)[1:]]
    assert [
        (r.body, r.flag, r.properties)  # type: ignore[union-attr]  # not a blank
        for r in records
    ] == [
        (b"a", 1, b"KEYS\x01k\x02CLUSTER\x01c\x02"),
        (b"b", 2, b"X\x01y\x02CLUSTER\x01c\x02"),
        (b"c", 0, b"CLUSTER\x01c\x02"),
    ]
    assert tuple(r.position for r in records) == result.positions  # type: ignore[union-attr]  # not a blank
    assert result.end == store.written_position == result.position + result.size
    assert store.stats.put_times == 4


def test_batch_moves_to_the_next_file_as_a_whole() -> None:
    store = opened(a_disk())
    put_all(store, 20)

    result = store.put_batch(message(), [BatchItem(b"x" * 500) for _ in range(4)])

    assert result.position == 4096
    assert store.put_batch(message(), [BatchItem(b"x" * 500) for _ in range(9)]).status == (
        PutStatus.MESSAGE_ILLEGAL
    )


@pytest.mark.parametrize(
    ("put", "status", "remark"),
    [
        (message(body=b"x" * 101), PutStatus.MESSAGE_ILLEGAL, "body of 101 bytes"),
        (
            message(properties=b"x" * 32_768),
            PutStatus.PROPERTIES_SIZE_EXCEEDED,
            "properties of 32768 bytes",
        ),
        (message(properties=b"x" * 4000), PutStatus.MESSAGE_ILLEGAL, "at most 100 and 4088"),
        (message(topic="T" * 128), PutStatus.MESSAGE_ILLEGAL, "topic of 128 bytes, at most 127"),
        (message(topic="%RETRY%" + "T" * 249), PutStatus.MESSAGE_ILLEGAL, "at most 255"),
        (message(topic="../T"), PutStatus.MESSAGE_ILLEGAL, "no slash"),
        (message(topic=""), PutStatus.MESSAGE_ILLEGAL, "1-255 bytes"),
        (message(topic="a\0"), PutStatus.MESSAGE_ILLEGAL, "cannot be stored"),
        (message(queue_id=-1), PutStatus.MESSAGE_ILLEGAL, "queue -1"),
    ],
)
def test_message_that_cannot_be_stored_is_refused_with_its_cause(
    put: PutMessage, status: PutStatus, remark: str
) -> None:
    store = opened(a_disk(), message_size_max=100)

    result = store.put(put)
    batch = store.put_batch(put, [BatchItem(put.body, b"")])

    assert result.status == batch.status == status
    assert remark in result.remark
    assert store.written_position == 0
    assert store.stats.put_failed_times == 2


def test_empty_and_transactional_batches_are_illegal() -> None:
    store = opened(a_disk())

    assert store.put_batch(message(), []).status == PutStatus.MESSAGE_ILLEGAL
    assert store.put_batch(message(sys_flag=4), [BatchItem(b"")]).status == (
        PutStatus.MESSAGE_ILLEGAL
    )


def test_full_disk_refuses_with_its_cause_reads_on_and_recovers() -> None:
    disk = a_disk()
    store = opened(disk)
    records = put_all(store, 20)
    disk.fail_reserve = NO_SPACE

    while (result := store.put(message())).status == PutStatus.PUT_OK:
        records += [store.message_at(result.position) or b""]

    assert result.status == PutStatus.SERVICE_NOT_AVAILABLE
    assert result.remark == store.refusal == "No space left on device: /store"
    assert read_all(store) == records
    assert store.put_batch(message(), [BatchItem(b"x" * 3000)]).status == result.status
    disk.fail_reserve = None
    assert store.put(message()).status == PutStatus.SERVICE_NOT_AVAILABLE
    manual(disk.clock).advance(1000)
    assert store.put(message()).status == PutStatus.PUT_OK
    assert store.refusal is None


def test_full_disk_is_met_by_a_batch_and_by_preparing_too() -> None:
    disk = a_disk()
    store = opened(disk)
    put_all(store, 2)
    store.prepare_next()
    store.prepare_next()
    assert len(disk.entries("/store/commitlog")) == 2
    disk.fail_reserve = NO_SPACE

    assert store.put_batch(message(), [BatchItem(b"x" * 3900)]).remark == (
        "No space left on device: /store"
    )

    store.prepare_next()
    assert len(disk.entries("/store/commitlog")) == 2


def test_index_file_that_cannot_be_made_leaves_no_half_message() -> None:
    disk = a_disk()
    store = opened(disk, commit_log_file_size=65_536)
    records = put_all(store, 20)  # 40 of 39 keys: a second file was begun
    disk.fail_reserve = NO_SPACE

    for _ in range(200):
        result = store.put(message())
        if result.status == PutStatus.PUT_OK:
            records += [store.message_at(result.position) or b""]

    assert result.status == PutStatus.SERVICE_NOT_AVAILABLE
    disk.fail_reserve = None
    store.close()
    assert read_all(opened(disk, commit_log_file_size=65_536)) == records


def test_share_of_the_disk_in_use_stops_and_allows_writing() -> None:
    disk = a_disk()
    store = opened(disk)
    disk.used_share_told = 0.91

    store.clean()

    assert store.refusal == "the disk of /store is 91% full, writes stop at 90%"
    assert store.put(message()).status == PutStatus.SERVICE_NOT_AVAILABLE
    disk.used_share_told = 0.5
    store.clean()
    assert store.put(message()).status == PutStatus.PUT_OK
    store.clean()
    assert store.refusal is None


def test_failed_sync_refuses_all_writes_until_a_restart() -> None:
    disk = a_disk()
    store = opened(disk)
    records = put_all(store, 2)
    work = store.flush_work(at_once=True)
    assert work is not None

    store.sync_failed(work, OSError(5, "Input/output error"))

    assert store.flushed_position == 0
    assert store.put(message()).remark == (
        "sync failed, restart after repair: [Errno 5] Input/output error"
    )
    manual(disk.clock).advance(100_000)
    disk.used_share_told = 0.99
    store.clean()
    disk.used_share_told = 0.1
    store.clean()
    store.prepare_next()
    assert store.put(message()).status == PutStatus.SERVICE_NOT_AVAILABLE
    assert read_all(store) == records
    store.close()
    assert disk.exists("/store/abort")
    assert not a_store(disk).load().clean


def test_close_syncs_all_and_removes_the_abort_file_once() -> None:
    disk = a_disk()
    store = opened(disk, process_id=42)
    assert disk.read("/store/abort") == b"42"
    records = put_all(store, 30)

    store.close()
    store.close()

    assert store.put(message()).remark == "the store is closed"
    crashed = disk.crash()
    assert not crashed.exists("/store/abort")
    assert read_all(opened(crashed)) == records


def test_close_that_cannot_sync_leaves_the_abort_file() -> None:
    disk = a_disk()
    store = opened(disk)
    put_all(store, 1)
    disk.fail_sync = OSError(5, "Input/output error")

    with pytest.raises(StoreError, match="Input/output error"):
        store.close()

    assert disk.exists("/store/abort")
    disk.lock("/store/lock")()


def test_store_that_was_not_loaded_refuses_and_closes() -> None:
    store = a_store(a_disk())

    assert store.put(message()).remark == "the store is not loaded"
    assert store.queue_flush_work(at_once=True) is None
    store.close()


def test_queries_find_unique_key_and_each_key_newest_first() -> None:
    disk = a_disk()
    store = opened(disk)
    for number in range(60):
        store.put(message(number))
        manual(disk.clock).advance(1000)
    start = 1_700_000_000_000

    assert len(store.query("T", "U007", 10, 0, 1 << 60).records) == 1
    shared = store.query("T", "shared", 100, 0, 1 << 60)
    assert len(shared.records) == 60
    assert shared.positions == sorted(shared.positions, reverse=True)
    assert shared.index_last_position == shared.positions[0]
    assert shared.index_last_timestamp == start + 59_000
    some = store.query("T", "shared", 100, start + 10_000, start + 12_000)
    assert len(some.records) == 3
    assert store.query("T", "shared", 2, 0, 1 << 60).positions == shared.positions[:2]
    assert store.query("U", "shared", 2, 0, 1 << 60).records == []


def test_queues_can_be_asked_and_deleted() -> None:
    disk = a_disk()
    store = opened(disk)
    put_all(store, 3, topic="A", queue_id=1)
    put_all(store, 2, topic="B")

    assert store.queues() == [QueueState("A", 1, 0, 3), QueueState("B", 0, 0, 2)]
    assert store.delete_topics({"A", "C"}) == 1
    assert store.queues() == [QueueState("B", 0, 0, 2)]
    assert not disk.exists("/store/consumequeue/A")
    assert store.get("A", 1, 0, 1).status == GetStatus.NO_MATCHED_LOGIC_QUEUE
    assert store.put(message(topic="A", queue_id=1)).queue_offset == 0


def test_times_and_positions_of_messages() -> None:
    disk = a_disk()
    store = opened(disk, memory_size=1000)
    assert store.earliest_time() == -1
    results = []
    for number in range(12):
        results.append(store.put(message(number)))
        manual(disk.clock).advance(10)
    start = results[0].store_timestamp

    assert store.earliest_time() == store.earliest_time("T", 0) == start
    assert store.earliest_time("U", 0) == -1
    assert store.store_time("T", 0, 5) == start + 50
    assert store.store_time("T", 0, 12) == -1
    assert store.position_of("T", 0, 5) == results[5].position
    assert store.position_of("U", 0, 5) == -1
    assert (store.min_offset("T", 0), store.min_offset("U", 0)) == (0, 0)
    assert store.max_offset("U", 0) == 0
    assert store.message_at(1) is None
    assert store.message_at(-5) is None
    assert store.message_at(1 << 40) is None
    assert not store.begins_in_memory("T", 0)
    assert store.begins_in_memory("U", 0)
    assert store.min_position == 0


@pytest.mark.parametrize(
    ("time", "lower", "upper"),
    [(-1, 0, 0), (0, 0, 1), (5, 2, 1), (10, 2, 4), (15, 5, 4), (20, 5, 5), (25, 6, 5)],
)
def test_offset_by_time_is_the_first_not_before_or_the_last_not_after(
    time: int, lower: int, upper: int
) -> None:
    disk = a_disk()
    store = opened(disk)
    start = disk.clock.wall_ms()
    for at in (0, 0, 10, 10, 10, 20):
        manual(disk.clock).set_wall_ms(start + at)
        store.put(message())

    assert store.offset_by_time("T", 0, start + time) == lower
    assert store.offset_by_time("T", 0, start + time, upper=True) == upper
    assert store.offset_by_time("U", 0, start) == 0


def aged(days: int = 4, **changes: Any) -> tuple[MemoryDisk, MessageStore]:
    disk = a_disk()
    store = opened(disk, **changes)
    put_all(store, 200)
    manual(disk.clock).advance(days * 86_400_000)
    return disk, store


def test_files_past_their_time_go_with_their_queues_and_index() -> None:
    disk, store = aged(delete_files_max=5, index_units=60)
    records = read_all(store)

    deleted = store.clean(at_once=True)

    assert deleted[:2] == [
        "/store/commitlog/00000000000000000000",
        "/store/commitlog/00000000000000004096",
    ]
    assert store.min_position == 5 * 4096
    first = store.min_offset("T", 0)
    assert first > 0
    assert read_all(store) == records[first:]
    assert any("/consumequeue/T/0/" in path for path in deleted)
    assert any("/index/" in path for path in deleted)
    assert store.get("T", 0, first - 1, 1).status == GetStatus.OFFSET_TOO_SMALL
    assert store.offset_by_time("T", 0, 0) <= first
    store.close()
    store = opened(disk, index_units=60)
    assert (store.min_offset("T", 0), read_all(store)) == (first, records[first:])


def test_nothing_is_deleted_outside_the_hour_but_at_once_or_when_the_disk_fills() -> None:
    disk, store = aged(delete_hours=(3,))

    assert store.clean() == []  # 22:13
    disk.used_share_told = 0.8
    assert store.clean() != []


def test_last_file_is_kept_whatever_its_age() -> None:
    disk, store = aged()
    disk.used_share_told = 0.95

    for _ in range(5):
        store.clean()

    assert [entry.name for entry in disk.entries("/store/commitlog")] == [
        f"{store.written_position // 4096 * 4096:020d}"
    ]
    assert store.put(message()).status == PutStatus.SERVICE_NOT_AVAILABLE


def test_cleaning_that_fails_is_a_store_error(monkeypatch: pytest.MonkeyPatch) -> None:
    disk, store = aged()

    def refuse(path: str) -> None:
        raise OSError(13, f"Permission denied: {path}")

    monkeypatch.setattr(disk, "delete", refuse)

    with pytest.raises(StoreError, match="Permission denied"):
        store.clean(at_once=True)


def test_a_copy_of_the_log_is_given_as_it_lies_there() -> None:
    store = opened(a_disk())
    result = store.put(message(1))

    assert store.log_file_size == 4096
    assert store.log_bytes(result.position, 1 << 20) == store.message_at(result.position)


def test_deleted_files_and_topics_are_let_go_by_a_sync_that_runs() -> None:
    disk, store = aged()
    works = [store.flush_work(at_once=True), store.queue_flush_work(at_once=True)]

    store.clean(at_once=True)
    store.delete_topics({"T"})
    for work in works:
        assert work is not None
        work.sync()
        store.flushed(work)

    assert store.flushed_position == store.written_position
    assert store.put(message()).queue_offset == 0
    assert disk.entries("/store/consumequeue/T/0") != []


def test_store_that_cannot_be_loaded_gives_its_lock_back(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = a_disk()
    with monkeypatch.context() as patched:
        patched.setattr(disk, "fail_replace", OSError(5, "Input/output error"))
        with pytest.raises(StoreError, match="cannot load the store in /store"):
            opened(disk)
    store = opened(disk)
    put_all(store, 1)
    store.close()
    with pytest.raises(StoreError, match="configured are 8192"):
        opened(disk, commit_log_file_size=8192)

    store = opened(disk)

    with pytest.raises(StoreError, match="is another broker running there"):
        opened(disk)
    assert store.refusal is None


def test_store_follows_is_cut_and_leads() -> None:
    source = opened(a_disk())
    put_all(source, 5)
    store = a_slave(a_disk())
    store.append_raw(0, source.log_bytes(0, 4096) + b"torn")
    assert store.dispatch() == 5

    assert store.drop_torn_tail() == source.written_position
    cut = source.written_position - len(read_all(source)[-1])
    store.truncate(cut)
    followed = store.follows
    store.lead()

    assert (followed, store.follows) == (True, False)
    assert store.dispatched_position == store.written_position == cut
    assert store.put(message(4)).queue_offset == 4


def test_who_copies_the_log_moves_the_limit() -> None:
    store = opened(a_disk())
    told: list[int] = []
    store.on_append(lambda: told.append(store.written_position))
    store.limit_dispatch(0)

    end = store.put(message()).end

    assert told == [end]
    assert store.dispatch_limit == 0
    store.limit_dispatch(end)
    assert store.dispatch() == 1


def test_positions_of_replication_are_kept_by_the_checkpoint() -> None:
    disk = a_disk()
    store = a_store(disk)
    before = (store.confirmed_position, store.master_flushed_position)
    store.load()
    store.confirmed_position = 700
    store.master_flushed_position = 900
    store.close()

    again = opened(disk)

    assert before == (0, 0)
    assert (again.confirmed_position, again.master_flushed_position) == (700, 900)


def test_store_over_a_ledger_shows_what_is_committed_and_cleans_nothing() -> None:
    disk = a_disk()
    store, ledger = leading(disk)
    for number in range(40):
        store.put(message(number))
    ledger.commit()

    assert store.show_committed() == 40
    assert store.clean(at_once=True) == []
