"""Tests of reading a broker."""

import pytest

from scripts.soaklib import plan, reading
from scripts.soaklib.ledger import Stored, Violation
from scripts.soaklib.tests.records import record

import wire  # isort: skip - found by way of scripts.soaklib


class Broker:
    """Answers from queues of records, two at a time."""

    def __init__(self, queues, refused=None):
        self.queues, self.refused = queues, refused

    def call(self, code, fields):
        if code == wire.MAX_OFFSET:
            queue = self.queues.get((fields["topic"], fields["queueId"]))
            return wire.Answer(0, 1, None, {"offset": str(len(queue))} if queue else {})
        if self.refused is not None:
            return wire.Answer(self.refused, 1, "why")
        queue = self.queues.get((fields["topic"], fields["queueId"]))
        if queue is None:
            return wire.Answer(reading.NOT_THERE, 1)
        at = fields["queueOffset"]
        code = wire.SUCCESS if at < len(queue) else wire.NOT_FOUND
        return wire.Answer(code, 1, body=b"".join(queue[at : at + 2]))


@pytest.fixture
def noted():
    return []


def test_all_queues_of_a_topic_are_read_to_their_ends(noted):
    queues = {
        (plan.SINGLE, 0): [record(plan.SINGLE, 0, offset, offset * 4) for offset in range(3)],
        (plan.SINGLE, 2): [record(plan.SINGLE, 2, 0, 2, times=3)],
    }

    found = reading.read_topic(Broker(queues), plan.SINGLE, noted)

    assert found == [
        Stored("SOAK-SINGLE-00000000", 0, 0, 77),
        Stored("SOAK-SINGLE-00000004", 0, 1, 77),
        Stored("SOAK-SINGLE-00000008", 0, 2, 77),
        Stored("SOAK-SINGLE-00000002", 2, 0, 77, 3),
    ]
    assert not noted


def test_holes_and_other_bodies_are_noted(noted):
    queue = [record(plan.SINGLE, 0, 0, 0), record(plan.SINGLE, 0, 2, 4, body=b"other")]

    reading.read_topic(Broker({(plan.SINGLE, 0): queue}), plan.SINGLE, noted)

    assert noted == [
        Violation("hole", "SOAK-SINGLE-00000004", plan.SINGLE, 0, 1),
        Violation("another body", "SOAK-SINGLE-00000004", plan.SINGLE, 0, 1),
    ]


def test_a_queue_that_is_refused_is_noted(noted):
    reading.read_topic(Broker({}, refused=1), plan.DEAD, noted)

    assert noted == [Violation("unreadable", plan.DEAD, plan.DEAD, 0, 0, "pull answered 1 why")]


def test_ends_are_those_of_all_queues():
    queues = {(plan.SINGLE, 1): [b""] * 3, (plan.RETRY, 0): [b""]}

    assert reading.ends(Broker(queues), [plan.SINGLE, plan.RETRY]) == [0, 3, 0, 0, 1]
