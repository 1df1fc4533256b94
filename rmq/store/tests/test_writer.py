from hypothesis import given
from hypothesis import strategies as st

from codec.message.batch import BatchItem
from codec.message.record import has_true_seal
from rmq.net.memory_disk import MemoryDisk
from rmq.store.messages import PutMessage, PutStatus
from rmq.store.tests.stores import (
    BORN_HOST,
    LONG_TOPIC,
    a_disk,
    message,
    opened,
    put_all,
)

FULL = OSError(28, "No space left on device")


def test_message_whose_second_index_file_cannot_be_made_is_stored() -> None:
    disk = a_disk()
    store = opened(disk, commit_log_file_size=65_536)
    put_all(store, 12)  # 36 keys of 39
    disk.fail_reserve = FULL

    result = store.put(message(12, properties=b"KEYS\x01a b c d\x02"))

    assert result.status == PutStatus.PUT_OK
    assert store.max_offset("T", 0) == 13
    assert store.refusal == "No space left on device: /store"
    assert store.put(message()).status == PutStatus.SERVICE_NOT_AVAILABLE
    disk.fail_reserve = None


def test_run_for_whose_keys_there_is_no_room_is_put_one_by_one() -> None:
    disk = a_disk()
    store = opened(disk, commit_log_file_size=65_536)
    put_all(store, 13)  # 39 keys: the index file is full
    disk.fail_reserve = FULL

    results = store.put_run([message(13), message(14, properties=b"")])

    assert {result.status for result in results} == {PutStatus.SERVICE_NOT_AVAILABLE}
    disk.fail_reserve = None
    assert store.max_offset("T", 0) == 13


def test_batch_with_checksums_is_sealed_item_by_item() -> None:
    store = opened(a_disk(), append_crc=True)

    result = store.put_batch(message(), [BatchItem(b"a"), BatchItem(b"b")])

    for position in result.positions:
        record = store.message_at(position)
        assert record is not None
        assert has_true_seal(record)


def bytes_of(disk: MemoryDisk, folder: str = "/store") -> dict[str, bytes]:
    """Every file below a folder, with what was written to it."""
    found: dict[str, bytes] = {}
    for entry in disk.entries(folder):
        path = f"{folder}/{entry.name}"
        if entry.is_folder:
            found |= bytes_of(disk, path)
        elif "checkpoint" not in path:
            found[path] = disk.read(path) or b""
    return found


TOPICS = st.sampled_from(["T", "U", "SCHEDULE_TOPIC_XXXX", LONG_TOPIC])
MESSAGES = st.lists(
    st.builds(
        message,
        st.integers(0, 30),
        TOPICS,
        st.integers(0, 1),
        body=st.sampled_from([b"", b"b", b"x" * 900, b"x" * 5000]),
        sys_flag=st.sampled_from([0, 0, 0, 4, 8, 12]),
        wanted=st.sampled_from([None, None, {}]),
        born_host=st.sampled_from([BORN_HOST, BORN_HOST, b"6" * 20]),
    ),
    max_size=14,
)


@given(st.lists(MESSAGES, max_size=3), st.booleans())
def test_a_run_of_puts_leaves_what_puts_one_by_one_leave(
    runs: list[list[PutMessage]], indexed: bool
) -> None:
    together, apart = a_disk(), a_disk()
    one, other = opened(together, index_enabled=indexed), opened(apart, index_enabled=indexed)
    told: list[list[tuple[object, ...]]] = [[], []]
    one.on_arrival(lambda *arrival: told[0].append(arrival))
    other.on_arrival(lambda *arrival: told[1].append(arrival))

    for run in runs:
        assert one.put_run(run) == [other.put(single) for single in run]

    assert told[0] == told[1]
    assert (one.stats.put_times, one.stats.put_bytes) == (
        other.stats.put_times,
        other.stats.put_bytes,
    )
    one.close()
    other.close()
    assert bytes_of(together) == bytes_of(apart)


def test_a_run_of_none_is_nothing() -> None:
    store = opened(a_disk())

    assert store.put_run([]) == []
    assert store.written_position == 0


def test_a_run_with_sealed_records_is_put_one_by_one() -> None:
    store = opened(a_disk(), append_crc=True)

    results = store.put_run([message(1), message(2)])

    for result in results:
        record = store.message_at(result.position)
        assert record is not None
        assert has_true_seal(record)


