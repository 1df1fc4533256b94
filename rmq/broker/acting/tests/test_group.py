from codec.bodies import encode_body
from codec.bodies.route import BrokerMemberGroup, GetBrokerMemberGroupResponseBody
from codec.codes import RequestCode
from rmq.base.errors import CallError
from rmq.broker.acting.group import Group
from rmq.broker.controlled.tests.outcomes import outcome_of
from rmq.broker.role import Role, RoleHolder
from rmq.remoting.testing import FakeCaller


def known(addresses):
    group = BrokerMemberGroup(cluster="C", broker_name="a", broker_addrs=addresses)
    return encode_body(GetBrokerMemberGroupResponseBody(broker_member_group=group))


class World:
    def __init__(self, *name_servers):
        self.caller = FakeCaller()
        role = RoleHolder(Role(kind="SLAVE", broker_id=1))
        self.group = Group(self.caller, lambda: name_servers, ("C", "a"), role, 3)
        self.outcome = outcome_of(self.group.addresses())


def test_the_brokers_of_our_name_are_asked_for():
    world = World("n1:1")
    [call] = world.caller.take()
    call.succeed(body=known({0: "h:0", 1: "h:1"}))

    assert call.command.code == RequestCode.GET_BROKER_MEMBER_GROUP
    assert call.command.ext_fields == {"clusterName": "C", "brokerName": "a"}
    assert world.outcome == [{0: "h:0", 1: "h:1"}]
    assert world.group.alive == 2


def test_who_asks_lives_though_nobody_knows_it():
    world = World("n1:1")
    world.caller.take()[0].succeed(body=known({0: "h:0", 2: "h:2"}))

    assert world.group.alive == 3


def test_the_next_one_is_asked_if_one_cannot_tell():
    world = World("n1:1", "n2:1", "n3:1", "n4:1")
    world.caller.take()[0].fail()
    world.caller.take()[0].respond(1, "busy")
    world.caller.take()[0].succeed(body=b"{")
    world.caller.take()[0].succeed()

    assert world.outcome == [{}]
    assert world.group.alive == 3, "as before: nobody said otherwise"


def test_an_answer_without_a_group_knows_nobody():
    world = World("n1:1")
    world.caller.take()[0].succeed(body=b"{}")

    assert world.outcome == [{}]


def test_if_nobody_can_tell_that_is_said():
    world = World("n1:1")
    world.caller.take()[0].fail("gone")

    [error] = world.outcome
    assert isinstance(error, CallError)
    assert "gone" in str(error)
    assert "there is none" in str(World().outcome[0])
