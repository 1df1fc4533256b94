import logging
from dataclasses import replace

import pytest

from codec.codes import RequestCode
from rmq.app.broker import Broker
from rmq.app.outside import true_outside
from rmq.app.tests import loops
from rmq.app.tests.outsides import OtherThread
from rmq.app.tests.parts import small_settings
from rmq.base.errors import StoreError
from rmq.base.manual import ManualClock
from rmq.net.clock import ReactorClock
from rmq.net.memory_disk import MemoryDisk
from rmq.net.tests.reactors import Loop
from rmq.store.messages import PutMessage


class World:
    def __init__(self, disk=None, **values):
        self.reactor = Loop()
        self.disk = disk or MemoryDisk(ManualClock())
        self.broker = Broker(self.reactor, small_settings(**values), self.disk)

    def ask(self, code, body=b"", **fields):
        return loops.ask(self.reactor, 10911, code, body, **fields)

    def stop(self):
        loops.stop(self.reactor, self.broker)


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
    first.broker.tables.offsets.commit("g", "T", 0, 7)
    first.stop()

    second = World(first.disk)
    with caplog.at_level(logging.INFO):
        second.broker.start()

    assert second.broker.store.max_offset("T", 0) == 1
    assert second.broker.tables.offsets.query("g", "T", 0) == 7
    assert "store loaded" in caplog.text
    second.stop()


def test_setting_that_is_changed_while_running_counts_at_once(world):
    version = world.broker.tables.topics.data_version

    world.ask(RequestCode.UPDATE_BROKER_CONFIG, b"brokerPermission=4\nnamesrvAddr=10.0.0.1:9876")

    assert world.broker.settings.broker.brokerPermission == 4
    assert world.broker.tables.topics.data_version != version
    assert "name server is 10.0.0.1:9876" in world.broker.boot_line
    version = world.broker.tables.topics.data_version
    world.ask(RequestCode.UPDATE_BROKER_CONFIG, b"traceOn=true")
    assert world.broker.tables.topics.data_version == version


def test_under_controllers_nobody_reads_after_a_start_what_was_not_confirmed():
    first = World()
    first.broker.start()
    first.broker.store.put(PutMessage("T", 0, b"confirmed"))
    first.broker.store.confirmed_position = first.broker.store.written_position
    first.broker.store.put(PutMessage("T", 0, b"not confirmed"))

    second = World(
        first.disk.outlive(), enableControllerMode="true", controllerAddr="127.0.0.1:9878"
    )
    second.broker.start()

    assert second.broker.store.max_offset("T", 0) == 1
    assert second.broker.store.written_position == first.broker.store.written_position
    first.stop()
    second.stop()


GROUPED = {
    "enableDLegerCommitLog": "true",
    "dLegerGroup": "broker-a",
    "dLegerPeers": "n0-127.0.0.1:40911",
    "dLegerSelfId": "n0",
    "storePathRootDir": "/store",
}


def test_broker_of_a_group_listens_for_its_peers_and_leads_alone():
    world = World()
    worker = OtherThread(ReactorClock(world.reactor))
    outside = replace(true_outside(world.reactor), worker=worker)
    world.broker = Broker(world.reactor, small_settings(**GROUPED), world.disk, outside)
    world.broker.start()
    world.reactor.spin(2)

    assert 40911 in world.reactor.listening
    assert 10912 not in world.reactor.listening
    assert world.broker.services.role.now.is_master
    loops.stop(world.reactor, world.broker)


def test_broker_of_a_group_refuses_a_log_from_before():
    first = World(storePathRootDir="/store")
    first.broker.start()
    first.broker.store.put(PutMessage("T", 0, b"before"))
    first.stop()

    with pytest.raises(StoreError, match="from before DLedger mode"):
        World(first.disk, **GROUPED).broker.start()