def test_a_run_on_a_full_disk_is_refused_message_by_message() -> None:
    disk = a_disk()
    store = opened(disk)
    put_all(store, 1)
    disk.fail_reserve = FULL
    run = [message(number, body=b"x" * 700) for number in range(8)]

    statuses = [result.status for result in store.put_run(run)]

    assert statuses[0] is PutStatus.PUT_OK
    assert statuses[-1] is PutStatus.SERVICE_NOT_AVAILABLE
    assert statuses == sorted(statuses)


def test_a_run_whose_keys_find_no_room_is_stored_as_far_as_it_goes() -> None:
    disk = a_disk()
    store = opened(disk, commit_log_file_size=1 << 20, index_units=8)
    put_all(store, 1)
    disk.fail_reserve = FULL
    run = [message(number) for number in range(9)]

    statuses = [result.status for result in store.put_run(run)]

    assert statuses == [PutStatus.PUT_OK] * 9
    assert store.max_offset("T", 0) == 10
    assert store.refusal == "No space left on device: /store"


def test_message_that_is_too_long_is_refused_with_the_limit() -> None:
    store = opened(a_disk(), message_size_max=100)

    long_body = store.put(message(body=b"x" * 101))
    long_properties = store.put(message(properties=b"a\x01" + b"b" * 32_767))
    long_together = store.put_batch(message(), [BatchItem(b"x" * 101)])

    assert (long_body.status, long_together.status) == (PutStatus.MESSAGE_ILLEGAL,) * 2
    assert "at most 100 and " in long_body.remark
    assert long_properties.status is PutStatus.PROPERTIES_SIZE_EXCEEDED
    assert "at most 32767 are stored" in long_properties.remark
    assert store.stats.put_failed_times == 3


def test_batch_needs_items_and_no_transaction() -> None:
    store = opened(a_disk())

    assert store.put_batch(message(), []).status is PutStatus.MESSAGE_ILLEGAL
    assert store.put_batch(message(sys_flag=4), [BatchItem(b"b")]).status is (
        PutStatus.MESSAGE_ILLEGAL
    )


def test_topic_that_cannot_be_stored_is_refused() -> None:
    store = opened(a_disk())

    assert store.put(message(topic="T" * 128)).remark == (
        "topic of 128 bytes, at most 127 are stored"
    )
    assert store.put(message(topic=LONG_TOPIC)).status is PutStatus.PUT_OK
    assert store.put(message(topic="..")).status is PutStatus.MESSAGE_ILLEGAL


def test_batch_and_put_are_refused_while_the_gate_is_shut() -> None:
    disk = a_disk()
    store = opened(disk)
    disk.fail_reserve = FULL

    refused = [store.put(message()), store.put_batch(message(), [BatchItem(b"b")])]

    assert {result.status for result in refused} == {PutStatus.SERVICE_NOT_AVAILABLE}
    assert {result.remark for result in refused} == {"No space left on device: /store"}


def test_delayed_message_has_its_delivery_time_in_the_queue() -> None:
    store = opened(a_disk())

    store.put(message(topic="SCHEDULE_TOPIC_XXXX", queue_id=2, properties=b"DELAY\x013\x02"))

    queue = store.consume_queue("SCHEDULE_TOPIC_XXXX", 2)
    assert queue is not None
    unit = queue.unit(0)
    assert unit is not None
    assert unit[2] == 1_700_000_010_000


def test_puts_with_a_limit_leave_queues_and_index_for_later() -> None:
    store = opened(a_disk())
    store.limit_dispatch(0)
    told: list[int] = []
    store.on_append(lambda: told.append(store.written_position))

    one = store.put(message(0))
    run = store.put_run([message(1), message(2, sys_flag=4), message(3)])
    batch = store.put_batch(message(), [BatchItem(b"a", b"KEYS\x01b\x02"), BatchItem(b"c")])
    prepared = store.put(message(6, sys_flag=4))

    results = [one, *run, batch, prepared]
    assert [result.queue_offset for result in results] == [0, 1, 0, 2, 3, 0]
    assert told[0] == one.end
    assert told[-1] == prepared.end == store.written_position
    assert store.max_offset("T", 0) == 0
    store.limit_dispatch(None)
    assert store.max_offset("T", 0) == 5


def test_limited_puts_with_checksums_are_dispatched_without_them() -> None:
    heard: list[bytes] = []
    store = opened(a_disk(), append_crc=True)
    store.on_arrival(lambda *arrival: heard.append(arrival[5]))
    store.limit_dispatch(0)

    result = store.put(message(4))
    store.limit_dispatch(None)

    record = store.message_at(result.position)
    assert record is not None
    assert has_true_seal(record)
    assert heard[0].startswith(message(4).properties)
