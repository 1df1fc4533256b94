"""A store over a ledger: entries decide what is there, the store only shows it."""

from typing import Any

import pytest

from codec.message.batch import BatchItem
from rmq.base.errors import StoreError
from rmq.store.ledger import LedgerRefusedError, record_for_no_one
from rmq.store.messages import GetStatus, PutStatus
from rmq.store.segments import Holds, Segments
from rmq.store.tests.followers import content
from rmq.store.tests.ledgers import FOLDER, HEADER, FilesOfALedger, a_ledger_store, leading
from rmq.store.tests.stores import (
    SMALL,
    a_disk,
    flush_all,
    message,
    opened,
    read_all,
)

FULL = OSError(28, "No space left on device")


def test_put_can_be_read_when_it_is_committed() -> None:
    store, ledger = leading()
    arrivals: list[int] = []
    store.on_arrival(lambda *arrival: arrivals.append(arrival[2]))

    one, two = store.put(message(0)), store.put(message(1))

    assert (one.position, one.queue_offset, two.queue_offset) == (HEADER, 0, 1)
    assert two.position == one.end + HEADER
    assert one.end == ledger.ends[0]
    assert (store.written_position, store.max_offset("T", 0)) == (0, 0)
    ledger.commit(1)
    assert store.show_committed() == 1
    assert store.written_position == store.flushed_position == one.end
    assert store.get("T", 0, 1, 1).status == GetStatus.OFFSET_OVERFLOW_ONE
    ledger.commit()
    assert store.show_committed() == 1
    assert arrivals == [1, 2]
    assert len(read_all(store)) == 2
    assert store.message_at(two.position) == read_all(store)[1]
    assert store.query("T", "U001", 9, 0, 1 << 60).positions == [two.position]
    assert store.earliest_time() == one.store_timestamp
    assert store.dispatch() == 0


def test_ledger_store_gives_what_a_plain_one_gives() -> None:
    plain = opened(a_disk())
    store, ledger = leading()
    for each in (plain, store):
        for number in range(30):
            each.put(message(number, "A", sys_flag=number % 4 << 2))
            each.put_run([message(number, topic, number % 2) for topic in "ABBA"])
            each.put_batch(
                message(number, "B"), [BatchItem(b"1", b"TAGS\x01x\x02"), BatchItem(b"2")]
            )
            each.put(message(number, "SCHEDULE_TOPIC_XXXX", properties=b"DELAY\x013\x02"))
    assert ledger.proposals[:4] == [1, 4, 2, 1]

    ledger.commit()
    assert store.show_committed() == 240

    assert sorted(store.queues(), key=repr) == sorted(plain.queues(), key=repr)
    for queue in plain.consume_queues():
        mine = store.consume_queue(queue.topic, queue.queue_id)
        assert mine is not None
        for offset in range(queue.next_offset):
            ours, theirs = mine.unit(offset), queue.unit(offset)
            assert ours is not None
            assert theirs is not None
            assert ours[1:] == theirs[1:]
        mine_read = read_all(store, queue.topic, queue.queue_id)
        theirs_read = read_all(plain, queue.topic, queue.queue_id)
        assert [r[:28] + r[36:] for r in mine_read] == [r[:28] + r[36:] for r in theirs_read]
    assert store.stats.put_times == plain.stats.put_times == 240


def test_what_the_sender_knows_of_the_properties_is_believed() -> None:
    store, ledger = leading()

    store.put(message(1, wanted={b"UNIQ_KEY": b"U001"}))
    ledger.commit()
    store.show_committed()

    assert len(store.query("T", "U001", 9, 0, 1 << 60).positions) == 1
    assert store.query("T", "shared", 9, 0, 1 << 60).positions == []


