from types import SimpleNamespace

import pytest

from codec.bodies import encode_body
from codec.bodies.assignment import (
    MessageRequestMode,
    MessageRequestModeSerializeWrapper,
    SetMessageRequestModeRequestBody,
)
from codec.bodies.data_version import DataVersion
from codec.bodies.groups import SubscriptionGroupConfig, SubscriptionGroupWrapper
from codec.bodies.offsets import ConsumerOffsetSerializeWrapper, DelayOffsetSerializeWrapper
from codec.bodies.timer import TimerMetric, TimerMetricsSerializeWrapper
from codec.bodies.topics import TopicConfig, TopicConfigAndMappingSerializeWrapper
from codec.codes import RequestCode, ResponseCode
from codec.disk.timer_checkpoint import TimerCheckpoint, pack_timer_checkpoint
from rmq.base.manual import ManualClock
from rmq.broker.following import AGAIN_MS, CLASSIC_PERIOD_MS, TICK_MS, Copied, Following
from rmq.broker.groups import Groups
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.request_modes import RequestModes
from rmq.broker.role import Role, RoleHolder
from rmq.broker.schedule import Schedule
from rmq.broker.tests.tables import config, table_file
from rmq.broker.timer_state import TimerState
from rmq.broker.topics import Topics
from rmq.net.memory_disk import MemoryDisk
from rmq.remoting.testing import FakeCaller
from rmq.store.tests.stores import opened

MASTER, OTHER, OWN = "10.0.0.1:10911", "10.0.0.2:10911", "10.0.0.9:10911"
VERSION = DataVersion(counter=9, state_version=3, timestamp=77)

BODIES = {
    RequestCode.GET_ALL_TOPIC_CONFIG: encode_body(
        TopicConfigAndMappingSerializeWrapper(
            data_version=VERSION, topic_config_table={"T": TopicConfig(topic_name="T")}
        )
    ),
    RequestCode.GET_ALL_CONSUMER_OFFSET: encode_body(
        ConsumerOffsetSerializeWrapper(data_version=VERSION, offset_table={"T@g": {0: 5}})
    ),
    RequestCode.GET_ALL_DELAY_OFFSET: encode_body(
        DelayOffsetSerializeWrapper(data_version=VERSION, offset_table={1: 6})
    ),
    RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG: encode_body(
        SubscriptionGroupWrapper(
            data_version=VERSION,
            forbidden_table={"g": {"T": 2}},
            subscription_group_table={"g": SubscriptionGroupConfig(group_name="g")},
        )
    ),
    RequestCode.GET_ALL_MESSAGE_REQUEST_MODE: encode_body(
        MessageRequestModeSerializeWrapper(
            message_request_mode_map={
                "T": {"g": SetMessageRequestModeRequestBody(mode=MessageRequestMode.POP)}
            }
        )
    ),
    RequestCode.GET_TIMER_METRICS: encode_body(
        TimerMetricsSerializeWrapper(
            data_version=VERSION, timing_count={"T": TimerMetric(count=1, time_stamp=2)}
        )
    ),
    RequestCode.GET_TIMER_CHECK_POINT: pack_timer_checkpoint(TimerCheckpoint(8, 0, 0, 4)),
}
TABLES = [code for code in BODIES if code != RequestCode.GET_TIMER_CHECK_POINT]


def slave_of(master):
    return Role(kind="SLAVE", broker_id=1, master_address=master)


class World:
    def __init__(self, role):
        self.clock = ManualClock()
        self.disk = MemoryDisk(self.clock)
        self.role = RoleHolder(role)
        self.caller = FakeCaller()
        self.store = opened(self.disk)
        settings = config()
        self.copied = Copied(
            Topics(settings, self.clock, table_file(self.disk, "topics.json")),
            Groups(settings, self.clock, table_file(self.disk, "groups.json")),
            ConsumerOffsets(
                settings, self.clock, table_file(self.disk, "offsets.json"), lambda *_: 0
            ),
            RequestModes(table_file(self.disk, "modes.json")),
            Schedule(
                self.store,
                SimpleNamespace(is_settled=lambda _end: True),
                self.clock,
                table_file(self.disk, "delay.json"),
                (1000,),
                save_interval_ms=1000,
                version_step=1,
            ),
            TimerState(self.disk, "/store/timercheck", table_file(self.disk, "timermetrics")),
        )
        self.following = Following(
            self.role,
            self.clock,
            self.caller,
            self.copied,
            own_address=OWN,
            period_ms=CLASSIC_PERIOD_MS,
        )

    def serve(self, until=None):
        """Answer as the master does; to whom which requests went."""
        served = []
        while calls := self.caller.take():
            for call in calls:
                served.append((call.address, call.command.code))
                call.succeed(body=BODIES[call.command.code])
                if until == call.command.code:
                    return served
        return served


