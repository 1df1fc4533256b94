import pytest

from codec.codes import RESPONSE_FLAG, RequestCode, ResponseCode
from codec.command import Command
from rmq.base.errors import CallError
from rmq.remoting.testing import FakeCaller, FakeChannel


def test_channel_keeps_what_is_sent_until_it_is_closed():
    channel = FakeChannel("10.0.0.1:258")
    first = Command(code=RequestCode.HEART_BEAT)

    channel.send(first)
    channel.close("enough")
    channel.close("again")
    channel.send(Command(code=RequestCode.HEART_BEAT))

    assert channel.sent == [first]
    assert channel.closed_because == "enough"
    assert not channel.is_open
    assert channel.host_bytes == bytes([10, 0, 0, 1, 0, 0, 1, 2])


def test_call_of_a_channel_is_answered_by_the_test():
    channel = FakeChannel()
    answers = []
    channel.call(Command(code=RequestCode.HEART_BEAT, opaque=7), 3000).addCallback(answers.append)

    channel.calls[0].succeed({"a": "b"}, b"body")

    assert answers[0].opaque == 7
    assert answers[0].flag == RESPONSE_FLAG
    assert answers[0].ext_fields == {"a": "b"}
    assert answers[0].body == b"body"


def test_caller_keeps_calls_until_they_are_taken():
    caller = FakeCaller()
    answers, failures = [], []
    caller.call("a:1", Command(code=RequestCode.HEART_BEAT), 1).addCallback(answers.append)
    caller.call("b:1", Command(code=RequestCode.HEART_BEAT), 1).addErrback(failures.append)
    caller.send("a:1", Command(code=RequestCode.HEART_BEAT))

    first, second = caller.take()
    first.respond(ResponseCode.SYSTEM_ERROR, "no")
    second.fail()

    assert caller.take() == []
    assert answers[0].remark == "no"
    assert [address for address, _ in caller.sent] == ["a:1"]
    with pytest.raises(CallError, match="b:1: no answer"):
        failures[0].raiseException()
