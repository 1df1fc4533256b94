import pytest

from codec.headers.controller import ElectMasterRequestHeader
from rmq.base.manual import ManualClock
from rmq.conf.controller import ControllerConfig
from rmq.controller.commands import Commands
from rmq.controller.elections import Elections
from rmq.controller.events import AlterSyncStateSetEvent, build_event
from rmq.controller.heartbeats import BrokerKey
from rmq.controller.notices import Notices
from rmq.controller.serving import RETRY_MS, Serving
from rmq.controller.state import State
from rmq.controller.tests.parts import Group, Lives, elected, joined, sent_to
from rmq.remoting.testing import FakeCaller

MASTER = BrokerKey("C", "a", 1)


class Scene:
    """A Controller that knows a set of two in sync, of which 1 leads."""

    def __init__(self, **settings):
        self.clock = ManualClock()
        self.group = Group()
        self.lives = Lives(1, 2)
        self.caller = FakeCaller()
        self.settings = ControllerConfig(**settings)
        self.state = State()
        self.serving = Serving(self.group, self.clock, self.state, lambda: False)
        self.commands = Commands(self.state, self.lives, lambda: False)
        self.elections = Elections(
            self.clock,
            self.serving,
            self.commands,
            Notices(self.caller, self.lives),
            lambda: self.settings,
        )
        self.serving.on_serving(self.elections.leads)
        self.elections.start()
        both = AlterSyncStateSetEvent(broker_name="a", new_sync_state_set=[1, 2])
        for event in (joined(1), joined(2), elected(1), both):
            self.group.commit(build_event(event))

    def dies(self, broker_id=1):
        self.lives.lives.pop(broker_id)
        return BrokerKey("C", "a", broker_id)

    @property
    def master(self):
        return self.state.sync_states["a"].master_id


def test_a_master_that_is_lost_is_replaced_at_once_and_the_group_told():
    scene = Scene()
    scene.group.elect()

    scene.elections.lost(scene.dies())

    assert scene.master == 2
    assert sent_to(scene.caller.sent) == ["10.0.1.2:10911"]


def test_nobody_is_told_where_brokers_shall_ask():
    scene = Scene(notifyBrokerRoleChanged=False)
    scene.group.elect()

    scene.elections.lost(scene.dies())

    assert scene.master == 2
    assert scene.caller.sent == []


def test_a_slave_that_is_lost_is_not_replaced():
    scene = Scene()
    scene.group.elect()

    scene.elections.lost(scene.dies(2))

    assert scene.master == 1
    assert [entry.body for entry in scene.group.log[4:]] == [b""]


def test_who_does_not_lead_elects_nobody():
    scene = Scene()

    scene.elections.lost(scene.dies())

    assert scene.master == 1


def test_a_new_leader_that_heard_of_all_replaces_dead_masters_at_once():
    scene = Scene()
    scene.clock.advance(5000)
    scene.dies()

    scene.group.elect()
    scene.clock.advance(0)

    assert scene.master == 2


def test_a_new_leader_that_just_started_waits_until_it_heard_of_all():
    scene = Scene()
    scene.clock.advance(1000)
    scene.dies()
    scene.group.elect()

    scene.clock.advance(3999)
    assert scene.master == 1

    scene.clock.advance(1)
    assert scene.master == 2


def test_masters_that_died_unseen_are_found_in_every_interval():
    scene = Scene()
    scene.clock.advance(5000)
    scene.group.elect()
    scene.clock.advance(0)
    scene.dies()

    scene.clock.advance(5000)

    assert scene.master == 2


def test_who_leads_no_longer_looks_no_longer():
    scene = Scene()
    scene.group.elect()

    scene.group.elect("n1")

    assert scene.clock.owed == 0


def test_an_election_that_the_group_did_not_agree_on_is_tried_again():
    scene = Scene()
    scene.group.elect()
    scene.group.agrees = False

    scene.elections.lost(scene.dies())
    scene.group.disagree()
    scene.clock.advance(RETRY_MS)
    scene.group.agree()
    scene.group.agree()

    assert scene.master == 2
    assert len(scene.caller.sent) == 1


def test_an_election_is_tried_as_often_as_is_set():
    scene = Scene(electMasterMaxRetryCount=2)
    scene.group.elect()
    scene.group.agrees = False

    scene.elections.lost(scene.dies())
    for _ in range(2):
        scene.group.disagree()
        scene.clock.advance(RETRY_MS)
        scene.group.agree()

    assert scene.master == 1
    assert scene.group.proposed == []


def test_who_loses_leadership_leaves_the_election_to_the_next():
    scene = Scene()
    scene.group.elect()
    scene.group.agrees = False
    scene.elections.lost(scene.dies())

    scene.group.elect("n1")
    scene.group.disagree()
    scene.clock.advance(RETRY_MS)

    assert scene.group.proposed == []


@pytest.mark.parametrize("alive", [True, False])
def test_an_election_without_a_new_master_is_not_told(alive):
    scene = Scene()
    if not alive:
        scene.dies(1)
        scene.dies(2)

    outcome = scene.commands.elect_master(ElectMasterRequestHeader(broker_name="a"))
    scene.elections.asked(outcome)

    assert scene.caller.sent == []
