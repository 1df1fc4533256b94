"""Slaves: bytes instead of puts, the cut where logs part, and the way to lead."""

from collections.abc import Callable

import pytest

from codec.message.record import Record, parse_record
from rmq.base.errors import StoreError
from rmq.store.messages import GetStatus, PutStatus, QueueState
from rmq.store.store import MessageStore
from rmq.store.tests.followers import a_slave, assert_same, content, copy
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
BROKEN = OSError(5, "Input/output error")


def a_pair(count: int = 20, **changes: int) -> tuple[MessageStore, MessageStore]:
    """A master with messages, and a slave that has all of them."""
    disk = a_disk()
    master = opened(disk, **changes)
    put_all(master, count, disk.clock)
    slave = a_slave(a_disk(1_800_000_000_000), **changes)
    copy(master, slave)
    return master, slave


def end_of(store: MessageStore, offset: int) -> int:
    """Where message ``offset`` of queue 0 of topic T ends."""
    queue = store.consume_queue("T", 0)
    assert queue is not None
    unit = queue.unit(offset)
    assert unit is not None
    return unit[0] + unit[1]


def test_store_that_follows_takes_no_puts_and_says_why() -> None:
    store = opened(a_disk())
    put_all(store, 1)
    followed = store.follows

    store.follow("it is a slave")
    results = [store.put(message()), store.put_batch(message(), []), *store.put_run([message()])]

    assert (followed, store.follows) == (False, True)
    assert {result.status for result in results} == {PutStatus.SERVICE_NOT_AVAILABLE}
    assert {result.remark for result in results} == {store.refusal} == {"it is a slave"}
    assert store.max_offset("T", 0) == 1


def test_slave_that_leads_goes_on_where_the_master_ended() -> None:
    _master, slave = a_pair()
    end = slave.written_position

    slave.lead()
    slave.lead()
    result = slave.put(message(20))

    assert (result.queue_offset, result.position) == (20, end)
    assert len(read_all(slave)) == 21
    assert slave.dispatched_position == slave.written_position == result.end
    assert slave.dispatch() == 0
    with pytest.raises(StoreError, match="this store leads"):
        slave.append_raw(result.end, b"x")
    slave.follow("again")
    assert slave.dispatched_position == result.end


def test_store_can_follow_from_before_its_load() -> None:
    store = a_store(a_disk())

    store.follow("it is a slave")
    assert store.refusal == "the store is not loaded"
    with pytest.raises(StoreError, match="the store is not loaded"):
        store.append_raw(0, b"x")
    store.load()

    assert store.refusal == "it is a slave"
    store.append_raw(0, b"x")
    assert (store.drop_torn_tail(), store.written_position) == (0, 0)


def test_bytes_must_follow_the_log_and_stay_in_one_file() -> None:
    _master, slave = a_pair(3)
    end = slave.written_position

    for position in (0, end - 1, end + 1, 4096):
        with pytest.raises(StoreError, match=f"bytes for {position}, but the log ends at {end}"):
            slave.append_raw(position, b"x")
    with pytest.raises(StoreError, match="reach into the next file"):
        slave.append_raw(end, bytes(4097 - end))
    slave.append_raw(end, b"")

    assert slave.written_position == end
    assert slave.dispatch() == 0


def test_record_waits_until_all_of_it_is_there() -> None:
    master, slave = a_pair(0)
    arrivals: list[int] = []
    slave.on_arrival(lambda *arrival: arrivals.append(arrival[2]))
    end = master.put(message()).end
    data = master.log_bytes(0, end)

    for at in range(end):
        assert (slave.dispatch(), slave.dispatched_position) == (0, 0)
        assert slave.message_at(0) is None
        slave.append_raw(at, data[at : at + 1])

    assert (slave.dispatch(), slave.dispatched_position) == (1, end)
    assert arrivals == [1]
    assert (slave.stats.put_times, slave.stats.put_bytes) == (1, end)
    assert read_all(slave) == read_all(master)


def test_blank_waits_until_the_file_is_full() -> None:
    master, slave = a_pair(0, commit_log_file_size=512)
    first, second = put_all(master, 2, body=b"x" * 200)
    copy(master, slave, end=520 - 8 - 1)

    assert slave.dispatched_position == len(first)
    assert slave.drop_torn_tail() == len(first)
    copy(master, slave, end=512)
    assert slave.dispatched_position == slave.drop_torn_tail() == 512
    copy(master, slave)
    assert read_all(slave) == [first, second]


