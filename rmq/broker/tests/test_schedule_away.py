"""Delayed messages that an acting master cannot store: they are delivered by another broker."""

import pytest
from twisted.internet.defer import Deferred

from codec.bodies.offsets import DelayOffsetSerializeWrapper
from rmq.broker.schedule import AWAY_RETRY_MS
from rmq.broker.tests.test_schedule import World


@pytest.fixture
def world():
    return World()


class Elsewhere:
    """Another broker, to which messages of an acting master go."""

    def __init__(self, world):
        self.sent = []
        world.schedule.stop()
        world.schedule.away = self.put
        world.schedule.start()

    def put(self, message):
        answer = Deferred()
        self.sent.append((message, answer))
        return answer

    def answer(self, is_stored):
        message, answer = self.sent.pop(0)
        answer.callback(is_stored)
        return message


def test_what_cannot_be_stored_here_goes_elsewhere_one_after_the_other(world):
    elsewhere = Elsewhere(world)
    world.put(body=b"1")
    world.put(body=b"2")
    world.put(level=2, body=b"3")
    world.clock.advance(1_000)
    assert len(elsewhere.sent) == 1

    first = elsewhere.answer(True)
    world.put(body=b"4")
    world.clock.advance(0)
    second = elsewhere.answer(True)

    assert (first.topic, first.body, second.body) == ("T", b"1", b"2")
    assert elsewhere.sent == []
    assert world.count() == 0
    assert world.schedule.wrapper().offset_table[1] == 2
    assert world.schedule.wrapper().data_version.counter >= 2
    world.clock.advance(4_000)
    assert {message.body for message, _ in elsewhere.sent} == {b"3", b"4"}


def test_an_arrival_does_not_wake_a_level_that_is_away(world):
    elsewhere = Elsewhere(world)
    world.put(body=b"1")
    world.clock.advance(1_000)
    world.put(body=b"2")

    world.clock.advance(10_000)

    assert len(elsewhere.sent) == 1


def test_what_did_not_get_there_is_sent_again_later(world):
    elsewhere = Elsewhere(world)
    world.put(body=b"1")
    world.clock.advance(1_000)
    elsewhere.answer(False)

    world.clock.advance(AWAY_RETRY_MS - 1)
    assert elsewhere.sent == []
    world.clock.advance(1)

    assert elsewhere.answer(True).body == b"1"


def test_what_cannot_be_sent_at_all_is_skipped(world):
    elsewhere = Elsewhere(world)
    world.raw(b"REAL_TOPIC\x01T\x02")
    world.put(body=b"2")

    world.clock.advance(1_000)

    assert elsewhere.answer(True).body == b"2"


def test_an_answer_after_the_end_counts_if_the_message_got_there(world):
    elsewhere = Elsewhere(world)
    world.put(body=b"1")
    world.put(level=2, body=b"2")
    world.clock.advance(5_000)
    world.schedule.stop()
    saved = world.saved()
    assert saved.offset_table == {1: 0, 2: 0}

    world.schedule.start()
    world.clock.advance(5_000)
    assert len(elsewhere.sent) == 2, "both are still on their way"
    world.schedule.stop()
    elsewhere.answer(True)
    elsewhere.answer(False)

    assert world.saved().offset_table == {1: 1, 2: 0}


def test_a_level_that_was_moved_meanwhile_is_left_there(world):
    elsewhere = Elsewhere(world)
    world.put(body=b"1")
    world.put(body=b"2")
    world.clock.advance(1_000)
    world.schedule.stop()
    world.schedule.adopt(DelayOffsetSerializeWrapper(offset_table={1: 2}))

    elsewhere.answer(True)

    assert world.saved().offset_table == {1: 2}


def test_a_clock_that_was_set_back_delays_what_goes_elsewhere(world):
    elsewhere = Elsewhere(world)
    world.put(body=b"1")
    world.clock.set_wall_ms(world.clock.wall_ms() - 5_000)

    world.clock.advance(5_999)
    assert elsewhere.sent == []
    world.clock.advance(1)

    assert len(elsewhere.sent) == 1
