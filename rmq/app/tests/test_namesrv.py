import pytest

from codec.bodies.body import decode_body
from codec.bodies.kv import KVTable
from codec.codes import RequestCode, ResponseCode
from rmq.app.namesrv import NameServer
from rmq.app.tests import loops
from rmq.app.tests.outsides import outside_of
from rmq.base.manual import ManualClock
from rmq.conf.settings import Machine
from rmq.conf.startup import namesrv_settings
from rmq.net.clock import ReactorClock
from rmq.net.memory_disk import MemoryDisk
from rmq.net.tests.reactors import Loop


class World:
    def __init__(self, disk=None):
        self.reactor = Loop()
        self.disk = disk or MemoryDisk(ManualClock())
        settings = namesrv_settings({"bindAddress": "127.0.0.1"}, Machine(home="/home/me"))
        self.server = NameServer(self.reactor, settings, self.disk)
        self.server.start()

    def ask(self, code, body=b"", **fields):
        return loops.ask(self.reactor, 9876, code, body, **fields)

    def stop(self):
        loops.stop(self.reactor, self.server)


@pytest.fixture
def world():
    world = World()
    yield world
    world.stop()


def test_boot_line_is_what_wait_strategies_match(world):
    assert world.server.boot_line == (
        "The Name Server boot success. serializeType=JSON, address 127.0.0.1:9876"
    )


def test_requests_are_answered_at_the_port(world):
    unknown = world.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, topic="T")

    assert unknown.code == ResponseCode.TOPIC_NOT_EXIST


def test_values_are_there_after_the_next_start():
    first = World()
    first.ask(RequestCode.PUT_KV_CONFIG, namespace="n", key="k", value="v")
    first.stop()

    second = World(first.disk)

    answer = second.ask(RequestCode.GET_KVLIST_BY_NAMESPACE, namespace="n")
    assert decode_body(KVTable, answer.body).table == {"k": "v"}
    second.stop()


def test_a_controller_beside_it_starts_and_stops_with_it():
    reactor = Loop()
    values = {
        "bindAddress": "127.0.0.1",
        "enableControllerInNamesrv": "true",
        "controllerDLegerGroup": "g",
        "controllerDLegerPeers": "n0-127.0.0.1:9878",
        "controllerDLegerSelfId": "n0",
        "mappedFileSize": "65536",
    }
    settings = namesrv_settings(values, Machine(home="/home/me"))
    clock = ReactorClock(reactor)
    outside = outside_of(clock)
    server = NameServer(reactor, settings, MemoryDisk(clock), outside=outside)
    server.start()

    answer = loops.ask(reactor, 9878, RequestCode.CONTROLLER_GET_METADATA_INFO)

    assert answer.ext_fields["group"] == "g"
    assert server.boot_lines == [
        server.boot_line,
        "The ControllerManager boot success. serializeType=JSON",
    ]
    loops.stop(reactor, server)
    assert reactor.listening == {}


def test_without_a_controller_there_is_one_line(world):
    assert world.server.boot_lines == [world.server.boot_line]
