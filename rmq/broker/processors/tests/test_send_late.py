import pytest
from twisted.internet.defer import Deferred, succeed

from codec.codes import RequestCode, ResponseCode
from codec.frame import JSON
from codec.headers.send import SendMessageRequestHeaderV2, SendMessageResponseHeader
from rmq.base.errors import CommandError
from rmq.broker.processors.send_late import Late, LateRun
from rmq.broker.processors.tests.scene import commands
from rmq.remoting.handling import Request, Response
from rmq.remoting.testing import FakeChannel
from rmq.store.messages import PutResult, PutStatus


def a_late(opaque):
    header = SendMessageRequestHeaderV2(
        producer_group="g",
        topic="T",
        default_topic="TBW102",
        default_topic_queue_nums=4,
        queue_id=0,
        sys_flag=0,
        born_timestamp=1,
        flag=0,
    )
    request = Request(
        header=header,
        body=b"",
        channel=FakeChannel(),
        code=RequestCode.SEND_MESSAGE_V2,
        opaque=opaque,
        version=479,
        language="JAVA",
        encoding=JSON,
        raw_header=b"",
    )
    result = PutResult(PutStatus.PUT_OK, 100 * opaque, opaque, 100, 1, 100 * opaque + 100)
    return Late(request, result, 0, f"U{opaque}", b"<%d>" % opaque)


def respond(result, queue_id, unique_key):
    if result.status is PutStatus.SERVICE_NOT_AVAILABLE:
        raise CommandError(ResponseCode.SERVICE_NOT_AVAILABLE, "the disk failed")
    header = SendMessageResponseHeader(
        msg_id=unique_key, queue_id=queue_id, queue_offset=result.queue_offset, transaction_id=None
    )
    return Response(header, ResponseCode.FLUSH_SLAVE_TIMEOUT)


@pytest.fixture
def run():
    run = LateRun(respond)
    assert not run
    for opaque in (1, 2, 3):
        run.add(a_late(opaque))
    assert run
    return run


def test_all_are_answered_when_the_last_is_safe(run):
    asked, told = [], []
    done = Deferred()

    run.answer(lambda end: asked.append(end) or done).addCallback(told.append)
    assert (asked, told) == ([400], [])
    done.callback(PutStatus.PUT_OK)

    assert told == [b"<1><2><3>"]


def test_all_are_answered_at_once_if_they_are_safe_already(run):
    assert run.answer(lambda _: succeed(PutStatus.PUT_OK)) == b"<1><2><3>"


def test_each_learns_its_own_place_when_safety_takes_too_long(run):
    answers = commands(run.answer(lambda _: succeed(PutStatus.FLUSH_SLAVE_TIMEOUT)))

    assert [(one.code, one.opaque, one.ext_fields["msgId"]) for one in answers] == [
        (ResponseCode.FLUSH_SLAVE_TIMEOUT, opaque, f"U{opaque}") for opaque in (1, 2, 3)
    ]


def test_each_is_refused_when_there_will_be_no_safety(run):
    answers = commands(run.answer(lambda _: succeed(PutStatus.SERVICE_NOT_AVAILABLE)))

    assert [(one.code, one.opaque, one.remark) for one in answers] == [
        (ResponseCode.SERVICE_NOT_AVAILABLE, opaque, "the disk failed") for opaque in (1, 2, 3)
    ]


def test_each_is_told_when_waiting_itself_fails(run):
    told = []
    done = Deferred()
    run.answer(lambda _: done).addCallback(told.append)

    done.errback(ValueError("a mistake"))

    assert [(one.code, one.opaque) for one in commands(told[0])] == [
        (ResponseCode.SYSTEM_ERROR, opaque) for opaque in (1, 2, 3)
    ]
