import pytest

from codec.bodies import decode_body
from codec.bodies.admin import QueryConsumeQueueResponseBody
from codec.bodies.clients import QuerySubscriptionResponseBody
from codec.bodies.groups import GroupList
from codec.bodies.heartbeat import ConsumerData, SubscriptionData
from codec.bodies.message_queue import MessageQueue
from codec.bodies.offsets import QueryConsumeTimeSpanBody
from codec.bodies.topics import TopicConfig, TopicList, TopicOffset, TopicStatsTable
from codec.codes import RequestCode, ResponseCode
from codec.headers.broker_admin import QueryConsumeQueueRequestHeader
from codec.headers.groups import QuerySubscriptionByConsumerRequestHeader
from codec.headers.offsets import QueryConsumeTimeSpanRequestHeader
from codec.headers.topics import (
    GetTopicStatsInfoRequestHeader,
    QueryTopicConsumeByWhoRequestHeader,
    QueryTopicsByConsumerRequestHeader,
)
from rmq.broker.clients import Client
from rmq.broker.processors.admin.inspection import UNITS_MAX
from rmq.broker.processors.admin.tests.scene import AdminScene

START_MS = 1_700_000_000_000
"""22:13:20 UTC, 23:13:20 where the scene is."""


@pytest.fixture
def scene():
    scene = AdminScene(store={"reserved_ms": 1, "delete_files_max": 99})
    scene.topics.update(TopicConfig(topic_name="T", read_queue_nums=1, write_queue_nums=2))
    return scene


def subscribe(scene, topic="T"):
    wanted = SubscriptionData(topic=topic, sub_string="a || b")
    data = ConsumerData(group_name="G", subscription_data_set=[wanted])
    scene.consumers.register(Client(scene.peer, "c"), data)
    return wanted


def expire(scene):
    """Fill the log with another topic until nothing of before is left."""
    scene.put("FILLER", count=60)
    scene.clock.advance(10_000)
    assert scene.store.clean(at_once=True)


def consume_queue(scene, topic="T", queue_id=0, index=0, count=10, group=None):
    header = QueryConsumeQueueRequestHeader(
        topic=topic, queue_id=queue_id, index=index, count=count, consumer_group=group
    )
    return scene.ask(RequestCode.QUERY_CONSUME_QUEUE, header)


def test_queues_of_a_topic_are_shown(scene):
    scene.put("T", 1, count=2)
    scene.stats.sample()

    answer = scene.ask(RequestCode.GET_TOPIC_STATS_INFO, GetTopicStatsInfoRequestHeader(topic="T"))

    table = decode_body(TopicStatsTable, answer.body)
    queues = [MessageQueue(topic="T", broker_name="broker-a", queue_id=number) for number in (0, 1)]
    assert table.offset_table == {
        queues[0]: TopicOffset(),
        queues[1]: TopicOffset(max_offset=2, last_update_timestamp=START_MS + 1000),
    }
    assert table.topic_put_tps == 0.2


@pytest.mark.parametrize(
    ("code", "header"),
    [
        (RequestCode.GET_TOPIC_STATS_INFO, GetTopicStatsInfoRequestHeader(topic="X")),
        (
            RequestCode.QUERY_CONSUME_TIME_SPAN,
            QueryConsumeTimeSpanRequestHeader(topic="X", group="G"),
        ),
    ],
)
def test_an_unknown_topic_is_refused(scene, code, header):
    answer = scene.ask(code, header)

    assert answer.code == ResponseCode.TOPIC_NOT_EXIST
    assert answer.remark == "topic[X] not exist"


def test_readers_of_a_topic_are_those_connected_and_those_with_offsets(scene):
    subscribe(scene)
    scene.offsets.commit("H", "T", 0, 1)
    header = QueryTopicConsumeByWhoRequestHeader(topic="T")

    answer = scene.ask(RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, header)

    assert decode_body(GroupList, answer.body).group_list == ["G", "H"]


def test_topics_of_a_group_are_those_with_offsets(scene):
    scene.offsets.commit("G", "U", 0, 1)
    scene.offsets.commit("G", "T", 0, 1)
    header = QueryTopicsByConsumerRequestHeader(group="G")

    answer = scene.ask(RequestCode.QUERY_TOPICS_BY_CONSUMER, header)

    given = decode_body(TopicList, answer.body)
    assert (given.topic_list, given.broker_addr) == (["T", "U"], "10.0.0.2:10911")


@pytest.mark.parametrize(("topic", "is_wanted"), [("T", True), ("U", False), (None, False)])
def test_a_subscription_is_shown_if_there_is_one(scene, topic, is_wanted):
    wanted = subscribe(scene)
    header = QuerySubscriptionByConsumerRequestHeader(group="G", topic=topic)

    answer = scene.ask(RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER, header)

    given = decode_body(QuerySubscriptionResponseBody, answer.body)
    assert given.subscription_data == (wanted if is_wanted else None)
    assert (given.group, given.topic) == ("G", topic)


