import logging

import pytest
from twisted.internet.defer import CancelledError, Deferred

from codec.codes import ONEWAY_FLAG, RESPONSE_FLAG, RequestCode, ResponseCode
from codec.command import Command, decode_command, encode_command, encode_response
from codec.errors import CodecError
from codec.frame import JSON, ROCKETMQ, Frame, parse_frame
from codec.headers.offsets import GetMaxOffsetRequestHeader, GetMaxOffsetResponseHeader
from rmq.base.errors import CallError, CommandError
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.handling import Response, handler_table, handles, handles_runs
from rmq.remoting.testing import FakeChannel

MAX_OFFSET = RequestCode.GET_MAX_OFFSET
SLAVE_NOT_AVAILABLE = ResponseCode.SLAVE_NOT_AVAILABLE
BOTH = pytest.mark.parametrize("encoding", [JSON, ROCKETMQ])


class Peer(FakeChannel):
    def __init__(self):
        super().__init__()
        self.replies = []
        self.answers = []

    def reply(self, encoded):
        self.replies.append(decode_command(parse_frame(encoded)))

    def answered(self, command):
        self.answers.append(command)


class Says:
    """Answers as the test wants."""

    def __init__(self):
        self.requests = []
        self.answer = lambda request: Response()

    @handles(MAX_OFFSET, GetMaxOffsetRequestHeader)
    def max_offset(self, request):
        self.requests.append(request)
        return self.answer(request)

    @handles(RequestCode.PULL_MESSAGE)
    def pull(self, request):
        self.requests.append(request)
        return self.answer(request)

    @handles(RequestCode.POP_MESSAGE)
    def pop(self, request):
        self.requests.append(request)
        return self.answer(request)


class World:
    def __init__(self):
        self.says = Says()
        self.peer = Peer()
        self.dispatcher = Dispatcher(handler_table([self.says]))

    def give(self, frame):
        return self.dispatcher.answer(frame, self.peer)

    def ask(self, code=MAX_OFFSET, *, encoding=JSON, flag=0, body=b"", **fields):
        """The answer, as a command; None if there is none yet."""
        fields = fields or {"topic": "T", "queueId": "3"}
        command = Command(
            code=code,
            opaque=77,
            flag=flag,
            version=400,
            language=2,
            ext_fields=fields,
            body=body,
            encoding=encoding,
        )
        encoded = self.give(parse_frame(encode_command(command)))
        return None if encoded is None else decode_command(parse_frame(encoded))


@pytest.fixture
def world():
    return World()


# requests and what is answered


@BOTH
def test_handler_gets_its_typed_header_and_all_else(world, encoding):
    world.ask(encoding=encoding, body=b"body", topic="T", queueId="3", other="x")

    (request,) = world.says.requests
    assert request.header == GetMaxOffsetRequestHeader(topic="T", queue_id=3)
    assert (request.body, request.channel) == (b"body", world.peer)
    assert (request.code, request.opaque, request.version) == (MAX_OFFSET, 77, 400)
    assert (request.language, request.oneway) == ("DOTNET", False)
    assert request.ext_fields["other"] == "x"


@BOTH
def test_answer_is_written_in_the_encoding_of_its_request(world, encoding):
    world.says.answer = lambda _: Response(
        GetMaxOffsetResponseHeader(offset=9), SLAVE_NOT_AVAILABLE, "why", b"data", {"more": "1"}
    )

    answer = world.ask(encoding=encoding)

    assert (answer.code, answer.remark, answer.body) == (SLAVE_NOT_AVAILABLE, "why", b"data")
    assert answer.ext_fields == {"offset": "9", "more": "1"}
    assert (answer.opaque, answer.flag, answer.encoding) == (77, RESPONSE_FLAG, encoding)


def test_fields_beside_the_header_win_over_it(world):
    world.says.answer = lambda _: Response(
        GetMaxOffsetResponseHeader(offset=9), ext_fields={"offset": "8"}
    )

    assert world.ask().ext_fields == {"offset": "8"}


@BOTH
@pytest.mark.parametrize("code", [MAX_OFFSET, RequestCode.PULL_MESSAGE, RequestCode.POP_MESSAGE])
def test_code_of_any_length_finds_its_handler(world, code, encoding):
    assert world.ask(code, encoding=encoding).code == 0
    assert world.says.requests[0].code == code


