from codec.bodies import decode_body
from codec.bodies.route import (
    BrokerData,
    QueueData,
    TopicRouteData,
    encode_legacy_route,
    encode_route,
)

ROUTE = TopicRouteData(
    broker_datas=[
        BrokerData(broker_name="b", cluster="c", broker_addrs={10: "é😀/<", 2: "b"}),
        BrokerData(broker_name="d", cluster="c", broker_addrs={0: "d"}),
    ],
    queue_datas=[QueueData(broker_name="b")],
)
REST = (
    '"filterServerTable":{},"queueDatas":'
    '[{"brokerName":"b","perm":0,"readQueueNums":0,"topicSysFlag":0,"writeQueueNums":0}]}'
)


def test_a_route_is_standard_json_in_ascii_with_ascending_ids() -> None:
    assert encode_route(ROUTE).decode() == (
        '{"brokerDatas":[{"brokerAddrs":{"2":"b","10":"\\u00E9\\uD83D\\uDE00\\/<"},'
        '"brokerName":"b","cluster":"c","enableActingMaster":false},'
        '{"brokerAddrs":{"0":"d"},"brokerName":"d","cluster":"c","enableActingMaster":false}],'
        + REST
    )
    assert decode_body(TopicRouteData, encode_route(ROUTE)) == ROUTE


def test_a_legacy_route_has_bare_ids() -> None:
    assert encode_legacy_route(ROUTE).decode() == (
        '{"brokerDatas":[{"brokerAddrs":{2:"b",10:"é😀/<"},'
        '"brokerName":"b","cluster":"c","enableActingMaster":false},'
        '{"brokerAddrs":{0:"d"},"brokerName":"d","cluster":"c","enableActingMaster":false}],' + REST
    )
    assert decode_body(TopicRouteData, encode_legacy_route(ROUTE)) == ROUTE


def test_a_route_in_order_is_written_as_it_is() -> None:
    route = TopicRouteData(order_topic_conf="b:4")

    assert encode_route(route) == (
        b'{"brokerDatas":[],"filterServerTable":{},"orderTopicConf":"b:4","queueDatas":[]}'
    )
