from dataclasses import replace

from codec.message.record import has_true_seal
from rmq.base.manual import ManualClock
from rmq.store.messages import BatchItem, PutStatus
from rmq.store.tests.stores import SMALL, a_disk, message, opened, put_all
from rmq.store.writer import Gate

FULL = OSError(28, "No space left on device")


def test_gate_is_shut_for_the_first_reason_and_for_good() -> None:
    gate = Gate(ManualClock(), SMALL)
    assert gate.try_again() == "the store is not loaded"
    gate.open()
    assert gate.try_again() is None

    gate.shut("broken")
    gate.shut("closed")
    gate.note_share(0.1)

    assert gate.try_again() == gate.refusal == "broken"


def test_gate_lets_try_again_after_a_while_but_not_on_a_full_disk() -> None:
    clock = ManualClock()
    gate = Gate(clock, replace(SMALL, retry_reserve_ms=50))
    gate.open()

    assert gate.no_room(FULL) == "No space left on device: /store"
    assert gate.no_room(OSError("odd")) == "odd: /store"
    clock.advance(49)
    assert gate.try_again() is not None
    clock.advance(1)
    assert gate.try_again() is None
    gate.note_share(0.95)
    clock.advance(100)
    assert gate.try_again() == "the disk of /store is 95% full, writes stop at 90%"
    gate.note_share(0.9)
    assert gate.try_again() is None


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


def test_batch_with_checksums_is_sealed_item_by_item() -> None:
    store = opened(a_disk(), append_crc=True)

    result = store.put_batch(message(), [BatchItem(b"a"), BatchItem(b"b")])

    for position in result.positions:
        record = store.message_at(position)
        assert record is not None
        assert has_true_seal(record)
