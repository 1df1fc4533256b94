import pytest

from codec.bodies import decode_body
from codec.bodies.admin import HAClientRuntimeInfo, HAConnectionRuntimeInfo, HARuntimeInfo
from codec.bodies.kv import KVTable
from codec.bodies.stats import BrokerStatsData
from codec.codes import RequestCode, ResponseCode
from codec.headers.broker_admin import ViewBrokerStatsDataRequestHeader
from rmq.broker.processors.admin.runtime import byte_count, running_time
from rmq.broker.processors.admin.tests.scene import AdminScene
from rmq.replication.mode import MasterState, SlaveState


@pytest.fixture
def scene():
    return AdminScene()


def table(scene):
    return decode_body(KVTable, scene.ask(RequestCode.GET_BROKER_RUNTIME_INFO).body).table


def view(scene, name, key):
    header = ViewBrokerStatsDataRequestHeader(stats_name=name, stats_key=key)
    return scene.ask(RequestCode.VIEW_BROKER_STATS_DATA, header)


def test_runtime_info_of_a_fresh_broker(scene):
    shown = table(scene)

    assert shown["putMessageTimesTotal"] == "1"
    assert shown["putMessageAverageSize"] == "0.0"
    assert shown["earliestMessageTimeStamp"] == "-1"
    assert shown["runtime"] == "[ 0 days, 0 hours, 0 minutes, 0 seconds ]"
    assert shown["brokerVersionDesc"] == "V5_3_3"
    assert shown["commitLogDiskRatio"] == shown["commitLogDiskRatio_/store/commitlog"] == "0.25"
    assert shown["commitLogDirCapacity"] == "Total : 300.0 GiB, Free : 75.0 GiB."
    assert shown["sendThreadPoolQueueCapacity"] == "10000"
    assert shown["scheduleMessageOffset_1"] == "0,0"


def test_runtime_info_follows_what_happens(scene):
    began_ms = scene.clock.wall_ms()
    scene.put("T", count=4)
    scene.put("rmq_sys_x")
    scene.store.get("T", 0, 0, 32)
    scene.stats.got("G", "T", 4, 1)
    scene.stats.sample()
    scene.rates.sample()

    shown = table(scene)

    size = scene.store.stats.put_bytes
    assert shown["putMessageTimesTotal"] == "5"
    assert shown["putMessageSizeTotal"] == str(size)
    assert shown["putMessageAverageSize"] == str(size / 5)
    assert shown["putTps"] == "1.0 1.0 1.0"
    assert shown["getTransferredTps"] == "0.8 0.8 0.8"
    assert shown["msgPutTotalTodayNow"] == "4"
    assert shown["msgGetTotalTodayNow"] == "4"
    assert shown["earliestMessageTimeStamp"] == str(began_ms)
    assert shown["commitLogMaxOffset"] == str(scene.store.written_position)
    assert shown["remainHowManyDataToFlush"] == byte_count(size)


def test_the_size_of_a_disk_may_be_unknown(scene):
    scene.capacity = None

    assert "commitLogDirCapacity" not in table(scene)


def test_a_counter_is_shown(scene):
    scene.put("T", count=3)
    scene.stats.sample()

    answer = view(scene, "TOPIC_PUT_NUMS", "T")

    assert decode_body(BrokerStatsData, answer.body).stats_minute.sum == 3


@pytest.mark.parametrize(("name", "key"), [("TOPIC_PUT_NUMS", "X"), ("NONSENSE", "T")])
def test_a_counter_of_nothing_is_refused(scene, name, key):
    answer = view(scene, name, key)

    assert answer.code == ResponseCode.SYSTEM_ERROR
    assert answer.remark == f"The stats <{name}> <{key}> not exist"


def test_replication_is_shown(scene):
    scene.put()
    scene.sides.slaves.append(SlaveState("10.0.0.5:3", 100, 200, 50, True, 7))
    scene.sides.slaves.append(SlaveState("10.0.0.6:3", 0, 0, 150, False, 0))

    answer = scene.ask(RequestCode.GET_BROKER_HA_STATUS)

    info = decode_body(HARuntimeInfo, answer.body)
    assert (info.master, info.in_sync_slave_nums) == (True, 1)
    assert info.master_commit_log_max_offset == scene.store.written_position
    assert info.ha_connection_info[0] == HAConnectionRuntimeInfo(
        addr="10.0.0.5:3",
        slave_ack_offset=100,
        transfer_from_where=200,
        diff=50,
        in_sync=True,
        transferred_byte_in_second=7,
    )


def test_durations_are_for_people():
    ms = ((2 * 24 + 3) * 60 + 4) * 60_000 + 5_999

    assert running_time(ms) == "[ 2 days, 3 hours, 4 minutes, 5 seconds ]"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1 << 20, "1.0 MiB"),
        ((1 << 62) + (1 << 61), "6.0 EiB"),
    ],
)
def test_bytes_are_for_people(count, text):
    assert byte_count(count) == text


def test_a_slave_shows_its_master(scene):
    scene.put()
    scene.sides.master = MasterState("10.0.0.2:10912", 7, 1000, 2000, is_connected=True)
    scene.store.master_flushed_position = 5

    answer = scene.ask(RequestCode.GET_BROKER_HA_STATUS)

    info = decode_body(HARuntimeInfo, answer.body)
    assert not info.master
    assert info.ha_client_runtime_info == HAClientRuntimeInfo(
        master_addr="10.0.0.2:10912",
        master_flush_offset=5,
        max_offset=scene.store.written_position,
        last_read_timestamp=1000,
        last_write_timestamp=2000,
        transferred_byte_in_second=7,
    )
