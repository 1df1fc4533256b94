import pytest

from codec.codes import RESPONSE_FLAG
from codec.command import Command
from rmq.base.errors import CallError, CallTimeoutError
from rmq.base.manual import ManualClock
from rmq.remoting.calls import WaitingCalls


class World:
    def __init__(self):
        self.clock = ManualClock()
        self.calls = WaitingCalls(self.clock, "10.0.0.1:9876")
        self.told = []

    def expect(self, timeout_ms=3000):
        opaque = self.calls.take_opaque()
        answer = self.calls.expect(opaque, timeout_ms)
        answer.addCallbacks(self.told.append, lambda failure: self.told.append(failure.value))
        return answer

    def errors(self):
        assert all(isinstance(error, CallError) for error in self.told)
        return [str(error) for error in self.told]


@pytest.fixture
def world():
    return World()


def response(opaque):
    return Command(code=0, opaque=opaque, flag=RESPONSE_FLAG)


def test_answer_finds_its_call_by_opaque(world):
    world.expect()
    world.expect()

    assert world.calls.answered(response(1))

    assert [command.opaque for command in world.told] == [1]
    assert len(world.calls) == 1
    assert world.clock.owed == 1


def test_answer_to_nothing_is_told_so(world):
    world.expect()

    assert not world.calls.answered(response(7))
    assert world.calls.answered(response(0))
    assert not world.calls.answered(response(0))


def test_call_without_an_answer_fails_in_time(world):
    world.expect(3000)

    world.clock.advance(2999)
    assert world.told == []
    world.clock.advance(1)

    assert world.errors() == ["10.0.0.1:9876 did not answer within 3000 ms"]
    assert isinstance(world.told[0], CallTimeoutError)
    assert len(world.calls) == 0


def test_all_calls_fail_when_the_connection_is_closed(world):
    world.expect()
    world.expect()

    world.calls.closed("gone")

    assert world.errors() == ["connection to 10.0.0.1:9876 closed: gone"] * 2
    assert not any(isinstance(error, CallTimeoutError) for error in world.told)
    assert world.clock.owed == 0


def test_cancelled_call_is_forgotten(world):
    answer = world.expect()
    answer.addErrback(lambda _: None)

    answer.cancel()

    assert len(world.calls) == 0
    assert world.clock.owed == 0
    assert not world.calls.answered(response(0))


def test_call_that_has_its_answer_can_be_cancelled_in_vain(world):
    answer = world.expect()
    world.calls.answered(response(0))

    answer.cancel()

    assert len(world.told) == 1


def test_opaques_begin_again_when_a_java_int_is_used_up(world):
    world.calls._next_opaque = 0x7FFFFFFF

    assert world.calls.take_opaque() == 0x7FFFFFFF
    assert world.calls.take_opaque() == 0
