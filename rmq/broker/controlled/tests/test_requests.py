import pytest

from codec.bodies.controller import SyncStateSet
from codec.codes import RequestCode, ResponseCode
from codec.errors import CodecError
from rmq.base.manual import ManualClock
from rmq.broker.controlled.controllers import Controllers
from rmq.broker.controlled.identity import Identity
from rmq.broker.controlled.requests import Names, Requests, Verdict
from rmq.broker.controlled.tests.outcomes import outcome_of
from rmq.remoting.testing import FakeCaller

OURS = "127.0.0.1:10911"
MASTER = {"masterBrokerId": "2", "masterAddress": "h:1", "masterEpoch": "3"}
IN_SYNC = b'{"syncStateSet":[1,2],"syncStateSetEpoch":7}'
DECIDED = Verdict(
    master_id=2, master_address="h:1", epoch=3, in_sync=frozenset((1, 2)), in_sync_epoch=7
)
NOW = "1700000000000"


def scene() -> tuple[FakeCaller, Requests]:
    caller = FakeCaller()
    controllers = Controllers(caller, ["c:1"])
    controllers.leader = "c:1"
    return caller, Requests(controllers, ManualClock(), Names("cluster", "broker-a", OURS))


def test_the_next_id_is_asked_for() -> None:
    caller, requests = scene()
    answer = outcome_of(requests.next_id())
    (call,) = caller.take()

    call.succeed({"nextBrokerId": "3"})

    assert call.command.code == RequestCode.CONTROLLER_GET_NEXT_BROKER_ID
    assert call.command.ext_fields == {"clusterName": "cluster", "brokerName": "broker-a"}
    assert answer == [3]


def test_an_answer_without_an_id_is_broken() -> None:
    caller, requests = scene()
    answer = outcome_of(requests.next_id())

    caller.take()[0].succeed({})

    assert isinstance(answer[0], CodecError)


def test_an_id_is_applied_for_with_its_code() -> None:
    caller, requests = scene()
    answer = outcome_of(requests.apply_id(Identity("cluster", "broker-a", 3, "code")))
    (call,) = caller.take()

    call.succeed({})

    assert call.command.code == RequestCode.CONTROLLER_APPLY_BROKER_ID
    assert call.command.ext_fields == {
        "clusterName": "cluster",
        "brokerName": "broker-a",
        "appliedBrokerId": "3",
        "registerCheckCode": "code",
    }
    assert answer == [None]


def test_a_registration_tells_our_address_and_gives_the_living_master() -> None:
    caller, requests = scene()
    answer = outcome_of(requests.register(1))
    (call,) = caller.take()

    call.succeed({**MASTER, "syncStateSetEpoch": "7"}, IN_SYNC)

    assert call.command.code == RequestCode.CONTROLLER_REGISTER_BROKER
    assert call.command.ext_fields == {
        "clusterName": "cluster",
        "brokerName": "broker-a",
        "brokerId": "1",
        "brokerAddress": OURS,
        "invokeTime": NOW,
    }
    assert answer == [DECIDED]


def test_a_registration_without_a_living_master_has_none() -> None:
    caller, requests = scene()
    answer = outcome_of(requests.register(1))

    caller.take()[0].succeed({}, b'{"syncStateSet":[2],"syncStateSetEpoch":7}')

    assert answer == [Verdict(in_sync=frozenset((2,)))]
    assert not answer[0].has_master


@pytest.mark.parametrize("code", [ResponseCode.SUCCESS, ResponseCode.CONTROLLER_MASTER_STILL_EXIST])
def test_an_election_gives_the_master_new_or_old(code: ResponseCode) -> None:
    caller, requests = scene()
    answer = outcome_of(requests.elect(2))
    (call,) = caller.take()

    call.respond(
        code,
        ext_fields={**MASTER, "syncStateSetEpoch": "7"},
        body=b'{"brokerMemberGroup":{"brokerAddrs":{1:"a"}},"syncStateSet":[1,2]}',
    )

    assert call.command.code == RequestCode.CONTROLLER_ELECT_MASTER
    assert call.command.ext_fields == {
        "clusterName": "cluster",
        "brokerName": "broker-a",
        "brokerId": "2",
        "designateElect": "false",
        "invokeTime": NOW,
    }
    assert answer == [DECIDED]


def test_an_election_s_answer_may_be_bare() -> None:
    caller, requests = scene()
    answer = outcome_of(requests.elect(2))

    caller.take()[0].succeed({})

    assert answer == [Verdict()]


def test_replica_info_has_the_set_s_epoch_in_its_body() -> None:
    caller, requests = scene()
    answer = outcome_of(requests.replica_info())
    (call,) = caller.take()

    call.succeed(MASTER, IN_SYNC)

    assert call.command.code == RequestCode.CONTROLLER_GET_REPLICA_INFO
    assert answer == [DECIDED]


def test_replica_info_may_know_nothing() -> None:
    caller, requests = scene()
    answer = outcome_of(requests.replica_info())

    caller.take()[0].succeed({})

    assert answer == [Verdict()]


def test_replica_info_may_be_asked_of_an_agreed_leader() -> None:
    caller, requests = scene()
    answer = outcome_of(requests.agreed_info())
    caller.take()[0].succeed({"controllerLeaderAddress": "c:2"})
    (call,) = caller.take()

    call.succeed(MASTER, IN_SYNC)

    assert call.address == "c:2"
    assert answer == [DECIDED]


def test_a_change_of_the_set_is_proposed_with_both_epochs() -> None:
    caller, requests = scene()
    wanted = SyncStateSet(sync_state_set={1}, sync_state_set_epoch=7)
    answer = outcome_of(requests.alter(2, 3, wanted))
    (call,) = caller.take()

    call.succeed({"newSyncStateSetEpoch": "8"}, b'{"syncStateSet":[1],"syncStateSetEpoch":8}')

    assert call.command.code == RequestCode.CONTROLLER_ALTER_SYNC_STATE_SET
    assert call.command.ext_fields == {
        "brokerName": "broker-a",
        "masterBrokerId": "2",
        "masterEpoch": "3",
        "invokeTime": NOW,
    }
    assert call.command.body == b'{"syncStateSet":[1],"syncStateSetEpoch":7}'
    assert answer == [SyncStateSet(sync_state_set={1}, sync_state_set_epoch=8)]
