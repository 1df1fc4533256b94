"""Two whole brokers, whose roles change while they run."""

from dataclasses import replace

import pytest

from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.headers.fields import ext_fields_of
from codec.headers.send import SendMessageRequestHeaderV2
from rmq.app.broker import Broker
from rmq.app.outside import true_outside
from rmq.app.tests import loops
from rmq.app.tests.parts import small_settings
from rmq.base.manual import ManualClock
from rmq.net.client import RemotingClient
from rmq.net.clock import ReactorClock
from rmq.net.memory_disk import MemoryDisk
from rmq.net.tests.reactors import Loop
from rmq.store.messages import PutMessage

FIRST, SECOND = 10911, 10921


class LoopClock(ReactorClock):
    """Its time passes with the loop."""

    def wall_ms(self):
        return 1_700_000_000_000 + self.monotonic_ms()

    def monotonic_ms(self):
        return int(self._reactor.seconds() * 1000)


class World:
    """Two brokers of one set; nobody else is there."""

    def __init__(self, **values):
        self.reactor = Loop()
        self.first = self.broker(FIRST, brokerRole="SYNC_MASTER", **values)
        self.second = self.broker(
            SECOND, brokerRole="SLAVE", brokerId="1", haMasterAddress="127.0.0.1:10912", **values
        )
        self.first.start()
        self.second.start()
        self.spin()

    def broker(self, port, **values):
        disk = MemoryDisk(ManualClock())
        settings = small_settings(listenPort=str(port), maxMessageSize="1000", **values)
        outside = replace(true_outside(self.reactor), clock=LoopClock(self.reactor))
        return Broker(self.reactor, settings, disk, outside)

    def spin(self, seconds=0.2):
        self.reactor.spin(seconds)

    def switch(self, epoch):
        """The first follows the second from now on."""
        self.second.services.roles.become_master(epoch=epoch)
        self.first.services.roles.become_slave(
            master_address=f"127.0.0.1:{SECOND}",
            ha_address=f"127.0.0.1:{SECOND + 1}",
            epoch=epoch,
            broker_id=1,
        )
        self.spin()

    def send(self, port):
        """Send to a broker; answers come into the list, in time."""
        header = SendMessageRequestHeaderV2(
            producer_group="p",
            topic="TBW102",
            default_topic="TBW102",
            default_topic_queue_nums=4,
            queue_id=0,
            sys_flag=0,
            born_timestamp=1,
            flag=0,
            properties="UNIQ_KEY\x01K1\x02",
        )
        command = Command(
            code=RequestCode.SEND_MESSAGE_V2, ext_fields=ext_fields_of(header), body=b"x"
        )
        client = RemotingClient(self.reactor, ManualClock())
        answers = []
        client.call(f"127.0.0.1:{port}", command, 3000).addBoth(answers.append)
        self.spin()
        return answers

    def stop(self):
        loops.stop(self.reactor, self.second)
        loops.stop(self.reactor, self.first)


@pytest.fixture
def world():
    world = World()
    yield world
    world.stop()


def log_of(broker):
    store = broker.store
    return b"".join(
        store.log_bytes(position, 4096) for position in range(0, store.written_position, 4096)
    )


def test_a_slave_has_what_its_master_has(world):
    for number in range(60):
        world.first.store.put(PutMessage("T", number % 2, bytes(100)))
    world.spin()

    assert world.second.store.written_position > 8192
    assert log_of(world.second) == log_of(world.first)
    assert world.second.store.max_offset("T", 1) == 30
    assert [answer.code for answer in world.send(SECOND)] == [ResponseCode.SYSTEM_BUSY]


def test_roles_change_and_change_back(world):
    world.first.store.put(PutMessage("T", 0, b"1"))
    world.spin()

    world.switch(1)
    assert world.first.store.put(PutMessage("T", 0, b"nowhere")).queue_offset != 1
    assert world.second.store.put(PutMessage("T", 0, b"2")).queue_offset == 1
    world.spin()
    assert log_of(world.first) == log_of(world.second)
    assert world.first.store.max_offset("T", 0) == 2
    world.first.services.roles.become_master(epoch=2)
    world.second.services.roles.become_slave(
        master_address=None, ha_address="127.0.0.1:10912", epoch=2, broker_id=1
    )
    world.spin()
    assert world.first.store.put(PutMessage("T", 0, b"3")).queue_offset == 2
    world.spin()

    assert log_of(world.first) == log_of(world.second)


def test_delayed_messages_are_delivered_by_the_master_of_now(world):
    world.first.store.put(
        PutMessage(
            "SCHEDULE_TOPIC_XXXX", 0, b"late", b"DELAY\x011\x02REAL_TOPIC\x01T\x02REAL_QID\x010\x02"
        )
    )
    world.spin()

    world.switch(1)
    world.spin(2)

    assert world.second.store.max_offset("T", 0) == 1
    assert log_of(world.first) == log_of(world.second)


def test_who_waits_for_slaves_is_refused_when_the_master_steps_down():
    world = World(inSyncReplicas="3", slaveTimeout="100000")
    answers = world.send(FIRST)
    assert answers == []

    world.switch(1)

    assert [answer.code for answer in answers] == [ResponseCode.SERVICE_NOT_AVAILABLE]
    world.stop()
