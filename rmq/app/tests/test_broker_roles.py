import logging
from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred

from codec.headers.namesrv import RegisterBrokerResponseHeader
from rmq.app.broker_roles import Roles, first_role
from rmq.app.tests.parts import small_settings
from rmq.base.errors import StoreError
from rmq.broker.role import Role, RoleHolder
from rmq.broker.tests.roles import A_MASTER, A_SLAVE

OURS = "10.0.0.1:10911", "10.0.0.1:10912"
MASTER = {"master_address": "10.0.0.2:10911", "ha_address": "10.0.0.2:10912"}


class World:
    """Whatever is told something notes it in ``said``; what is in ``broken`` fails."""

    def __init__(self, role=A_MASTER):
        self.said = []
        self.broken = set()
        self.registered = []
        self.holder = RoleHolder(role)
        self.holder.on_change(lambda _, after: self.say(f"role {after.kind}"))
        work = Work(self, "schedule"), Work(self, "checks")
        self.roles = Roles(self.holder, self, Replication(self), work, self, own_addresses=OURS)

    def say(self, what):
        if what in self.broken:
            raise StoreError(f"{what} is broken")
        self.said.append(what)

    def heard(self):
        said, self.said = self.said, []
        return said

    def started(self, **options):
        self.roles.start(**({"learns": True} | options))
        self.heard()
        return self

    def slave_of(self, ha_address=MASTER["ha_address"], epoch=1, broker_id=3):
        return self.roles.become_slave(
            master_address=MASTER["master_address"],
            ha_address=ha_address,
            epoch=epoch,
            broker_id=broker_id,
        )

    # the store

    def follow(self, reason):
        assert reason
        self.say("no puts")

    def lead(self):
        self.say("puts")

    def dispatch(self):
        self.say("dispatched")
        return 0

    def drop_torn_tail(self):
        self.say("cut")
        return 700

    # the NameServers

    def start(self):
        self.say("registered first")
        self.registered.append(Deferred())
        return self.registered[-1]

    def register_all(self):
        self.say("registered")
        self.registered.append(Deferred())
        return self.registered[-1]


class Work:
    def __init__(self, world, name):
        self._world, self._name = world, name

    def begin(self):
        self._world.say(f"{self._name} begins")

    def stop(self):
        self._world.say(f"{self._name} ends")


class Replication:
    def __init__(self, world):
        self._world = world

    def lead(self, epoch):
        self._world.say(f"leads {epoch}")

    def follow(self, ha_address, epoch):
        self._world.say(f"follows {ha_address} {epoch}")


LEADS = ["cut", "dispatched", "leads 0", "dispatched", "puts", "schedule begins", "checks begins"]


def test_a_master_starts_as_one():
    world = World()

    world.roles.start(learns=True)

    assert world.said == [*LEADS, "registered first"]


def test_a_slave_starts_by_looking_for_its_master():
    world = World(A_SLAVE)

    world.roles.start(learns=True)

    assert world.said == ["no puts", "follows None 0", "registered first"]


def test_who_is_elected_is_not_announced_before():
    world = World(A_SLAVE)

    world.roles.start(learns=False, announces=False)
    assert "registered first" not in world.heard()
    world.roles.become_master(epoch=1)

    assert world.said[-1] == "registered first"


def test_a_slave_becomes_master_step_by_step(caplog):
    world = World(A_SLAVE).started()
    fired = []

    with caplog.at_level(logging.INFO):
        world.roles.become_master(epoch=4).addCallback(fired.append)

    assert world.said == [
        "cut",
        "dispatched",
        "leads 4",
        "dispatched",
        "puts",
        "schedule begins",
        "checks begins",
        "role SYNC_MASTER",
        "registered",
    ]
    assert world.holder.now == Role(kind="SYNC_MASTER", broker_id=0, epoch=4)
    assert "role=SYNC_MASTER epoch=4 broker_id=0 end=700" in caplog.text
    assert fired == []
    world.registered[-1].callback(1)
    assert fired == [None]


def test_a_master_becomes_slave_step_by_step():
    world = World().started()
    fired = []

    world.slave_of().addCallback(fired.append)

    assert world.said == [
        "checks ends",
        "schedule ends",
        "no puts",
        "role SLAVE",
        "follows 10.0.0.2:10912 1",
        "registered",
    ]
    assert world.holder.now == Role(
        kind="SLAVE",
        broker_id=3,
        epoch=1,
        master_address="10.0.0.2:10911",
        master_ha_address="10.0.0.2:10912",
    )
    world.registered[-1].callback(1)
    assert fired == [None]


def test_a_master_may_be_one_that_waits_for_nobody():
    world = World(A_SLAVE).started()

    world.roles.become_master(epoch=1, sync_master=False)

    assert world.holder.now.kind == "ASYNC_MASTER"


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_master_is_not_made_one_again_for_the_same_epoch_or_an_older(epoch):
    world = World(A_SLAVE).started()
    world.roles.become_master(epoch=2)
    world.heard()
    fired = []

    world.roles.become_master(epoch=epoch).addCallback(fired.append)

    assert (fired, world.said) == ([None], [])


def test_a_master_goes_on_in_a_new_epoch_without_a_break():
    world = World(A_SLAVE).started()
    world.roles.become_master(epoch=2)
    world.heard()

    world.roles.become_master(epoch=3)

    assert "leads 3" in world.said
    assert "schedule begins" not in world.said
    assert world.holder.now.epoch == 3


