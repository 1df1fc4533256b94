import logging

import pytest
from twisted.internet.defer import Deferred

from codec.codes import ONEWAY_FLAG, RESPONSE_FLAG, RequestCode
from codec.command import Command, decode_command, encode_command
from codec.frame import FrameBuffer
from rmq.base.errors import CallError
from rmq.base.manual import ManualClock
from rmq.remoting.connection import (
    ROUND_BYTES_MAX,
    ROUND_FRAMES_MAX,
    UNSENT_BYTES_MAX,
    Connection,
)
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.handling import Response, handler_table, handles
from rmq.remoting.together import TOGETHER


class FakeWire:
    """A socket whose peer reads as the test wants."""

    def __init__(self):
        self.writes = []
        self.unsent = 0
        self.reading = True
        self.closed = 0
        self.on_write = lambda: None

    def write(self, data):
        self.writes.append(data)
        self.on_write()

    def stop_reading(self):
        self.reading = False

    def go_on_reading(self):
        self.reading = True

    def close(self):
        self.closed += 1


class Echo:
    def __init__(self):
        self.bodies = []
        self.waiting = []
        self.on_request = lambda request: None

    @handles(RequestCode.HEART_BEAT)
    def echo(self, request):
        self.bodies.append(request.body)
        self.on_request(request)
        return Response(body=request.body)

    @handles(RequestCode.PULL_MESSAGE)
    def wait(self, request):
        answer = Deferred()
        self.waiting.append(answer)
        return answer


class World:
    def __init__(self):
        self.wire = FakeWire()
        self.echo = Echo()
        self.clock = ManualClock()
        self.connection = Connection(
            self.wire,
            Dispatcher(handler_table([self.echo])),
            self.clock,
            remote=("10.0.0.1", 40000),
            local=("10.0.0.9", 10911),
            host_bytes=b"\x0a\0\0\1\0\0\x9c\x40",
        )

    def sent(self):
        """All commands written so far."""
        return [decode_command(frame) for frame in FrameBuffer().feed(b"".join(self.wire.writes))]

    def echoed(self):
        return [command.body for command in self.sent()]


@pytest.fixture
def world():
    return World()


def a_frame(body=b"", code=RequestCode.HEART_BEAT, opaque=1, flag=0):
    return encode_command(Command(code=code, opaque=opaque, flag=flag, body=body))


BIG = bytes(ROUND_BYTES_MAX)


def test_connection_knows_both_ends(world):
    assert world.connection.remote_address == "10.0.0.1:40000"
    assert world.connection.local_address == "10.0.0.9:10911"
    assert world.connection.host_bytes == b"\x0a\0\0\1\0\0\x9c\x40"
    assert world.connection.is_open


# rounds


def test_request_is_answered(world):
    world.connection.receive(a_frame(b"one", opaque=5))

    (answer,) = world.sent()
    assert (answer.body, answer.opaque, answer.flag) == (b"one", 5, RESPONSE_FLAG)


def test_answers_of_one_read_are_written_at_once_and_in_order(world):
    world.connection.receive(a_frame(b"1") + a_frame(b"2") + a_frame(b"3"))

    assert len(world.wire.writes) == 1
    assert world.echoed() == [b"1", b"2", b"3"]


def test_frame_may_come_in_pieces(world):
    frame = a_frame(b"one")

    for at in range(len(frame)):
        world.connection.receive(frame[at : at + 1])

    assert world.echoed() == [b"one"]


def test_oneway_requests_write_nothing(world):
    world.connection.receive(a_frame(b"1", flag=ONEWAY_FLAG))

    assert world.echo.bodies == [b"1"]
    assert world.wire.writes == []


def test_a_long_answer_ends_the_round_and_the_rest_has_the_next_turn(world):
    world.connection.receive(a_frame(BIG) + a_frame(b"2") + a_frame(b"3"))

    assert world.echoed() == [BIG]
    assert not world.wire.reading

    world.clock.advance(0)

    assert len(world.wire.writes) == 2
    assert world.echoed() == [BIG, b"2", b"3"]
    assert world.wire.reading


def test_many_requests_are_answered_in_several_turns(world):
    bodies = [b"%d" % number for number in range(2 * ROUND_FRAMES_MAX + 1)]
    world.connection.receive(b"".join(a_frame(body) for body in bodies))

    assert world.echo.bodies == bodies[:ROUND_FRAMES_MAX]
    assert not world.wire.reading
    world.clock.advance(0)

    assert world.echoed() == bodies
    assert len(world.wire.writes) == 3
    assert world.wire.reading


def test_next_turn_of_a_peer_that_stopped_reading_waits_for_it(world):
    world.connection.receive(a_frame(BIG) + a_frame(b"2"))
    world.connection.pause()

    world.clock.advance(0)
    assert world.echo.bodies == [BIG]
    world.connection.resume()

    assert world.echo.bodies == [BIG, b"2"]
    assert world.wire.reading


