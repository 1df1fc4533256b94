"""Batches of records: which, how many, in how many slices, and where to go on."""

import pytest

from codec.message.java_hash import java_hash
from rmq.store.messages import GetStatus
from rmq.store.reader import COMPARISONS_MAX
from rmq.store.store import MessageStore
from rmq.store.tests.stores import a_disk, message, opened, put_all


def status_and_next(store: MessageStore, offset: int, topic: str = "T") -> tuple[GetStatus, int]:
    result = store.get(topic, 0, offset, 32)
    return result.status, result.next_begin_offset


def test_offsets_outside_of_a_queue_are_corrected() -> None:
    disk = a_disk()
    store = opened(disk, delete_files_max=3)
    put_all(store, 200)
    store.put(message(topic="prepared", sys_flag=4))
    disk.used_share_told = 0.87
    store.clean()
    first, end = store.min_offset("T", 0), store.max_offset("T", 0)
    assert first > 0

    assert status_and_next(store, 0, "U") == (GetStatus.NO_MATCHED_LOGIC_QUEUE, 0)
    assert status_and_next(store, 5, "prepared") == (GetStatus.NO_MESSAGE_IN_QUEUE, 0)
    assert status_and_next(store, 0) == (GetStatus.OFFSET_TOO_SMALL, first)
    assert status_and_next(store, first)[0] == GetStatus.FOUND
    assert status_and_next(store, end - 1) == (GetStatus.FOUND, end)
    assert status_and_next(store, end) == (GetStatus.OFFSET_OVERFLOW_ONE, end)
    assert status_and_next(store, end + 1) == (GetStatus.OFFSET_OVERFLOW_BADLY, end)


def test_neighbours_in_the_log_come_as_one_slice() -> None:
    store = opened(a_disk(), commit_log_file_size=65_536)
    records = put_all(store, 30)

    result = store.get("T", 0, 3, 20)

    assert result.slices == [b"".join(records[3:23])]
    assert (result.count, result.size) == (20, len(result.slices[0]))
    assert (result.status, result.next_begin_offset) == (GetStatus.FOUND, 23)
    assert list(result.queue_offsets) == list(range(3, 23))
    assert (result.min_offset, result.max_offset) == (0, 30)
    assert store.stats.get_messages == 20


def test_records_of_one_file_that_lie_apart_come_one_by_one() -> None:
    store = opened(a_disk(), commit_log_file_size=65_536)
    records = put_all(store, 5)
    put_all(store, 1, topic="U")
    records += put_all(store, 4)

    result = store.get("T", 0, 2, 32)

    assert result.slices == records[2:]
    assert list(result.queue_offsets) == list(range(2, 9))


def test_run_ends_at_the_end_of_a_log_file() -> None:
    store = opened(a_disk())
    records = put_all(store, 60)
    in_first = 4096 // len(records[0])

    result = store.get("T", 0, in_first - 2, 4)

    assert [len(part) for part in result.slices] == [
        len(b"".join(records[in_first - 2 : in_first])),
        len(b"".join(records[in_first : in_first + 2])),
    ]
    assert b"".join(result.slices) == b"".join(records[in_first - 2 : in_first + 2])


def test_one_get_reads_units_of_one_queue_file() -> None:
    store = opened(a_disk(), commit_log_file_size=65_536)
    put_all(store, 60)

    assert store.get("T", 0, 45, 32).next_begin_offset == 50
    assert store.get("T", 0, 45, 32, tags={java_hash("tag0")}).next_begin_offset == 50
    assert store.get("T", 0, 50, 32).count == 10


def test_memory_and_count_limits_end_a_batch_and_one_message_always_comes() -> None:
    store = opened(a_disk(), commit_log_file_size=65_536, memory_bytes_max=1000, memory_count_max=6)
    size = len(put_all(store, 40)[0])

    assert store.get("T", 0, 0, 32).count == 6
    assert store.get("T", 0, 0, 4).count == 4
    assert store.get("T", 0, 0, 0).count == 1
    assert store.get("T", 0, 0, 32, max_bytes=3 * size + 5).count == 3
    assert store.get("T", 0, 0, 32, max_bytes=1).count == 1
    store.put(message(body=b"x" * 2000))
    store.put(message())
    assert store.get("T", 0, 40, 32).count == 1
    assert store.get("T", 0, 38, 32).count == 2
    result = store.get("T", 0, 40, 32, max_bytes=1)
    assert (result.count, result.next_begin_offset) == (1, 41)