def test_batch_says_where_each_message_is() -> None:
    store, ledger = leading()
    store.put(message())

    result = store.put_batch(message(), [BatchItem(b"1"), BatchItem(b"2")])

    assert (result.queue_offset, result.position) == (1, result.positions[0])
    assert result.end == ledger.ends[-1]
    sizes = [ledger.ends[1] - ledger.ends[0] - HEADER, ledger.ends[2] - ledger.ends[1] - HEADER]
    assert result.size == sum(sizes)
    assert [end - size for end, size in zip(ledger.ends[1:], sizes, strict=True)] == list(
        result.positions
    )


def test_what_the_ledger_refuses_is_not_put() -> None:
    store, ledger = leading()
    ledger.refusal = LedgerRefusedError(PutStatus.SERVICE_NOT_AVAILABLE, "n0 does not lead")

    refused = [
        store.put(message()),
        *store.put_run([message(), message()]),
        store.put_batch(message(), [BatchItem(b"1")]),
    ]
    ledger.refusal = None

    assert {result.status for result in refused} == {PutStatus.SERVICE_NOT_AVAILABLE}
    assert {result.remark for result in refused} == {"n0 does not lead"}
    assert store.stats.put_failed_times == 4
    assert store.put(message()).queue_offset == 0


def test_what_the_ledger_took_before_its_disk_failed_is_put() -> None:
    store, ledger = leading()
    ledger.takes = 2

    results = store.put_run([message(number) for number in range(4)])
    batch = store.put_batch(message(), [BatchItem(b"1")] * 3)

    assert [result.status for result in results] == [
        PutStatus.PUT_OK,
        PutStatus.PUT_OK,
        PutStatus.SERVICE_NOT_AVAILABLE,
        PutStatus.SERVICE_NOT_AVAILABLE,
    ]
    assert results[3].remark == "the ledger took 2 of 4 records"
    assert batch.remark == "the ledger took 2 of 3 records"
    assert store.put(message()).queue_offset == 4


@pytest.mark.parametrize("store_host", [SMALL.store_host, bytes(20)])
def test_record_for_no_one_is_in_no_queue_and_no_index(store_host: bytes) -> None:
    store, ledger = leading()

    ledger.append([record_for_no_one(store_host, 5)])
    store.follow("n1 leads")
    ledger.commit()

    assert store.show_committed() == 1
    assert store.dispatched_position == ledger.end
    assert [queue for queue in store.queues() if queue.max_offset] == []
    assert store.query("SELF_TEST_TOPIC", "", 9, 0, 1 << 60).positions == []


def test_messages_of_a_run_are_refused_one_by_one() -> None:
    store, ledger = leading(message_size_max=100)
    long = message(1, body=b"x" * 101)

    results = store.put_run([message(0), long, message(2, "T" * 200), message(3)])

    assert [result.status for result in results] == [
        PutStatus.PUT_OK,
        PutStatus.MESSAGE_ILLEGAL,
        PutStatus.MESSAGE_ILLEGAL,
        PutStatus.PUT_OK,
    ]
    assert [results[0].queue_offset, results[3].queue_offset] == [0, 1]
    items = [BatchItem(b"x"), BatchItem(long.body)]
    for refused in (
        store.put_batch(message(), items),
        store.put_batch(message(), []),
        store.put_batch(message(0, "T" * 200), items[:1]),
        store.put_run([long])[0],
    ):
        assert refused.status == PutStatus.MESSAGE_ILLEGAL
    assert len(ledger.ends) == 2


def test_record_must_fit_an_entry_of_a_file() -> None:
    store, _ = leading()

    fits = store.put(message(body=b"x" * (4096 - 8 - 48 - 92), properties=b""))
    does_not = store.put(message(body=b"x" * (4096 - 8 - 48 - 91), properties=b""))

    assert fits.status == PutStatus.PUT_OK
    assert does_not.status == PutStatus.MESSAGE_ILLEGAL


