"""Whole brokers of a DLedger group, on a loop in memory."""

from dataclasses import replace

import pytest

from codec.codes import RequestCode, ResponseCode
from codec.headers.fields import ext_fields_of
from codec.headers.send import SendMessageRequestHeaderV2
from rmq.app.broker import Broker
from rmq.app.broker_dledger import member_of, refuse_old_log
from rmq.app.namesrv import NameServer
from rmq.app.outside import true_outside
from rmq.app.tests import loops
from rmq.app.tests.outsides import OtherThread
from rmq.app.tests.parts import Parts, small_settings
from rmq.app.tests.test_broker_switch import LoopClock
from rmq.base.errors import ConfigError, StoreError
from rmq.base.manual import FixedChance, ManualClock
from rmq.conf.settings import Machine
from rmq.conf.startup import namesrv_settings
from rmq.namesrv.tests.scene import registration
from rmq.net.memory_disk import MemoryDisk
from rmq.net.tests.reactors import Loop
from rmq.raft.messages import Role
from rmq.store.messages import PutMessage, PutStatus

PEERS = "n0-127.0.0.1:40911;n1-127.0.0.1:40912;n2-127.0.0.1:40913"
ONE = {
    "enableDLegerCommitLog": "true",
    "dLegerGroup": "broker-a",
    "dLegerPeers": "n0-127.0.0.1:40911",
    "dLegerSelfId": "n0",
    "storePathRootDir": "/store",
}
NAMESRV_PORT = 9876
ELECTED_MAX_S = 30
AGAIN_MAX_S = 2
"""A second after its predecessor joined it, and what they share."""


class World:
    """A NameServer and three brokers."""

    def __init__(self, **values):
        self.reactor = Loop()
        self.values = values
        self.outside = replace(
            true_outside(self.reactor),
            clock=LoopClock(self.reactor),
            chance=FixedChance.seeded(7),
            worker=OtherThread(LoopClock(self.reactor)),
        )
        settings = namesrv_settings({}, Machine(home="/home/me"))
        self.namesrv = NameServer(self.reactor, settings, MemoryDisk(ManualClock()))
        self.namesrv.start()
        self.disks = [MemoryDisk(ManualClock()) for _ in range(3)]
        self.brokers = [self.broker(number) for number in range(3)]
        for one in self.brokers:
            one.start()

    def broker(self, number):
        settings = small_settings(
            listenPort=str(10911 + 10 * number),
            namesrvAddr=f"127.0.0.1:{NAMESRV_PORT}",
            **{**ONE, "dLegerPeers": PEERS, "dLegerSelfId": f"n{number}", **self.values},
        )
        return Broker(self.reactor, settings, self.disks[number], self.outside)

    def until(self, look, seconds=ELECTED_MAX_S):
        for _ in range(int(seconds / 0.05)):
            found = look()
            if found:
                return found
            self.reactor.spin(0.05)
        raise AssertionError("it did not become so")

    def master(self, *, but=None):
        return self.until(
            lambda: next(
                (one for one in self.brokers if one is not but and one.services.role.now.is_master),
                None,
            )
        )

    def send(self, broker, body=b"x", properties=None, born_ms=1):
        header = SendMessageRequestHeaderV2(
            producer_group="g",
            topic="TBW102",
            default_topic="TBW102",
            default_topic_queue_nums=4,
            queue_id=0,
            sys_flag=0,
            born_timestamp=born_ms,
            flag=0,
            properties=properties,
        )
        port = broker.settings.server.listenPort
        return loops.ask(
            self.reactor, port, RequestCode.SEND_MESSAGE_V2, body, **ext_fields_of(header)
        )

    def stop(self):
        stopped = []
        for one in self.brokers:
            one.stop().addBoth(stopped.append)
        self.until(lambda: stopped == [None] * len(self.brokers))
        loops.stop(self.reactor, self.namesrv)


