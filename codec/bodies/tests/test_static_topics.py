from codec.bodies import decode_body, encode_body
from codec.bodies.static_topics import (
    GLOBAL_SCOPE,
    LogicQueueMappingItem,
    TopicQueueMappingDetail,
    TopicQueueMappingInfo,
    TopicQueueMappingSerializeWrapper,
)
from codec.bodies.tests.recorded import ODD, read_recorded

STRETCH = LogicQueueMappingItem(
    bname=f"bname{ODD}",
    end_offset=1700000000009,
    gen=9,
    logic_offset=1700000000011,
    queue_id=21,
    start_offset=1700000000011,
    time_of_end=1700000000009,
    time_of_start=1700000000011,
)


def test_the_queues_that_a_broker_hosts_are_java_s() -> None:
    body = read_recorded(TopicQueueMappingInfo)

    assert body.curr_id_map == {1: 27, 2: 27}
    assert body.scope == f"scope{ODD}"


def test_the_history_of_queues_is_java_s() -> None:
    body = read_recorded(TopicQueueMappingDetail)

    assert body.hosted_queues == {1: [STRETCH], 2: [STRETCH]}
    assert body.total_queues == 33


def test_the_mappings_of_a_broker_are_java_s() -> None:
    mappings = read_recorded(TopicQueueMappingSerializeWrapper).topic_queue_mapping_info_map

    assert read_recorded(TopicQueueMappingDetail) in mappings.values()


def test_a_new_stretch_is_open() -> None:
    stretch = decode_body(LogicQueueMappingItem, b"{}")

    assert (stretch.end_offset, stretch.time_of_start, stretch.time_of_end) == (-1, -1, -1)


def test_a_mapping_is_of_the_whole_cluster_unless_said() -> None:
    assert TopicQueueMappingInfo().scope == GLOBAL_SCOPE
    assert encode_body(TopicQueueMappingInfo(topic="T")) == (
        b'{"currIdMap":{},"dirty":false,"epoch":0,"scope":"__global__","topic":"T","totalQueues":0}'
    )