def test_slave_of_a_late_part_of_the_log_begins_there() -> None:
    master, _ = a_pair(80)
    disk = a_disk()
    slave = a_slave(disk)
    for position in (1, 4095, 4097):
        with pytest.raises(StoreError, match=f"bytes for {position}, but the log ends at 0"):
            slave.append_raw(position, b"x")

    slave.append_raw(8192, master.log_bytes(8192, 50))
    copy(master, slave)

    (state,) = slave.queues()
    assert slave.min_position == 8192
    assert state.min_offset > 0
    assert state.max_offset == 80
    assert read_all(slave) == read_all(master)[state.min_offset :]
    assert slave.get("T", 0, 0, 1).status == GetStatus.OFFSET_TOO_SMALL
    names = [entry.name for entry in disk.entries("/store/consumequeue/T/0")]
    assert names == [f"{1000:020d}"]
    slave.close()
    assert opened(disk).queues() == [state]
    crashed = disk.crash()
    assert opened(crashed).queues() == [state]


def test_first_bytes_for_which_there_is_no_room_leave_the_log_empty() -> None:
    master, _ = a_pair(80)
    disk = a_disk()
    slave = a_slave(disk)
    disk.fail_reserve = FULL

    with pytest.raises(StoreError, match="no bytes are taken: No space left on device: /store"):
        slave.append_raw(8192, b"x")
    disk.fail_reserve = None

    assert slave.written_position == 0
    slave.append_raw(4096, master.log_bytes(4096, 4096))
    assert slave.dispatch() > 0


def test_full_disk_stops_a_slave_until_there_is_room() -> None:
    master, _ = a_pair(60)
    disk = a_disk()
    slave = a_slave(disk)
    copy(master, slave, end=4000)
    state = slave.queues()
    disk.fail_reserve = FULL

    slave.append_raw(4000, master.log_bytes(4000, 96))
    slave.dispatch()
    with pytest.raises(StoreError, match="no bytes are taken: No space left"):
        slave.append_raw(4096, master.log_bytes(4096, 100))
    assert slave.written_position == 4096
    disk.fail_reserve = None
    copy(master, slave)

    assert len(state) == 1
    assert read_all(slave) == read_all(master)
    assert slave.refusal is not None  # the disk's, until it is looked at again
    slave.lead()
    manual(disk.clock).advance(1000)
    assert slave.put(message()).status == PutStatus.PUT_OK


def test_full_disk_stops_dispatch_before_it_has_done_anything() -> None:
    disks = a_disk(), a_disk()
    master, slave = opened(disks[0]), a_slave(disks[1])
    put_all(master, 2, topic="A")
    put_all(master, 2, topic="B", properties=b"")
    slave.append_raw(0, master.log_bytes(0, 4096))
    disks[1].fail_reserve = FULL

    for _ in range(2):
        with pytest.raises(StoreError, match="cannot dispatch: No space left on device: /store"):
            slave.dispatch()
        assert slave.dispatched_position == 0
        assert slave.max_offset("A", 0) == 0
    disks[1].fail_reserve = None

    assert slave.dispatch() == 4
    slave.close()
    master.close()
    assert_same(*disks)


def test_what_is_no_record_stops_dispatch_and_is_cut() -> None:
    master, slave = a_pair(3)
    end = slave.written_position
    copied = parse_record(master.log_bytes(0, 4096), 0, 4096)
    assert isinstance(copied, Record)
    garbage = [
        b"x" * 100,
        (5000).to_bytes(4, "big") + master.log_bytes(0, 200)[4:],
        (90).to_bytes(4, "big") + master.log_bytes(0, 200)[4:],
        master.log_bytes(0, copied.total_size),
    ]

    for data in garbage:
        slave.append_raw(end, data)
        with pytest.raises(StoreError, match="cannot dispatch: "):
            slave.dispatch()
        assert slave.dispatched_position == end
        assert slave.drop_torn_tail() == end
    slave.append_raw(end, b"x" * 100)
    slave.lead()

    assert slave.put(message(3)).position == end


