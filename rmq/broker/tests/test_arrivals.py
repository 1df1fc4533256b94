import pytest

from rmq.base.manual import ManualClock
from rmq.broker.arrivals import Arrivals
from rmq.broker.waiting import WaitingPulls


class World:
    def __init__(self):
        self.clock = ManualClock()
        self.waiting = WaitingPulls(self.clock)
        self.arrivals = Arrivals(self.clock, self.waiting)
        self.resumed = []

    def hold(self, topic="T", offset=0, tags=None):
        def resume(reason):
            self.resumed.append((topic, offset, reason.name))

        accepts = None if tags is None else lambda tags_code, properties: tags_code in tags
        self.waiting.hold(topic, 0, offset, 15_000, resume, accepts=accepts)

    def arrive(self, topic="T", max_offset=1, tags_code=0):
        self.arrivals.arrived(topic, 0, max_offset, tags_code, 0, b"properties")


@pytest.fixture
def world():
    return World()


def test_who_waits_is_woken_after_the_turn(world):
    world.hold()

    world.arrive()
    assert world.resumed == []
    world.clock.advance(0)

    assert world.resumed == [("T", 0, "ARRIVED")]


def test_arrival_where_nobody_waits_costs_no_turn(world):
    world.hold("U")
    owed = world.clock.owed

    world.arrive()

    assert world.clock.owed == owed


def test_all_arrivals_of_a_turn_are_told_together(world):
    world.hold("T", tags={7})
    world.hold("U")
    owed = world.clock.owed

    world.arrive("T", 1, tags_code=5)
    world.arrive("U", 1)
    world.arrive("T", 2, tags_code=7)
    assert world.clock.owed == owed + 1
    world.clock.advance(0)

    assert world.resumed == [("U", 0, "ARRIVED"), ("T", 0, "ARRIVED")]


def test_arrival_that_comes_while_others_are_told_waits_for_the_next_turn(world):
    def again(reason):
        world.resumed.append(reason.name)
        world.hold("T", offset=1)
        world.arrive("T", 2)

    world.waiting.hold("T", 0, 0, 15_000, again)
    world.arrive()
    world.clock.advance(0)

    assert world.resumed == ["ARRIVED", ("T", 1, "ARRIVED")]


def test_who_waits_may_judge_the_properties(world):
    judged = []
    accepts = lambda tags_code, properties: judged.append((tags_code, properties))  # noqa: E731
    world.waiting.hold("T", 0, 0, 15_000, lambda reason: None, accepts=accepts)

    world.arrive(tags_code=7)
    world.clock.advance(0)

    assert judged == [(7, b"properties")]