def test_time_spans_say_from_when_to_when(scene):
    scene.put("T", count=3)
    scene.offsets.commit("G", "T", 0, 2)
    header = QueryConsumeTimeSpanRequestHeader(topic="T", group="G")

    answer = scene.ask(RequestCode.QUERY_CONSUME_TIME_SPAN, header)

    busy, empty = decode_body(QueryConsumeTimeSpanBody, answer.body).consume_time_span_set
    assert (busy.min_time_stamp, busy.max_time_stamp) == (START_MS, START_MS + 2000)
    assert (busy.consume_time_stamp, busy.delay_time) == (START_MS + 1000, 1000)
    assert busy.min_time_stamp_str == "2023-11-14 23:13:20,000"
    assert busy.consume_time_stamp_str == "2023-11-14 23:13:21,000"
    assert (empty.min_time_stamp, empty.max_time_stamp, empty.consume_time_stamp) == (-1, -1, -1)
    assert empty.max_time_stamp_str == "1970-01-01 00:59:59,999"


def test_who_has_consumed_all_has_no_delay(scene):
    scene.put("T", count=2)
    scene.offsets.commit("G", "T", 0, 2)
    header = QueryConsumeTimeSpanRequestHeader(topic="T", group="G")

    answer = scene.ask(RequestCode.QUERY_CONSUME_TIME_SPAN, header)

    span = decode_body(QueryConsumeTimeSpanBody, answer.body).consume_time_span_set[0]
    assert (span.delay_time, span.consume_time_stamp) == (0, span.max_time_stamp)


def test_units_of_a_queue_are_shown(scene):
    scene.put("T", count=60)

    answer = consume_queue(scene, index=45, count=UNITS_MAX)

    body = decode_body(QueryConsumeQueueResponseBody, answer.body)
    assert (body.min_queue_index, body.max_queue_index) == (0, 60)
    positions = [unit.physic_offset for unit in body.queue_data]
    assert positions == [scene.store.position_of("T", 0, offset) for offset in range(45, 60)]
    assert body.filter_data is None
    assert (
        len(decode_body(QueryConsumeQueueResponseBody, consume_queue(scene).body).queue_data) == 10
    )


def test_what_a_group_wants_is_shown_with_the_units(scene):
    scene.put("T")
    offline = decode_body(QueryConsumeQueueResponseBody, consume_queue(scene, group="G").body)
    wanted = subscribe(scene)
    online = decode_body(QueryConsumeQueueResponseBody, consume_queue(scene, group="G").body)

    assert (offline.filter_data, offline.subscription_data) == ("G@T is not online!", None)
    assert (online.filter_data, online.subscription_data) == ("null", wanted)


def test_the_end_of_a_queue_has_no_units(scene):
    scene.put("T", count=2)

    body = decode_body(QueryConsumeQueueResponseBody, consume_queue(scene, index=2).body)

    assert body.queue_data == []


@pytest.mark.parametrize("index", [-1, 3])
def test_an_index_beyond_the_queue_is_remarked(scene, index):
    scene.put("T", count=2)

    answer = consume_queue(scene, index=index)

    assert (answer.code, answer.body) == (ResponseCode.SUCCESS, b"")
    assert answer.remark == f"Index {index} of 0@T is not exist!"


@pytest.mark.parametrize("topic", ["X", "../T", None])
def test_an_unknown_queue_is_refused(scene, topic):
    answer = consume_queue(scene, topic=topic)

    assert answer.code == ResponseCode.SYSTEM_ERROR
    assert answer.remark == f"0@{topic or ''} is not exist!"


@pytest.mark.parametrize("count", [-1, UNITS_MAX + 1])
def test_too_many_units_are_refused(scene, count):
    scene.put("T")

    answer = consume_queue(scene, count=count)

    assert answer.code == ResponseCode.INVALID_PARAMETER
    assert str(UNITS_MAX) in answer.remark


def test_queues_of_unknown_topics_are_cleaned(scene):
    for topic in ("T", "GONE", "%LMQ%x", "rmq_sys_x"):
        scene.put(topic)

    assert scene.ask(RequestCode.CLEAN_UNUSED_TOPIC).code == ResponseCode.SUCCESS

    left = {queue.topic for queue in scene.store.consume_queues()}
    assert left == {"T", "%LMQ%x", "rmq_sys_x"}


def test_queues_without_messages_are_cleaned(scene):
    for topic in ("T", "SCHEDULE_TOPIC_XXXX"):
        scene.put(topic)
    expire(scene)

    assert scene.ask(RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE).code == ResponseCode.SUCCESS

    left = {queue.topic for queue in scene.store.consume_queues()}
    assert left == {"SCHEDULE_TOPIC_XXXX", "FILLER"}
    scene.put("T")
    assert scene.store.max_offset("T", 0) == 1
