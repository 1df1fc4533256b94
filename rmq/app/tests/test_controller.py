import pytest
from twisted.internet.error import CannotListenError

from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from rmq.app.controller import EMBEDDED, ControllerServer, member_of
from rmq.app.tests.outsides import outside_of
from rmq.base.errors import ConfigError, StoreError
from rmq.base.manual import ManualClock
from rmq.conf.controller_startup import controller_settings
from rmq.conf.settings import Machine
from rmq.net.client import RemotingClient
from rmq.net.memory_disk import MemoryDisk
from rmq.net.tests.reactors import Loop

ALONE = {
    "controllerDLegerGroup": "g",
    "controllerDLegerPeers": "n0-127.0.0.1:9878",
    "controllerDLegerSelfId": "n0",
    "mappedFileSize": "65536",
    "bindAddress": "127.0.0.1",
}


class World:
    """Controllers on one loop, each with a disk of its own."""

    def __init__(self, disk=None):
        self.reactor = Loop()
        self.clock = ManualClock()
        self.disk = disk or MemoryDisk(self.clock)
        self.built = 0

    def controller(self, disk=None, title=None, **more):
        self.built += 1
        settings = controller_settings({**ALONE, **more}, Machine(home="/home/me"))
        outside = outside_of(self.clock, self.built)
        named = {} if title is None else {"title": title}
        return ControllerServer(self.reactor, settings, disk or self.disk, outside, **named)

    def pass_ms(self, ms):
        for _ in range(ms // 10):
            self.clock.advance(10)
            self.reactor.spin(0.01)

    def ask(self, port, code, body=b"", **fields):
        client = RemotingClient(self.reactor, self.clock)
        answers = []
        command = Command(code=code, ext_fields=fields, body=body)
        client.call(f"127.0.0.1:{port}", command, 3000).addBoth(answers.append)
        self.pass_ms(200)
        client.stop()
        return answers[0]

    def apply_id(self, port=9878):
        fields = {"clusterName": "C", "brokerName": "a", "appliedBrokerId": "1"}
        code = RequestCode.CONTROLLER_APPLY_BROKER_ID
        return self.ask(port, code, registerCheckCode="10.0.0.1:10911;17", **fields)

    def next_id(self, port=9878):
        code = RequestCode.CONTROLLER_GET_NEXT_BROKER_ID
        answer = self.ask(port, code, clusterName="C", brokerName="a")
        return answer.ext_fields.get("nextBrokerId")

    def stop(self, server):
        stopped = []
        server.stop().addBoth(stopped.append)
        self.pass_ms(100)
        assert stopped == [None]


def test_boot_lines_are_java_s():
    world = World()

    alone, embedded = world.controller(), world.controller(title=EMBEDDED)

    assert alone.boot_line == "The Controller Server boot success. serializeType=JSON"
    assert embedded.boot_line == "The ControllerManager boot success. serializeType=JSON"


def test_a_controller_alone_leads_and_knows_its_brokers_after_a_restart():
    world = World()
    first = world.controller()
    first.start()
    world.pass_ms(5000)

    metadata = world.ask(9878, RequestCode.CONTROLLER_GET_METADATA_INFO).ext_fields
    assert metadata["controllerLeaderAddress"] == "127.0.0.1:9878"
    assert metadata["isLeader"] == "true"
    assert world.apply_id().code == ResponseCode.SUCCESS
    world.stop(first)

    second = world.controller()
    second.start()
    world.pass_ms(5000)
    assert world.next_id() == "2"
    world.stop(second)


def test_three_agree_over_the_port_that_brokers_use_too():
    world = World()
    peers = "n0-127.0.0.1:9878;n1-127.0.0.1:9868;n2-127.0.0.1:9858"
    servers = [
        world.controller(
            MemoryDisk(world.clock), controllerDLegerPeers=peers, controllerDLegerSelfId=self_id
        )
        for self_id in ("n0", "n1", "n2")
    ]
    for server in servers:
        server.start()
    world.pass_ms(8000)

    leaders = [server for server in servers if server.member.is_leader]
    assert len(leaders) == 1
    port = leaders[0].server.port
    assert world.apply_id(port).code == ResponseCode.SUCCESS
    world.pass_ms(3000)

    assert all("a" in server.role.state.broker_sets for server in servers)
    for server in servers:
        world.stop(server)


def test_two_processes_cannot_use_one_log():
    world = World()
    first = world.controller()
    first.start()

    with pytest.raises(StoreError, match="in use by another process"):
        world.controller().start()
    world.stop(first)


def test_a_port_that_is_taken_leaves_the_log_to_others():
    world = World()
    world.reactor.taken.add(9878)

    with pytest.raises(CannotListenError):
        world.controller().start()

    world.reactor.taken.clear()
    server = world.controller()
    server.start()
    world.stop(server)


def test_who_was_never_started_stops():
    world = World()

    world.stop(world.controller())


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"controllerDLegerGroup": ""}, "controllerDLegerGroup is empty"),
        ({"controllerDLegerPeers": ""}, "controllerDLegerPeers is empty"),
        ({"controllerDLegerSelfId": ""}, "controllerDLegerSelfId is empty"),
        ({"controllerDLegerPeers": "n0:127.0.0.1:1"}, "controllerDLegerPeers: peer"),
        ({"controllerDLegerSelfId": "n1"}, "'n1' is none of n0"),
        ({"controllerDLegerPeers": "n0-h:1;n1-h:1"}, "one address twice"),
    ],
)
def test_a_group_that_cannot_be_is_refused_with_an_example(values, why):
    with pytest.raises(ConfigError, match=why) as refused:
        World().controller(**values)

    assert "controllerDLegerPeers=n0-127.0.0.1:9878;" in str(refused.value)


def test_times_of_the_group_follow_the_profile():
    plain = member_of(controller_settings(ALONE, Machine()))
    fast = member_of(controller_settings({**ALONE, "failoverProfile": "fast"}, Machine()))

    assert plain.raft.heart_beat_interval_ms == 2000
    assert fast.raft.heart_beat_interval_ms == 50
    assert plain.ledger.folder == "~/DLedgerController/dledger-n0"
    assert plain.ledger.data_file_size == 65536
    assert plain.durable
    assert plain.raft.is_enable_batch_push
    assert fast.raft.is_enable_batch_push
