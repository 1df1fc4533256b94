import logging

import pytest

from codec.codes import RequestCode
from codec.command import Command
from rmq.app.broker import Broker, ha_settings
from rmq.base.errors import ConfigError
from rmq.base.manual import ManualClock
from rmq.conf.settings import Machine
from rmq.conf.startup import broker_settings
from rmq.conf.store import MessageStoreConfig
from rmq.net.client import RemotingClient
from rmq.net.memory_disk import MemoryDisk
from rmq.net.tests.reactors import Loop
from rmq.store.messages import PutMessage

SMALL = {
    "mappedFileSizeCommitLog": "4096",
    "mappedFileSizeConsumeQueue": "2000",
    "maxHashSlotNum": "100",
    "maxIndexNum": "400",
    "brokerIP1": "127.0.0.1",
    "brokerName": "broker-a",
    "inMemory": "true",
}


class World:
    def __init__(self, disk=None, **values):
        self.reactor = Loop()
        self.disk = disk or MemoryDisk(ManualClock())
        settings = broker_settings(SMALL | values, Machine(home="/home/me"))
        self.broker = Broker(self.reactor, settings, self.disk)

    def ask(self, code, body=b"", **fields):
        client = RemotingClient(self.reactor, ManualClock(), {})
        answers = []
        command = Command(code=code, ext_fields=fields, body=body)
        client.call("127.0.0.1:10911", command, 3000).addBoth(answers.append)
        self.reactor.spin(0.1)
        client.stop()
        return answers[0]

    def stop(self):
        stopped = []
        self.broker.stop().addBoth(stopped.append)
        self.reactor.spin(0.5)
        assert stopped == [None]


@pytest.fixture
def world():
    world = World()
    world.broker.start()
    yield world
    world.stop()


def test_broker_alone_names_no_name_server(world):
    assert world.broker.boot_line == (
        "The broker[broker-a, 127.0.0.1:10911] boot success. serializeType=JSON"
    )


def test_what_was_stored_is_there_after_the_next_start(caplog):
    first = World()
    first.broker.start()
    first.broker.store.put(PutMessage("T", 0, b"kept"))
    first.broker.offsets.commit("g", "T", 0, 7)
    first.stop()

    second = World(first.disk)
    with caplog.at_level(logging.INFO):
        second.broker.start()

    assert second.broker.store.max_offset("T", 0) == 1
    assert second.broker.offsets.query("g", "T", 0) == 7
    assert "store loaded" in caplog.text
    second.stop()


def test_slave_is_refused_with_what_to_do():
    with pytest.raises(ConfigError, match="brokerRole=SLAVE: this version"):
        World(brokerRole="SLAVE", brokerId="1")


def test_setting_that_is_changed_while_running_counts_at_once(world):
    version = world.broker.topics.data_version

    world.ask(RequestCode.UPDATE_BROKER_CONFIG, b"brokerPermission=4\nnamesrvAddr=10.0.0.1:9876")

    assert world.broker.settings.broker.brokerPermission == 4
    assert world.broker.topics.data_version != version
    assert "name server is 10.0.0.1:9876" in world.broker.boot_line
    version = world.broker.topics.data_version
    world.ask(RequestCode.UPDATE_BROKER_CONFIG, b"traceOn=true")
    assert world.broker.topics.data_version == version


def test_deleted_files_are_logged(world, caplog):
    world.disk.used_share_told = 0.99
    for _ in range(80):
        world.broker.store.put(PutMessage("T", 0, bytes(100)))

    with caplog.at_level(logging.INFO):
        world.broker._clean()

    assert "file deleted path=" in caplog.text


@pytest.mark.parametrize(("limited", "rate"), [(False, None), (True, 5)])
def test_rate_of_replication_has_a_limit_only_where_it_is_switched_on(limited, rate):
    config = MessageStoreConfig(haFlowControlEnable=limited, maxHaTransferByteInSecond=5)

    assert ha_settings(config).rate_max == rate


@pytest.mark.parametrize(
    ("settings", "waits"),
    [
        ({"brokerRole": "ASYNC_MASTER"}, False),
        ({"brokerRole": "SYNC_MASTER"}, False),
        ({"brokerRole": "ASYNC_MASTER", "inSyncReplicas": "2"}, False),
        ({"brokerRole": "SYNC_MASTER", "inSyncReplicas": "2"}, True),
        ({"flushDiskType": "SYNC_FLUSH"}, True),
    ],
)
def test_senders_wait_for_the_disk_and_for_slaves_where_that_is_set(settings, waits):
    broker = World(**settings).broker

    assert (broker._safe(broker.settings.store) is not None) == waits
