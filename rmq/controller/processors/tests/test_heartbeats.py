import pytest

from codec.codes import RequestCode, ResponseCode
from rmq.base.errors import CommandError
from rmq.base.manual import ManualClock
from rmq.controller.heartbeats import Heartbeats
from rmq.controller.processors.heartbeats import HeartbeatProcessor
from rmq.controller.tests.parts import heartbeat, request


def test_a_heartbeat_is_noted_and_answered_in_java_s_words():
    table = Heartbeats(ManualClock(), 5000)

    answer = HeartbeatProcessor(table).heartbeat(request(RequestCode.BROKER_HEARTBEAT, heartbeat()))

    assert answer.code == ResponseCode.SUCCESS
    assert answer.remark == "Heart beat success"
    assert table.alive("C", "a", 1)


def test_a_heartbeat_of_nobody_is_refused():
    processor = HeartbeatProcessor(Heartbeats(ManualClock(), 5000))

    with pytest.raises(CommandError, match="brokerId"):
        processor.heartbeat(request(RequestCode.BROKER_HEARTBEAT, heartbeat(None)))