def test_json_whose_code_does_not_come_first_is_read_too(world):
    header = b'{"opaque":5,"extFields":{"topic":"T","queueId":"3"},"language":"JAVA","code":30}'

    encoded = world.give(Frame(JSON, header))

    assert decode_command(parse_frame(encoded)).opaque == 5


def test_json_that_says_its_code_twice_is_what_it_says_last(world):
    header = b'{"code":30,"opaque":5,"code":11,"language":"JAVA"}'

    world.give(Frame(JSON, header))

    assert [request.code for request in world.says.requests] == [11]


@BOTH
def test_ready_frame_is_sent_as_it_is(world, encoding):
    world.says.answer = lambda request: encode_response(request.encoding, request.opaque, 0, "own")

    assert world.ask(encoding=encoding).remark == "own"


def test_handler_that_wants_no_answer_gives_none(world):
    world.says.answer = lambda _: None

    assert world.ask() is None
    assert world.peer.replies == []


# whose fault


@BOTH
def test_unknown_code_is_not_supported(world, encoding):
    answer = world.ask(12345, encoding=encoding)

    assert answer.code == ResponseCode.REQUEST_CODE_NOT_SUPPORTED
    assert answer.remark == " request type 12345 not supported"
    assert (answer.opaque, answer.encoding) == (77, encoding)


@BOTH
@pytest.mark.parametrize("fields", [{"topic": "T"}, {"topic": "T", "queueId": "many"}])
def test_wrong_field_is_answered_by_its_name(world, encoding, fields):
    answer = world.ask(encoding=encoding, **fields)

    assert answer.code == ResponseCode.SYSTEM_ERROR
    assert "queueId" in answer.remark
    assert answer.opaque == 77
    assert world.says.requests == []


@pytest.mark.parametrize(
    "frame",
    [
        Frame(JSON, b'{"code":30,"opaque":'),
        Frame(JSON, b'{"code":30,"opaque":"x","language":"JAVA","extFields":{"topic":"T"}}'),
        Frame(JSON, b"[]"),
        Frame(ROCKETMQ, b"\0\x1e\0"),
    ],
)
def test_broken_header_leaves_for_the_connection_to_close(world, frame):
    with pytest.raises(CodecError):
        world.give(frame)


@BOTH
def test_refusal_becomes_its_code_remark_and_fields(world, encoding):
    def refuse(_):
        raise CommandError(ResponseCode.NO_PERMISSION, "no", {"forbiddenType": "1"})

    world.says.answer = refuse

    answer = world.ask(encoding=encoding)

    assert (answer.code, answer.remark) == (ResponseCode.NO_PERMISSION, "no")
    assert answer.ext_fields == {"forbiddenType": "1"}


def raising(error):
    def answer(_):
        raise error

    return answer


@pytest.mark.parametrize(
    ("error", "remark"),
    [
        (CodecError("no body"), "request cannot be read: no body"),
        (CallError("peer is gone"), "peer is gone"),
    ],
)
def test_trouble_of_others_is_answered_and_not_logged(world, caplog, error, remark):
    world.says.answer = raising(error)

    answer = world.ask()

    assert (answer.code, answer.remark) == (ResponseCode.SYSTEM_ERROR, remark)
    assert caplog.records == []


def test_our_own_failure_is_answered_and_logged_with_its_traceback(world, caplog):
    world.says.answer = raising(ZeroDivisionError("by nothing"))

    with caplog.at_level(logging.ERROR):
        answer = world.ask()

    assert answer.code == ResponseCode.SYSTEM_ERROR
    assert answer.remark == "ZeroDivisionError: by nothing"
    (record,) = caplog.records
    assert "Says.max_offset" in record.getMessage()
    assert record.exc_info[2] is not None


# one way


def later(_):
    deferred = Deferred()
    deferred.callback(Response())
    return deferred


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        lambda _: Response(),
        lambda _: b"ready",
        lambda _: None,
        raising(CommandError(ResponseCode.NO_PERMISSION, "no")),
        later,
    ],
)
def test_oneway_request_gets_nothing_whatever_happened(world, encoding, answer):
    world.says.answer = answer

    assert world.ask(encoding=encoding, flag=ONEWAY_FLAG) is None

    assert world.says.requests[0].oneway
    assert world.peer.replies == []