def test_record_of_a_topic_that_cannot_be_stored_is_passed_over() -> None:
    master, slave = a_pair(0)
    put_all(master, 2)
    data = bytearray(master.log_bytes(0, 4096))
    at = data.index(b"\x01T")
    data[at + 1] = ord("/")

    slave.append_raw(0, bytes(data))
    assert slave.drop_torn_tail() == len(data)
    assert slave.dispatch() == 2

    assert slave.dispatched_position == len(data)
    assert [(queue.topic, queue.max_offset) for queue in slave.queues()] == [("T", 2)]


def test_log_is_cut_with_queues_and_index() -> None:
    _master, slave = a_pair(40)
    records = read_all(slave)
    position = end_of(slave, 9)

    slave.truncate(position)

    assert slave.written_position == slave.dispatched_position == position
    assert read_all(slave) == records[:10]
    assert len(slave.query("T", "shared", 64, 0, 1 << 60).records) == 10
    assert slave.log_bytes(position, 10) == b""
    slave.lead()
    assert slave.put(message()).queue_offset == 10


@pytest.mark.parametrize("lost", [False, True])
def test_all_of_the_log_can_be_cut_and_it_begins_anywhere_again(lost: bool) -> None:
    master, _ = a_pair(80)
    disk = a_disk()
    slave = a_slave(disk)
    slave.append_raw(4096, master.log_bytes(4096, 4096))
    slave.dispatch()

    slave.truncate(4096)
    if lost:
        slave = a_slave(disk.crash())

    assert slave.queues() == []
    assert slave.written_position == (0 if lost else 4096)
    slave.append_raw(8192, master.log_bytes(8192, 100))
    copy(master, slave)
    assert slave.min_position == 8192
    assert slave.max_offset("T", 0) == 80


def test_cut_is_refused_where_no_record_begins() -> None:
    master, slave = a_pair(40)
    end = slave.written_position
    blank = end_of(slave, 28)
    boundary = end_of(slave, 5)

    for position in (-1, 1, boundary - 1, boundary + 1, end - 1, end + 1, end + 4096):
        with pytest.raises(StoreError, match=f"cannot cut at {position}: no record begins"):
            slave.truncate(position)
    assert slave.written_position == end
    slave.truncate(end)
    assert slave.written_position == end
    slave.truncate(4096)
    assert slave.dispatched_position == 4096
    slave.truncate(blank)
    with pytest.raises(StoreError, match="leads without a dispatch limit is not cut"):
        master.truncate(0)


def test_log_can_be_cut_before_a_blank() -> None:
    master, slave = a_pair(0, commit_log_file_size=512)
    first, second = put_all(master, 2, body=b"x" * 200)
    copy(master, slave)

    slave.truncate(len(first))

    assert slave.written_position == len(first)
    assert read_all(slave) == [first]
    copy(master, slave)
    assert read_all(slave) == [first, second]


def test_cut_records_do_not_come_back() -> None:
    disk = a_disk()
    master, _ = a_pair(40)
    slave = a_slave(disk)
    copy(master, slave)
    flush_all(slave)
    position = end_of(slave, 9)

    slave.truncate(position)
    crashed = a_slave(disk.crash())

    assert crashed.written_position == position
    assert len(read_all(crashed)) == 10


def test_what_is_newer_on_disk_but_older_in_time_survives_a_cut() -> None:
    """The lost master had stored later what is cut than the new one what follows."""
    disk, other = a_disk(), a_disk()
    slave, master = opened(disk), opened(other)
    end = put_all(slave, 1)[-1]
    put_all(master, 1)
    manual(disk.clock).advance(100_000)
    put_all(slave, 3, topic="U")
    put_all(slave, 3)
    flush_all(slave)
    put_all(master, 3, other.clock, topic="U")
    put_all(master, 3, other.clock)

    slave.follow("it lost")
    slave.truncate(len(end))
    copy(master, slave)
    work = slave.flush_work(at_once=True)
    assert work is not None
    work.sync()
    slave.flushed(work)
    after = disk.crash({"/store/consumequeue/T/0/00000000000000000000": [0]})
    slave = a_slave(after)

    assert read_all(slave, "U") == read_all(master, "U")
    assert read_all(slave) == read_all(master)


