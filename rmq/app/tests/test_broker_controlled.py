import pytest

from codec.bodies import decode_body
from codec.bodies.controller import EpochEntryCache
from codec.codes import RequestCode
from rmq.app.broker_controlled import promises_replicas, set_replicas
from rmq.app.tests.parts import Parts, small_settings
from rmq.replication.autoswitch import AutoSwitch
from rmq.store.messages import PutMessage, PutStatus

CONTROLLED = {
    "enableControllerMode": "true",
    "controllerAddr": "c:9877; c:9878;c:9879",
    "namesrvAddr": "n:9876",
    "allAckInSyncStateSet": "true",
    "storePathRootDir": "/store",
}
OURS = "127.0.0.1:10911"
ALONE = b'{"syncStateSet":[1],"syncStateSetEpoch":2}'
LED_BY_US = {
    "masterBrokerId": "1",
    "masterAddress": OURS,
    "masterEpoch": "2",
    "syncStateSetEpoch": "2",
}
LED_BY_ANOTHER = LED_BY_US | {"masterBrokerId": "2", "masterAddress": "h:1", "masterEpoch": "3"}


@pytest.fixture
def parts():
    parts = Parts(**CONTROLLED)
    parts.tables.load()
    parts.services.load()
    parts.store.load()
    parts.services.start()
    yield parts
    parts.services.unregister()
    parts.services.stop()
    parts.store.close()


def answered(parts, code, fields=None, body=b""):
    """Answer the waiting questions of one code; who was asked."""
    calls = [call for call in parts.caller.calls if call.command.code == code]
    parts.caller.calls = [call for call in parts.caller.calls if call not in calls]
    for call in calls:
        call.succeed(fields or {}, body)
    return [call.address for call in calls]


def registered(parts, fields, body=ALONE):
    """Have it come on line; the Controllers say who is master."""
    looked = answered(
        parts, RequestCode.CONTROLLER_GET_METADATA_INFO, {"controllerLeaderAddress": "c:9878"}
    )
    assert looked == ["c:9877", "c:9878", "c:9879"]
    answered(parts, RequestCode.CONTROLLER_GET_NEXT_BROKER_ID, {"nextBrokerId": "1"})
    answered(parts, RequestCode.CONTROLLER_APPLY_BROKER_ID)
    assert answered(parts, RequestCode.CONTROLLER_REGISTER_BROKER, fields, body) == ["c:9878"]


def test_before_a_decision_nothing_is_accepted_and_no_name_server_told(parts):
    assert parts.store.put(PutMessage("T", 0, b"x")).status == PutStatus.SERVICE_NOT_AVAILABLE
    parts.clock.advance(60_000)

    assert not [call for call in parts.caller.calls if call.address == "n:9876"]


def test_who_is_master_serves_and_says_so_with_its_epoch(parts):
    registered(parts, LED_BY_US)

    assert parts.services.role.now.kind == "SYNC_MASTER"
    assert parts.store.put(PutMessage("T", 0, b"x")).status == PutStatus.PUT_OK
    assert parts.services.replication.sync_state_set == {1}
    assert parts.tables.topics.data_version.state_version == 2
    assert parts.services.schedule.state_version == 2
    told = [call for call in parts.caller.calls if call.address == "n:9876"]
    assert [call.command.ext_fields["brokerId"] for call in told] == ["0"]
    assert parts.disk.read("/store/brokerIdentity") == b"DefaultCluster#broker-a#1"


def test_the_settings_show_what_was_decided(parts):
    registered(parts, LED_BY_US)

    shown = parts.services.live.text().splitlines()

    assert {"brokerRole=SYNC_MASTER", "brokerId=0"} <= set(shown)


def test_heartbeats_reach_every_controller(parts):
    registered(parts, LED_BY_US)
    parts.store.put(PutMessage("T", 0, b"x"))
    parts.clock.advance(1_000)

    address, command = parts.caller.sent[-1]
    assert address == "c:9879"
    assert command.ext_fields["epoch"] == "2"
    end = str(parts.store.written_position)
    assert (command.ext_fields["maxOffset"], command.ext_fields["confirmOffset"]) == (end, end)


def test_a_slave_gets_the_log_from_where_its_master_says(parts):
    registered(parts, LED_BY_ANOTHER)
    assert parts.services.role.now.master_address == "h:1"

    answered(parts, RequestCode.EXCHANGE_BROKER_HA_INFO, {"masterHaAddress": "h:2"})

    assert [address for address, _ in parts.dialled] == ["h:2"]
    assert parts.services.role.now.broker_id == 1


def test_what_replication_wants_is_proposed(parts):
    registered(parts, LED_BY_US, b'{"syncStateSet":[1,2],"syncStateSetEpoch":2}')

    parts.clock.advance(5_000)

    [call] = [
        call
        for call in parts.caller.calls
        if call.command.code == RequestCode.CONTROLLER_ALTER_SYNC_STATE_SET
    ]
    assert call.command.body == b'{"syncStateSet":[1],"syncStateSetEpoch":2}'


def test_known_by_the_same_id_again_a_master_stays_one(parts):
    registered(parts, LED_BY_US)

    parts.services.controlled.registered(1)

    assert parts.services.role.now.is_master


def test_known_by_another_id_a_master_steps_down(parts):
    registered(parts, LED_BY_US)

    parts.services.controlled.registered(7)

    assert not parts.services.role.now.is_master
    assert parts.services.replication.broker_id == 7
    assert parts.tables.topics.data_version.state_version == 2


def test_who_leads_the_controllers_is_looked_for_again_and_again(parts):
    registered(parts, LED_BY_US)

    parts.clock.advance(10_000)

    assert len(answered(parts, RequestCode.CONTROLLER_GET_METADATA_INFO)) == 3


def test_epochs_are_shown(parts):
    registered(parts, LED_BY_US)

    answer = parts.services.controlled.processor.epoch_cache(None)

    [epoch] = decode_body(EpochEntryCache, answer.body).epoch_list
    assert (epoch.epoch, epoch.start_offset) == (2, 0)


@pytest.mark.parametrize(
    ("values", "promised"),
    [
        ({}, False),
        ({"inSyncReplicas": "2"}, True),
        ({"allAckInSyncStateSet": "true"}, True),
    ],
)
def test_what_is_promised_is_waited_for(values, promised):
    values = {**CONTROLLED, "allAckInSyncStateSet": "false", **values}
    parts = Parts(**values)
    assert isinstance(parts.services.replication, AutoSwitch)

    assert promises_replicas(small_settings(**values)) is promised
    assert (set_replicas(parts.ports, parts.services.replication) is not None) is promised


def test_deliveries_are_told_to_slaves_when_all_in_step_have_what_was_delivered(parts):
    registered(parts, LED_BY_US)
    services = parts.services
    services.replication.set_sync_state(frozenset({1, 2}), 3)
    parts.store.put(PutMessage("T", 0, b"x"))
    told = []

    services.delay_offsets().addCallback(told.append)
    parts.clock.advance(10)
    assert told == []
    services.replication.set_sync_state(frozenset({1}), 4)
    parts.clock.advance(10)

    assert told == [services.schedule.wrapper()]


def test_with_fewer_brokers_in_step_than_wanted_sends_are_refused():
    parts = Parts(**CONTROLLED, minInSyncReplicas="2")
    enough = parts.services.enough
    assert enough is not None

    assert not enough()
    parts.services.replication.set_sync_state(frozenset({1, 2}), 2)
    assert enough()


def test_one_broker_in_step_is_there_always():
    assert Parts(**CONTROLLED).services.enough is None