@BOTH
def test_oneway_request_that_cannot_be_served_gets_nothing(world, encoding):
    assert world.ask(12345, encoding=encoding, flag=ONEWAY_FLAG) is None
    assert world.ask(encoding=encoding, flag=ONEWAY_FLAG, topic="T") is None


# later


@BOTH
def test_answer_that_comes_later_is_sent_then(world, encoding):
    waiting = Deferred()
    world.says.answer = lambda _: waiting

    assert world.ask(encoding=encoding) is None
    assert world.peer.replies == []
    waiting.callback(Response(remark="late"))

    (answer,) = world.peer.replies
    assert (answer.remark, answer.opaque, answer.encoding) == ("late", 77, encoding)


def test_frame_that_is_ready_later_is_sent_as_it_is(world):
    waiting = Deferred()
    world.says.answer = lambda _: waiting
    world.ask()

    waiting.callback(encode_response(JSON, 77, 0, "own"))

    assert world.peer.replies[0].remark == "own"


def test_nothing_later_is_nothing(world):
    waiting = Deferred()
    world.says.answer = lambda _: waiting
    world.ask()

    waiting.callback(None)

    assert world.peer.replies == []


def test_coroutine_may_wait(world):
    waiting = Deferred()

    async def slowly(request):
        offset = await waiting
        return Response(GetMaxOffsetResponseHeader(offset=offset))

    world.says.answer = slowly
    world.ask()
    waiting.callback(5)

    assert world.peer.replies[0].ext_fields == {"offset": "5"}


def test_refusal_that_comes_later_is_a_refusal(world):
    waiting = Deferred()
    world.says.answer = lambda _: waiting
    world.ask()

    waiting.errback(CommandError(ResponseCode.TOPIC_NOT_EXIST, "gone"))

    answer = world.peer.replies[0]
    assert (answer.code, answer.remark) == (ResponseCode.TOPIC_NOT_EXIST, "gone")


class Abort(BaseException):
    """Not an Exception."""


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), CancelledError(), Abort("y")])
def test_failure_that_comes_later_is_logged_and_answered(world, caplog, error):
    waiting = Deferred()
    world.says.answer = lambda _: waiting
    world.ask()

    waiting.errback(error)

    assert world.peer.replies[0].code == ResponseCode.SYSTEM_ERROR
    assert "handler failed name=Says.max_offset" in caplog.text


def test_later_answer_that_cannot_be_written_is_logged(world, caplog):
    waiting = Deferred()
    world.says.answer = lambda _: waiting
    world.ask()

    waiting.callback(3)

    assert world.peer.replies == []
    assert "response lost name=Says.max_offset" in caplog.text


# answers to our own calls


@BOTH
@pytest.mark.parametrize("code", [0, 1, RequestCode.PULL_MESSAGE, MAX_OFFSET, 9999])
@pytest.mark.parametrize("flag", [RESPONSE_FLAG, RESPONSE_FLAG | ONEWAY_FLAG])
def test_answer_to_our_call_is_not_taken_for_a_request(world, encoding, code, flag):
    assert world.ask(code, encoding=encoding, flag=flag, body=b"b", some="field") is None

    (answer,) = world.peer.answers
    assert (answer.code, answer.opaque, answer.body) == (code, 77, b"b")
    assert answer.ext_fields == {"some": "field"}
    assert world.says.requests == []


def test_answer_with_fields_that_suit_a_request_is_still_an_answer(world):
    assert world.ask(flag=RESPONSE_FLAG, topic="T", queueId="3") is None

    assert len(world.peer.answers) == 1
    assert world.says.requests == []


# several frames at once


class Runs(Says):
    """Answers runs of GET_MAX_OFFSET as the test wants."""

    def __init__(self):
        super().__init__()
        self.runs = []
        self.answer_run = lambda requests: [self.answer(request) for request in requests]

    @handles_runs(MAX_OFFSET)
    def max_offsets(self, requests):
        self.runs.append([request.opaque for request in requests])
        return self.answer_run(requests)


