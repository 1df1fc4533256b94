import pytest

from codec.bodies.topics import TopicConfig
from codec.codes import RequestCode, ResponseCode
from codec.frame import JSON, ROCKETMQ
from codec.headers.fields import decode_header
from codec.headers.send import (
    ReplyMessageRequestHeader,
    SendMessageRequestHeader,
    SendMessageRequestHeaderV2,
)
from codec.message import properties as props
from codec.message.sysflag import COMPRESSED
from rmq.base.manual import FixedChance
from rmq.broker.clients import Client
from rmq.broker.processors.reply import PUSH_MS_MAX, ReplyProcessor
from rmq.broker.processors.tests.scene import HOST, Scene
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.handling import handler_table
from rmq.remoting.testing import FakeChannel

SHORT = RequestCode.SEND_REPLY_MESSAGE_V2
LONG = RequestCode.SEND_REPLY_MESSAGE
TOPIC = "C_REPLY_TOPIC"
REPLY = "CORRELATION_ID\x01Q\x02REPLY_TO_CLIENT\x01asker\x02MSG_TYPE\x01reply\x02"
ADDED = {"MSG_REGION": "Region7", "TRACE_ON": "true"}


class ReplyScene(Scene):
    """``asker`` is the connection of a producer that waits for replies."""

    def __init__(self, *, sync_flush=False, chance=(), **options):
        super().__init__(**options)
        self.processor = ReplyProcessor(
            self.config,
            self.send_settings,
            self.sending.checked_topic,
            self.producers,
            self.store,
            self.durability.flushed if sync_flush else None,
            self.clock,
            FixedChance(chance),
        )
        self._dispatcher = Dispatcher(handler_table([self.processor]))
        self.asker = FakeChannel("10.0.0.3:50000")
        self.producers.register("p", Client(self.asker, "asker"))

    def reply(self, code=SHORT, body=b"answer", *, encoding=JSON, **fields):
        kind = SendMessageRequestHeader if code == LONG else SendMessageRequestHeaderV2
        header = kind(
            **{
                "producer_group": "g",
                "topic": TOPIC,
                "default_topic": "TBW102",
                "default_topic_queue_nums": 4,
                "queue_id": 0,
                "sys_flag": 0,
                "born_timestamp": 1_600_000_000_000,
                "flag": 7,
                "properties": REPLY,
            }
            | fields
        )
        return self.ask(code, header, body, encoding=encoding)

    def answered(self):
        """What the replier was told, once."""
        return self.peer.replies.pop()


@pytest.fixture
def scene():
    return ReplyScene()


@pytest.mark.parametrize("encoding", [JSON, ROCKETMQ])
@pytest.mark.parametrize("code", [SHORT, LONG])
def test_reply_is_handed_to_who_asked(scene, code, encoding):
    assert scene.reply(code, encoding=encoding, sys_flag=COMPRESSED, reconsume_times=2) is None
    call = scene.asker.calls.pop()
    call.succeed()

    pushed = decode_header(ReplyMessageRequestHeader, call.command.ext_fields)
    assert call.command.code == RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT
    assert call.command.body == b"answer"
    assert call.timeout_ms == PUSH_MS_MAX
    assert (pushed.producer_group, pushed.topic, pushed.queue_id) == ("g", TOPIC, 0)
    assert (pushed.default_topic, pushed.default_topic_queue_nums) == ("TBW102", 4)
    assert (pushed.sys_flag, pushed.flag, pushed.reconsume_times) == (COMPRESSED, 7, 2)
    assert pushed.born_timestamp == 1_600_000_000_000
    assert pushed.store_timestamp == scene.clock.wall_ms()
    assert pushed.unit_mode is False
    assert pushed.born_host == "10.0.0.1:40000"
    assert pushed.store_host == f"10.0.0.2:{int.from_bytes(HOST[-4:], 'big')}"
    assert props.parse(pushed.properties.encode()) == {
        "CORRELATION_ID": "Q",
        "REPLY_TO_CLIENT": "asker",
        "MSG_TYPE": "reply",
        "PUSH_REPLY_TIME": str(scene.clock.wall_ms()),
    }
    assert scene.answered().code == ResponseCode.SUCCESS