def test_members_that_follow_build_the_same_queues() -> None:
    disk = a_disk()
    store, ledger = leading(disk)
    other = a_ledger_store(disk, ledger, root="/other")
    other.follow("n1 leads")
    other.load()
    assert other.put(message()).remark == "n1 leads"

    for number in range(60):
        store.put(message(number, "AB"[number % 2]))
        if number % 7 == 0:
            ledger.commit()
            store.show_committed()
        if number % 5 == 0:
            other.show_committed()
    ledger.commit()
    store.show_committed()
    other.show_committed()
    other.lead()

    assert other.put(message(60, "A")).queue_offset == 30
    store.close()
    other.close()
    for below in ("consumequeue", "index"):
        mine = {path: file for path, file in content(disk, below).items() if "index" not in path}
        for path, file in mine.items():
            assert disk.read(f"/other/{path}") == file
    assert len(disk.entries("/other/index")) == len(disk.entries("/store/index"))


def test_what_was_cut_is_forgotten() -> None:
    disk = a_disk()
    store, ledger = leading(disk)
    records = [store.put(message(number)) for number in range(5)]
    ledger.commit(2)
    store.show_committed()

    ledger.cut(2)
    store.follow("n1 leads")
    store.show_committed()
    theirs, foreign = leading(a_disk())
    for number in range(2):
        theirs.put(message(number))
    theirs.put(message(2, "X"))
    ledger.write(foreign.segments.read(ledger.end + HEADER, records[2].size))
    ledger.commit()
    assert store.show_committed() == 1
    store.lead()

    assert store.max_offset("X", 0) == 1
    assert store.max_offset("T", 0) == 2
    assert store.put(message(9)).queue_offset == 2


def test_cut_that_nobody_told_of_is_seen() -> None:
    store, ledger = leading()
    store.put(message(0))
    ledger.cut(0)
    again, foreign = leading()
    again.put(message(7, "X"))
    ledger.write(foreign.segments.read(HEADER, ledger_size(foreign)))
    ledger.commit()

    store.show_committed()

    assert [(queue.topic, queue.max_offset) for queue in store.queues() if queue.max_offset] == [
        ("X", 1)
    ]


def ledger_size(ledger: FilesOfALedger) -> int:
    return ledger.ends[0] - HEADER


@pytest.mark.parametrize("end", ["closed", "killed", "lost"])
def test_store_finds_its_ledger_again(end: str) -> None:
    disk = a_disk()
    store, ledger = leading(disk)
    for number in range(60):
        store.put(message(number))
    ledger.commit(50)
    store.show_committed()
    if end == "closed":
        store.close()
    else:
        flush_all(store)
        for number in range(60, 70):
            store.put(message(number))
        ledger.commit(60)
        store.show_committed()
    if end == "lost":
        disk.delete("/store/consumequeue")
        disk.delete("/store/index")
    after = disk if end == "closed" else disk.crash()
    ledger.segments = Segments(after, FOLDER, 4096, Holds())
    ledger.segments.load()

    again = a_ledger_store(after, ledger)
    again.follow("nobody leads")
    report = again.load()

    count = 50 if end == "closed" else 60
    assert report.clean == (end == "closed")
    assert report.position == again.written_position == ledger.committed_position
    assert again.max_offset("T", 0) == count
    assert len(read_all(again)) == count
    assert len(again.query("T", "shared", 64, 0, 1 << 60).positions) == count
    ledger.commit()
    again.show_committed()
    again.lead()
    assert again.put(message()).queue_offset == len(ledger.ends) - 1


def test_index_is_cut_and_built_again_from_an_entry() -> None:
    disk = a_disk()
    store, ledger = leading(disk)
    for number in range(30):
        store.put(message(number))
    ledger.commit()
    store.show_committed()
    flush_all(store)
    disk.delete("/store/consumequeue")
    for file in store._index.files[1:]:
        file.memory[40:104] = bytes(64)  # its chains
        file.file.sync()
    after = disk.crash()
    ledger.segments = Segments(after, FOLDER, 4096, Holds())
    ledger.segments.load()

    again = a_ledger_store(after, ledger)
    again.load()

    assert len(again.query("T", "shared", 64, 0, 1 << 60).positions) == 30


