import logging

import pytest

from codec.bodies.message_queue import MessageQueue
from codec.codes import RequestCode, ResponseCode
from codec.message import properties as props
from rmq.base.manual import ManualClock
from rmq.broker.acting import escape as module
from rmq.broker.acting.escape import ROUTE_LIFE_MS, Escape
from rmq.broker.controlled.tests.outcomes import outcome_of
from rmq.broker.routes import Writable
from rmq.remoting.testing import FakeCaller
from rmq.store.messages import PutMessage

TEXT = {"TAGS": "a", "DELAY": "3", "TIMER_DELAY_SEC": "9", "REAL_TOPIC": "T", "REAL_QID": "2"}


class World:
    def __init__(self, *, is_enabled=True):
        self.clock = ManualClock()
        self.caller = FakeCaller()
        self.asked = []
        self.queues = {
            "T": [self.queue("T", "a", 0), self.queue("T", "b", 0), self.queue("T", "b", 1)],
            "OURS": [self.queue("OURS", "a", 0)],
        }
        self.escape = Escape(self.clock, self.caller, self, "a", lambda: 1, is_enabled=is_enabled)

    @staticmethod
    def queue(topic, broker, number):
        return Writable(
            MessageQueue(topic=topic, broker_name=broker, queue_id=number), f"{broker}:1"
        )

    async def writable_queues(self, topic):
        self.asked.append(topic)
        return self.queues.get(topic, [])

    def put(self, topic="T", text=TEXT, code=None, **fields):
        """Put one message; its outcome, if there is one, and the call."""
        message = PutMessage(topic, 7, b"body", props.build(text), **fields)
        outcome = outcome_of(self.escape.put(message))
        calls = self.caller.take()
        if code is not None:
            calls[0].respond(code, "why")
        return outcome, calls[0] if calls else None


@pytest.fixture
def world():
    return World()


def test_a_message_is_sent_to_the_master_of_another_name(world):
    outcome, call = world.put(
        flag=5, sys_flag=0x31, born_timestamp=99, reconsume_times=2, code=ResponseCode.SUCCESS
    )

    assert outcome == [True]
    assert (call.address, call.timeout_ms) == ("b:1", 3_000)
    assert call.command.code == RequestCode.SEND_MESSAGE_V2
    assert call.command.body == b"body"
    fields = call.command.ext_fields
    assert fields.pop("i") == "TAGS\x01a\x02REAL_TOPIC\x01T\x02REAL_QID\x012\x02WAIT\x01false\x02"
    assert fields == {
        "a": "InnerProducerGroup_a_1",
        "b": "T",
        "c": "TBW102",
        "d": "8",
        "e": "0",
        "f": "1",
        "g": "99",
        "h": "5",
        "j": "2",
        "m": "false",
    }


def test_queues_take_turns_and_routes_are_asked_for_again_in_time(world):
    queues = [world.put(code=0)[1].command.ext_fields["e"] for _ in range(3)]

    assert queues == ["0", "1", "0"]
    assert world.asked == ["T"]
    world.clock.advance(ROUTE_LIFE_MS)
    world.put(code=0)
    assert world.asked == ["T", "T"]


@pytest.mark.parametrize(
    ("code", "is_stored"), [(10, True), (11, True), (12, True), (1, False), (14, False)]
)
def test_what_is_stored_there_is_gone_from_here(world, code, is_stored):
    assert world.put(code=code)[0] == [is_stored]


def test_after_a_failure_the_route_is_asked_for_again_and_the_cause_told_once(world, caplog):
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            outcome, call = world.put()
            call.fail("gone")
            assert outcome == [False]

    assert world.asked == ["T", "T"]
    assert caplog.text.count("event=not_escaped topic=T cause=b:1: b:1: gone") == 1


@pytest.mark.parametrize("topic", ["OURS", "UNKNOWN"])
def test_a_topic_that_no_other_master_has_does_not_escape(world, topic):
    assert world.put(topic) == ([False], None)


def test_without_the_setting_nothing_escapes():
    world = World(is_enabled=False)

    assert world.put() == ([False], None)
    assert world.asked == []


def test_a_half_message_goes_as_its_producer_sent_it(world):
    text = {
        "REAL_TOPIC": "T",
        "REAL_QID": "2",
        "PGROUP": "p",
        "TRAN_PREPARED_QUEUE_OFFSET": "4",
        "UNIQ_KEY": "K",
    }
    _, call = world.put("RMQ_SYS_TRANS_HALF_TOPIC", text, sys_flag=1, code=0)

    fields = call.command.ext_fields
    assert (fields["a"], fields["b"], fields["f"]) == ("p", "T", "5")
    assert props.parse(fields["i"].encode()) == {
        "REAL_TOPIC": "T",
        "PGROUP": "p",
        "UNIQ_KEY": "K",
        "WAIT": "false",
        "TRAN_MSG": "true",
    }


def test_a_half_message_that_belongs_nowhere_stays(world):
    assert world.put("RMQ_SYS_TRANS_HALF_TOPIC", {}) == ([False], None)


def test_not_more_routes_are_remembered_than_may_be(world, monkeypatch):
    monkeypatch.setattr(module, "ROUTES_MAX", 1)
    world.queues["U"] = [world.queue("U", "b", 0)]
    for topic in ("T", "U", "T"):
        world.put(topic, code=0)

    assert world.asked == ["T", "U", "T"]
