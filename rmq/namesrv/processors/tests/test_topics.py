import pytest

from codec.bodies import decode_body, encode_body
from codec.bodies.route import QueueData, TopicRouteData
from codec.bodies.topics import TopicList
from codec.codes import RequestCode, ResponseCode
from codec.headers.namesrv import (
    DeleteTopicFromNamesrvRequestHeader,
    GetTopicsByClusterRequestHeader,
    RegisterTopicRequestHeader,
)
from rmq.base.errors import CommandError
from rmq.namesrv.tests.scene import Scene

CLUSTER = GetTopicsByClusterRequestHeader(cluster="c")


def listed(scene: Scene, code: RequestCode) -> list[str]:
    header = CLUSTER if code == RequestCode.GET_TOPICS_BY_CLUSTER else None
    return decode_body(TopicList, scene.ask(code, header).body).topic_list


def test_a_topic_is_registered_on_its_own() -> None:
    scene = Scene()
    scene.register()
    route = TopicRouteData(queue_datas=[QueueData(broker_name="broker-a", perm=6)])

    header = RegisterTopicRequestHeader(topic="x")
    scene.ask(RequestCode.REGISTER_TOPIC_IN_NAMESRV, header, encode_body(route))

    assert "x" in scene.namesrv.tables.topic_queues


@pytest.mark.parametrize("content", [b"", b"{}", b'{"queueDatas":[{"brokerName":"unknown"}]}'])
def test_registering_no_queues_or_on_unknown_brokers_does_nothing(content: bytes) -> None:
    scene = Scene()

    header = RegisterTopicRequestHeader(topic="x")
    answer = scene.ask(RequestCode.REGISTER_TOPIC_IN_NAMESRV, header, content)

    assert answer.code == ResponseCode.SUCCESS
    assert not scene.namesrv.tables.topic_queues


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b'{"queueDatas":7}',
        b'{"queueDatas":[{"brokerName":"broker-a","perm":"x"}]}',
        b'{"queueDatas":[{"brokerName":"broker-a","readQueueNums":99999999999}]}',
    ],
)
def test_a_broken_topic_is_refused(content: bytes) -> None:
    scene = Scene()
    scene.register()

    header = RegisterTopicRequestHeader(topic="x")
    with pytest.raises(CommandError) as refused:
        scene.ask(RequestCode.REGISTER_TOPIC_IN_NAMESRV, header, content)

    assert refused.value.code == ResponseCode.SYSTEM_ERROR
    assert "x" not in scene.namesrv.tables.topic_queues


@pytest.mark.parametrize("cluster", [None, "", "c"])
def test_a_topic_is_deleted_everywhere_or_in_its_cluster(cluster: str | None) -> None:
    scene = Scene()
    scene.register()

    header = DeleteTopicFromNamesrvRequestHeader(topic="t1", cluster_name=cluster)
    scene.ask(RequestCode.DELETE_TOPIC_IN_NAMESRV, header)

    assert set(scene.namesrv.tables.topic_queues) == {"t2"}


def test_a_topic_of_another_cluster_stays() -> None:
    scene = Scene()
    scene.register()

    header = DeleteTopicFromNamesrvRequestHeader(topic="t1", cluster_name="d")
    scene.ask(RequestCode.DELETE_TOPIC_IN_NAMESRV, header)

    assert set(scene.namesrv.tables.topic_queues) == {"t1", "t2"}


def test_topics_are_listed() -> None:
    scene = Scene()
    scene.register()

    assert listed(scene, RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER) == ["t1", "t2"]
    assert listed(scene, RequestCode.GET_TOPICS_BY_CLUSTER) == ["t1", "t2"]
    assert listed(scene, RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS) == ["c", "broker-a"]
    for code in (
        RequestCode.GET_UNIT_TOPIC_LIST,
        RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST,
        RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST,
    ):
        assert listed(scene, code) == []


@pytest.mark.parametrize(
    "code",
    [
        RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER,
        RequestCode.GET_TOPICS_BY_CLUSTER,
        RequestCode.GET_UNIT_TOPIC_LIST,
        RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST,
        RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST,
    ],
)
def test_lists_can_be_switched_off(code: RequestCode) -> None:
    scene = Scene(enableAllTopicList=False, enableTopicList=False)

    with pytest.raises(CommandError, match="disable") as refused:
        listed(scene, code)

    assert refused.value.code == ResponseCode.SYSTEM_ERROR


def test_the_list_of_system_topics_cannot_be_switched_off() -> None:
    scene = Scene(enableAllTopicList=False, enableTopicList=False)

    assert listed(scene, RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS) == []
