from codec.codes import RequestCode
from rmq.base.manual import ManualClock
from rmq.conf.controller import ControllerConfig
from rmq.controller.configuration import Configuration
from rmq.controller.events import AlterSyncStateSetEvent, build_event
from rmq.controller.role import Controller
from rmq.controller.tests.parts import Group, elected, heartbeat, joined, sent_to
from rmq.net.memory_disk import MemoryDisk
from rmq.remoting.handling import handler_table
from rmq.remoting.testing import FakeCaller, FakeChannel


class Scene:
    def __init__(self, **settings):
        self.clock = ManualClock()
        self.group = Group()
        self.caller = FakeCaller()
        configuration = Configuration(MemoryDisk(self.clock), ControllerConfig(**settings))
        self.role = Controller(configuration, self.clock, self.group, self.caller)
        self.role.start()
        self.channels = {broker_id: FakeChannel() for broker_id in (1, 2)}
        both = AlterSyncStateSetEvent(broker_name="a", new_sync_state_set=[1, 2])
        for event in (joined(1), joined(2), elected(1), both):
            self.group.commit(build_event(event))

    def beat(self, *broker_ids):
        for broker_id in broker_ids:
            self.role.heartbeats.heard(heartbeat(broker_id), self.channels[broker_id])

    @property
    def master(self):
        return self.role.state.sync_states["a"].master_id


def test_every_code_of_a_controller_has_an_answer():
    table = handler_table(Scene().role.processors)

    assert set(table) == {904, 1001, 1002, 1003, 1004, 1005, 1006, 1009, 1010, 1011, 1012, 1013}
    assert RequestCode.BROKER_HEARTBEAT in table


def test_a_killed_master_is_replaced_when_its_connection_closes():
    scene = Scene()
    scene.group.elect()
    scene.beat(1, 2)

    scene.role.channel_closed(scene.channels[1])

    assert scene.master == 2
    assert sent_to(scene.caller.sent) == ["10.0.1.2:10911"]


def test_a_hanging_master_is_replaced_by_the_scan():
    scene = Scene()
    scene.group.elect()
    scene.beat(1, 2)
    for _ in range(3):
        scene.clock.advance(5000)
        scene.beat(2)

    assert scene.master == 2


def test_an_unclean_master_is_elected_only_where_allowed():
    for allowed, master_id in ((True, 2), (False, None)):
        scene = Scene(enableElectUncleanMaster=allowed)
        alone = AlterSyncStateSetEvent(broker_name="a", new_sync_state_set=[1])
        scene.group.commit(build_event(alone))
        scene.group.elect()
        scene.beat(1, 2)

        scene.role.channel_closed(scene.channels[1])

        assert scene.master == master_id


def test_after_the_stop_nothing_is_due():
    scene = Scene()
    scene.group.elect()
    scene.beat(1)

    scene.role.stop()

    assert scene.clock.owed == 0
