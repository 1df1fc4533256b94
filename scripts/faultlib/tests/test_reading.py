"""Tests of reading a member's queues."""

import pytest

from scripts.faultlib.reading import GapError, bodies, master_of
from scripts.faultlib.tests.stand_ins import Broker


def test_a_queue_is_read_to_its_end():
    broker = Broker({("T", 1): [b"a", b"b", b"c"]})

    assert list(bodies(broker, "T", 1)) == [b"a", b"b", b"c"]
    assert list(bodies(broker, "T", 0)) == []


def test_a_slave_says_its_end_in_another_way():
    broker = Broker({("T", 1): [b"a"]})
    broker.end_code = 20

    assert list(bodies(broker, "T", 1)) == [b"a"]


def test_an_offset_that_is_not_there_is_found():
    broker = Broker({("T", 1): [b"a", b"b", b"c"]})
    broker.first_offset = 1

    with pytest.raises(GapError, match="1 after 0"):
        list(bodies(broker, "T", 1))


def test_a_queue_that_ends_before_its_end_is_found():
    broker = Broker({("T", 1): [b"a"]})
    asked = bodies(broker, "T", 1)
    next(asked)
    broker.queues["T", 1].clear()

    with pytest.raises(GapError, match="ends at 1, not 0"):
        next(asked)


def test_another_answer_than_messages_is_told():
    broker = Broker()
    broker.refusal = 2

    with pytest.raises(GapError, match="T/1 at 0: 2 why"):
        list(bodies(broker, "T", 1))


class Group:
    def __init__(self, answer):
        self.answer = answer

    def master(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_namesrv_that_does_not_answer_knows_no_master():
    assert master_of(Group("n1")) == "n1"
    assert master_of(Group(KeyError("brokerAddrTable"))) is None
    assert master_of(Group(OSError())) is None
