import msgspec
import pytest

from codec.bodies import decode_body, encode_body
from codec.bodies.data_version import DataVersion
from codec.bodies.register import RegisterBrokerBody, encode_register_body, register_crc
from codec.bodies.route import ClusterInfo
from codec.codes import RequestCode, ResponseCode
from codec.headers.namesrv import (
    AddWritePermOfBrokerRequestHeader,
    AddWritePermOfBrokerResponseHeader,
    BrokerHeartbeatRequestHeader,
    GetBrokerMemberGroupRequestHeader,
    QueryDataVersionRequestHeader,
    QueryDataVersionResponseHeader,
    RegisterBrokerRequestHeader,
    RegisterBrokerResponseHeader,
    UnRegisterBrokerRequestHeader,
    WipeWritePermOfBrokerRequestHeader,
    WipeWritePermOfBrokerResponseHeader,
)
from rmq.base.errors import CommandError
from rmq.namesrv.addresses import AutomaticAddresses
from rmq.namesrv.tests.scene import MemoryChannel, Scene, wrapper

HEADER = RegisterBrokerRequestHeader(
    broker_name="broker-a",
    broker_addr="a:1",
    cluster_name="c",
    ha_server_addr="ha",
    broker_id=0,
    enable_acting_master=False,
)
BODY = RegisterBrokerBody(topic_config_serialize_wrapper=wrapper(("t1", "t2")))


def test_a_compressed_registration_with_its_checksum_is_taken() -> None:
    scene = Scene()
    body = encode_register_body(BODY, compressed=True)
    header = msgspec.structs.replace(HEADER, compressed=True, body_crc32=register_crc(body))

    scene.ask(RequestCode.REGISTER_BROKER, header, body)

    assert set(scene.namesrv.tables.topic_queues) == {"t1", "t2"}


def test_a_wrong_checksum_is_refused_and_changes_nothing() -> None:
    scene = Scene()
    body = encode_register_body(BODY, compressed=False)
    header = msgspec.structs.replace(HEADER, body_crc32=register_crc(body) ^ 1)

    with pytest.raises(CommandError) as refused:
        scene.ask(RequestCode.REGISTER_BROKER, header, body)

    assert (refused.value.code, refused.value.remark) == (1, "crc32 not match")
    assert not scene.namesrv.tables.brokers


@pytest.mark.parametrize("compressed", [False, True])
def test_a_broken_body_is_refused_and_changes_nothing(compressed: bool) -> None:
    scene = Scene()
    body = encode_register_body(BODY, compressed=compressed)[:-9]
    header = msgspec.structs.replace(HEADER, compressed=compressed)

    with pytest.raises(CommandError, match="Failed to decode RegisterBrokerBody") as refused:
        scene.ask(RequestCode.REGISTER_BROKER, header, body)

    assert refused.value.code == ResponseCode.SYSTEM_ERROR
    assert not scene.namesrv.tables.brokers


def test_numbers_that_no_topic_can_have_are_refused() -> None:
    scene = Scene()
    body = encode_register_body(BODY, compressed=False)

    huge = body.replace(b'"readQueueNums":16', b'"readQueueNums":160000000000')
    with pytest.raises(CommandError, match="readQueueNums"):
        scene.ask(RequestCode.REGISTER_BROKER, HEADER, huge)

    assert not scene.namesrv.tables.brokers


def test_no_body_means_no_topics() -> None:
    scene = Scene()

    scene.ask(RequestCode.REGISTER_BROKER, HEADER)

    assert set(scene.namesrv.tables.brokers) == {"broker-a"}
    assert not scene.namesrv.tables.topic_queues


def test_brokers_before_3_0_11_send_their_topics_bare() -> None:
    scene = Scene()

    scene.ask(
        RequestCode.REGISTER_BROKER,
        HEADER,
        encode_body(BODY.topic_config_serialize_wrapper),
        version=36,
    )

    assert set(scene.namesrv.tables.topic_queues) == {"t1", "t2"}


