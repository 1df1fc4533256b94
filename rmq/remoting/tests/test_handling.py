import gc
import weakref

import pytest

from codec.codes import RequestCode
from codec.command import Command, encode_command
from codec.errors import CodecError
from codec.frame import JSON, ROCKETMQ, parse_frame
from codec.headers.clients import UnregisterClientRequestHeader
from codec.headers.fields import RequestHeader
from rmq.remoting.handling import (
    Request,
    Response,
    handler_table,
    handles,
    handles_runs,
    without,
)
from rmq.remoting.testing import FakeChannel


class Beats:
    @handles(RequestCode.HEART_BEAT)
    def beat(self, request):
        """Answer a heartbeat."""
        return Response(remark=f"of {request}")

    def unmarked(self, request):
        """Answer nothing."""


class Leaving:
    @handles(RequestCode.UNREGISTER_CLIENT, UnregisterClientRequestHeader)
    @handles(RequestCode.CHECK_CLIENT_CONFIG, UnregisterClientRequestHeader)
    def leave(self, request):
        """Answer two codes."""
        return Response()


class AlsoBeats:
    @handles(RequestCode.HEART_BEAT)
    def beat_too(self, request):
        """Answer what another answers."""
        return Response()


def test_marked_methods_make_the_table():
    beats = Beats()

    table = handler_table([beats, Leaving()])

    assert set(table) == {
        RequestCode.HEART_BEAT,
        RequestCode.UNREGISTER_CLIENT,
        RequestCode.CHECK_CLIENT_CONFIG,
    }
    handler = table[RequestCode.HEART_BEAT]
    assert (handler.code, handler.header, handler.name) == (34, RequestHeader, "Beats.beat")
    assert handler.answer("x") == Response(remark="of x")


def test_method_may_answer_several_codes():
    table = handler_table([Leaving()])

    for code in (RequestCode.UNREGISTER_CLIENT, RequestCode.CHECK_CLIENT_CONFIG):
        assert table[code].header is UnregisterClientRequestHeader
    assert table[RequestCode.UNREGISTER_CLIENT].name == "Leaving.leave"


def test_two_answers_to_one_code_stop_the_start():
    with pytest.raises(ValueError, match=r"HEART_BEAT.* Beats.beat and by AlsoBeats.beat_too"):
        handler_table([Beats(), AlsoBeats()])


def test_port_that_answers_less_is_made_of_the_table():
    table = handler_table([Beats(), Leaving()])

    assert set(without(table, [RequestCode.HEART_BEAT, 9999])) == {
        RequestCode.UNREGISTER_CLIENT,
        RequestCode.CHECK_CLIENT_CONFIG,
    }


def a_request(encoding, raw_header):
    return Request(RequestHeader(), b"", FakeChannel(), 34, 1, 479, "JAVA", encoding, raw_header)


@pytest.mark.parametrize("encoding", [JSON, ROCKETMQ])
def test_request_tells_also_the_fields_that_its_header_does_not_declare(encoding):
    command = Command(code=34, ext_fields={"unknown": "text"}, encoding=encoding)
    frame = parse_frame(encode_command(command))

    assert a_request(encoding, frame.header).ext_fields == {"unknown": "text"}


def test_request_without_fields_has_none():
    assert a_request(JSON, b'{"code":34,"language":"JAVA"}').ext_fields == {}


def test_fields_of_broken_bytes_are_refused():
    with pytest.raises(CodecError):
        _ = a_request(JSON, b"{").ext_fields


def test_runs_of_a_code_are_answered_by_the_method_so_marked():
    class Both:
        @handles(RequestCode.GET_MAX_OFFSET)
        def one(self, request):
            return Response()

        @handles_runs(RequestCode.GET_MAX_OFFSET)
        def several(self, requests):
            return [Response() for _ in requests]

        @handles(RequestCode.GET_MIN_OFFSET)
        def other(self, request):
            return Response()

    both = Both()
    table = handler_table([both])

    assert table[RequestCode.GET_MAX_OFFSET].answer_run == both.several
    assert table[RequestCode.GET_MIN_OFFSET].answer_run is None


def test_request_that_nobody_reaches_is_forgotten_with_its_channel():
    channel = FakeChannel()
    request = Request(
        header=RequestHeader(),
        body=b"",
        channel=channel,
        code=RequestCode.HEART_BEAT,
        opaque=1,
        version=479,
        language="JAVA",
        encoding=JSON,
        raw_header=b"",
    )
    channel.waiting = [request]
    gone = weakref.ref(channel)

    del channel, request
    gc.collect()

    assert gone() is None
