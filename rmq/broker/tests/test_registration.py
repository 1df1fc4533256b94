import pytest

from codec.bodies import decode_body, encode_body
from codec.bodies.kv import KVTable
from codec.bodies.register import decode_register_body, register_crc
from codec.bodies.route import TopicRouteData
from codec.bodies.topics import TopicConfig
from codec.codes import CURRENT_VERSION, RequestCode, ResponseCode
from codec.headers.fields import decode_header
from codec.headers.namesrv import (
    BrokerHeartbeatRequestHeader,
    QueryDataVersionRequestHeader,
    RegisterBrokerRequestHeader,
    UnRegisterBrokerRequestHeader,
)
from rmq.base.manual import ManualClock
from rmq.broker.registration import Registration
from rmq.broker.tests.roles import A_SLAVE, master
from rmq.broker.tests.tables import FullDisk, config, table_file
from rmq.broker.topics import Topics
from rmq.remoting.testing import FakeCaller

ONE, TWO = "10.0.0.1:9876", "10.0.0.2:9876"


class World:
    def __init__(self, *servers, **changed):
        self.config = config(**changed)
        self.clock = ManualClock()
        self.caller = FakeCaller()
        self.topics = Topics(
            self.config, self.clock, table_file(FullDisk(self.clock), "topics.json")
        )
        self.answers = []
        self.role = master()
        self.registration = Registration(
            self.config,
            self.clock,
            self.caller,
            self.topics,
            role=self.role,
            address="10.0.0.9:10911",
            ha_address="10.0.0.9:10912",
            answered=lambda header, ordered: self.answers.append((header.master_addr, ordered)),
        )
        self.topics.on_change(self.registration.topics_changed)
        self.registration.set_name_servers(servers or (ONE, TWO))

    def started(self):
        self.registration.start()
        for call in self.caller.take():
            call.succeed()
        return self

    def update(self, *names):
        for name in names:
            self.topics.update(TopicConfig(topic_name=name))


def header_of(call):
    return decode_header(RegisterBrokerRequestHeader, call.command.ext_fields)


def told(call):
    assert call.command.code == RequestCode.REGISTER_BROKER
    header = header_of(call)
    assert header.body_crc32 == register_crc(call.command.body)
    body = decode_register_body(
        call.command.body, compressed=header.compressed, version=CURRENT_VERSION
    )
    return body.topic_config_serialize_wrapper


def names_told(call):
    return sorted(told(call).topic_config_table)


def test_start_registers_everything_with_every_name_server():
    world = World()
    counts = []

    world.registration.start().addCallback(counts.append)

    calls = world.caller.take()
    assert [call.address for call in calls] == [ONE, TWO]
    for call in calls:
        assert told(call).topic_config_table == world.topics.table
        assert told(call).data_version == world.topics.data_version
        assert call.timeout_ms == 24_000
    assert header_of(calls[0]) == RegisterBrokerRequestHeader(
        broker_name="broker-a",
        broker_addr="10.0.0.9:10911",
        cluster_name="C",
        ha_server_addr="10.0.0.9:10912",
        broker_id=0,
        enable_acting_master=False,
        compressed=False,
        body_crc32=header_of(calls[0]).body_crc32,
    )
    calls[0].succeed()
    calls[1].fail()
    assert counts == [1]


def test_registration_comes_again_every_period():
    world = World(ONE).started()

    world.clock.advance(9_999)
    assert world.caller.take() == []
    world.clock.advance(1)
    world.caller.take()[0].succeed()
    world.clock.advance(30_000)

    assert len(world.caller.take()) == 1


@pytest.mark.parametrize(("set_ms", "period_ms"), [(1, 10_000), (900_000, 60_000)])
def test_period_stays_within_its_bounds(set_ms, period_ms):
    world = World(ONE, registerNameServerPeriod=set_ms).started()
    world.clock.advance(10_000)
    world.caller.take()[0].succeed()

    world.clock.advance(period_ms - 1)
    assert world.caller.take() == []
    world.clock.advance(1)
    assert len(world.caller.take()) == 1


def test_changes_of_one_turn_are_told_together_and_alone():
    world = World().started()

    world.update("a", "b")
    assert world.caller.take() == []
    world.clock.advance(0)

    calls = world.caller.take()
    assert [call.address for call in calls] == [ONE, TWO]
    assert names_told(calls[0]) == ["a", "b"]
    assert told(calls[0]).data_version == world.topics.data_version


def test_change_during_a_registration_is_told_after_it():
    world = World(ONE).started()
    world.update("a")
    world.clock.advance(0)
    first = world.caller.take()[0]
    world.update("b")
    world.update("c")
    world.clock.advance(0)
    assert world.caller.take() == []

    first.succeed()

    assert names_told(world.caller.take()[0]) == ["b", "c"]