def test_reader_far_behind_gets_small_batches_and_a_hint() -> None:
    store = opened(
        a_disk(),
        commit_log_file_size=65_536,
        memory_size=1000,
        disk_count_max=3,
        disk_bytes_max=500,
    )
    put_all(store, 40)

    result = store.get("T", 0, 0, 32)

    assert (result.count, result.fell_behind) == (3, True)
    for _ in range(2):
        store.put(message(topic="big", body=b"x" * 400))
    put_all(store, 20)
    assert store.get("big", 0, 0, 32).count == 1
    assert not store.get("T", 0, 58, 32).fell_behind


def test_tags_choose_records_and_the_scan_is_limited() -> None:
    store = opened(
        a_disk(),
        commit_log_file_size=65_536,
        consume_queue_file_size=20_000,
        scan_bytes_max=20 * 20,
    )
    records = put_all(store, 90)

    result = store.get("T", 0, 0, 5, tags={java_hash("tag1")})
    assert result.slices == records[1:15:3]
    assert list(result.queue_offsets) == [1, 4, 7, 10, 13]
    assert result.next_begin_offset == 14
    both = store.get("T", 0, 1, 4, tags={java_hash("tag1"), java_hash("tag2")})
    assert both.slices == [records[1] + records[2], records[4] + records[5]]
    none = store.get("T", 0, 0, 5, tags={7})
    assert (none.status, none.next_begin_offset) == (GetStatus.NO_MATCHED_MESSAGE, 20)
    assert store.get("T", 0, 0, 40, tags={7}).next_begin_offset == 40
    assert store.stats.get_times_miss == 2


def test_messages_whose_log_file_is_gone_are_being_removed() -> None:
    store = opened(a_disk(), scan_bytes_max=100)
    records = put_all(store, 40)
    store._log.segments.delete_first()
    first = next(n for n in range(40) if store.store_time("T", 0, n) > 0)

    result = store.get("T", 0, 0, 5)
    assert (result.status, result.next_begin_offset) == (GetStatus.MESSAGE_WAS_REMOVING, 5)
    assert store.get("T", 0, first - 2, 5).slices[0].startswith(records[first])


@pytest.mark.parametrize("upper", [True, False])
def test_empty_queue_has_no_offset_for_a_time(upper: bool) -> None:
    store = opened(a_disk())
    store.put(message(sys_flag=4))

    assert store.offset_by_time("T", 0, 5, upper=upper) == 0


class Judge:
    """Wants records with one of some tags."""

    def __init__(self, *tags: int, cost: int = 1) -> None:
        self.ends = tuple(b"TAGS\x01tag%d\x02" % tag for tag in tags)
        self.cost = cost
        self.judged = 0

    def matches(self, properties: bytes) -> bool:
        self.judged += 1
        return properties.endswith(self.ends)


def test_records_are_judged_by_their_properties() -> None:
    store = opened(a_disk(), commit_log_file_size=65_536)
    records = put_all(store, 9)

    result = store.get("T", 0, 0, 4, matching=Judge(1, 2))

    assert result.slices == [b"".join(records[at : at + 2]) for at in (1, 4)]
    assert list(result.queue_offsets) == [1, 2, 4, 5]
    assert (result.status, result.next_begin_offset) == (GetStatus.FOUND, 6)


def test_nothing_that_the_judge_wants_goes_on_behind_what_it_saw() -> None:
    store = opened(a_disk(), commit_log_file_size=65_536)
    put_all(store, 9)

    result = store.get("T", 0, 0, 4, matching=Judge(7))

    assert (result.status, result.next_begin_offset) == (GetStatus.NO_MATCHED_MESSAGE, 9)


@pytest.mark.parametrize(
    ("cost", "judged"), [(COMPARISONS_MAX // 3, 3), (COMPARISONS_MAX * 9, 1), (1, 9)]
)
def test_an_expensive_judge_sees_fewer_records(cost: int, judged: int) -> None:
    store = opened(a_disk(), commit_log_file_size=65_536)
    put_all(store, 9)
    judge = Judge(7, cost=cost)

    result = store.get("T", 0, 0, 32, matching=judge)

    assert (judge.judged, result.next_begin_offset) == (judged, judged)


def test_records_that_are_gone_are_not_judged() -> None:
    disk = a_disk()
    store = opened(disk, delete_files_max=3, consume_queue_file_size=20_000)
    put_all(store, 200)
    disk.used_share_told = 0.87
    store.clean()
    judge = Judge(0, 1, 2)

    result = store.get("T", 0, store.min_offset("T", 0), 32, matching=judge)

    assert result.status is GetStatus.FOUND