@pytest.fixture
def world():
    world = World()
    yield world
    world.stop()


def bodies(broker):
    store = broker.store
    count = store.max_offset("TBW102", 0)
    return [store.get("TBW102", 0, offset, 1).slices[0] for offset in range(count)]


def test_what_one_acknowledges_all_have(world):
    master = world.master()

    answer = world.send(master)
    world.reactor.spin(3)

    assert answer.code == ResponseCode.SUCCESS
    assert [len(bodies(one)) for one in world.brokers] == [1, 1, 1]
    ids = sorted(one.services.role.now.broker_id for one in world.brokers)
    number = world.brokers.index(master)
    assert ids == [0] + [1 + other for other in range(3) if other != number]


def test_sender_that_would_not_wait_waits_all_the_same(world):
    master = world.master()
    for one in world.brokers:
        if one is not master:
            one.grouped.member._fail("its disk is gone")

    with pytest.raises(IndexError):  # no answer
        world.send(master, properties="WAIT\x01false\x02")


def test_slaves_learn_their_master_and_refuse_to_be_sent_to(world):
    master = world.master()
    slave = next(one for one in world.brokers if one is not master)

    world.until(lambda: slave.services.role.now.master_address == master.address)

    assert world.send(slave).code == ResponseCode.SYSTEM_BUSY
    assert slave.services.replication.master.is_connected


def test_leader_that_stops_hands_over_and_comes_back_as_slave(world):
    first = world.master()
    world.send(first, b"before")
    number = world.brokers.index(first)

    stopped = []
    first.stop().addBoth(stopped.append)
    second = world.master(but=first)
    world.until(lambda: stopped)
    assert stopped == [None]
    assert world.send(second, b"after").code == ResponseCode.SUCCESS

    again = world.brokers[number] = world.broker(number)
    again.start()
    world.until(lambda: len(bodies(again)) == 2)
    assert not again.services.role.now.is_master
    assert bodies(again) == bodies(second)


def test_master_whose_place_its_predecessors_late_word_took_is_soon_announced_again(world):
    first = world.master()
    tables = world.namesrv.role.tables
    cluster = first.services.registration.config.brokerClusterName
    late = registration(address=first.address, cluster=cluster)  # TCP kept it, while cut off
    other = next(one for one in world.brokers if one is not first).grouped.member.self_id
    first.grouped.member.transfer(other)
    second = world.master(but=first)
    world.until(lambda: first.grouped.member.leader_id == other)

    def master_address():
        return tables.brokers["broker-a"].broker_addrs.get(0)

    world.until(lambda: master_address() == second.address, seconds=0.5)
    tables.register(late, 0)
    assert master_address() == first.address
    first.services.registration.register_all()
    world.until(lambda: master_address() != first.address)
    assert master_address() is None

    world.until(lambda: master_address() == second.address, seconds=AGAIN_MAX_S)


def test_leader_that_is_alone_gets_no_message_acknowledged():
    world = World(failoverProfile="fast", flushDiskType="SYNC_FLUSH", enableBatchPush="true")
    first = world.master()
    for one in world.brokers:
        if one is not first:
            one.grouped.member._fail("its disk is gone")

    answer = loops_answer(world, first)

    assert answer is None or answer.code != ResponseCode.SUCCESS
    world.until(lambda: not first.services.role.now.is_master)
    assert world.send(first).code == ResponseCode.SYSTEM_BUSY
    world.stop()


def loops_answer(world, broker):
    """What a sender is told, if anything within a second."""
    try:
        return world.send(broker)
    except IndexError:
        return None


