import pytest

from codec.bodies import decode_body, encode_body
from codec.bodies.groups import SubscriptionGroupConfig
from codec.bodies.heartbeat import ConsumerData
from codec.bodies.message_queue import MessageQueue
from codec.bodies.offsets import GetConsumerStatusBody
from codec.bodies.topics import TopicConfig
from codec.codes import V3_0_7_SNAPSHOT, V3_1_8_SNAPSHOT, RequestCode, ResponseCode
from codec.headers.clients import (
    ConsumeMessageDirectlyResultRequestHeader,
    GetConsumerRunningInfoRequestHeader,
)
from codec.headers.offsets import GetConsumerStatusRequestHeader
from codec.message.ids import build_offset_message_id
from codec.message.record import parse_record
from rmq.broker.clients import Client
from rmq.broker.processors.admin.relays import ANSWER_MS_MAX, STATUS_MS_MAX, RelayProcessor
from rmq.broker.processors.admin.tests.scene import AdminScene
from rmq.broker.processors.tests.scene import HOST
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.handling import handler_table
from rmq.remoting.testing import FakeChannel

QUEUE = MessageQueue(topic="T", broker_name="broker-a", queue_id=1)


class RelayScene(AdminScene):
    def __init__(self):
        super().__init__()
        self.processor = RelayProcessor(
            "broker-a", self.topics, self.groups, self.consumers, self.store
        )
        self._dispatcher = Dispatcher(handler_table([self.processor]))

    def join(self, client_id="c", version=479, address="10.0.0.3:50000"):
        channel = FakeChannel(address)
        client = Client(channel, client_id, "JAVA", version)
        self.consumers.register(client, ConsumerData(group_name="G"), notify=False)
        return channel

    def running_info(self, client_id="c", **fields):
        header = GetConsumerRunningInfoRequestHeader(
            consumer_group="G", client_id=client_id, **fields
        )
        return self.ask(RequestCode.GET_CONSUMER_RUNNING_INFO, header)

    def consume(self, msg_id, *, client_id="c", group="G", **fields):
        header = ConsumeMessageDirectlyResultRequestHeader(
            consumer_group=group, client_id=client_id, msg_id=msg_id, **fields
        )
        return self.ask(RequestCode.CONSUME_MESSAGE_DIRECTLY, header)

    def status(self, client_addr=None):
        header = GetConsumerStatusRequestHeader(topic="T", group="G", client_addr=client_addr)
        return self.ask(RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS, header)

    def answered(self):
        return self.peer.replies.pop()


@pytest.fixture
def scene():
    return RelayScene()


def refusal(answer):
    return answer.code, answer.remark


# running info


@pytest.mark.parametrize("jstack", [True, False])
def test_consumer_tells_of_itself(scene, jstack):
    channel = scene.join(version=V3_1_8_SNAPSHOT)

    assert scene.running_info(jstack_enable=jstack) is None
    call = channel.calls.pop()
    call.respond(ResponseCode.SUCCESS, "fine", ext_fields={"a": "b"}, body=b"{...}")

    assert call.command.code == RequestCode.GET_CONSUMER_RUNNING_INFO
    assert call.command.ext_fields == {
        "consumerGroup": "G",
        "clientId": "c",
        "jstackEnable": str(jstack).lower(),
    }
    assert call.timeout_ms == ANSWER_MS_MAX
    answer = scene.answered()
    assert refusal(answer) == (ResponseCode.SUCCESS, "fine")
    assert (answer.ext_fields, answer.body) == ({"a": "b"}, b"{...}")


def test_consumer_s_refusal_is_passed_back(scene):
    channel = scene.join()
    scene.running_info()

    channel.calls.pop().respond(ResponseCode.SYSTEM_ERROR, "not running")

    assert refusal(scene.answered()) == (ResponseCode.SYSTEM_ERROR, "not running")


def test_consumer_that_is_not_there_is_refused(scene):
    nobody = scene.running_info()
    scene.join()
    other = scene.running_info("d")
    unnamed = scene.consume(None, client_id=None)

    error = ResponseCode.SYSTEM_ERROR
    assert refusal(nobody) == (error, "The Consumer <G> <c> not online")
    assert refusal(other) == (error, "The Consumer <G> <d> not online")
    assert unnamed.code == error


def test_too_old_a_consumer_is_not_asked(scene):
    channel = scene.join(version=V3_1_8_SNAPSHOT - 1)

    answer = scene.running_info()

    assert answer.code == ResponseCode.SYSTEM_ERROR
    assert "<c> Version <61> too low to finish, please upgrade" in answer.remark
    assert channel.calls == []


def test_silent_consumer_is_a_timeout(scene):
    channel = scene.join()
    scene.running_info()

    channel.calls.pop().expire()

    remark = "consumer <G> <c> Timeout: 10.0.0.3:50000 did not answer within 10000 ms"
    assert refusal(scene.answered()) == (ResponseCode.CONSUME_MSG_TIMEOUT, remark)


