import pytest

from codec.bodies import decode_body
from codec.bodies.heartbeat import ConsumerData
from codec.bodies.message_queue import MessageQueue
from codec.bodies.offsets import MessageQueueForC, ResetOffsetBody, ResetOffsetBodyForC
from codec.bodies.topics import TopicConfig
from codec.codes import V3_0_7_SNAPSHOT, LanguageCode, RequestCode, ResponseCode
from codec.command import Command, decode_command, encode_command
from codec.frame import parse_frame
from codec.headers.fields import decode_header, ext_fields_of
from codec.headers.offsets import ResetOffsetRequestHeader
from rmq.broker.clients import Client
from rmq.broker.processors.admin.resets import ResetProcessor
from rmq.broker.processors.admin.tests.scene import AdminScene
from rmq.broker.tests.roles import A_SLAVE
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.handling import handler_table
from rmq.remoting.testing import FakeChannel


class ResetScene(AdminScene):
    """Topic T with 2 queues of 4 messages a second apart, of which G has consumed 3 each."""

    def __init__(self, **changed):
        super().__init__(**changed)
        self.processor = ResetProcessor(
            self.config,
            self.topics,
            self.groups,
            self.consumers,
            self.offsets,
            self.store,
            self.role,
        )
        self._dispatcher = Dispatcher(handler_table([self.processor]))
        self.topics.update(TopicConfig(topic_name="T", read_queue_nums=2, write_queue_nums=2))
        self.groups.find("G")
        for queue_id in (0, 1):
            self.put("T", queue_id, 4)
            self.offsets.commit("G", "T", queue_id, 3)

    def reset(self, *, topic="T", group="G", is_force=True, **fields):
        header = ResetOffsetRequestHeader(topic=topic, group=group, is_force=is_force, **fields)
        return self.ask(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, header)

    def reset_from_cpp(self):
        header = ResetOffsetRequestHeader(topic="T", group="G", timestamp=0, is_force=True)
        command = Command(
            code=RequestCode.INVOKE_BROKER_TO_RESET_OFFSET,
            language=LanguageCode.CPP,
            ext_fields=ext_fields_of(header),
        )
        answer = self._dispatcher.answer(parse_frame(encode_command(command)), self.peer)
        return decode_command(parse_frame(answer))

    def second(self, queue_id=0):
        """When the second message of a queue was stored."""
        return self.store.store_time("T", queue_id, 1)

    def join(self, client_id, version=479, language="JAVA"):
        channel = FakeChannel()
        client = Client(channel, client_id, language, version)
        self.consumers.register(client, ConsumerData(group_name="G"), notify=False)
        return channel


@pytest.fixture
def scene():
    return ResetScene()


@pytest.fixture
def pushing():
    return ResetScene(useServerSideResetOffset=False)


def queue(queue_id):
    return MessageQueue(topic="T", broker_name="broker-a", queue_id=queue_id)


def table(answer):
    assert answer.code == ResponseCode.SUCCESS, answer.remark
    offsets = decode_body(ResetOffsetBody, answer.body).offset_table
    assert all((key.topic, key.broker_name) == ("T", "broker-a") for key in offsets)
    return {key.queue_id: offset for key, offset in offsets.items()}


def refusal(answer):
    return answer.code, answer.remark


# recorded


def test_all_queues_are_reset_to_a_time(scene):
    assert table(scene.reset(timestamp=scene.second())) == {0: 1, 1: 0}

    assert [scene.offsets.query("G", "T", queue_id) for queue_id in (0, 1)] == [1, 0]
    assert scene.offsets.has_reset("G", "T", 0)
    assert scene.offsets.has_reset("G", "T", 1)


def test_negative_time_means_the_end(scene):
    assert table(scene.reset(timestamp=-2)) == {0: 4, 1: 4}


def test_one_queue_is_reset_to_a_time(scene):
    assert table(scene.reset(timestamp=-1, queue_id=1)) == {1: 4}
    assert table(scene.reset(timestamp=0, queue_id=1, offset=-1)) == {1: 0}

    assert not scene.offsets.has_reset("G", "T", 0)


@pytest.mark.parametrize("offset", [0, 2, 5])
def test_one_queue_is_reset_to_an_offset(scene, offset):
    assert table(scene.reset(queue_id=0, offset=offset)) == {0: offset}

    assert scene.offsets.query("G", "T", 0) == offset


@pytest.mark.parametrize("offset", [-2, 6])
def test_offset_outside_the_queue_is_refused(scene, offset):
    remark = f"Target offset {offset} not in consume queue range [0-4]"

    assert refusal(scene.reset(queue_id=0, offset=offset)) == (ResponseCode.SYSTEM_ERROR, remark)
    assert not scene.offsets.has_reset("G", "T", 0)


def test_offset_goes_with_a_queue_only(scene):
    assert table(scene.reset(timestamp=0, offset=2)) == {0: 0, 1: 0}


