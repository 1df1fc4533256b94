import pytest

from codec.bodies.groups import SubscriptionGroupConfig
from codec.bodies.topics import TopicConfig
from codec.codes import RequestCode, ResponseCode
from codec.frame import JSON, ROCKETMQ
from codec.headers.send import ConsumerSendMsgBackRequestHeader
from codec.message import properties as props
from codec.message.sysflag import MULTI_TAGS, TRANSACTION_PREPARED
from rmq.base.manual import FixedChance
from rmq.broker.processors.send_back import SendBackProcessor
from rmq.broker.processors.tests.scene import HOST, Scene
from rmq.broker.stats import BrokerStats
from rmq.broker.tests.roles import A_SLAVE
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.handling import handler_table
from rmq.store.messages import PutMessage

SCHEDULE = "SCHEDULE_TOPIC_XXXX"
BORN = b"\x0a\0\0\x07\0\0\x30\x39"


class BackScene(Scene):
    def __init__(self, *, chance=(0,) * 9, safely=False, **options):
        super().__init__(**options)
        self.stats = BrokerStats(
            self.clock, "C", self.store.consume_queues, self.topics.is_system, lambda _ms: 0
        )
        self.processor = SendBackProcessor(
            self.send_settings,
            self.topics,
            self.groups,
            self.store,
            self.durability.flushed if safely else None,
            self.stats,
            FixedChance(chance),
        )
        self._dispatcher = Dispatcher(handler_table([self.processor]))

    def consumed(self, topic="T", times=0, properties=b"TAGS\x01a\x02UNIQ_KEY\x01K\x02", **fields):
        """Store a message as a consumer got it; its position."""
        message = PutMessage(
            topic,
            0,
            b"body",
            properties,
            flag=5,
            born_timestamp=1_600_000_000_000,
            born_host=BORN,
            reconsume_times=times,
            **fields,
        )
        return self.store.put(message).position

    def back(self, offset, *, version=479, encoding=JSON, **fields):
        header = ConsumerSendMsgBackRequestHeader(
            **({"offset": offset, "group": "g", "delay_level": 0} | fields)
        )
        code = RequestCode.CONSUMER_SEND_MSG_BACK
        return self.ask(code, header, version=version, encoding=encoding)


@pytest.fixture
def scene():
    return BackScene()


def refusal(answer):
    return answer.code, answer.remark


@pytest.mark.parametrize("encoding", [JSON, ROCKETMQ])
def test_message_sent_back_waits_for_the_next_try(scene, encoding):
    position = scene.consumed(sys_flag=MULTI_TAGS)

    answer = scene.back(position, encoding=encoding)

    record = scene.stored(SCHEDULE, 2)
    assert (answer.code, answer.remark, answer.ext_fields) == (0, None, {})
    assert (record.body, record.flag, record.sys_flag) == (b"body", 5, MULTI_TAGS)
    assert (record.born_timestamp, record.born_host) == (1_600_000_000_000, BORN)
    assert (record.store_host, record.reconsume_times) == (HOST, 1)
    assert props.parse(record.properties) == {
        "TAGS": "a",
        "UNIQ_KEY": "K",
        "RETRY_TOPIC": "T",
        "WAIT": "false",
        "DELAY": "3",
        "ORIGIN_MESSAGE_ID": HOST.hex().upper() + f"{position:016X}",
        "REAL_TOPIC": "%RETRY%g",
        "REAL_QID": "0",
    }
    retry = scene.topics.get("%RETRY%g")
    assert (retry.read_queue_nums, retry.write_queue_nums, retry.perm) == (1, 1, 6)
    assert scene.stats.item("SNDBCK_PUT_NUMS", "T@g").value == 1


def test_next_try_waits_longer_and_keeps_where_the_message_came_from(scene):
    text = b"RETRY_TOPIC\x01T\x02ORIGIN_MESSAGE_ID\x01FIRST\x02DELAY\x013\x02REAL_QID\x017\x02"
    position = scene.consumed("%RETRY%g", times=2, properties=text)

    scene.back(position)

    assert scene.stored(SCHEDULE, 4).reconsume_times == 3
    assert scene.stored_properties(SCHEDULE, 4) == {
        "RETRY_TOPIC": "T",
        "ORIGIN_MESSAGE_ID": "FIRST",
        "DELAY": "5",
        "REAL_TOPIC": "%RETRY%g",
        "REAL_QID": "0",
        "WAIT": "false",
    }


def test_consumer_may_choose_the_delay(scene):
    position = scene.consumed(times=4)

    scene.back(position, delay_level=1)
    scene.back(position, delay_level=99)

    assert scene.stored_properties(SCHEDULE, 0)["DELAY"] == "1"
    assert scene.stored_properties(SCHEDULE, 17)["DELAY"] == "18"


def test_any_of_the_group_s_retry_queues_is_used():
    scene = BackScene(chance=[5])
    scene.groups.update(SubscriptionGroupConfig(group_name="g", retry_queue_nums=4))

    scene.back(scene.consumed(), unit_mode=True)

    assert scene.stored_properties(SCHEDULE, 2)["REAL_QID"] == "1"
    retry = scene.topics.get("%RETRY%g")
    assert (retry.write_queue_nums, retry.topic_sys_flag) == (4, 2)


