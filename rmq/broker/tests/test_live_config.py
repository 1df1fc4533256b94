import pytest

from codec.codes import ResponseCode
from rmq.base.errors import CommandError
from rmq.base.manual import ManualClock
from rmq.broker.live_config import LiveConfig
from rmq.broker.tests.tables import FullDisk, config
from rmq.conf.properties import parse_properties, parse_yaml
from rmq.conf.store import MessageStoreConfig

PATH = "/store/config/broker.properties"


class Follower:
    def __init__(self):
        self.config = None


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def disk(clock):
    return FullDisk(clock)


@pytest.fixture
def live(disk, clock):
    return LiveConfig(disk, clock, config(), (MessageStoreConfig(),), PATH, {"myKey": "mine"})


def refusal(live, text):
    before = live.text()
    with pytest.raises(CommandError) as caught:
        live.update(text)
    assert live.text() == before
    return caught.value


def test_all_settings_are_shown(live):
    shown = parse_properties(live.text())

    assert shown["brokerName"] == "broker-a"
    assert shown["autoCreateTopicEnable"] == "true"
    assert shown["flushDiskType"] == "ASYNC_FLUSH"
    assert shown["myKey"] == "mine"
    assert list(shown) == sorted(shown)


def test_a_live_setting_takes_effect_at_once(live, clock):
    follower, told = Follower(), []
    live.follow(follower)
    live.on_change(lambda before, after: told.append((before, after)))
    before = live.broker
    clock.advance(5)

    live.update("autoCreateTopicEnable = false \nunheardOf=1\n")

    assert live.broker.autoCreateTopicEnable is False
    assert follower.config is live.broker
    assert told == [(before, live.broker)]
    assert before.autoCreateTopicEnable is True
    assert "unheardOf" not in live.text()


def test_every_change_is_a_version(live, clock):
    assert '"counter":0' in live.version_text

    clock.advance(5)
    live.update("autoCreateTopicEnable=false")

    assert '"counter":1' in live.version_text


def test_other_settings_are_kept_for_the_next_start(live, disk):
    before = live.broker

    live.update("flushDiskType=SYNC_FLUSH\nbrokerIP1=10.0.0.7")

    assert live.broker == before
    kept = parse_properties(disk.read(PATH).decode())
    assert kept["flushDiskType"] == "SYNC_FLUSH"
    assert kept["brokerIP1"] == "10.0.0.7"
    assert parse_properties(live.text()) == kept


def test_a_file_in_yaml_stays_yaml(disk, clock):
    path = "/conf/broker.yaml"
    live = LiveConfig(disk, clock, config(), (), path)

    live.update("msgTraceTopicName=a: b # c")

    assert parse_yaml(disk.read(path).decode())["msgTraceTopicName"] == "a: b # c"


@pytest.mark.parametrize("key", ["brokerConfigPath", "rocketmqHome", "configBlackList", "regionId"])
def test_forbidden_keys_are_refused(disk, clock, key):
    live = LiveConfig(disk, clock, config(configBlackList="regionId"), (), PATH)

    error = refusal(live, f"{key}=x\nautoCreateTopicEnable=false")

    assert error.code == ResponseCode.NO_PERMISSION
    assert error.remark == "Can not update config in black list."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("brokerPermission=9", "a whole number from 0 to 7"),
        ("flushDiskType=LATER", "ASYNC_FLUSH"),
        ("namesrvAddr=nowhere", "host:port"),
        ("brokerName=\\u12", "string2Properties error"),
    ],
)
def test_what_cannot_be_used_is_refused(live, disk, text, words):
    error = refusal(live, f"autoCreateTopicEnable=false\n{text}")

    assert error.code == ResponseCode.SYSTEM_ERROR
    assert words in error.remark
    assert live.broker.autoCreateTopicEnable is True
    assert disk.read(PATH) is None


def test_nothing_changes_if_the_file_cannot_be_written(live, disk):
    disk.full = True

    error = refusal(live, "autoCreateTopicEnable=false")

    assert error.code == ResponseCode.SYSTEM_ERROR
    assert PATH in error.remark
    assert live.broker.autoCreateTopicEnable is True