def test_a_single_topic_is_no_first_word() -> None:
    with pytest.raises(CommandError, match="register broker failed") as refused:
        Scene().register(topics=("t1",))

    assert refused.value.code == ResponseCode.SYSTEM_ERROR


def test_a_slave_is_told_of_its_master() -> None:
    scene = Scene()

    assert scene.register().header == RegisterBrokerResponseHeader()
    assert scene.register(broker_id=1).header == RegisterBrokerResponseHeader(
        ha_server_addr="ha", master_addr="broker-a-0:10911"
    )


def test_brokers_are_told_which_topics_are_ordered_if_wanted() -> None:
    scene = Scene()
    assert scene.register().body == b""

    scene.namesrv.kv.put("ORDER_TOPIC_CONFIG", "t1", "broker-a:4")

    assert scene.register().body == b'{"table":{"t1":"broker-a:4"}}'
    scene.configuration.update("returnOrderTopicConfigToBroker=false")
    assert scene.register().body == b""


@pytest.mark.parametrize("wanted", [True, False])
def test_a_smaller_id_is_told_to_the_others_if_wanted(wanted: bool) -> None:
    scene = Scene(notifyMinBrokerIdChanged=wanted)
    scene.register(broker_id=1)

    scene.register(broker_id=0, ha_address="ha0")

    fields = {"minBrokerId": "0", "minBrokerAddr": "broker-a-0:10911", "haBrokerAddr": "ha0"}
    assert scene.caller.sent == ([("broker-a-1:10911", fields)] if wanted else [])


def test_topics_no_longer_named_are_deleted_if_wanted() -> None:
    scene = Scene(deleteTopicWithBrokerRegistration=True)
    scene.register(topics=("t1", "t2"))

    scene.register(topics=("t2", "t3"), version=2)

    assert set(scene.namesrv.tables.topic_queues) == {"t2", "t3"}


def test_the_zone_of_a_broker_is_kept() -> None:
    scene = Scene()

    scene.register(zone="z1")

    assert scene.namesrv.tables.brokers["broker-a"].zone_name == "z1"


def unregister(scene: Scene) -> None:
    header = UnRegisterBrokerRequestHeader(
        broker_name="broker-a", broker_addr="broker-a-0:10911", cluster_name="c", broker_id=0
    )
    scene.ask(RequestCode.UNREGISTER_BROKER, header)


def test_a_broker_that_says_so_is_taken_out_in_the_next_turn() -> None:
    scene = Scene()
    scene.register()

    unregister(scene)
    scene.clock.advance(0)

    assert not scene.namesrv.tables.brokers


def test_too_many_departures_are_refused() -> None:
    scene = Scene(unRegisterBrokerQueueCapacity=1)
    unregister(scene)

    with pytest.raises(CommandError, match="too many") as refused:
        unregister(scene)

    assert refused.value.code == ResponseCode.SYSTEM_ERROR


def test_a_heartbeat_keeps_a_broker_and_a_strangers_is_ignored() -> None:
    scene = Scene()
    scene.register(timeout_ms=20_000)

    for _ in range(5):
        scene.clock.advance(15_000)
        for address in ("broker-a-0:10911", "stranger:1"):
            header = BrokerHeartbeatRequestHeader(
                cluster_name="c", broker_addr=address, broker_name="broker-a"
            )
            answer = scene.ask(RequestCode.BROKER_HEARTBEAT, header)
            assert answer.code == ResponseCode.SUCCESS

    assert set(scene.namesrv.tables.brokers) == {"broker-a"}


