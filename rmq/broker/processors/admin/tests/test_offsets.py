import pytest

from codec.bodies import decode_body
from codec.bodies.heartbeat import ConsumerData, SubscriptionData
from codec.bodies.message_queue import MessageQueue
from codec.bodies.offsets import (
    ConsumerOffsetSerializeWrapper,
    ConsumeStats,
    ConsumeStatsList,
    OffsetWrapper,
    QueryCorrectionOffsetBody,
)
from codec.bodies.topics import TopicConfig
from codec.codes import RequestCode, ResponseCode
from codec.headers.groups import GetConsumeStatsInBrokerHeader, GetConsumeStatsRequestHeader
from codec.headers.offsets import CloneGroupOffsetRequestHeader, QueryCorrectionOffsetHeader
from rmq.broker.clients import Client
from rmq.broker.processors.admin.tests.scene import AdminScene


@pytest.fixture
def scene():
    """Topics A and B with 3 messages in queue 0, of which G has consumed 2; X is no topic."""
    scene = AdminScene()
    for name, order in (("A", True), ("B", False)):
        scene.topics.update(
            TopicConfig(topic_name=name, read_queue_nums=2, write_queue_nums=1, order=order)
        )
        scene.put(name, count=3)
        scene.offsets.commit("G", name, 0, 2)
    scene.offsets.commit("G", "X", 0, 1)
    scene.groups.find("G")
    return scene


def subscribe(scene, *topics):
    subscriptions = [SubscriptionData(topic=topic, sub_string="*") for topic in topics]
    data = ConsumerData(group_name="G", subscription_data_set=subscriptions)
    scene.consumers.register(Client(scene.peer, "c"), data)


def consume_stats(scene, **fields):
    header = GetConsumeStatsRequestHeader(consumer_group="G", **fields)
    answer = scene.ask(RequestCode.GET_CONSUME_STATS, header)
    assert answer.code == ResponseCode.SUCCESS
    return decode_body(ConsumeStats, answer.body)


def topics_of(stats):
    return {queue.topic for queue in stats.offset_table}


def clone(scene, topic=None, destination="H", *, offline=False):
    header = CloneGroupOffsetRequestHeader(
        src_group="G", dest_group=destination, topic=topic, offline=offline
    )
    return scene.ask(RequestCode.CLONE_GROUP_OFFSET, header)


def test_all_offsets_are_given(scene):
    answer = scene.ask(RequestCode.GET_ALL_CONSUMER_OFFSET)

    given = decode_body(ConsumerOffsetSerializeWrapper, answer.body)
    assert given.offset_table == {"A@G": {0: 2}, "B@G": {0: 2}, "X@G": {0: 1}}


def test_stats_say_of_each_queue_how_far_a_group_is(scene):
    scene.offsets.pulled("G", "A", 0, 3)
    scene.stats.got("G", "A", 20, 2000)
    scene.stats.sample()

    stats = consume_stats(scene, topic="A")

    queues = [MessageQueue(topic="A", broker_name="broker-a", queue_id=number) for number in (0, 1)]
    assert stats.offset_table == {
        queues[0]: OffsetWrapper(
            broker_offset=3,
            consumer_offset=2,
            pull_offset=3,
            last_timestamp=scene.store.store_time("A", 0, 1),
        ),
        queues[1]: OffsetWrapper(),
    }
    assert stats.consume_tps == 2.0


def test_stats_are_of_all_topics_with_offsets_unless_some_are_named(scene):
    assert topics_of(consume_stats(scene)) == {"A", "B"}
    assert topics_of(consume_stats(scene, topic=" ")) == {"A", "B"}
    assert topics_of(consume_stats(scene, topic="B")) == {"B"}
    assert topics_of(consume_stats(scene, topic="X")) == set()


def test_a_connected_group_is_not_in_topics_that_it_does_not_read(scene):
    subscribe(scene, "B")

    assert topics_of(consume_stats(scene)) == {"B"}
    assert topics_of(consume_stats(scene, topic="A")) == set()
    assert topics_of(consume_stats(scene, topic_list="A;X;")) == {"A"}


def test_a_group_connected_without_subscriptions_is_in_all(scene):
    subscribe(scene)

    assert topics_of(consume_stats(scene)) == {"A", "B"}


@pytest.mark.parametrize(("is_order", "topics"), [(False, ["A", "B"]), (True, ["A"])])
def test_stats_of_a_broker_are_of_all_groups(scene, is_order, topics):
    scene.offsets.pulled("G", "A", 0, 3)
    header = GetConsumeStatsInBrokerHeader(is_order=is_order)

    answer = scene.ask(RequestCode.GET_BROKER_CONSUME_STATS, header)

    given = decode_body(ConsumeStatsList, answer.body)
    by_group = {group: stats for one in given.consume_stats_list for group, stats in one.items()}
    assert by_group.keys() == scene.groups.table.keys()
    assert [topics_of(stats) for stats in by_group["G"]] == [{topic} for topic in topics]
    assert given.broker_addr == "10.0.0.2:10911"
    assert given.total_diff == len(topics)
    assert given.total_inflight_diff == 1


def test_stats_of_a_broker_leave_out_what_is_not_read(scene):
    subscribe(scene, "B")

    answer = scene.ask(RequestCode.GET_BROKER_CONSUME_STATS, GetConsumeStatsInBrokerHeader())

    assert decode_body(ConsumeStatsList, answer.body).total_diff == 1


def test_corrections_set_a_group_against_the_others(scene):
    scene.offsets.commit("H", "A", 0, 1)
    scene.offsets.commit("I", "A", 0, 0)
    header = QueryCorrectionOffsetHeader(topic="A", filter_groups="I", compare_group="G")

    answer = scene.ask(RequestCode.QUERY_CORRECTION_OFFSET, header)

    assert decode_body(QueryCorrectionOffsetBody, answer.body).correction_offsets == {0: 1}


def test_corrections_need_no_groups_to_leave_out(scene):
    header = QueryCorrectionOffsetHeader(topic="A", compare_group="G")

    answer = scene.ask(RequestCode.QUERY_CORRECTION_OFFSET, header)

    assert decode_body(QueryCorrectionOffsetBody, answer.body).correction_offsets == {0: 2}


def test_offsets_are_cloned_in_one_topic_or_in_all(scene):
    assert clone(scene, "A").code == ResponseCode.SUCCESS
    assert scene.offsets.topics_of("H") == {"A"}

    clone(scene)
    assert scene.offsets.topics_of("H") == {"A", "B"}
    assert scene.offsets.query("H", "B", 0) == 2


def test_a_connected_group_is_cloned_where_it_reads_unless_offline(scene):
    subscribe(scene, "B")

    clone(scene)
    assert scene.offsets.topics_of("H") == {"B"}
    clone(scene, offline=True)
    assert scene.offsets.topics_of("H") == {"A", "B"}


def test_no_group_is_made_whose_name_cannot_be(scene):
    assert clone(scene, "A", "../H").code == ResponseCode.INVALID_PARAMETER
    assert scene.offsets.topics_of("../H") == set()