def test_sync_that_began_before_a_cut_says_nothing_of_what_came_after() -> None:
    disk = a_disk()
    master, _ = a_pair(40)
    slave = a_slave(disk)
    copy(master, slave)
    log_work, queue_work = slave.flush_work(at_once=True), slave.queue_flush_work(at_once=True)
    assert log_work is not None
    assert queue_work is not None
    position = end_of(slave, 9)

    slave.truncate(position)
    copy(master, slave)
    for work in (log_work, queue_work):
        work.sync()
        slave.flushed(work)

    assert slave.flushed_position == 0
    again = slave.flush_work(at_once=True)
    assert again is not None
    again.sync()
    slave.flushed(again)
    assert slave.flushed_position == master.written_position


@pytest.mark.parametrize(
    ("cut", "end"),
    [(lambda slave: slave.truncate(0), 4096), (lambda slave: slave.drop_torn_tail(), 4096 + 50)],
)
def test_disk_that_fails_in_a_cut_stops_all_writing(
    cut: Callable[[MessageStore], None], end: int
) -> None:
    disk = a_disk()
    master, _ = a_pair(40)
    slave = a_slave(disk)
    copy(master, slave, end=end)
    disk.fail_sync = BROKEN

    with pytest.raises(StoreError, match="could not be cut, restart after repair"):
        cut(slave)

    assert slave.refusal is not None
    with pytest.raises(StoreError, match="no bytes are taken: the log could not be cut"):
        slave.append_raw(slave.written_position, b"x")


def test_index_that_cannot_be_cut_is_built_again() -> None:
    _master, slave = a_pair(40)
    position = end_of(slave, 19)
    arrivals: list[int] = []
    slave.on_arrival(lambda *arrival: arrivals.append(arrival[2]))
    for file in slave._index.files:
        if file.begin_position < position <= file.end_position:
            file.memory[40:104] = bytes(64)  # its chains

    slave.truncate(position)

    found = slave.query("T", "shared", 64, 0, 1 << 60)
    assert len(found.records) == 20
    assert slave.dispatched_position == position
    assert arrivals == []


def test_bytes_are_flushed_like_records() -> None:
    master, _ = a_pair(40)
    disk = a_disk()
    slave = a_slave(disk)

    slave.append_raw(0, master.log_bytes(0, 4096))
    slave.append_raw(4096, master.log_bytes(4096, 10))
    work = slave.flush_work(at_once=True)
    assert work is not None
    work.sync()
    slave.flushed(work)

    assert slave.flushed_position == 4106
    assert content(disk.crash(), "commitlog")[f"commitlog/{0:020d}"] == master.log_bytes(0, 4096)


def test_files_are_deleted_while_following_but_not_before_they_were_dispatched() -> None:
    master, _ = a_pair(150)
    disk = a_disk()
    slave = a_slave(disk)
    slave.limit_dispatch(9000)
    copy(master, slave)
    disk.used_share_told = 0.99

    slave.clean()

    assert slave.min_position == 8192
    slave.limit_dispatch(None)
    slave.dispatch()
    slave.clean()
    assert slave.min_position == slave.written_position // 4096 * 4096
    assert read_all(slave) == read_all(master)[slave.min_offset("T", 0) :]


def test_confirmed_position_is_kept() -> None:
    disk = a_disk()
    store = a_store(disk)
    assert store.confirmed_position == 0
    store.load()

    store.confirmed_position = 4711
    flush_all(store)

    assert store.confirmed_position == 4711
    assert opened(disk.crash()).confirmed_position == 4711


def test_what_a_slave_knows_of_its_masters_log_is_kept() -> None:
    disk = a_disk()
    store = a_store(disk)
    assert store.master_flushed_position == 0
    store.load()

    store.master_flushed_position = 4711
    flush_all(store)

    assert store.master_flushed_position == 4711
    assert opened(disk.crash()).master_flushed_position == 4711


def test_flush_of_nothing_new_leaves_the_checkpoint_as_it_was() -> None:
    disk = a_disk()
    store = opened(disk)
    put_all(store, 3, disk.clock)
    store.close()
    store = a_slave(disk)
    assert store._checkpoint is not None
    before = store._checkpoint.values

    store.confirmed_position = 5
    flush_all(store)

    assert store._checkpoint.values.logics_msg_timestamp == before.logics_msg_timestamp > 0


def test_queue_whose_topic_was_deleted_is_received_on() -> None:
    master, slave = a_pair(10)

    slave.delete_topics({"T"})
    put_all(master, 1)
    copy(master, slave)

    assert slave.queues() == [QueueState("T", 0, 10, 11)]
    assert read_all(slave) == read_all(master)[10:]