def test_after_a_failure_everything_is_told():
    world = World(ONE).started()
    world.update("a")
    world.clock.advance(0)
    world.caller.take()[0].fail()
    assert world.caller.take() == []

    world.update("b")
    world.clock.advance(0)

    assert told(world.caller.take()[0]).topic_config_table == world.topics.table


def test_dead_name_server_delays_no_other():
    world = World().started()
    world.update("a")
    world.clock.advance(0)
    dead, alive = world.caller.take()
    alive.succeed()

    world.update("b")
    world.clock.advance(0)

    calls = world.caller.take()
    assert [call.address for call in calls] == [TWO]
    assert names_told(calls[0]) == ["b"]
    dead.fail()


def test_period_does_not_pile_up_on_a_slow_name_server():
    world = World(ONE)
    world.registration.start()
    slow = world.caller.take()[0]

    world.clock.advance(40_000)
    assert world.caller.take() == []
    slow.succeed()

    assert len(world.caller.take()) == 1


@pytest.mark.parametrize(
    "answer",
    [
        lambda call: call.respond(ResponseCode.SYSTEM_ERROR, "no"),
        lambda call: call.succeed(body=b"[broken"),
    ],
)
def test_refusal_and_broken_answer_are_failures(answer, caplog):
    world = World(ONE)
    counts = []
    world.registration.start().addCallback(counts.append)

    answer(world.caller.take()[0])

    assert counts == [0]
    assert f"event=register_failed namesrv={ONE}" in caplog.text


def test_answer_tells_master_and_ordered_topics():
    world = World(ONE)
    world.registration.start()

    body = encode_body(KVTable(table={"orders": "broker-a:8"}))
    world.caller.take()[0].succeed({"masterAddr": "10.0.0.8:10911"}, body)

    assert world.answers == [("10.0.0.8:10911", ["orders"])]


def test_nobody_need_listen_to_answers():
    world = World(ONE)
    world.registration._answered = None
    counts = []
    world.registration.start().addCallback(counts.append)

    world.caller.take()[0].succeed()

    assert counts == [1]


def test_unforced_period_asks_first():
    world = World(forceRegister=False).started()
    world.clock.advance(10_000)

    same, other = world.caller.take()
    assert same.command.code == RequestCode.QUERY_DATA_VERSION
    assert decode_header(QueryDataVersionRequestHeader, same.command.ext_fields).broker_id == 0
    same.succeed({"changed": "false"}, encode_body(world.topics.data_version))
    other.succeed({"changed": "false"}, encode_body(world.topics.data_version.next(1)))

    calls = world.caller.take()
    assert [call.address for call in calls] == [TWO]
    assert told(calls[0]).topic_config_table == world.topics.table


@pytest.mark.parametrize(("changed", "registers"), [("true", 1), ("false", 0)])
def test_answer_without_a_version_counts_by_its_flag(changed, registers):
    world = World(ONE, forceRegister=False).started()
    world.clock.advance(10_000)

    world.caller.take()[0].succeed({"changed": changed})

    assert len(world.caller.take()) == registers


def test_name_server_that_cannot_be_asked_is_registered_with_next_time():
    world = World(ONE, forceRegister=False).started()
    world.clock.advance(10_000)
    world.caller.take()[0].fail()

    world.clock.advance(30_000)

    assert world.caller.take()[0].command.code == RequestCode.REGISTER_BROKER


def test_new_name_server_is_told_at_once_and_a_left_one_no_more():
    world = World(ONE)
    world.registration.set_name_servers([ONE])
    world.started()

    world.registration.set_name_servers([TWO, TWO])

    calls = world.caller.take()
    assert [call.address for call in calls] == [TWO]
    world.registration.set_name_servers([TWO])
    assert world.caller.take() == []
    assert world.registration.name_servers == [TWO]


def test_single_topics_are_told_as_routes():
    world = World(ONE, enableSingleTopicRegister=True).started()
    world.topics.update(TopicConfig(topic_name="a", perm=4, read_queue_nums=3, write_queue_nums=2))
    world.update("b")
    world.clock.advance(0)

    first = world.caller.take()[0]
    first.succeed()
    second = world.caller.take()[0]
    second.succeed()

    assert world.caller.take() == []
    assert first.command.code == RequestCode.REGISTER_TOPIC_IN_NAMESRV
    assert first.command.ext_fields["topic"] == "a"
    assert second.command.ext_fields["topic"] == "b"
    (queues,) = decode_body(TopicRouteData, first.command.body).queue_datas
    assert (queues.broker_name, queues.perm) == ("broker-a", 4)
    assert (queues.read_queue_nums, queues.write_queue_nums) == (3, 2)


def test_many_topics_can_be_told_in_parts_each_a_version_of_its_own():
    world = World(ONE, enableSplitRegistration=True, splitRegistrationSize=5)
    world.registration.start()
    parts = []
    while calls := world.caller.take():
        parts.append(told(calls[0]))
        calls[0].succeed()

    assert [len(part.topic_config_table) for part in parts] == [5, 5, 3]
    assert len({part.data_version for part in parts}) == 3


