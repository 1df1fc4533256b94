"""A master with a limit: what is beyond it can nobody read, and nothing of it is lost."""

import pytest

from codec.message.batch import BatchItem
from codec.message.java_hash import java_hash
from rmq.base.errors import StoreError
from rmq.store import dispatching
from rmq.store.messages import GetStatus, PutStatus, QueueState
from rmq.store.store import MessageStore
from rmq.store.tests.followers import a_slave, assert_same, copy
from rmq.store.tests.ledgers import leading
from rmq.store.tests.stores import (
    a_disk,
    a_store,
    flush_all,
    manual,
    message,
    opened,
    put_all,
    read_all,
)

FULL = OSError(28, "No space left on device")


def a_limited(**changes: object) -> MessageStore:
    store = opened(a_disk(), **changes)
    store.limit_dispatch(0)
    return store


def move(store: MessageStore, position: int | None = None) -> int:
    """Move the limit, by default to the log's end, and dispatch."""
    store.limit_dispatch(store.written_position if position is None else position)
    return store.dispatch()


def test_nothing_beyond_the_limit_can_be_read() -> None:
    store = opened(a_disk())
    arrivals: list[tuple[object, ...]] = []
    store.on_arrival(lambda *arrival: arrivals.append(arrival))
    put_all(store, 2)
    end = store.written_position
    arrivals.clear()

    store.limit_dispatch(end)
    results = [store.put(message(number)) for number in (2, 3)]

    assert store.dispatch() == 0
    assert [result.queue_offset for result in results] == [2, 3]
    assert store.dispatched_position == store.dispatch_limit == end
    assert store.written_position == results[1].end
    assert store.max_offset("T", 0) == 2
    assert store.get("T", 0, 2, 1).status == GetStatus.OFFSET_OVERFLOW_ONE
    assert store.query("T", "U002", 9, 0, 1 << 60).records == []
    assert arrivals == []
    assert store.message_at(results[0].position) is not None

    assert move(store, results[1].end - 1) == 1
    assert store.max_offset("T", 0) == 3
    assert arrivals == [
        ("T", 0, 3, java_hash("tag2"), results[0].store_timestamp, message(2).properties)
    ]
    store.limit_dispatch(None)
    assert len(read_all(store)) == 4
    assert store.put(message(4)).queue_offset == 4
    assert store.dispatched_position == store.written_position
    assert store.max_offset("T", 0) == 5


def test_follower_tells_of_records_whose_topic_is_not_known() -> None:
    master, slave = opened(a_disk()), a_slave(a_disk())
    known = {"A"}
    told: list[tuple[str, bytes]] = []
    slave.on_unknown_topic(known, lambda *seen: told.append(seen))
    for topic in "ABBA":
        master.put(message(1, topic))

    copy(master, slave)
    assert told == [("B", message(1).properties)] * 2
    known.add("B")
    for topic in "ABC":
        master.put(message(2, topic))
    copy(master, slave)

    assert told[2:] == [("C", message(2).properties)]
    assert slave.max_offset("C", 0) == 1


def test_who_leads_or_loads_tells_of_no_unknown_topic() -> None:
    disk = a_disk()
    told: list[str] = []
    store = a_store(disk)
    store.on_unknown_topic(frozenset(), lambda topic, _: told.append(topic))
    store.load()
    put_all(store, 2)
    store.limit_dispatch(0)
    put_all(store, 2)
    move(store)
    store.close()

    again = a_store(disk)
    again.on_unknown_topic(frozenset(), lambda topic, _: told.append(topic))
    again.load()
    again.follow("it is a slave")

    assert told == []
    assert len(read_all(again)) == 4


def test_moving_the_limit_back_takes_nothing_back() -> None:
    store = opened(a_disk())
    put_all(store, 3)

    assert move(store, 10) == 0

    assert store.max_offset("T", 0) == 3
    assert store.dispatched_position == store.written_position


@pytest.mark.parametrize("append_crc", [False, True])
@pytest.mark.parametrize("remembered", [1, 3, 1000])
def test_limited_master_ends_with_the_bytes_of_one_without(
    append_crc: bool, remembered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "REMEMBERED_MAX", remembered)
    disks = a_disk(), a_disk()
    plain, limited = (opened(disk, append_crc=append_crc) for disk in disks)
    heard: tuple[list[object], list[object]] = [], []
    for store, arrivals in zip((plain, limited), heard, strict=True):
        store.on_arrival(lambda *arrival, to=arrivals: to.append(arrival[:5]))
    limited.limit_dispatch(0)

    for number in range(30):
        results = []
        for store, disk in zip((plain, limited), disks, strict=True):
            manual(disk.clock).advance(700)
            delayed = message(number, "SCHEDULE_TOPIC_XXXX", properties=b"DELAY\x013\x02")
            run = [message(number, topic, number % 2) for topic in "ABBA"]
            results.append(
                [
                    store.put(message(number, "A", sys_flag=number % 4 << 2)),
                    store.put(delayed),
                    *store.put_run(run),
                    store.put_batch(message(number, "B"), [BatchItem(b"1"), BatchItem(b"2")]),
                    store.put(message(number, "C", properties=b"")),
                ]
            )
        assert results[0] == results[1]
        if number % 5 == 4:
            move(limited, limited.written_position - 300)
    assert heard[0] != heard[1]
    move(limited)

    assert heard[0] == heard[1]
    for store in (plain, limited):
        store.close()
    assert_same(*disks)


