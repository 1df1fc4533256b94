import pytest
from twisted.internet.defer import Deferred

from rmq.broker.acting.halves import HalfEscape
from rmq.broker.transactions import checks as checks_module
from rmq.broker.transactions.checks import HOUR_MS, CheckTools
from rmq.broker.transactions.tests.scenes import (
    HALF,
    INTERVAL_MS,
    OPS,
    ROLLBACK,
    TransactionScene,
)


class World:
    """What was begun at the master; its slave acts."""

    def __init__(self, begun=3, ended=()):
        self.scene = scene = TransactionScene()
        halves = [scene.begin(b"%d" % number) for number in range(begun)]
        for number in ended:
            scene.end(halves[number], ROLLBACK)
        scene.checks.stop()
        scene.op_log.stop()
        tools = CheckTools(
            scene.clock,
            scene.store,
            scene.topics,
            scene.offsets,
            scene.producers,
            scene.op_log,
            scene.endings,
            72 * HOUR_MS,
        )
        self.away = []
        self.halves = HalfEscape(scene.config, tools, self.put)
        self.halves.begin()

    def put(self, message):
        answer = Deferred()
        self.away.append((message, answer))
        return answer

    def answer(self, is_stored):
        """Tell what became of the one on its way."""
        message, answer = self.away.pop()
        answer.callback(is_stored)
        return message.body

    def next_round(self):
        self.scene.clock.advance(INTERVAL_MS)

    @property
    def passed(self):
        return self.scene.consumed(HALF)


def test_what_is_not_done_goes_one_after_the_other():
    world = World(ended=[1])
    world.next_round()
    assert len(world.away) == 1
    message = world.away[0][0]
    assert (message.topic, message.queue_id) == (HALF, 0)

    assert [world.answer(True), world.answer(True)] == [b"0", b"2"]

    assert world.away == []
    assert world.passed == 3
    assert world.scene.consumed(OPS) == 1


def test_what_cannot_go_is_tried_again_in_the_next_round():
    world = World()
    world.next_round()
    world.answer(True)
    world.answer(False)
    assert (world.away, world.passed) == ([], 1)

    world.next_round()

    assert world.answer(True) == b"1"
    assert world.passed == 2


def test_a_long_way_is_gone_in_turns(monkeypatch):
    monkeypatch.setattr(checks_module, "TURN_COST_MAX", 1)
    world = World(ended=[0, 1])

    world.next_round()

    assert world.answer(True) == b"2"
    assert world.passed == 3


def test_who_stops_sends_no_more_but_remembers_what_went():
    world = World()
    world.next_round()
    world.halves.stop()
    world.answer(True)

    assert (world.away, world.passed) == ([], 1)
    world.next_round()
    assert world.away == []


@pytest.mark.parametrize("knows_topic", [True, False])
def test_without_half_messages_nothing_goes(knows_topic):
    world = World(begun=0)
    if not knows_topic:
        world.scene.topics.delete(HALF)

    world.next_round()

    assert world.away == []