def asked(opaque, code=MAX_OFFSET, *, encoding=JSON, flag=0, **fields):
    command = Command(
        code=code,
        opaque=opaque,
        flag=flag,
        ext_fields=fields or {"topic": "T", "queueId": "3"},
        encoding=encoding,
    )
    return parse_frame(encode_command(command))


@pytest.fixture
def runs():
    world = World()
    world.says = Runs()
    world.dispatcher = Dispatcher(handler_table([world.says]))
    return world


def answered(world, frames, bytes_max=10_000):
    """Opaque and code of each answer, and how many frames were answered."""
    ready = []
    done = world.dispatcher.answer_round(frames, world.peer, ready, bytes_max)
    commands = [decode_command(parse_frame(one)) for one in ready]
    return [(command.opaque, command.code) for command in commands], done


def test_requests_that_come_together_are_answered_together(runs):
    frames = [asked(1), asked(2), asked(3)]

    assert answered(runs, frames) == ([(1, 0), (2, 0), (3, 0)], 3)
    assert runs.says.runs == [[1, 2, 3]]


def test_what_is_unusual_ends_a_run_and_is_answered_alone(runs):
    frames = [
        asked(1),
        asked(2),
        asked(3, encoding=ROCKETMQ),
        asked(4, topic="T", queueId="x"),
        asked(5, RequestCode.PULL_MESSAGE),
        asked(6, flag=RESPONSE_FLAG),
        asked(7),
        asked(8),
        asked(9, 9999),
    ]

    answers, done = answered(runs, frames)

    assert answers == [(1, 0), (2, 0), (3, 0), (4, 1), (5, 0), (7, 0), (8, 0), (9, 3)]
    assert done == 9
    assert runs.says.runs == [[1, 2], [7, 8]]
    assert [command.opaque for command in runs.peer.answers] == [6]


def test_a_code_said_twice_is_not_taken_for_the_first(runs):
    twice = asked(2).header[:-1] + b',"code":11}'
    frames = [asked(1), Frame(JSON, twice), asked(3), asked(4)]

    assert answered(runs, frames) == ([(1, 0), (2, 0), (3, 0), (4, 0)], 4)
    assert runs.says.runs == [[3, 4]]
    assert [request.code for request in runs.says.requests] == [30, 11]


def test_a_run_has_a_refusal_a_failure_and_a_late_answer_each_for_itself(runs, caplog):
    late = Deferred()
    runs.says.answer_run = lambda _: [
        CommandError(ResponseCode.NO_PERMISSION, "no"),
        RuntimeError("oops"),
        late,
        Response(),
    ]

    assert answered(runs, [asked(1), asked(2), asked(3), asked(4)])[0] == [(1, 16), (2, 1), (4, 0)]
    assert "oops" in caplog.text
    late.callback(Response(code=20))
    assert [(reply.opaque, reply.code) for reply in runs.peer.replies] == [(3, 20)]


def test_a_run_that_breaks_is_answered_as_failed(runs, caplog):
    runs.says.answer_run = lambda _: 1 / 0

    assert answered(runs, [asked(1), asked(2)])[0] == [(1, 1), (2, 1)]
    assert "ZeroDivisionError" in caplog.text


def test_one_way_requests_of_a_run_get_no_answer(runs):
    assert answered(runs, [asked(1, flag=ONEWAY_FLAG), asked(2)])[0] == [(2, 0)]
    assert runs.says.runs == [[1, 2]]


def test_a_round_ends_when_enough_is_ready(runs):
    runs.says.answer = lambda _: Response(body=b"x" * 100)
    alone = [asked(number, RequestCode.PULL_MESSAGE) for number in range(4)]

    assert answered(runs, alone, bytes_max=250)[1] == 2
    assert answered(runs, [asked(1), asked(2), *alone], bytes_max=100)[1] == 2


def test_frames_before_a_broken_header_are_answered(runs):
    ready = []
    frames = [asked(1), asked(2), Frame(JSON, b'{"code":30,"x'), asked(4)]

    with pytest.raises(CodecError):
        runs.dispatcher.answer_round(frames, runs.peer, ready, 1000)

    assert len(ready) == 2