def test_queue_that_the_topic_does_not_have_is_refused(scene):
    answer = scene.reset(queue_id=2, timestamp=0)

    remark = "queueId 2, but topic T has 2 queues"
    assert refusal(answer) == (ResponseCode.INVALID_PARAMETER, remark)


def test_topic_without_queues_to_read_has_nothing_to_reset(scene):
    scene.topics.update(TopicConfig(topic_name="T", read_queue_nums=0, write_queue_nums=2))

    answer = scene.reset(timestamp=0)

    assert refusal(answer) == (ResponseCode.SYSTEM_ERROR, "No queues to reset.")


@pytest.mark.parametrize("pushed", [False, True])
def test_unknown_topic_is_refused(pushed):
    answer = ResetScene(useServerSideResetOffset=not pushed).reset(topic="X")

    assert refusal(answer) == (ResponseCode.TOPIC_NOT_EXIST, "topic[X] not exist")


def test_unknown_group_is_refused_and_not_made(scene):
    answer = scene.reset(group="X")

    remark = "Group X does not exist"
    assert refusal(answer) == (ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, remark)
    assert "X" not in scene.groups


# pushed


def pushes(channel, body=ResetOffsetBody):
    """What a client was told, without its notices of members."""
    return [
        (
            decode_header(ResetOffsetRequestHeader, one.ext_fields),
            decode_body(body, one.body).offset_table,
        )
        for one in channel.sent
        if one.code == RequestCode.RESET_CONSUMER_CLIENT_OFFSET
    ]


def test_all_members_are_told(pushing):
    channels = [pushing.join("a"), pushing.join("b", version=V3_0_7_SNAPSHOT)]
    asked_ms = pushing.second()

    assert table(pushing.reset(timestamp=asked_ms)) == {0: 1, 1: 0}

    told = ResetOffsetRequestHeader(topic="T", group="G", timestamp=asked_ms)
    for channel in channels:
        assert pushes(channel) == [(told, {queue(0): 1, queue(1): 0})]
    assert not pushing.offsets.has_reset("G", "T", 0)
    assert pushing.offsets.query("G", "T", 0) == 3


@pytest.mark.parametrize(("is_force", "offset"), [(True, 4), (False, 3)])
def test_going_ahead_must_be_forced(pushing, is_force, offset):
    channel = pushing.join("a")

    assert table(pushing.reset(timestamp=-1, is_force=is_force)) == {0: offset, 1: offset}

    assert pushes(channel)[0][1] == {queue(0): offset, queue(1): offset}


def c_list(*offsets):
    return [
        MessageQueueForC(broker_name="broker-a", offset=offset, queue_id=number, topic="T")
        for number, offset in enumerate(offsets)
    ]


def test_a_member_in_cpp_is_told_by_a_list(pushing):
    in_java, in_cpp = pushing.join("a"), pushing.join("b", language="CPP")

    assert table(pushing.reset(timestamp=0)) == {0: 0, 1: 0}

    assert pushes(in_java)[0][1] == {queue(0): 0, queue(1): 0}
    assert pushes(in_cpp, ResetOffsetBodyForC)[0][1] == c_list(0, 0)


def test_all_are_told_by_a_list_if_who_asks_is_in_cpp(pushing):
    channel = pushing.join("a")

    assert table(pushing.reset_from_cpp()) == {0: 0, 1: 0}

    assert pushes(channel, ResetOffsetBodyForC)[0][1] == c_list(0, 0)


def test_group_that_has_consumed_nothing_is_refused(pushing):
    channel = pushing.join("a")
    pushing.topics.update(TopicConfig(topic_name="T", read_queue_nums=3, write_queue_nums=3))

    answer = pushing.reset(timestamp=0)

    assert answer.code == ResponseCode.SYSTEM_ERROR
    assert "<G> not exist: it has no offset in queue 2 of topic T" in answer.remark
    assert pushes(channel) == []


def test_group_that_is_not_connected_is_refused(pushing):
    answer = pushing.reset(timestamp=5)

    remark = "Consumer not online, so can not reset offset, Group: G Topic: T Timestamp: 5"
    assert refusal(answer) == (ResponseCode.CONSUMER_NOT_ONLINE, remark)


def test_group_with_too_old_a_member_is_told_nothing(pushing):
    channel = pushing.join("a")
    pushing.join("old", version=V3_0_7_SNAPSHOT - 1)

    answer = pushing.reset(timestamp=0)

    remark = "the client does not support this feature. version=27 client=old@10.0.0.1:40000"
    assert refusal(answer) == (ResponseCode.SYSTEM_ERROR, remark)
    assert pushes(channel) == []


def test_a_slave_resets_nothing(scene):
    scene.role.set(A_SLAVE)

    answer = scene.reset(timestamp=0)

    assert answer.code == ResponseCode.SYSTEM_ERROR
    assert answer.remark == "Can not reset offset in slave broker"
