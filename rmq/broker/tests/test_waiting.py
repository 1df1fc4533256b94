import pytest

from rmq.base.manual import ManualClock
from rmq.broker.waiting import HOLD_MS_MAX, Reason, WaitingPulls


class World:
    def __init__(self):
        self.clock = ManualClock(monotonic_ms=12_345)
        self.waiting = WaitingPulls(self.clock)
        self.resumed = []

    def hold(self, name, topic="t", queue_id=0, offset=0, timeout_ms=15_000, **more):
        self.waiting.hold(
            topic,
            queue_id,
            offset,
            timeout_ms,
            lambda reason: self.resumed.append((name, reason.name)),
            **more,
        )


@pytest.fixture
def world():
    return World()


def test_arrival_behind_the_offset_resumes(world):
    world.hold("a", offset=5)

    world.waiting.arrived("t", 0, 5)
    assert world.resumed == []
    world.waiting.arrived("t", 0, 6)
    world.waiting.arrived("t", 0, 7)

    assert world.resumed == [("a", "ARRIVED")]
    assert len(world.waiting) == 0


def test_arrival_elsewhere_resumes_nobody(world):
    world.hold("a")

    world.waiting.arrived("t", 1, 1)
    world.waiting.arrived("u", 0, 1)

    assert world.resumed == []
    assert world.waiting.is_waited_for("t", 0)
    assert not world.waiting.is_waited_for("t", 1)


def test_only_those_whose_filter_accepts_are_resumed(world):
    world.hold("a", accepts=lambda tags_code, properties: tags_code == 7)
    world.hold("b", accepts=lambda tags_code, properties: tags_code is None)
    world.hold("c")

    world.waiting.arrived("t", 0, 1, 7)

    assert world.resumed == [("a", "ARRIVED"), ("c", "ARRIVED")]
    world.waiting.arrived("t", 0, 1)
    assert world.resumed[2:] == [("b", "ARRIVED")]


def test_who_waits_in_vain_is_resumed_in_time(world):
    world.hold("a", timeout_ms=15_000)

    world.clock.advance(14_999)
    assert world.resumed == []
    world.clock.advance(101)

    assert world.resumed == [("a", "EXPIRED")]
    assert world.clock.owed == 0


def test_shorter_wait_begun_later_ends_first(world):
    world.hold("long", timeout_ms=30_000)
    world.hold("short", timeout_ms=1_000)
    world.hold("middle", timeout_ms=5_000)

    world.clock.advance(1_100)
    assert world.resumed == [("short", "EXPIRED")]
    world.clock.advance(4_000)
    assert world.resumed[1:] == [("middle", "EXPIRED")]
    world.clock.advance(30_000)
    assert world.resumed[2:] == [("long", "EXPIRED")]


def test_slots_left_empty_cost_no_timer(world):
    world.hold("a", timeout_ms=1_000)
    world.hold("b", timeout_ms=2_000)
    world.waiting.arrived("t", 0, 1)

    world.clock.advance(1_100)

    assert world.clock.owed == 0
    assert len(world.waiting._slots) == 0


def test_nobody_waits_longer_than_the_limit(world):
    world.hold("a", timeout_ms=2**62)

    world.clock.advance(HOLD_MS_MAX + 100)

    assert world.resumed == [("a", "EXPIRED")]


@pytest.mark.parametrize("timeout_ms", [0, -1])
def test_no_time_to_wait_is_resumed_at_once(world, timeout_ms):
    world.hold("a", timeout_ms=timeout_ms)

    assert world.resumed == [("a", "EXPIRED")]


def test_too_many_are_not_held(world):
    world.waiting = WaitingPulls(world.clock, held_max=1)
    world.hold("a")
    world.hold("b")

    assert world.resumed == [("b", "EXPIRED")]
    assert len(world.waiting) == 1


def test_one_connection_cannot_take_the_room_of_all(world):
    world.waiting = WaitingPulls(world.clock, held_by_one_max=1)
    world.hold("a", owner="one")
    world.hold("b", owner="one")
    world.hold("c", owner="two")
    world.hold("d")
    world.hold("e")

    assert world.resumed == [("b", "EXPIRED")]
    assert len(world.waiting) == 4


def test_closed_connection_is_waited_for_no_more(world):
    world.hold("a", owner="one")
    world.hold("b", queue_id=1, owner="one")
    world.hold("c", owner="two")
    world.waiting.arrived("t", 1, 1)

    world.waiting.drop("one")
    world.waiting.drop("unknown")

    assert world.resumed == [("b", "ARRIVED"), ("a", "CLOSED")]
    assert len(world.waiting) == 1


def test_who_is_resumed_may_hold_again(world):
    def again(reason):
        world.resumed.append(reason)
        world.hold("again", offset=1)

    world.waiting.hold("t", 0, 0, 15_000, again)
    world.waiting.arrived("t", 0, 1)

    assert world.resumed == [Reason.ARRIVED]
    assert len(world.waiting) == 1


def test_one_that_fails_costs_the_others_nothing(world, caplog):
    def fail(reason):
        raise ZeroDivisionError

    world.waiting.hold("t", 0, 0, 15_000, fail)
    world.hold("b")

    world.waiting.arrived("t", 0, 1)

    assert world.resumed == [("b", "ARRIVED")]
    assert "event=resume_failed key=('t', 0) reason=ARRIVED" in caplog.text


def test_late_timer_still_expires_all_that_are_due(world):
    world.hold("a", timeout_ms=1_000)
    world.hold("b", timeout_ms=2_000)
    world.hold("c", timeout_ms=9_000)
    world.clock.set_monotonic_ms(world.clock.monotonic_ms() + 3_000)

    world.clock.advance(0)

    assert world.resumed == [("a", "EXPIRED"), ("b", "EXPIRED")]