def test_consumer_that_leaves_is_an_error(scene):
    channel = scene.join()
    scene.running_info()

    channel.calls.pop().fail("closed")

    remark = "invoke consumer <G> <c> Exception: 10.0.0.3:50000: closed"
    assert refusal(scene.answered()) == (ResponseCode.SYSTEM_ERROR, remark)


# consuming on demand


def test_stored_message_is_given_to_a_consumer(scene):
    scene.topics.update(TopicConfig(topic_name="T", topic_sys_flag=2))
    scene.groups.update(SubscriptionGroupConfig(group_name="G", group_sys_flag=1))
    scene.put("T", 0, 2)
    channel = scene.join()
    message_id = build_offset_message_id(HOST, scene.store.position_of("T", 0, 1))

    assert scene.consume(message_id, topic="T") is None
    call = channel.calls.pop()
    call.succeed(body=b'{"consumeResult":"CR_SUCCESS"}')

    assert call.command.code == RequestCode.CONSUME_MESSAGE_DIRECTLY
    assert call.command.ext_fields == {
        "consumerGroup": "G",
        "clientId": "c",
        "msgId": message_id,
        "topic": "T",
        "brokerName": "broker-a",
        "topicSysFlag": "2",
        "groupSysFlag": "1",
    }
    assert parse_record(call.command.body, 0, len(call.command.body)).queue_offset == 1
    assert scene.answered().body == b'{"consumeResult":"CR_SUCCESS"}'


def test_flags_of_what_is_unknown_are_left_out(scene):
    scene.put("T")
    channel = scene.join()

    scene.consume(build_offset_message_id(HOST, 0), topic="X")

    assert (
        channel.calls.pop().command.ext_fields.keys().isdisjoint({"topicSysFlag", "groupSysFlag"})
    )
    assert "G" not in scene.groups


@pytest.mark.parametrize("message_id", [None, "", "xyz", "00"])
def test_what_is_no_message_id_is_refused(scene, message_id):
    channel = scene.join()

    answer = scene.consume(message_id)

    assert answer.code == ResponseCode.SYSTEM_ERROR
    assert f"msgId {message_id!r} does not say where" in answer.remark
    assert channel.calls == []


@pytest.mark.parametrize("position", [-1, 7, 1 << 40])
def test_message_that_is_not_there_is_refused(scene, position):
    scene.put("T")
    channel = scene.join()

    answer = scene.consume(build_offset_message_id(HOST, position))

    remark = f"can not find message by the offset, {position}"
    assert refusal(answer) == (ResponseCode.SYSTEM_ERROR, remark)
    assert channel.calls == []


# offsets that consumers tell


def told(offset):
    return encode_body(GetConsumerStatusBody(message_queue_table={QUEUE: offset}))


def shown(answer):
    assert answer.code == ResponseCode.SUCCESS
    return decode_body(GetConsumerStatusBody, answer.body).consumer_table


@pytest.mark.parametrize("named", [None, " "])
def test_all_members_are_asked_at_once(scene, named):
    one, other = scene.join("c", V3_0_7_SNAPSHOT), scene.join("d")

    assert scene.status(named) is None
    calls = [one.calls.pop(), other.calls.pop()]
    for number, call in enumerate(calls):
        assert call.command.code == RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT
        assert call.command.ext_fields == {"topic": "T", "group": "G"}
        assert call.timeout_ms == STATUS_MS_MAX
        call.succeed(body=told(number))

    assert shown(scene.answered()) == {"c": {QUEUE: 0}, "d": {QUEUE: 1}}


def test_one_member_is_asked_alone(scene):
    other, named = scene.join("c", V3_0_7_SNAPSHOT - 1), scene.join("d")

    scene.status("d")
    named.calls.pop().succeed(body=told(5))

    assert shown(scene.answered()) == {"d": {QUEUE: 5}}
    assert other.calls == []


def test_member_that_is_not_there_tells_nothing(scene):
    scene.join("c")

    assert shown(scene.status("x")) == {}


def test_members_that_do_not_tell_are_left_out(scene):
    channels = [scene.join(name) for name in "abcde"]
    scene.status()
    calls = [channel.calls.pop() for channel in channels]

    calls[0].succeed(body=told(1))
    calls[1].respond(ResponseCode.SYSTEM_ERROR, "no")
    calls[2].succeed()
    calls[3].succeed(body=b"[not a body")
    calls[4].expire()

    assert shown(scene.answered()) == {"a": {QUEUE: 1}}


def test_group_that_is_not_connected_has_no_status(scene):
    remark = "No Any Consumer online in the consumer group: [G]"

    assert refusal(scene.status()) == (ResponseCode.SYSTEM_ERROR, remark)


def test_too_old_a_member_has_no_status(scene):
    scene.join("c", V3_0_7_SNAPSHOT - 1)

    answer = scene.status()

    remark = "the client does not support this feature. version=27 client=c@10.0.0.3:50000"
    assert refusal(answer) == (ResponseCode.SYSTEM_ERROR, remark)