def test_alone_in_its_group_a_broker_leads_and_leaves_nobody_behind():
    world = Parts(**ONE)
    world.tables.load()
    world.services.load()
    world.store.load()
    world.services.start()
    world.clock.advance(5_000)
    assert world.services.role.now.is_master

    result = world.store.put(PutMessage("T", 0, b"x"))
    safe = []
    world.services.safety.wait(result.end).addCallback(safe.append)
    offsets = []
    world.services.delay_offsets().addCallback(offsets.append)
    assert safe == offsets == []
    world.clock.advance(10)

    assert safe == [PutStatus.PUT_OK]
    assert offsets == [world.services.schedule.wrapper()]
    left = []
    world.grouped.leave().addCallback(left.append)
    assert left == [None]
    world.services.stop()
    world.store.close()


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"dLegerGroup": ""}, "dLegerGroup is empty"),
        ({"dLegerPeers": "n0"}, "dLegerPeers: peer 'n0'"),
        ({"dLegerSelfId": "n7"}, "'n7' is none of n0"),
        ({"dLegerPeers": "n0-h:1;n1-h:1"}, "one address twice"),
        ({"preferredLeaderId": "n0;n9"}, "found 'n9'"),
    ],
)
def test_group_that_cannot_be_is_refused(values, complaint):
    with pytest.raises(ConfigError, match=complaint):
        Parts(**ONE | values)


def test_member_is_set_up_by_the_brokers_keys():
    values = {
        "dLegerPeers": PEERS,
        "preferredLeaderId": "n1; n2",
        "enableBatchPush": "true",
        "fileReservedTime": "5",
        "storePathDLedgerCommitLog": "/elsewhere",
    }
    clock = ManualClock()
    settings = member_of(small_settings(**ONE | values), bytes(8), clock)

    assert settings.raft.preferred_leader_ids == ("n1", "n2")
    assert settings.raft.is_enable_batch_push
    assert len(settings.raft.no_op_body()) > 90
    assert settings.ledger.file_reserved_hours == 6
    assert settings.ledger.data_folder == "/elsewhere"
    assert not settings.durable
    plain = member_of(small_settings(**ONE), bytes(8), clock)
    assert plain.raft.is_enable_batch_push
    single = member_of(small_settings(**ONE, enableBatchPush="false"), bytes(8), clock)
    assert not single.raft.is_enable_batch_push
    fast = member_of(small_settings(**ONE, failoverProfile="fast"), bytes(8), clock)
    assert fast.raft.heart_beat_interval_ms < 1000


def test_log_from_before_is_not_left_unseen():
    disk = MemoryDisk(ManualClock())
    config = small_settings(**ONE).store
    refuse_old_log(config, disk)
    disk.map("/store/commitlog/00000000000000000000", 4096)

    with pytest.raises(StoreError, match="/store/commitlog holds a commit log from before"):
        refuse_old_log(config, disk)
    refuse_old_log(small_settings(storePathRootDir="/store").store, disk)


def test_leader_that_slept_does_not_tell_name_servers_that_it_is_master(world):
    first = world.master()
    awake = first.grouped.member._clock
    asleep_ms = awake.monotonic_ms() + 20_000
    awake.monotonic_ms = lambda: asleep_ms

    first.services.registration.before()

    assert not first.services.role.now.is_master


def test_member_whose_disk_fails_makes_a_slave_of_its_broker(world):
    master = world.master()

    master.grouped.member._fail("its disk is gone")

    assert not master.services.role.now.is_master
    assert master.grouped.member.role is Role.UNKNOWN
    world.master(but=master)


def test_producers_are_asked_about_their_transactions(caplog):
    caplog.set_level("WARNING")
    world = World(transactionCheckInterval="500", transactionTimeOut="100")
    half = "UNIQ_KEY\x01K\x02TRAN_MSG\x01true\x02PGROUP\x01p\x02"

    now_ms = world.outside.clock.wall_ms()
    assert world.send(world.master(), properties=half, born_ms=now_ms).code == ResponseCode.SUCCESS
    world.until(lambda: "event=transaction_not_asked cause=no_producer group=p" in caplog.text)

    assert "event=transaction_check_failed" not in caplog.text
    world.stop()