def test_closed_connection_has_no_next_turn(world):
    world.connection.receive(a_frame(BIG) + a_frame(b"2"))
    world.connection.close("enough")

    world.clock.advance(0)

    assert world.echo.bodies == [BIG]
    assert not world.wire.reading


def test_round_that_ends_with_a_long_answer_writes_nothing_empty(world):
    world.connection.receive(a_frame(BIG))

    assert len(world.wire.writes) == 1


def test_nothing_is_written_to_a_connection_that_a_request_closed(world):
    world.echo.on_request = lambda request: request.channel.close("enough")

    world.connection.receive(a_frame(b"1") + a_frame(b"2"))

    assert world.wire.writes == []
    assert world.wire.closed == 1


# broken bytes


def test_what_came_before_broken_bytes_is_answered(world, caplog):
    with caplog.at_level(logging.INFO):
        world.connection.receive(a_frame(b"1") + b"\xff" * 12)

    assert world.echoed() == [b"1"]
    assert world.wire.closed == 1
    assert not world.connection.is_open
    assert world.connection.close_reason.startswith("broken bytes: ")
    (record,) = caplog.records
    assert "peer=10.0.0.1:40000 reason=broken bytes" in record.getMessage()


def test_what_came_before_a_broken_header_is_answered(world):
    broken = b"\0\0\0\x06\0\0\0\x02{{"

    world.connection.receive(a_frame(b"1") + broken + a_frame(b"3"))

    assert world.echoed() == [b"1"]
    assert world.wire.closed == 1


def test_bytes_after_broken_ones_change_nothing(world):
    world.connection.receive(b"\xff" * 12)
    world.connection.receive(a_frame(b"1"))

    assert world.wire.closed == 1
    assert world.wire.writes == []


# a peer that does not read


def test_paused_connection_reads_no_more(world):
    world.connection.pause()

    assert not world.wire.reading


def test_requests_after_the_peer_stopped_reading_are_held_back(world):
    world.wire.on_write = world.connection.pause

    world.connection.receive(a_frame(BIG) + a_frame(b"2") + a_frame(b"3"))

    assert world.echo.bodies == [BIG]
    world.connection.receive(a_frame(b"4"))
    assert world.echo.bodies == [BIG]

    world.wire.on_write = lambda: None
    world.connection.resume()

    assert world.echo.bodies == [BIG, b"2", b"3", b"4"]
    assert world.echoed() == [BIG, b"2", b"3", b"4"]
    assert world.wire.reading


def test_peer_that_stops_again_while_what_was_held_back_is_answered_is_left_alone(world):
    world.wire.on_write = world.connection.pause
    world.connection.receive(a_frame(BIG) + a_frame(BIG) + a_frame(b"3"))

    world.connection.resume()

    assert world.echo.bodies == [BIG, BIG]
    assert not world.wire.reading
    world.connection.resume()
    assert world.echo.bodies == [BIG, BIG, b"3"]


def test_peer_that_reads_while_nothing_was_held_back_goes_on(world):
    world.connection.pause()
    world.connection.resume()

    assert world.wire.reading


def test_broken_header_that_was_held_back_closes(world):
    world.wire.on_write = world.connection.pause
    world.connection.receive(a_frame(BIG) + b"\0\0\0\x06\0\0\0\x02{{")

    world.connection.resume()

    assert world.wire.closed == 1
    assert world.connection.close_reason.startswith("broken bytes: ")


def test_closed_connection_does_not_read_again(world):
    world.connection.pause()
    world.connection.close("enough")

    world.connection.resume()

    assert not world.wire.reading


def test_peer_that_leaves_too_much_unread_is_dropped(world):
    world.connection.pause()
    world.wire.unsent = UNSENT_BYTES_MAX
    world.connection.reply(b"x")
    assert world.connection.is_open

    world.wire.unsent = UNSENT_BYTES_MAX + 1
    world.connection.reply(b"x")

    assert world.connection.close_reason == f"does not read: {UNSENT_BYTES_MAX + 1} bytes unsent"


# later answers


def test_answer_that_comes_later_is_written_then(world):
    world.connection.receive(a_frame(code=RequestCode.PULL_MESSAGE, opaque=9))
    assert world.wire.writes == []

    world.echo.waiting[0].callback(Response(remark="late"))

    (answer,) = world.sent()
    assert (answer.remark, answer.opaque) == ("late", 9)


def test_answers_that_come_late_and_together_are_written_at_once(world):
    for opaque in (1, 2, 3):
        world.connection.receive(a_frame(code=RequestCode.PULL_MESSAGE, opaque=opaque))

    with TOGETHER:
        for waiting in world.echo.waiting:
            waiting.callback(Response())

    assert len(world.wire.writes) == 1
    assert [answer.opaque for answer in world.sent()] == [1, 2, 3]


