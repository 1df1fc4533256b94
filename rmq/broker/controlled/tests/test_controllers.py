import pytest

from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.headers.controller import GetReplicaInfoRequestHeader
from codec.headers.fields import RequestHeader
from rmq.base.errors import CallError
from rmq.broker.controlled.controllers import ControllerRefusedError, Controllers
from rmq.broker.controlled.tests.outcomes import outcome_of
from rmq.remoting.testing import FakeCall, FakeCaller

A, B, C = "c:9877", "c:9878", "c:9879"
QUESTION = GetReplicaInfoRequestHeader(broker_name="b")


def leads(call: FakeCall, address: str) -> None:
    call.succeed({"controllerLeaderAddress": address, "isLeader": "false"})


def test_all_are_asked_and_a_majority_is_enough() -> None:
    caller = FakeCaller()
    controllers = Controllers(caller, [A, B, C, A])
    found = outcome_of(controllers.look())
    calls = caller.take()

    leads(calls[0], B)
    assert found == []
    leads(calls[2], B)

    assert [call.address for call in calls] == [A, B, C]
    assert {call.command.code for call in calls} == {RequestCode.CONTROLLER_GET_METADATA_INFO}
    assert found == [B]
    assert controllers.leader == B
    calls[1].fail()


def test_one_that_believes_in_an_old_leader_is_outvoted() -> None:
    caller = FakeCaller()
    controllers = Controllers(caller, [A, B, C])
    found = outcome_of(controllers.look())
    calls = caller.take()

    leads(calls[0], A)
    leads(calls[1], B)
    assert found == []
    leads(calls[2], B)

    assert found == [B]


def test_without_a_majority_the_one_named_most_often_counts_when_all_have_answered() -> None:
    caller = FakeCaller()
    controllers = Controllers(caller, [A, B, C])
    found = outcome_of(controllers.look())
    calls = caller.take()

    calls[0].fail()
    leads(calls[1], B)
    assert found == []
    calls[2].respond(ResponseCode.SYSTEM_ERROR)

    assert found == [B]


@pytest.mark.parametrize("answers", [2, 1])
def test_a_leader_may_have_to_be_agreed_on(answers: int) -> None:
    caller = FakeCaller()
    found = outcome_of(Controllers(caller, [A, B, C]).look(agreed=True))

    for number, call in enumerate(caller.take()):
        if number < answers:
            leads(call, B)
        else:
            call.fail()

    assert len(found) == 1
    assert (found == [B]) == (answers == 2)


def test_nobody_knowing_a_leader_is_an_error() -> None:
    caller = FakeCaller()
    controllers = Controllers(caller, [A, B])
    controllers.leader = A
    found = outcome_of(controllers.look())
    first, second = caller.take()

    first.fail()
    second.succeed({"isLeader": "false"})

    assert isinstance(found[0], CallError)
    assert controllers.leader is None


def test_without_addresses_nobody_leads() -> None:
    found = outcome_of(Controllers(FakeCaller(), []).look())

    assert isinstance(found[0], CallError)


def test_who_looks_meanwhile_shares_the_answer() -> None:
    caller = FakeCaller()
    controllers = Controllers(caller, [A])
    found = [outcome_of(controllers.look()), outcome_of(controllers.look())]
    (call,) = caller.take()

    leads(call, A)

    assert found == [[A], [A]]
    controllers_again = outcome_of(controllers.look())
    leads(caller.take()[0], A)
    assert controllers_again == [A]


def test_the_leader_is_looked_for_before_it_is_asked() -> None:
    caller = FakeCaller()
    controllers = Controllers(caller, [A])
    answer = outcome_of(controllers.ask(RequestCode.CONTROLLER_GET_REPLICA_INFO, QUESTION, b"x"))
    leads(caller.take()[0], C)

    (asked,) = caller.take()
    asked.succeed({"masterEpoch": "3"})

    assert asked.address == C
    assert asked.command.code == RequestCode.CONTROLLER_GET_REPLICA_INFO
    assert asked.command.ext_fields == {"brokerName": "b"}
    assert asked.command.body == b"x"
    assert isinstance(answer[0], Command)


@pytest.mark.parametrize(
    ("code", "leader"),
    [
        (ResponseCode.CONTROLLER_NOT_LEADER, None),
        (ResponseCode.CONTROLLER_BROKER_METADATA_NOT_EXIST, A),
    ],
)
def test_a_refusal_has_its_code_and_who_does_not_lead_is_forgotten(
    code: ResponseCode, leader: str | None
) -> None:
    caller = FakeCaller()
    controllers = Controllers(caller, [A])
    controllers.leader = A
    answer = outcome_of(controllers.ask(RequestCode.CONTROLLER_GET_REPLICA_INFO, QUESTION))

    caller.take()[0].respond(code, "no")

    assert isinstance(answer[0], ControllerRefusedError)
    assert answer[0].code == code
    assert controllers.leader == leader


def test_an_accepted_code_is_no_refusal() -> None:
    caller = FakeCaller()
    controllers = Controllers(caller, [A])
    controllers.leader = A
    answer = outcome_of(
        controllers.ask(
            RequestCode.CONTROLLER_ELECT_MASTER,
            RequestHeader(),
            accepted=(ResponseCode.CONTROLLER_MASTER_STILL_EXIST,),
        )
    )

    caller.take()[0].respond(ResponseCode.CONTROLLER_MASTER_STILL_EXIST)

    assert answer[0].code == ResponseCode.CONTROLLER_MASTER_STILL_EXIST


def test_a_leader_that_fails_is_forgotten_unless_another_is_known_already() -> None:
    caller = FakeCaller()
    controllers = Controllers(caller, [A])
    controllers.leader = A
    answers = [
        outcome_of(controllers.ask(RequestCode.CONTROLLER_GET_REPLICA_INFO, QUESTION))
        for _ in range(2)
    ]
    first, second = caller.take()

    first.fail()
    leaders = [controllers.leader]
    controllers.leader = B
    second.expire()
    leaders.append(controllers.leader)

    assert leaders == [None, B]
    assert all(isinstance(answer[0], CallError) for answer in answers)


def test_all_are_told() -> None:
    caller = FakeCaller()

    Controllers(caller, [A, B]).tell_all(RequestCode.BROKER_HEARTBEAT, QUESTION)

    assert [(address, command.code) for address, command in caller.sent] == [
        (A, RequestCode.BROKER_HEARTBEAT),
        (B, RequestCode.BROKER_HEARTBEAT),
    ]
