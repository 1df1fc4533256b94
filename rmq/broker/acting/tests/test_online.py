import logging

import pytest

from codec.bodies import encode_body
from codec.bodies.data_version import DataVersion
from codec.bodies.offsets import ConsumerOffsetSerializeWrapper, DelayOffsetSerializeWrapper
from codec.codes import RequestCode
from codec.disk.timer_checkpoint import TimerCheckpoint, pack_timer_checkpoint
from rmq.base.errors import StoreError
from rmq.base.manual import ManualClock
from rmq.broker.acting.exchange import Exchange
from rmq.broker.acting.group import Group
from rmq.broker.acting.online import (
    FOLLOW_WAIT_MS,
    LOOK_MS,
    RETRY_MS,
    Committed,
    OnLine,
    OwnAddresses,
)
from rmq.broker.acting.tests.test_group import known
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.role import Role, RoleHolder
from rmq.broker.schedule import Schedule
from rmq.broker.tests.tables import config, table_file
from rmq.broker.timer_state import TimerState
from rmq.net.memory_disk import MemoryDisk
from rmq.remoting.testing import FakeCaller
from rmq.replication.mode import MasterState, SlaveState

OWN, OWN_HA, PEER, SECOND = "10.0.0.9:1", "10.0.0.9:2", "10.0.0.1:1", "10.0.0.2:1"
DELAYS, OFFSETS, TIMER = (
    RequestCode.GET_ALL_DELAY_OFFSET,
    RequestCode.GET_ALL_CONSUMER_OFFSET,
    RequestCode.GET_TIMER_CHECK_POINT,
)
NEW = DataVersion(counter=1 << 40)
BODIES = {
    DELAYS: encode_body(DelayOffsetSerializeWrapper(data_version=NEW, offset_table={1: 6})),
    OFFSETS: encode_body(
        ConsumerOffsetSerializeWrapper(data_version=NEW, offset_table={"T@g": {0: 5}})
    ),
    TIMER: pack_timer_checkpoint(TimerCheckpoint(8, 0, 0, 4, NEW)),
}


class World:
    """A broker that comes on line; its group is known by the answers to its questions."""

    def __init__(self, *, broker_id=0):
        self.clock = ManualClock()
        self.caller = FakeCaller()
        disk = MemoryDisk(self.clock)
        kind = "SLAVE" if broker_id else "ASYNC_MASTER"
        role = RoleHolder(Role(kind=kind, broker_id=broker_id))
        settings = config()
        self.offsets = ConsumerOffsets(
            settings, self.clock, table_file(disk, "offsets.json"), lambda _topic, _queue: 0
        )
        self.schedule = Schedule(
            None,
            None,
            self.clock,
            table_file(disk, "delays.json"),
            (1_000,),
            save_interval_ms=1_000,
            version_step=1,
        )
        self.timer = TimerState(disk, "/timer", table_file(disk, "metrics.json"))
        self.slaves = []
        self.master = None
        self.events = []
        self.refusal = None
        self.online = OnLine(
            self.clock,
            role,
            Group(self.caller, lambda: ["n:1"], ("C", "a"), role, 2),
            Exchange(self.caller),
            self,
            self,
            Committed(self.offsets, self.schedule, self.timer),
            OwnAddresses(OWN, OWN_HA),
            lambda: 77,
            self.enter,
        )
        self.online.start()

    def enter(self):
        if self.refusal:
            raise StoreError(self.refusal)
        self.events.append("enter")

    def on_line(self, smallest, address):
        self.events.append(f"on line {smallest} {address}")

    def cut_at(self, position):
        self.events.append(f"cut at {position}")

    def follow(self, address, ha_address):
        self.events.append(f"follow {address} {ha_address}")

    def group(self, addresses):
        """Tell who lives."""
        [call] = self.caller.take()
        assert call.command.code == RequestCode.GET_BROKER_MEMBER_GROUP
        call.succeed(body=known(addresses))

    def asked(self, address, code):
        """The one question that is open."""
        [call] = self.caller.take()
        assert (call.address, call.command.code) == (address, code)
        return call

    def follows(self, address, position=0):
        """A slave connects."""
        self.slaves.append(SlaveState(f"{address.split(':')[0]}:555", 0, position, 0, True, 0))
        self.clock.advance(LOOK_MS)

    def learn(self, address, bodies=BODIES):
        for code, body in bodies.items():
            self.asked(address, code).succeed(body=body)


def test_who_is_alone_is_on_line_at_once():
    world = World()
    world.group({})

    assert world.events == ["enter", f"on line 0 {OWN}"]
    world.clock.advance(10 * RETRY_MS)
    assert world.caller.take() == []


def test_a_slave_without_a_master_is_on_line_at_once():
    world = World(broker_id=2)
    world.group({1: PEER, 2: OWN})

    assert world.events == ["enter", f"on line 1 {PEER}"]


def test_without_an_answer_it_is_tried_again():
    world = World()
    world.caller.take()[0].fail()
    world.clock.advance(RETRY_MS)

    world.group({})

    assert world.events[0] == "enter"