VERSION = QueryDataVersionRequestHeader(
    broker_name="broker-a", broker_addr="broker-a-0:10911", cluster_name="c", broker_id=0
)


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (encode_body(DataVersion(counter=1, timestamp=1)), False),
        (encode_body(DataVersion(counter=2, timestamp=1)), True),
        (encode_body(DataVersion(counter=1, timestamp=1, state_version=1)), True),
        (b"", True),
    ],
)
def test_a_broker_learns_whether_to_register_anew(body: bytes, changed: bool) -> None:
    scene = Scene()
    scene.register()

    answer = scene.ask(RequestCode.QUERY_DATA_VERSION, VERSION, body)

    assert answer.header == QueryDataVersionResponseHeader(changed=changed)
    assert answer.body == b'{"counter":1,"stateVersion":0,"timestamp":1}'


def test_an_unknown_broker_must_register() -> None:
    answer = Scene().ask(RequestCode.QUERY_DATA_VERSION, VERSION, b"{}")

    assert answer.header == QueryDataVersionResponseHeader(changed=True)
    assert answer.body == b""


def test_asking_for_the_version_counts_as_heartbeat() -> None:
    scene = Scene()
    scene.register(timeout_ms=20_000)

    for _ in range(5):
        scene.clock.advance(15_000)
        scene.ask(RequestCode.QUERY_DATA_VERSION, VERSION)

    assert scene.namesrv.tables.brokers


@pytest.mark.parametrize("body", [b"{", b'{"counter":"x"}', b"\xff"])
def test_a_broken_version_is_refused(body: bytes) -> None:
    with pytest.raises(CommandError) as refused:
        Scene().ask(RequestCode.QUERY_DATA_VERSION, VERSION, body)

    assert refused.value.code == ResponseCode.SYSTEM_ERROR


def test_members_of_a_broker_name_are_listed() -> None:
    scene = Scene()
    scene.register()
    scene.register(broker_id=1)

    header = GetBrokerMemberGroupRequestHeader(cluster_name="c", broker_name="broker-a")
    body = scene.ask(RequestCode.GET_BROKER_MEMBER_GROUP, header).body

    assert body == (
        b'{"brokerMemberGroup":{"brokerAddrs":{"0":"broker-a-0:10911","1":"broker-a-1:10911"},'
        b'"brokerName":"broker-a","cluster":"c"}}'
    )


def test_all_brokers_and_clusters_are_listed() -> None:
    scene = Scene()
    scene.register()

    assert scene.ask(RequestCode.GET_BROKER_CLUSTER_INFO).body == (
        b'{"brokerAddrTable":{"broker-a":{"brokerAddrs":{"0":"broker-a-0:10911"},'
        b'"brokerName":"broker-a","cluster":"c","enableActingMaster":false}},'
        b'"clusterAddrTable":{"c":["broker-a"]}}'
    )


def test_an_automatic_address_is_listed_as_the_client_came() -> None:
    scene = Scene(AutomaticAddresses({"0.0.0.0:10911"}))
    scene.register(address="0.0.0.0:10911")

    channel = MemoryChannel("192.0.2.7:9876")
    body = scene.ask(RequestCode.GET_BROKER_CLUSTER_INFO, channel=channel).body

    info = decode_body(ClusterInfo, body)
    assert info.broker_addr_table["broker-a"].broker_addrs == {0: "192.0.2.7:10911"}


def test_write_permission_is_wiped_and_added() -> None:
    scene = Scene()
    scene.register()

    wiped = scene.ask(
        RequestCode.WIPE_WRITE_PERM_OF_BROKER,
        WipeWritePermOfBrokerRequestHeader(broker_name="broker-a"),
    )
    assert wiped.header == WipeWritePermOfBrokerResponseHeader(wipe_topic_count=2)
    assert scene.namesrv.tables.topic_queues["t1"]["broker-a"].perm == 4

    added = scene.ask(
        RequestCode.ADD_WRITE_PERM_OF_BROKER,
        AddWritePermOfBrokerRequestHeader(broker_name="broker-a"),
    )
    assert added.header == AddWritePermOfBrokerResponseHeader(add_topic_count=2)
    assert scene.namesrv.tables.topic_queues["t1"]["broker-a"].perm == 6
