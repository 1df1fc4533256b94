import msgspec
import pytest

from codec.bodies import decode_body
from codec.bodies.route import TopicRouteData
from codec.codes import RequestCode, ResponseCode
from codec.headers.namesrv import (
    DeleteKVConfigRequestHeader,
    GetRouteInfoRequestHeader,
    PutKVConfigRequestHeader,
)
from rmq.base.errors import CommandError
from rmq.namesrv.addresses import AutomaticAddresses
from rmq.namesrv.tests.scene import MemoryChannel, Scene


def body(
    scene: Scene,
    topic: str = "t1",
    *,
    version: int = 479,
    standard: bool | None = None,
    channel: MemoryChannel | None = None,
    zone: str | None = None,
    zone_mode: str = "true",
) -> bytes:
    header = GetRouteInfoRequestHeader(topic=topic, accept_standard_json_only=standard)
    extra = {} if zone is None else {"__ZONE_NAME": zone, "__ZONE_MODE": zone_mode}
    return scene.ask(
        RequestCode.GET_ROUTEINFO_BY_TOPIC, header, version=version, channel=channel, extra=extra
    ).body


def route(scene: Scene, topic: str = "t1") -> TopicRouteData:
    return decode_body(TopicRouteData, body(scene, topic))


def names(encoded: bytes) -> list[str]:
    return [each.broker_name for each in decode_body(TopicRouteData, encoded).broker_datas]


def order_conf(scene: Scene) -> str | None:
    return route(scene).order_topic_conf


STANDARD = (
    b'{"brokerDatas":[{"brokerAddrs":{"0":"broker-a-0:10911"},"brokerName":"broker-a",'
    b'"cluster":"c","enableActingMaster":false}],"filterServerTable":{},"queueDatas":['
    b'{"brokerName":"broker-a","perm":6,"readQueueNums":16,"topicSysFlag":0,"writeQueueNums":16}]}'
)


def test_clients_from_4_9_4_on_and_those_who_ask_get_standard_json() -> None:
    scene = Scene()
    scene.register()

    assert body(scene, version=401) == STANDARD
    assert body(scene, version=100, standard=True) == STANDARD


def test_older_clients_get_bare_broker_ids() -> None:
    scene = Scene()
    scene.register()

    legacy = STANDARD.replace(b'"0":', b"0:")
    assert body(scene, version=400) == legacy
    assert body(scene, version=317, standard=False) == legacy


def test_a_topic_nobody_serves_is_refused_in_apaches_words() -> None:
    with pytest.raises(CommandError) as refused:
        body(Scene(), "none")

    assert refused.value.code == ResponseCode.TOPIC_NOT_EXIST
    assert refused.value.remark == (
        "No topic route info in name server for the topic: none"
        "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."
    )


def test_what_was_told_once_is_told_again_until_it_changes() -> None:
    scene = Scene()
    scene.register()
    first = body(scene)

    cached = scene.namesrv.tables._cache.get("t1", True, "")
    assert cached == first
    assert body(scene) == first
    scene.register(topics=("t1", "t2"), version=2)
    assert scene.namesrv.tables._cache.get("t1", True, "") is cached
    scene.register("broker-b")
    assert names(body(scene)) == ["broker-a", "broker-b"]


def test_a_topic_that_vanished_is_not_told_from_memory() -> None:
    scene = Scene()
    scene.register()
    body(scene)

    scene.namesrv.tables.delete_topic("t1")

    with pytest.raises(CommandError):
        body(scene)


def test_the_order_of_a_topic_is_told_if_wanted_and_follows_its_value() -> None:
    scene = Scene(orderMessageEnable=True)
    scene.register()
    put = PutKVConfigRequestHeader(namespace="ORDER_TOPIC_CONFIG", key="t1", value="broker-a:4")
    other = PutKVConfigRequestHeader(namespace="other", key="t1", value="x")
    delete = DeleteKVConfigRequestHeader(namespace="ORDER_TOPIC_CONFIG", key="t1")

    assert order_conf(scene) is None
    scene.ask(RequestCode.PUT_KV_CONFIG, put)
    scene.ask(RequestCode.PUT_KV_CONFIG, other)
    assert order_conf(scene) == "broker-a:4"
    scene.ask(RequestCode.DELETE_KV_CONFIG, delete)
    assert order_conf(scene) is None


