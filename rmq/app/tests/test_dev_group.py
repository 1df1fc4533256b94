import pytest

from codec.bodies.register import RegisterBrokerBody, encode_register_body
from codec.bodies.topics import TopicConfigAndMappingSerializeWrapper
from codec.codes import RequestCode
from codec.command import Command
from rmq.app import dev_group
from rmq.app.dev import DevOptions
from rmq.app.dev_group import LOOK_MS, RESTART_MS, DevGroup
from rmq.app.tests.test_dev import Silent
from rmq.base.errors import ConfigError
from rmq.base.manual import ManualClock
from rmq.conf.properties import parse
from rmq.conf.settings import Machine
from rmq.net.client import RemotingClient
from rmq.net.memory_disk import MemoryDisk
from rmq.net.tests.reactors import Loop

PORTS = (10911, 10921, 10931)


class Child:
    def __init__(self, pid, words, log_path, ended):
        self.pid = pid
        self.words = words
        self.log_path = log_path
        self.ended = ended
        self.is_asked = False

    def stop(self):
        self.is_asked = True


class World:
    """A group whose processes are made up."""

    def __init__(self, values=None, **options):
        self.reactor = Loop()
        self.disk = MemoryDisk(ManualClock())
        self.children = []
        self.client = RemotingClient(self.reactor, ManualClock())
        given = {
            "namesrv_port": 9876,
            "broker_port": 10911,
            "store": "/store",
            "in_memory": True,
            "bind": "127.0.0.1",
            "advertise": None,
            "first_message": False,
            "once": False,
            "dledger": 3,
        }
        self.group = DevGroup(
            self.reactor,
            DevOptions(**(given | options)),
            values or {},
            Machine(home="/home/me"),
            disk=self.disk,
            spawn=self.spawn,
        )

    def spawn(self, words, log_path, ended):
        child = Child(100 + len(self.children), words, log_path, ended)
        self.children.append(child)
        return child

    def config(self, number):
        return parse(self.disk.read(f"/store/n{number}/broker.conf").decode())

    def registers(self, number, broker_id):
        body = RegisterBrokerBody(
            topic_config_serialize_wrapper=TopicConfigAndMappingSerializeWrapper()
        )
        fields = {
            "brokerName": "rmq-dev",
            "brokerAddr": f"127.0.0.1:{PORTS[number]}",
            "clusterName": "DefaultCluster",
            "haServerAddr": "127.0.0.1:1",
            "brokerId": str(broker_id),
        }
        command = Command(
            code=RequestCode.REGISTER_BROKER,
            ext_fields=fields,
            body=encode_register_body(body, compressed=False),
        )
        self.client.call("127.0.0.1:9876", command, 3000)
        self.reactor.spin(0.1)
        self.reactor.spin(LOOK_MS / 1000)


@pytest.fixture
def world():
    world = World()
    world.group.start()
    return world


def end(world):
    """Stop everything."""
    stopped = []
    world.group.stop().addBoth(stopped.append)
    for child in world.children[-3:]:
        assert child.is_asked
        child.ended("status 0")
    world.reactor.spin(0.2)
    assert stopped == [None]


def test_each_broker_is_a_process_with_a_file_of_its_own(world):
    configs = [world.config(number) for number in range(3)]

    assert [child.words[-1] for child in world.children] == [
        f"/store/n{number}/broker.conf" for number in range(3)
    ]
    assert [config["listenPort"] for config in configs] == ["10911", "10921", "10931"]
    assert {config["dLegerPeers"] for config in configs} == {
        "n0-127.0.0.1:10914;n1-127.0.0.1:10924;n2-127.0.0.1:10934"
    }
    assert [config["dLegerSelfId"] for config in configs] == ["n0", "n1", "n2"]
    assert {config["inMemory"] for config in configs} == {"true"}
    assert world.children[1].log_path == "/store/n1/broker.log"
    end(world)


def test_who_leads_is_told_when_it_changes(world, capsys):
    world.registers(1, 0)
    world.registers(2, 3)
    world.registers(2, 0)

    told = [line for line in capsys.readouterr().out.splitlines() if "leads" in line]

    assert [line.split(" leads")[0] for line in told] == ["n1", "n2"]
    assert told[0].endswith("kill -9 101")
    end(world)


def test_broker_that_ends_is_started_again(world, capsys):
    world.children[2].ended("SIGKILL")
    assert "n2 has ended (SIGKILL); it is started again in 10 s" in capsys.readouterr().out
    assert len(world.children) == 3

    world.reactor.spin(RESTART_MS / 1000 + 0.1)

    assert world.children[3].words == world.children[2].words
    world.children = [*world.children[:2], world.children[3]]
    end(world)


def test_broker_that_had_ended_stays_so_after_the_stop(world):
    world.children[2].ended("status 1")
    stopped = []

    world.group.stop().addBoth(stopped.append)
    for child in world.children[:2]:
        child.ended("status 0")
    world.reactor.spin(RESTART_MS / 1000 + 0.1)

    assert stopped == [None]
    assert len(world.children) == 3


@pytest.mark.parametrize("once", [False, True])
def test_first_message_goes_to_the_first_leader(monkeypatch, capsys, once):
    monkeypatch.setattr(dev_group, "FirstMessage", Silent)
    world = World(first_message=True, once=once)
    world.group.start()
    assert world.group.exit_code == 0

    world.registers(0, 0)

    assert world.group.exit_code == 1
    assert capsys.readouterr().err == "rmq: the first message failed: nobody answers\n"
    assert world.reactor.hasStopped == once
    end(world)


class Heard:
    def __init__(self, *_):
        pass

    async def succeed(self):
        return "seen"

    def send_and_receive(self):
        return dev_group.Deferred.fromCoroutine(self.succeed())


def test_first_message_that_came_is_told(monkeypatch):
    told = []
    monkeypatch.setattr(dev_group, "FirstMessage", Heard)
    monkeypatch.setattr(dev_group, "tell", lambda seen, **more: told.append((seen, more)))
    world = World(first_message=True, in_memory=False)
    world.group.start()

    world.registers(0, 0)

    assert told == [("seen", {"kept_in": "/store", "stays": True})]
    end(world)


@pytest.mark.parametrize(
    ("values", "advertise", "address"),
    [
        ({}, None, "127.0.0.1"),
        ({}, "auto", "127.0.0.1"),
        ({}, "10.1.2.3", "10.1.2.3"),
        ({"brokerIP1": "10.1.2.4"}, None, "10.1.2.4"),
    ],
)
def test_brokers_are_reached_where_they_are_advertised(values, advertise, address):
    world = World(values, advertise=advertise)

    assert world.group.brokers[2].address == f"{address}:10931"
    assert world.config(2)["brokerIP1"] == address


def test_wrong_setting_stops_the_start():
    with pytest.raises(ConfigError, match="flushDiskType"):
        World({"flushDiskType": "perhaps"})


def test_settings_of_the_file_are_warned_of():
    assert any("noSuchKey" in warning for warning in World({"noSuchKey": "1"}).group.warnings)