def test_long_properties_are_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatching, "REMEMBERED_BYTES_MAX", 500)
    store = a_limited()

    put_all(store, 20, properties=b"P\x01" + b"v" * 200 + b"\x02")

    assert len(store._dispatcher._remembered) == 3
    assert move(store) == 20
    assert len(read_all(store)) == 20
    put_all(store, 1)
    assert len(store._dispatcher._remembered) == 1


def test_who_copies_the_log_is_told_of_every_put() -> None:
    store = opened(a_disk())
    told: list[int] = []

    def confirm() -> None:
        told.append(move(store))

    store.on_append(confirm)
    store.put(message())
    store.put_run([message(), message()])
    assert told == []
    store.limit_dispatch(0)
    assert move(store) == 0

    store.put(message(sys_flag=4))
    store.put_run([message(number) for number in range(5)])
    result = store.put_batch(message(), [BatchItem(b"1"), BatchItem(b"2")])

    assert told == [1, 5, 2]
    assert result.queue_offset == 8
    assert store.max_offset("T", 0) == 10


def test_offsets_go_on_when_a_limited_master_follows_and_leads_again() -> None:
    store = a_limited()
    put_all(store, 3)
    put_all(store, 2, sys_flag=4)
    put_all(store, 30, queue_id=1)

    store.follow("a slave for a while")
    store.lead()

    assert store.put(message(3)).queue_offset == 3
    assert store.put(message(3, queue_id=1)).queue_offset == 30
    assert move(store) == 37
    assert len(read_all(store)) == 4
    assert len(read_all(store, "T", 1)) == 31


def test_cut_of_a_limited_master_gives_its_offsets_again() -> None:
    store = a_limited()
    results = [store.put(message(number)) for number in range(40)]
    move(store, results[5].end)

    store.truncate(results[10].end)

    assert store.dispatched_position == results[5].end
    assert store.put(message(77)).queue_offset == 11
    store.truncate(results[2].end)
    assert store.max_offset("T", 0) == 3
    assert store.put(message(78)).queue_offset == 3
    assert move(store) == 1
    assert len(read_all(store)) == 4


def test_limit_stays_where_the_rest_cannot_be_dispatched() -> None:
    disk = a_disk()
    store = opened(disk)
    put_all(store, 1)
    store.limit_dispatch(store.written_position)
    put_all(store, 60, queue_id=1)
    disk.fail_reserve = FULL

    with pytest.raises(StoreError, match="cannot dispatch: No space left"):
        store.limit_dispatch(None)
    disk.fail_reserve = None

    assert store.dispatch_limit is not None
    assert store.max_offset("T", 1) < 60
    assert store.put(message(queue_id=1)).status == PutStatus.SERVICE_NOT_AVAILABLE
    manual(disk.clock).advance(1000)
    assert store.put(message(queue_id=1)).queue_offset == 60
    store.limit_dispatch(None)
    assert len(read_all(store, "T", 1)) == 61


def test_slave_that_cannot_dispatch_does_not_lead() -> None:
    source = opened(a_disk())
    put_all(source, 3)
    disk = a_disk()
    store = opened(disk)
    store.follow("a slave")
    store.append_raw(0, source.log_bytes(0, 4096))
    disk.fail_reserve = FULL

    with pytest.raises(StoreError, match="cannot dispatch"):
        store.lead()
    assert store.follows
    disk.fail_reserve = None
    store.lead()

    assert len(read_all(store)) == 3


def test_second_index_file_that_cannot_be_made_costs_keys_but_no_message() -> None:
    disk = a_disk()
    store = opened(disk, commit_log_file_size=65_536)
    put_all(store, 12)  # 36 keys of 39
    store.limit_dispatch(0)
    store.put(message(12, properties=b"KEYS\x01a b c d\x02"))
    disk.fail_reserve = FULL

    assert move(store) == 1

    assert store.max_offset("T", 0) == 13
    assert store.refusal == "No space left on device: /store"


def test_keys_that_wait_are_put_though_the_next_record_finds_no_room() -> None:
    disk = a_disk()
    store = opened(disk, commit_log_file_size=65_536)
    put_all(store, 11)  # 33 keys of 39
    store.limit_dispatch(0)
    for number in (11, 12, 13):
        store.put(message(number))
    disk.fail_reserve = FULL

    with pytest.raises(StoreError, match="cannot dispatch: No space left"):
        move(store)

    assert store.max_offset("T", 0) == 13
    found = [store.query("T", f"U{number:03}", 9, 0, 1 << 60).records for number in (11, 12, 13)]
    assert [len(records) for records in found] == [1, 1, 0]