@pytest.mark.parametrize(
    ("times", "fields"),
    [
        (16, {}),
        (0, {"delay_level": -1}),
        (2, {"max_reconsume_times": 2}),
        (0, {"max_reconsume_times": 0}),
        (16, {"max_reconsume_times": 17, "version": 120}),
    ],
)
def test_message_tried_too_often_is_a_dead_letter(scene, times, fields):
    position = scene.consumed(times=times)

    assert scene.back(position, **fields).code == 0

    dead = scene.topics.get("%DLQ%g")
    assert (dead.read_queue_nums, dead.write_queue_nums, dead.perm) == (1, 1, 6)
    assert scene.stored("%DLQ%g").reconsume_times == times + 1
    assert scene.stored_properties("%DLQ%g") == {
        "TAGS": "a",
        "UNIQ_KEY": "K",
        "RETRY_TOPIC": "T",
        "WAIT": "false",
        "DELAY": "0",
        "ORIGIN_MESSAGE_ID": HOST.hex().upper() + f"{position:016X}",
    }


def test_group_may_have_fewer_tries(scene):
    scene.groups.update(SubscriptionGroupConfig(group_name="g", retry_max_times=1))

    scene.back(scene.consumed(times=0))
    scene.back(scene.consumed(times=1))

    assert scene.store.max_offset(SCHEDULE, 2) == 1
    assert scene.store.max_offset("%DLQ%g", 0) == 1


def test_checksum_of_the_old_record_is_not_kept():
    scene = BackScene(store={"append_crc": True})
    position = scene.consumed()

    scene.back(position)

    sealed = scene.stored(SCHEDULE, 2).properties
    assert sealed.count(b"__CRC32#") == 1
    assert sealed.endswith(b"\x02")


def test_half_message_sent_back_is_stored_where_it_cannot_be_delayed(scene):
    position = scene.consumed(sys_flag=TRANSACTION_PREPARED)
    before = scene.store.written_position

    assert scene.back(position).code == 0

    assert scene.store.written_position > before
    assert scene.store.max_offset("%RETRY%g", 0) == scene.store.max_offset(SCHEDULE, 2) == 0


def test_group_without_retry_queues_has_it_dropped(scene):
    scene.groups.update(SubscriptionGroupConfig(group_name="g", retry_queue_nums=0))
    position = scene.consumed()
    before = scene.store.written_position

    assert scene.back(position).code == 0

    assert scene.store.written_position == before
    assert scene.topics.get("%RETRY%g") is None


def test_unknown_group_is_refused():
    scene = BackScene(autoCreateSubscriptionGroup=False)

    assert refusal(scene.back(scene.consumed())) == (
        ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
        "subscription group not exist, g",
    )


def test_group_that_cannot_be_called_so_is_refused(scene):
    answer = scene.back(scene.consumed(), group="../g")

    assert answer.code == ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST


def test_read_only_broker_refuses(scene):
    scene.permission = 4

    assert refusal(scene.back(scene.consumed())) == (
        ResponseCode.NO_PERMISSION,
        "the broker[10.0.0.2] sending message is forbidden",
    )


def test_read_only_retry_topic_refuses(scene):
    scene.topics.update(TopicConfig(topic_name="%RETRY%g", perm=4))

    assert refusal(scene.back(scene.consumed())) == (
        ResponseCode.NO_PERMISSION,
        "the topic[%RETRY%g] sending message is forbidden",
    )


@pytest.mark.parametrize("offset", [-1, 3, 1 << 40])
def test_offset_where_no_message_begins_is_refused(scene, offset):
    scene.consumed()

    assert refusal(scene.back(offset)) == (
        ResponseCode.SYSTEM_ERROR,
        f"look message by offset failed, {offset}",
    )


def test_message_that_the_store_refuses_is_told(scene):
    position = scene.consumed()
    scene.disk.fail_reserve = OSError(28, "No space left on device")

    code, remark = refusal(scene.back(position, group="a-new-group"))

    assert code == ResponseCode.SYSTEM_ERROR
    assert remark == "SERVICE_NOT_AVAILABLE: No space left on device: /store"
    assert scene.stats.item("SNDBCK_PUT_NUMS", "T@a-new-group") is None


def test_message_that_gets_too_long_is_told(scene):
    position = scene.consumed(properties=b"A\x01" + b"x" * 3900 + b"\x02")

    code, remark = refusal(scene.back(position))

    assert code == ResponseCode.SYSTEM_ERROR
    assert remark.startswith("MESSAGE_ILLEGAL: ")


def test_consumer_is_told_when_its_copy_is_on_disk():
    scene = BackScene(safely=True)
    position = scene.consumed()

    assert scene.back(position) is None
    scene.clock.advance(0)
    scene.worker.finish()

    assert [answer.code for answer in scene.peer.replies] == [0]


def test_consumer_is_told_when_its_copy_did_not_reach_the_disk():
    scene = BackScene(safely=True)
    position = scene.consumed()
    scene.back(position)
    scene.clock.advance(0)

    scene.worker.fail(OSError(5, "Input/output error"))

    (answer,) = scene.peer.replies
    assert refusal(answer) == (ResponseCode.SYSTEM_ERROR, "SERVICE_NOT_AVAILABLE")


def test_a_slave_takes_nothing_back():
    scene = BackScene()
    position = scene.consumed()
    scene.role.set(A_SLAVE)

    answer = scene.back(position)

    assert answer.code == ResponseCode.SYSTEM_BUSY
    assert scene.topics.get("%RETRY%g") is None