def test_answer_that_comes_after_the_end_is_dropped(world):
    world.connection.receive(a_frame(code=RequestCode.PULL_MESSAGE))
    world.connection.close("enough")

    world.echo.waiting[0].callback(Response())

    assert world.wire.writes == []


# our own requests


def test_own_requests_count_their_opaques_from_0(world):
    world.connection.send(Command(code=40, ext_fields={"consumerGroup": "g"}))
    answers = []
    world.connection.call(Command(code=39), 3000).addCallback(answers.append)

    first, second = world.sent()
    assert (first.opaque, first.flag, first.ext_fields) == (0, ONEWAY_FLAG, {"consumerGroup": "g"})
    assert (second.opaque, second.flag) == (1, 0)

    world.connection.receive(a_frame(b"yes", code=0, opaque=1, flag=RESPONSE_FLAG))

    assert [command.body for command in answers] == [b"yes"]


@pytest.mark.parametrize("after_a_call", [False, True])
def test_answer_to_nothing_is_ignored(world, after_a_call):
    if after_a_call:
        world.connection.call(Command(code=39), 3000).addErrback(lambda _: None)

    world.connection.receive(a_frame(code=0, opaque=77, flag=RESPONSE_FLAG) + a_frame(b"1"))

    assert world.connection.is_open
    assert world.echo.bodies == [b"1"]


def failures(deferred):
    found = []
    deferred.addErrback(lambda failure: found.append(failure.value))
    return found


def test_call_fails_in_time(world):
    errors = failures(world.connection.call(Command(code=39), 3000))

    world.clock.advance(3000)

    assert isinstance(errors[0], CallError)


def test_calls_fail_when_the_connection_is_lost(world):
    errors = failures(world.connection.call(Command(code=39), 3000))

    world.connection.lost("reset by peer")

    assert [str(error) for error in errors] == [
        "connection to 10.0.0.1:40000 closed: reset by peer"
    ]


def test_closed_connection_sends_nothing(world):
    world.connection.close("enough")

    world.connection.send(Command(code=40))
    errors = failures(world.connection.call(Command(code=39), 3000))

    assert world.wire.writes == []
    assert [str(error) for error in errors] == ["connection to 10.0.0.1:40000 is closed"]


# the end


def test_connection_is_closed_once_with_one_line(world, caplog):
    with caplog.at_level(logging.INFO):
        world.connection.close("first")
        world.connection.close("second")

    assert world.wire.closed == 1
    assert [record.getMessage() for record in caplog.records] == [
        "connection closed peer=10.0.0.1:40000 reason=first"
    ]


def test_reason_of_closing_wins_over_that_of_the_socket(world):
    errors = failures(world.connection.call(Command(code=39), 3000))
    world.connection.close("shutdown")

    world.connection.lost("socket closed")

    assert world.connection.close_reason == "shutdown"
    assert "closed: shutdown" in str(errors[0])


def test_lost_connection_is_not_open(world):
    world.connection.lost("reset by peer")
    world.connection.close("late")

    assert not world.connection.is_open
    assert world.connection.close_reason == "reset by peer"
    assert world.wire.closed == 0


# silence


def scan(world, times=1, quiet=3, stale=2):
    for _ in range(times):
        world.connection.scan(quiet, stale)


def test_silent_connection_is_closed_after_so_many_scans(world):
    scan(world, 3)
    assert world.connection.is_open

    scan(world)

    assert world.connection.close_reason == "idle"


def test_any_byte_ends_the_silence(world):
    scan(world, 3)
    world.connection.receive(a_frame())
    scan(world, 3)

    assert world.connection.is_open


def test_frame_that_stays_unfinished_closes(world):
    frame = a_frame(b"one")
    for at in range(2):
        world.connection.receive(frame[at : at + 1])
        scan(world)
    assert world.connection.is_open

    world.connection.receive(frame[2:3])
    scan(world)

    assert world.connection.close_reason == "frame left unfinished"


def test_frame_that_is_finished_in_time_begins_anew(world):
    frame = a_frame(b"one")
    world.connection.receive(frame[:5])
    scan(world, 2)
    world.connection.receive(frame[5:] + frame[:5])
    scan(world, 2)
    world.connection.receive(frame[5:])
    scan(world, 2)

    assert world.connection.is_open


def test_peer_that_does_not_read_for_long_is_closed_and_not_called_idle(world):
    world.connection.pause()
    scan(world, 2, quiet=1)
    assert world.connection.is_open

    scan(world)

    assert world.connection.close_reason == "does not read its answers"


def test_peer_that_reads_again_has_its_time_again(world):
    world.connection.pause()
    scan(world, 2)
    world.connection.resume()
    world.connection.pause()
    scan(world, 2)

    assert world.connection.is_open