def test_a_changed_setting_is_obeyed_at_once() -> None:
    scene = Scene()
    scene.register()
    scene.namesrv.kv.put("ORDER_TOPIC_CONFIG", "t1", "broker-a:4")
    assert order_conf(scene) is None

    scene.configuration.update("orderMessageEnable=true")

    assert order_conf(scene) == "broker-a:4"


def test_an_acting_master_is_told_if_that_is_supported() -> None:
    scene = Scene(supportActingMaster=True)
    scene.register(broker_id=1, acting_master=True)

    assert route(scene).broker_datas[0].broker_addrs == {0: "broker-a-1:10911"}


def test_routes_are_refused_for_a_while_after_the_start_if_so_set() -> None:
    scene = Scene(needWaitForService=True, waitSecondsForService=45)
    scene.register()

    scene.clock.advance(44_999)
    with pytest.raises(CommandError, match="name server not ready") as refused:
        body(scene)
    assert refused.value.code == ResponseCode.SYSTEM_ERROR
    scene.clock.advance(1)
    assert body(scene) == STANDARD


def test_nobody_waits_without_that_setting() -> None:
    scene = Scene(waitSecondsForService=45)
    scene.register()

    assert body(scene) == STANDARD


def test_a_client_in_zone_mode_sees_its_zone_in_legacy_form() -> None:
    scene = Scene()
    scene.register("broker-a", zone="z1")
    scene.register("broker-b", zone="z2")

    assert names(body(scene, zone="z2")) == ["broker-b"]
    assert b"{0:" in body(scene, zone="z2")
    assert names(body(scene)) == ["broker-a", "broker-b"]


@pytest.mark.parametrize(("zone", "zone_mode"), [("z2", "false"), (" ", "true"), ("", "TRUE")])
def test_a_client_without_zone_or_mode_sees_everything(zone: str, zone_mode: str) -> None:
    scene = Scene()
    scene.register("broker-a", zone="z1")
    scene.register("broker-b", zone="z2")

    assert names(body(scene, zone=zone, zone_mode=zone_mode)) == ["broker-a", "broker-b"]


def test_each_client_is_told_the_address_by_which_it_came() -> None:
    scene = Scene(AutomaticAddresses({"0.0.0.0:10911"}))
    scene.register("broker-a", address="0.0.0.0:10911", zone="z")
    scene.register("broker-b", address="10.1.1.1:10911")

    def told(local: str, zone: str | None = None) -> list[dict[int, str]]:
        encoded = body(scene, channel=MemoryChannel(local), zone=zone)
        return [each.broker_addrs for each in decode_body(TopicRouteData, encoded).broker_datas]

    assert told("192.0.2.7:9876") == [{0: "192.0.2.7:10911"}, {0: "10.1.1.1:10911"}]
    assert told("127.0.0.1:9876") == [{0: "127.0.0.1:10911"}, {0: "10.1.1.1:10911"}]
    assert told("192.0.2.7:9876") == [{0: "192.0.2.7:10911"}, {0: "10.1.1.1:10911"}]
    assert told("192.0.2.8:9876", zone="z") == [{0: "192.0.2.8:10911"}]


def test_non_ascii_names_are_escaped_in_standard_json_only() -> None:
    scene = Scene()
    scene.register("bröker", topics=("t1", "t2"))

    assert b"br\\u00F6ker" in body(scene)
    assert "bröker".encode() in body(scene, version=100)
    assert msgspec.json.decode(body(scene))["queueDatas"][0]["brokerName"] == "bröker"