def test_a_master_has_each_slave_follow_and_learns_from_it():
    world = World()
    world.group({0: OWN, 1: PEER, 2: SECOND})
    call = world.asked(PEER, RequestCode.EXCHANGE_BROKER_HA_INFO)
    assert call.command.ext_fields == {
        "masterAddress": OWN,
        "masterHaAddress": OWN_HA,
        "masterFlushOffset": "77",
    }
    call.succeed()
    world.follows(SECOND)
    world.follows(PEER, position=-1)
    assert world.caller.take() == []
    world.follows(PEER)
    world.learn(PEER)
    world.asked(SECOND, RequestCode.EXCHANGE_BROKER_HA_INFO).succeed()
    world.learn(SECOND)

    assert world.events == ["enter", f"on line 0 {OWN}"]
    assert world.offsets.query("g", "T", 0) == 5
    assert world.schedule.wrapper().offset_table == {1: 6}
    assert world.timer.checkpoint.master_timer_queue_offset == 4


def test_what_is_older_than_ours_is_not_taken():
    world = World()
    world.offsets.adopt(
        ConsumerOffsetSerializeWrapper(data_version=NEW, offset_table={"T@g": {0: 9}})
    )
    old = DataVersion(counter=1)
    world.schedule.adopt(DelayOffsetSerializeWrapper(data_version=NEW, offset_table={1: 9}))
    world.timer.adopt_checkpoint(TimerCheckpoint(9, 0, 0, 9, NEW))
    world.group({1: PEER})
    world.asked(PEER, RequestCode.EXCHANGE_BROKER_HA_INFO).succeed()
    world.follows(PEER)
    world.learn(
        PEER,
        {
            DELAYS: encode_body(DelayOffsetSerializeWrapper(offset_table={1: 6})),
            OFFSETS: encode_body(
                ConsumerOffsetSerializeWrapper(data_version=old, offset_table={"T@g": {0: 5}})
            ),
            TIMER: pack_timer_checkpoint(TimerCheckpoint(8, 0, 0, 4, old)),
        },
    )

    assert world.events[0] == "enter"
    assert world.offsets.query("g", "T", 0) == 9
    assert world.schedule.wrapper().offset_table == {1: 9}
    assert world.timer.checkpoint.master_timer_queue_offset == 9


def test_a_table_that_a_slave_does_not_tell_is_done_without():
    world = World()
    world.group({1: PEER})
    world.asked(PEER, RequestCode.EXCHANGE_BROKER_HA_INFO).succeed()
    world.follows(PEER)
    world.asked(PEER, DELAYS).respond(1, "no")
    world.asked(PEER, OFFSETS).succeed(body=b"{")
    world.asked(PEER, TIMER).succeed()

    assert world.events[0] == "enter"


def test_a_slave_that_dies_meanwhile_is_waited_for_until_nobody_knows_it():
    world = World()
    world.group({1: PEER, 2: SECOND})
    world.asked(PEER, RequestCode.EXCHANGE_BROKER_HA_INFO).succeed()
    world.follows(PEER)
    world.learn(PEER)
    world.asked(SECOND, RequestCode.EXCHANGE_BROKER_HA_INFO).fail()
    world.clock.advance(RETRY_MS)
    world.group({1: PEER, 2: SECOND})
    world.asked(SECOND, RequestCode.EXCHANGE_BROKER_HA_INFO).fail()
    assert world.events == []

    world.clock.advance(RETRY_MS)
    world.group({1: PEER})

    assert world.events[0] == "enter"


def test_a_slave_that_does_not_connect_keeps_no_master_away(caplog):
    world = World()
    world.group({1: PEER})
    world.asked(PEER, RequestCode.EXCHANGE_BROKER_HA_INFO).succeed()

    world.clock.advance(FOLLOW_WAIT_MS)
    assert f"event=not_connected whom=slave {PEER}" in caplog.text
    world.learn(PEER)

    assert world.events[0] == "enter"


def test_a_slave_follows_its_master_first():
    world = World(broker_id=1)
    world.group({0: PEER, 2: SECOND})
    world.asked(PEER, RequestCode.EXCHANGE_BROKER_HA_INFO).succeed(
        {"masterHaAddress": "10.0.0.1:2", "masterFlushOffset": "60"}
    )
    assert world.events == ["cut at 60", f"follow {PEER} 10.0.0.1:2"]
    world.master = MasterState("10.0.0.1:2", 0, 0, 0, False)
    world.clock.advance(LOOK_MS)
    world.master = MasterState("10.0.0.1:2", 0, 0, 0, True)
    world.clock.advance(LOOK_MS)

    assert world.events[2:] == ["enter", f"on line 0 {PEER}"]


def test_a_master_that_does_not_say_where_its_log_comes_from_is_not_waited_for():
    world = World(broker_id=1)
    world.group({0: PEER})
    world.asked(PEER, RequestCode.EXCHANGE_BROKER_HA_INFO).succeed()

    assert world.events == ["enter", f"on line 0 {PEER}"]


def test_a_broker_that_cannot_begin_is_not_on_line(caplog):
    world = World()
    world.refusal = "broken file"
    with caplog.at_level(logging.WARNING):
        world.group({})
    assert world.events == []
    assert "broken file" in caplog.text

    world.refusal = None
    world.clock.advance(RETRY_MS)
    world.group({})

    assert world.events[0] == "enter"


@pytest.mark.parametrize("at", ["group", "connection", "table"])
def test_who_stops_is_not_on_line(at):
    world = World()
    if at == "group":
        world.online.stop()
        world.group({})
    else:
        world.group({1: PEER})
        world.asked(PEER, RequestCode.EXCHANGE_BROKER_HA_INFO).succeed()
        if at == "connection":
            world.online.stop()
            world.clock.advance(LOOK_MS)
        else:
            world.follows(PEER)
            world.online.stop()
        while calls := world.caller.take():
            calls[0].succeed(body=BODIES[calls[0].command.code])

    assert world.events == []
    assert world.offsets.query("g", "T", 0) == -1