def test_an_older_epoch_makes_no_slave():
    world = World(A_SLAVE).started()
    world.roles.become_master(epoch=2)
    world.heard()
    fired = []

    world.slave_of(epoch=1).addCallback(fired.append)

    assert (fired, world.said) == ([None], [])
    assert world.holder.now.is_master


def test_a_slave_whose_master_got_an_address_need_not_be_announced_again():
    world = World().started()
    world.slave_of(ha_address=None)
    world.heard()
    fired = []

    world.slave_of().addCallback(fired.append)

    assert world.said == ["no puts", "role SLAVE", "follows 10.0.0.2:10912 1"]
    assert fired == [None]


def test_a_slave_with_another_id_is_announced():
    world = World().started()
    world.slave_of(broker_id=3)
    world.heard()

    world.slave_of(broker_id=4)

    assert world.said[-1] == "registered"


@pytest.mark.parametrize("broken", ["cut", "dispatched", "leads 5"])
def test_who_cannot_begin_to_lead_stays_what_it_is(broken, caplog):
    world = World(A_SLAVE).started()
    world.broken = {broken}
    failures = []

    world.roles.become_master(epoch=5).addErrback(failures.append)

    [failure] = failures
    assert isinstance(failure.value, StoreError)
    assert "puts" not in world.said
    assert world.holder.now == A_SLAVE
    assert f"cannot lead epoch=5 cause={broken} is broken" in caplog.text


@pytest.mark.parametrize("broken", ["puts", "checks begins"])
def test_who_cannot_end_to_lead_follows_again(broken):
    world = World(A_SLAVE).started()
    world.slave_of()
    world.heard()
    world.broken = {broken}
    failures = []

    world.roles.become_master(epoch=5).addErrback(failures.append)

    assert len(failures) == 1
    assert world.said[-2:] == ["no puts", "follows 10.0.0.2:10912 1"]
    assert world.holder.now.epoch == 1
    world.broken = set()
    world.heard()
    world.roles.become_master(epoch=6)
    assert "schedule begins" in world.said


def answer(master="10.0.0.2:10911", ha="10.0.0.2:10912"):
    return RegisterBrokerResponseHeader(master_addr=master, ha_server_addr=ha)


def test_a_slave_learns_from_name_servers_where_its_master_is():
    world = World(A_SLAVE).started()

    world.roles.learned(answer())

    assert world.said[-1] == "follows 10.0.0.2:10912 0"
    assert world.holder.now.master_address == "10.0.0.2:10911"
    world.heard()
    world.roles.learned(answer())
    world.roles.learned(answer(None, None))
    world.roles.learned(answer("", ""))
    assert world.said == []


def test_a_slave_never_takes_itself_for_its_master():
    world = World(A_SLAVE).started()

    world.roles.learned(answer(*OURS))

    assert world.said == []


def test_an_ha_address_that_was_configured_stays():
    world = World(Role(kind="SLAVE", broker_id=3, master_ha_address="10.0.0.8:1")).started()

    world.roles.learned(answer())

    assert world.said[-1] == "follows 10.0.0.8:1 0"
    assert world.holder.now.master_address == "10.0.0.2:10911"


def test_masters_and_those_whom_others_tell_do_not_ask_name_servers():
    master, elected = World().started(), World(A_SLAVE).started(learns=False)

    master.roles.learned(answer())
    elected.roles.learned(answer())

    assert (master.said, elected.said) == ([], [])


def test_the_end_of_a_master_ends_its_work():
    world = World().started()

    world.roles.stop()
    world.roles.stop()

    assert world.said == ["checks ends", "schedule ends"]


@pytest.mark.parametrize(
    ("settings", "role"),
    [
        ({}, A_MASTER),
        ({"brokerRole": "SYNC_MASTER"}, Role(kind="SYNC_MASTER", broker_id=0)),
        ({"brokerRole": "SLAVE", "brokerId": "3"}, A_SLAVE),
        (
            {"brokerRole": "SLAVE", "brokerId": "3", "haMasterAddress": "10.0.0.8:1"},
            Role(kind="SLAVE", broker_id=3, master_ha_address="10.0.0.8:1"),
        ),
    ],
)
def test_the_configuration_gives_the_first_role(settings, role):
    assert first_role(small_settings(**settings)) == role


def test_who_is_elected_is_a_slave_of_nobody_at_first():
    settings = small_settings(brokerRole="SYNC_MASTER")
    controlled = replace(settings, broker=replace(settings.broker, enableControllerMode=True))

    assert first_role(controlled) == Role(kind="SLAVE", broker_id=1)


def test_who_is_isolated_does_nothing_of_itself_before_it_comes_on_line():
    world = World()
    world.roles.start(learns=True, isolated=True)
    said = world.heard()
    assert "schedule begins" not in said
    assert world.registered == []

    world.roles.come_on_line()

    assert world.heard() == ["schedule begins", "checks begins", "registered first"]


def test_an_isolated_slave_is_not_announced_when_it_finds_its_master():
    world = World(A_SLAVE)
    world.roles.start(learns=True, isolated=True)
    world.heard()
    world.slave_of()
    assert "registered first" not in world.heard()

    world.roles.come_on_line()

    assert world.heard() == ["registered first"]


def test_who_cannot_begin_its_work_stays_isolated():
    world = World()
    world.roles.start(learns=True, isolated=True)
    world.heard()
    world.broken = {"checks begins"}
    with pytest.raises(StoreError):
        world.roles.come_on_line()
    assert "registered first" not in world.heard()

    world.broken = set()
    world.roles.come_on_line()

    assert world.heard() == ["schedule begins", "checks begins", "registered first"]
