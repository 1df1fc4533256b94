"""Tests of a producer, against a broker that is none."""

import threading

import pytest

from scripts.faultlib import load
from scripts.faultlib.attempts import QUEUES, UNKNOWN
from scripts.faultlib.load import BURST, Producer, all_acked_since
from scripts.faultlib.tests.stand_ins import Broker
from scripts.faultlib.totals import check


def producer(broker):
    return Producer(1, "T", lambda: broker, per_second=1e6)


def stored(broker):
    return {queue: broker.queues.get(("T", queue), []) for queue in range(QUEUES)}


def test_a_burst_is_sent_and_its_answers_are_noted():
    broker = Broker()
    one = producer(broker)

    assert one.burst(broker)
    assert one.burst(broker)

    assert one.attempts.acknowledged == 2 * BURST
    assert len(one.attempts.ack_times) == 2
    assert check([one.attempts], stored(broker)).is_kept


def test_a_refusal_ends_the_burst():
    broker = Broker()
    broker.refusal = 14
    one = producer(broker)

    assert not one.burst(broker)

    assert set(one.attempts.offsets) == {UNKNOWN}
    assert one.attempts.failures == {"code 14": 1}
    assert not one.attempts.ack_times


def test_a_lost_connection_leaves_the_rest_unknown():
    broker = Broker()
    one = producer(broker)
    read, left = broker.read, [3]

    def breaking():
        left[0] -= 1
        if left[0] < 0:
            raise ConnectionError("gone")
        return read()

    broker.read = breaking
    one.connect()

    assert one.attempts.acknowledged == 3
    assert one.attempts.failures == {"ConnectionError": 1}
    assert len(one.attempts.ack_times) == 1
    assert broker.closed == 1


def test_a_burst_has_a_time_by_which_it_is_answered(monkeypatch):
    monkeypatch.setattr(load, "TIMEOUT_S", -1)
    broker = Broker()
    one = producer(broker)

    with pytest.raises(TimeoutError):
        one.burst(broker)
    assert one.attempts.acknowledged == 1


def test_an_answer_to_what_nobody_asked_is_no_answer():
    broker = Broker()
    broker.sendall(load.wire.request(load.wire.SEND, {"b": "T", "e": 0}, 999_999))

    with pytest.raises(RuntimeError, match="999999, which nobody asked"):
        producer(broker).burst(broker)


def test_without_a_leader_nothing_is_sent():
    one = producer(None)

    one.connect()

    assert not one.attempts.offsets


def test_a_leader_that_is_away_is_a_failure():
    broker = Broker()
    broker.is_away = True
    one = producer(broker)

    one.connect()

    assert one.attempts.failures == {"ConnectionRefusedError": 1}


def test_it_sends_until_it_is_stopped():
    broker, sent = Broker(), threading.Event()
    one = Producer(1, "T", lambda: broker, per_second=1e5)
    send = broker.sendall

    def sending(data):
        send(data)
        sent.set()

    broker.sendall = sending
    one.start()
    assert sent.wait(10)
    one.stop()

    assert one.attempts.acknowledged == len(one.attempts.offsets) > 0
    assert all_acked_since([one], one.attempts.ack_times[-1])
    assert not all_acked_since([one], one.attempts.ack_times[-1] + 1)


def test_a_thread_that_ended_by_itself_is_told():
    def fails():
        raise KeyError("leader")

    one = Producer(1, "T", fails, per_second=1)
    one.start()
    one._thread.join(10)

    with pytest.raises(RuntimeError, match="KeyError"):
        all_acked_since([one], 0)
    with pytest.raises(RuntimeError, match="leader"):
        one.stop()
