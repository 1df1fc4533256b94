from dataclasses import replace

from rmq.base.manual import ManualClock
from rmq.store.gate import Gate
from rmq.store.tests.stores import SMALL

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


def test_forbidden_puts_stay_forbidden_whatever_the_disk_says() -> None:
    clock = ManualClock()
    gate = Gate(clock, replace(SMALL, retry_reserve_ms=50))
    gate.forbid("a slave")
    assert gate.refusal == "the store is not loaded"

    gate.open()
    assert gate.try_again() == gate.refusal == "a slave"
    assert gate.no_room(FULL) == "No space left on device: /store"
    assert gate.refusal == "a slave"
    clock.advance(50)
    assert gate.try_again() == "a slave"
    gate.no_room(FULL)
    gate.forbid(None)

    assert gate.refusal == "No space left on device: /store"
    clock.advance(50)
    assert gate.try_again() is None


def test_gate_that_is_shut_says_why_even_where_puts_are_forbidden() -> None:
    gate = Gate(ManualClock(), SMALL)
    gate.open()
    gate.forbid("a slave")

    gate.shut("broken")

    assert gate.refusal == "broken"
    assert gate.final
    gate.note_share(0.99)
    assert gate.refusal == "broken"