def test_deleted_topic_counts_on_behind_what_is_not_dispatched() -> None:
    store = a_limited()
    put_all(store, 3)

    store.delete_topics({"T"})

    assert store.put(message(3)).queue_offset == 3
    assert move(store) == 4
    assert store.queues() == [QueueState("T", 0, 0, 4)]


@pytest.mark.parametrize("kill", [False, True])
def test_load_dispatches_up_to_the_limit(kill: bool) -> None:
    disk = a_disk()
    store = opened(disk)
    ends = [store.put(message(number)).end for number in range(40)]
    flush_all(store)
    if not kill:
        store.close()
    disk.delete("/store/consumequeue")
    disk.delete("/store/index")
    after = disk.crash()
    arrivals: list[object] = []

    store = a_store(after)
    store.on_arrival(lambda *arrival: arrivals.append(arrival))
    store.limit_dispatch(ends[9] + 1)
    store.load()

    assert store.max_offset("T", 0) == 10
    assert store.dispatched_position == ends[9]
    assert store.written_position == ends[-1]
    assert arrivals == []
    assert store.put(message()).queue_offset == 40
    assert move(store) == 31
    assert len(arrivals) == 31


def test_queues_count_as_synced_only_up_to_what_was_dispatched() -> None:
    disk = a_disk()
    store = opened(disk)
    first = put_all(store, 1, disk.clock)
    store.limit_dispatch(store.written_position)
    put_all(store, 2, disk.clock)
    flush_all(store)

    checkpoint = store._checkpoint
    assert checkpoint is not None
    dispatched = checkpoint.values.logics_msg_timestamp
    assert checkpoint.values.physic_msg_timestamp == dispatched + 2000
    assert read_all(store) == first


def test_without_an_index_only_queues_are_told() -> None:
    store = a_limited(index_enabled=False)

    put_all(store, 3)

    assert move(store) == 3
    assert store.query("T", "U001", 9, 0, 1 << 60).records == []


def overwritten(data: bytes, at: int, content: bytes) -> bytes:
    return data[:at] + content + data[at + len(content) :]


@pytest.mark.parametrize(
    ("at", "content", "cause"),
    [
        (0, b"\x7f", "no record at 0"),
        (4, b"\0", "no record at 0"),
        (28, (99).to_bytes(8, "big"), "record at 0 says it lies at 99"),
    ],
)
def test_bytes_that_are_no_record_are_not_dispatched(at: int, content: bytes, cause: str) -> None:
    source = opened(a_disk())
    end = source.put(message()).end
    slave = a_slave(a_disk())
    slave.append_raw(0, overwritten(source.log_bytes(0, end), at, content))

    with pytest.raises(StoreError, match=f"cannot dispatch: {cause}"):
        slave.dispatch()

    assert slave.dispatched_position == 0
    slave.limit_dispatch(0)
    slave.lead()
    assert slave.written_position == 0


def test_record_is_dispatched_when_all_of_it_and_the_blank_before_it_is_there() -> None:
    source = opened(a_disk())
    put_all(source, 30)
    slave = a_slave(a_disk())
    done = 0
    for position in range(0, source.written_position, 4):
        slave.append_raw(position, source.log_bytes(position, 4))
        done += slave.dispatch()

    assert done == 30
    assert slave.dispatched_position == source.written_position > 4096


def test_record_of_a_topic_that_cannot_be_stored_is_passed_over() -> None:
    source = opened(a_disk())
    records = put_all(source, 2)
    at = records[0].rindex(b"T\0")
    slave = a_slave(a_disk())
    slave.append_raw(0, overwritten(b"".join(records), at, b"/"))

    assert slave.dispatch() == 2
    slave.limit_dispatch(0)
    slave.truncate(len(records[0]))

    assert [queue.topic for queue in slave.queues()] == ["T"]
    slave.lead()
    assert slave.put(message(topic="U")).queue_offset == 0


def test_topic_that_cannot_be_stored_has_no_offsets_beyond_the_limit() -> None:
    source = opened(a_disk())
    records = put_all(source, 2)
    at = records[0].rindex(b"T\0")
    slave = a_slave(a_disk())
    slave.limit_dispatch(0)
    slave.append_raw(0, overwritten(b"".join(records), at, b"/"))

    slave.lead()

    assert slave.put(message()).queue_offset == 2


def test_entries_of_a_ledger_are_passed_without_a_record_and_refused_with_a_wrong_one() -> None:
    store, ledger = leading()
    ledger.write(b"")
    for number in range(20):
        store.put(message(number))
    ledger.commit()

    assert store.show_committed() == 20

    ledger.write(store.message_at(48 + 48) or b"", position=7)
    ledger.commit()
    with pytest.raises(StoreError, match="holds no record of its place and size"):
        store.show_committed()