@pytest.fixture
def world():
    return World(slave_of(MASTER))


def test_slave_copies_all_tables_of_its_master_at_once(world):
    world.following.start()

    assert world.serve() == [(MASTER, code) for code in BODIES]
    copied = world.copied
    assert list(copied.topics.table) == ["T"]
    assert copied.topics.data_version == VERSION
    assert list(copied.groups.table) == ["g"]
    assert copied.groups.forbidden("g", "T") == 2
    assert copied.groups.data_version == VERSION
    assert copied.offsets.query("g", "T", 0) == 5
    assert copied.offsets.data_version == VERSION
    assert copied.schedule.wrapper().offset_table == {1: 6}
    assert copied.request_modes.mode("T", "g") == MessageRequestMode.POP
    assert copied.timer.metrics.timing_count["T"].count == 1
    assert copied.timer.checkpoint == TimerCheckpoint(8, 0, 0, 4)


def test_what_was_copied_is_on_disk(world):
    world.following.start()
    world.serve()

    for table in (world.copied.topics, world.copied.groups, world.copied.offsets):
        before = table.data_version
        table.load()
        assert table.data_version == before == VERSION


def test_tables_are_copied_again_after_their_period_and_the_timer_at_each_tick(world):
    world.following.start()
    world.serve()

    world.clock.advance(TICK_MS)
    assert world.serve() == [(MASTER, RequestCode.GET_TIMER_CHECK_POINT)]
    served = []
    for _ in range(CLASSIC_PERIOD_MS // TICK_MS):
        world.clock.advance(TICK_MS)
        served += world.serve()
    assert [code for _, code in served if code in TABLES] == TABLES


def test_one_copying_at_a_time(world):
    world.following.start()

    world.clock.advance(10 * TICK_MS)

    assert len(world.caller.take()) == 1


def test_what_one_request_cannot_have_does_not_keep_the_others_from_being_copied(world):
    world.following.start()
    world.caller.take()[0].fail()
    world.caller.take()[0].respond(ResponseCode.SYSTEM_ERROR, "no")
    world.caller.take()[0].succeed(body=b"no JSON")

    world.serve()

    assert "g" in world.copied.groups
    assert "T" not in world.copied.topics
    assert world.copied.offsets.table == {}


def test_master_copies_nothing():
    world = World(Role(kind="SYNC_MASTER", broker_id=0))
    world.following.start()
    world.clock.advance(10 * TICK_MS)

    assert world.caller.take() == []


@pytest.mark.parametrize("master", [None, OWN])
def test_slave_of_nobody_or_of_itself_waits(master):
    world = World(slave_of(master))
    world.following.start()
    world.clock.advance(10 * TICK_MS)

    assert world.caller.take() == []


def test_answer_of_a_former_master_is_not_taken(world):
    world.following.start()
    [call] = world.caller.take()

    world.role.set(slave_of(OTHER))
    call.succeed(body=BODIES[call.command.code])

    assert "T" not in world.copied.topics
    assert world.serve() == [(OTHER, code) for code in BODIES]


def test_new_master_takes_over_nothing_that_was_under_way(world):
    world.following.start()
    world.serve(until=RequestCode.GET_ALL_CONSUMER_OFFSET)
    [call] = world.caller.take()

    world.role.set(Role(kind="SYNC_MASTER", broker_id=0, epoch=2))
    world.copied.schedule.start()
    call.succeed(body=BODIES[call.command.code])

    assert world.copied.schedule.wrapper().offset_table == {}
    assert world.caller.take() == []
    world.copied.schedule.stop()


def test_stop_ends_it(world):
    world.following.start()
    [call] = world.caller.take()

    world.following.stop()
    call.succeed(body=BODIES[call.command.code])
    world.clock.advance(10 * TICK_MS)

    assert world.caller.take() == []
    assert "T" not in world.copied.topics


def test_unchanged_tables_are_left_alone(world):
    topics, groups = world.copied.topics, world.copied.groups
    theirs = TopicConfigAndMappingSerializeWrapper(data_version=topics.data_version)
    assert not topics.adopt(theirs)
    assert topics.table
    assert not groups.adopt(SubscriptionGroupWrapper(data_version=groups.data_version))

    world.copied.offsets.adopt(ConsumerOffsetSerializeWrapper())
    world.copied.request_modes.adopt(MessageRequestModeSerializeWrapper())

    assert world.copied.offsets.table == {}


def test_offsets_of_the_time_without_master_stay(world):
    world.copied.offsets.commit("other", "T", 0, 3)

    world.following.start()
    world.serve()

    assert world.copied.offsets.query("other", "T", 0) == 3


YOUNG = [RequestCode.GET_ALL_TOPIC_CONFIG, RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG]
GONE = "DELETED"
"""A topic that the master has no more."""


@pytest.fixture
def followed(world):
    """A slave that has copied all a while ago."""
    world.following.start()
    world.serve()
    world.clock.advance(AGAIN_MS)
    world.copied.topics.delete("T")
    return world


def codes(world, passed_ms=0):
    """What the master is asked for while some time passes, less the timer's checkpoint."""
    served = []
    for _ in range(passed_ms // 100):
        served += world.serve()
        world.clock.advance(100)
    world.clock.advance(passed_ms % 100)
    served += world.serve()
    return [code for _, code in served if code != RequestCode.GET_TIMER_CHECK_POINT]


def test_young_topic_makes_a_slave_copy_topics_and_groups_at_once(followed):
    followed.following.seen("T", b"")
    followed.following.seen("T", b"")

    assert codes(followed) == YOUNG
    assert "T" in followed.copied.topics
    assert "T" not in followed.following.known_topics
    followed.following.seen("T", b"")
    assert "T" in followed.following.known_topics
    assert codes(followed, AGAIN_MS) == []


def test_known_topic_makes_no_copy(followed):
    followed.copied.topics.create_on_send_back("known", 1)
    followed.following.seen("known", b"")
    followed.following.seen("rmq_sys_x", b"")

    assert codes(followed, AGAIN_MS) == []


def test_young_topics_make_one_copy_a_second_at_most(followed):
    followed.following.seen("T1", b"")
    assert codes(followed) == YOUNG

    followed.following.seen("T2", b"")
    followed.following.seen("T3", b"")
    assert codes(followed, AGAIN_MS - 1) == []
    followed.following.seen("T4", b"")
    assert codes(followed, 1) == YOUNG
    assert codes(followed, AGAIN_MS) == []


def test_topic_that_is_gone_is_asked_for_once_in_a_period(followed):
    asked = []
    for _ in range(2 * CLASSIC_PERIOD_MS // 100):
        followed.following.seen(GONE, b"")
        followed.following.seen("GONE TOO", b"")
        asked += [code for code in codes(followed, 100) if code == YOUNG[0]]

    assert 4 <= len(asked) <= 6


def test_topic_that_came_during_a_copy_is_asked_for_after_it(followed):
    followed.following.seen("T1", b"")
    followed.clock.advance(0)
    [call] = followed.caller.take()
    followed.following.seen("T2", b"")
    followed.clock.advance(AGAIN_MS)
    assert followed.caller.take() == []

    call.succeed(body=BODIES[call.command.code])
    assert codes(followed) == YOUNG[1:]

    assert codes(followed) == YOUNG


def test_copy_that_failed_is_made_again(followed):
    followed.following.seen("T", b"")
    followed.clock.advance(0)
    followed.caller.take()[0].fail()
    assert codes(followed) == YOUNG[1:]

    assert codes(followed, TICK_MS - 1) == []
    assert codes(followed, 1) == YOUNG
    assert "T" in followed.copied.topics


def test_whole_copy_makes_one_for_young_topics_needless(followed):
    followed.following.seen("T", b"")
    followed.role.set(slave_of(OTHER))

    assert codes(followed) == TABLES
    assert codes(followed, AGAIN_MS) == []


def test_slave_of_nobody_asks_when_it_has_a_master():
    world = World(slave_of(None))
    world.following.start()
    world.following.seen("T", b"")
    assert codes(world, AGAIN_MS) == []

    world.role.set(slave_of(MASTER))
    world.caller.take()[0].fail()
    assert "T" not in world.copied.topics
    codes(world)

    assert codes(world, TICK_MS) == YOUNG
    assert "T" in world.copied.topics


def test_nothing_is_asked_for_before_the_start_nor_after_the_end(world):
    world.following.seen("T", b"")
    assert codes(world, AGAIN_MS) == []
    world.following.start()
    assert codes(world) == TABLES
    assert codes(world, AGAIN_MS) == []

    world.following.seen("T1", b"")
    world.following.stop()
    assert codes(world, AGAIN_MS) == []


def test_new_epoch_of_the_same_master_makes_no_copy(followed):
    followed.role.set(Role(kind="SLAVE", broker_id=1, epoch=1, master_address=MASTER))

    assert codes(followed, AGAIN_MS) == []


def test_new_master_says_what_it_could_not_learn(followed, caplog):
    followed.following.seen("T1", b"")
    followed.role.set(Role(kind="SYNC_MASTER", broker_id=0, epoch=2))

    assert codes(followed, AGAIN_MS) == []
    assert "event=topics_not_learnt topics=T1" in caplog.text
    caplog.clear()
    followed.role.set(slave_of(MASTER))
    assert codes(followed) == TABLES
    followed.role.set(Role(kind="SYNC_MASTER", broker_id=0, epoch=3))
    assert "topics_not_learnt" not in caplog.text