@pytest.mark.parametrize("properties", [REPLY, "WAIT\x01false\x02" + REPLY])
def test_reply_is_stored_as_it_was_sent(scene, properties):
    scene.reply(queue_id=0, sys_flag=COMPRESSED, properties=properties)
    scene.asker.calls.pop().succeed()

    record = scene.stored(TOPIC)
    assert (record.body, record.flag, record.sys_flag) == (b"answer", 7, COMPRESSED)
    assert (record.born_host, record.store_host) == (scene.peer.host_bytes, HOST)
    assert record.properties == properties.encode()
    assert scene.answered().ext_fields == ADDED | {
        "msgId": HOST.hex().upper() + f"{record.position:016X}",
        "queueId": "0",
        "queueOffset": "0",
    }


def test_reply_need_not_be_stored():
    scene = ReplyScene(storeReplyMessageEnable=False)

    scene.reply()
    scene.asker.calls.pop().succeed()

    assert scene.answered().ext_fields == ADDED | {"msgId": "0", "queueId": "0", "queueOffset": "0"}
    assert scene.store.max_offset(TOPIC, 0) == 0


def test_reply_that_the_store_refuses_has_arrived_nevertheless(scene):
    scene.reply(body=b"x" * (1 << 20))
    scene.asker.calls.pop().succeed()

    answer = scene.answered()
    assert (answer.code, answer.ext_fields["msgId"]) == (ResponseCode.SUCCESS, "0")
    assert scene.store.max_offset(TOPIC, 0) == 0


@pytest.mark.parametrize("wait", [True, False])
def test_replier_waits_for_the_disk_if_it_wants(wait):
    scene = ReplyScene(sync_flush=True)
    scene.reply(properties=REPLY if wait else REPLY + "WAIT\x01false\x02")
    scene.asker.calls.pop().succeed()

    if wait:
        scene.clock.advance(0)
        assert scene.peer.replies == []
        scene.worker.finish()
    assert scene.answered().code == ResponseCode.SUCCESS


def test_any_queue_is_taken_where_none_is_named():
    scene = ReplyScene(chance=(1,))
    scene.topics.update(TopicConfig(topic_name="T", read_queue_nums=2, write_queue_nums=2))

    scene.reply(topic="T", queue_id=-1)
    call = scene.asker.calls.pop()
    call.succeed()

    assert call.command.ext_fields["queueId"] == "-1"
    assert scene.answered().ext_fields["queueId"] == "1"
    assert scene.stored("T", 1).body == b"answer"


def refused(scene, answer, remark):
    """Told so, yet stored."""
    assert (answer.code, answer.remark) == (ResponseCode.SYSTEM_ERROR, remark)
    assert answer.ext_fields.items() >= ADDED.items()
    assert scene.stored(TOPIC).body == b"answer"


@pytest.mark.parametrize("properties", [None, "CORRELATION_ID\x01Q\x02"])
def test_reply_to_nobody_is_refused(scene, properties):
    answer = scene.reply(properties=properties)

    refused(scene, answer, "reply message properties[REPLY_TO_CLIENT] is null")


def test_reply_to_a_client_that_left_is_refused(scene):
    scene.producers.channel_closed(scene.asker)

    answer = scene.reply()

    refused(scene, answer, "push reply message fail, channel of <asker> not found.")


def test_reply_that_the_client_refuses_is_refused(scene):
    scene.reply()
    scene.asker.calls.pop().respond(ResponseCode.SYSTEM_ERROR, "unknown fail reason")

    remark = "push reply message to asker fail: unknown fail reason"
    refused(scene, scene.answered(), remark)


def test_reply_to_a_client_that_is_silent_is_refused(scene):
    scene.reply()
    scene.asker.calls.pop().expire()

    remark = "push reply message to asker fail: 10.0.0.3:50000 did not answer within 10000 ms"
    refused(scene, scene.answered(), remark)


def test_failed_reply_has_no_id_where_replies_are_not_stored():
    scene = ReplyScene(storeReplyMessageEnable=False)

    assert scene.reply(properties=None).ext_fields == ADDED


def test_topic_is_checked_as_for_any_message(scene):
    answer = scene.reply(queue_id=99)

    assert answer.code == ResponseCode.INVALID_PARAMETER
    assert "request queueId[99] is illegal" in answer.remark
    assert scene.asker.calls == []
