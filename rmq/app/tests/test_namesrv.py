import pytest

from codec.bodies.body import decode_body
from codec.bodies.kv import KVTable
from codec.codes import RequestCode, ResponseCode
from rmq.app.namesrv import NameServer
from rmq.app.tests import loops
from rmq.base.manual import ManualClock
from rmq.conf.settings import Machine
from rmq.conf.startup import namesrv_settings
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