def test_body_can_be_compressed():
    world = World(ONE, compressedRegister=True)
    world.registration.start()

    call = world.caller.take()[0]

    assert header_of(call).compressed
    assert names_told(call) == sorted(world.topics.table)


def test_acting_master_mode_announces_its_timeout_and_beats():
    world = World(enableSlaveActingMaster=True, compatibleWithOldNameSrv=False)
    world.registration.start()
    call = world.caller.take()[0]
    assert header_of(call).enable_acting_master
    assert header_of(call).heartbeat_timeout_millis == 10_000

    world.clock.advance(2_000)

    assert [address for address, _ in world.caller.sent] == [ONE, TWO, ONE, TWO]
    command = world.caller.sent[0][1]
    assert command.code == RequestCode.BROKER_HEARTBEAT
    header = decode_header(BrokerHeartbeatRequestHeader, command.ext_fields)
    assert (header.cluster_name, header.broker_name) == ("C", "broker-a")


def test_old_name_servers_take_a_version_query_for_a_heartbeat():
    world = World(ONE, enableSlaveActingMaster=True)
    world.registration.start()

    world.clock.advance(1_000)

    command = world.caller.sent[0][1]
    assert command.code == RequestCode.QUERY_DATA_VERSION
    assert command.body == encode_body(world.topics.data_version)


def test_stop_says_goodbye_to_all_and_is_silent_afterwards():
    world = World().started()
    done = []

    world.registration.stop().addCallback(done.append)

    calls = world.caller.take()
    assert [call.address for call in calls] == [ONE, TWO]
    assert calls[0].command.code == RequestCode.UNREGISTER_BROKER
    header = decode_header(UnRegisterBrokerRequestHeader, calls[0].command.ext_fields)
    assert (header.broker_name, header.broker_id) == ("broker-a", 0)
    assert calls[0].timeout_ms == 3_000
    calls[0].succeed()
    assert done == []
    calls[1].fail()
    assert done == [None]
    world.update("a")
    world.clock.advance(100_000)
    assert world.caller.take() == []
    assert world.clock.owed == 0


def test_change_just_before_the_stop_is_not_told():
    world = World(ONE).started()
    world.update("a")
    world.registration.stop()
    world.caller.take()[0].succeed()

    world.clock.advance(0)

    assert world.caller.take() == []


def test_stop_without_start_is_nothing():
    world = World()
    done = []

    world.registration.stop().addCallback(done.append)

    assert done == [None]
    assert world.caller.take() == []


def test_registration_under_way_at_the_stop_is_the_last():
    world = World(ONE)
    world.registration.start()
    register = world.caller.take()[0]
    world.registration.register_all()
    world.registration.stop()

    register.succeed()

    assert [call.command.code for call in world.caller.take()] == [RequestCode.UNREGISTER_BROKER]


def test_a_broker_is_registered_under_the_id_of_its_role():
    world = World(ONE).started()

    world.role.set(A_SLAVE)
    world.registration.register_all()
    [call] = world.caller.take()
    assert header_of(call).broker_id == A_SLAVE.broker_id
    call.succeed()
    world.registration.stop()

    [call] = world.caller.take()
    goodbye = decode_header(UnRegisterBrokerRequestHeader, call.command.ext_fields)
    assert goodbye.broker_id == A_SLAVE.broker_id


def test_who_waits_is_told_when_all_name_servers_know():
    world = World().started()
    world.update("T")
    fired = []
    world.registration.when_told(2000).addCallback(lambda _: fired.append(world.clock.wall_ms()))
    world.clock.advance(0)
    first, second = world.caller.take()

    first.succeed()
    assert fired == []
    second.fail()

    assert len(fired) == 1
    world.clock.advance(2000)
    assert len(fired) == 1


def test_who_waits_is_told_in_time_when_a_name_server_is_silent():
    world = World().started()
    world.update("T")
    fired = []
    world.registration.when_told(2000).addCallback(fired.append)

    world.clock.advance(1999)
    assert fired == []
    world.clock.advance(1)

    assert fired == [None]
    for call in world.caller.take():
        call.succeed()
    assert fired == [None]


@pytest.mark.parametrize("running", [False, True])
def test_nobody_waits_for_nothing(running):
    world = World().started() if running else World()
    fired = []

    world.registration.when_told(2000).addCallback(fired.append)
    world.clock.advance(0)

    assert fired == [None]


def test_name_server_that_is_given_up_is_not_waited_for():
    world = World().started()
    world.update("T")
    fired = []
    world.registration.when_told(2000).addCallback(fired.append)

    world.registration.set_name_servers([])
    world.clock.advance(0)

    assert fired == [None]