def test_cleaned_files_are_forgotten() -> None:
    disk = a_disk()
    store, ledger = leading(disk)
    for number in range(200):
        store.put(message(number))
    ledger.commit()
    store.show_committed()
    disk.used_share_told = 0.99
    assert store.clean() == []
    assert store.refusal is not None

    for _ in range(5):
        ledger.segments.delete_first()
    store.show_committed()

    assert store.min_position == 5 * 4096
    first = store.min_offset("T", 0)
    assert 0 < first < 200
    assert len(read_all(store)) == 200 - first
    assert store.clean() == []


def test_ledger_that_began_again_far_ahead_is_followed() -> None:
    disk = a_disk()
    store, ledger = leading(disk)
    for number in range(40):
        store.put(message(number))
    ledger.commit(3)
    store.show_committed()
    store.follow("n1 leads")

    for _ in range(2):
        ledger.segments.delete_first()
    ledger.segments.start_at(5 * 4096)
    ledger.end, ledger.committed_position = 5 * 4096, 0
    ledger.cuts += 1
    store.show_committed()
    assert store.written_position == store.dispatched_position == 5 * 4096
    assert store.put_run([]) == []
    other, foreign = leading()
    other.put(message(1, "N"))
    ledger.write(foreign.segments.read(HEADER, ledger_size(foreign)))
    ledger.commit()

    assert store.show_committed() == 1
    assert len(read_all(store, "N")) == 1


def test_entries_without_a_record_are_passed_or_refused() -> None:
    store, ledger = leading()
    ledger.write(b"")
    store.put(message())
    ledger.commit()
    assert store.show_committed() == 1

    store.follow("n1 leads")
    ledger.write(b"")
    ledger.commit()
    assert store.show_committed() == 0
    assert store.dispatched_position == store.written_position
    ledger.write(b"x" * 100)
    ledger.commit()
    with pytest.raises(StoreError, match="cannot dispatch"):
        store.show_committed()
    assert store.drop_torn_tail() == store.written_position
    ledger.cut(3)
    record = store.message_at(HEADER + HEADER)
    assert record is not None
    ledger.write(record, position=5)
    ledger.commit()
    with pytest.raises(StoreError, match="holds no record of its place"):
        store.show_committed()


def test_files_that_cannot_be_mapped_are_a_store_error() -> None:
    store, ledger = leading()
    for number in range(40):
        store.put(message(number))
    ledger.commit()
    ledger.segments.close()
    map_file = store._disk.map

    def fail(path: str, size: int) -> Any:
        raise OSError(24, "Too many open files")

    store._disk.map = fail  # type: ignore[method-assign]  # a system that has no more
    with pytest.raises(StoreError, match=r"cannot follow the ledger: .*Too many open files"):
        store.show_committed()
    store._disk.map = map_file  # type: ignore[method-assign]  # it has again

    assert store.show_committed() == 40


def test_raw_bytes_and_cuts_are_the_ledgers_own() -> None:
    store, _ = leading()
    store.follow("n1 leads")

    with pytest.raises(StoreError, match="the log is a ledger's"):
        store.append_raw(0, b"x")
    with pytest.raises(StoreError, match="it is a ledger's"):
        store.truncate(0)
    assert store.drop_torn_tail() == 0


def test_flush_is_of_queues_and_says_the_log_is_there() -> None:
    store, ledger = leading()
    result = store.put(message())
    ledger.commit()
    store.show_committed()

    assert store.flush_work(at_once=True) is None
    flush_all(store)
    store.prepare_next()

    assert store._checkpoint is not None
    values = store._checkpoint.values
    assert values.physic_msg_timestamp == values.logics_msg_timestamp == result.store_timestamp
    assert len(store._log.segments.mapped(0, 1 << 20)) <= 1
