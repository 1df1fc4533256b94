import pytest
from twisted.internet.error import CannotListenError

from codec.bodies import decode_body
from codec.bodies.route import TopicRouteData
from codec.codes import RequestCode, ResponseCode
from rmq.app import dev
from rmq.app.dev import DevOptions, DevServer
from rmq.app.tests import loops
from rmq.base.errors import CallError, ConfigError
from rmq.conf.settings import Machine
from rmq.net.tests.reactors import Loop

SMALL = {
    "mappedFileSizeCommitLog": "1048576",
    "mappedFileSizeConsumeQueue": "2000",
    "maxHashSlotNum": "100",
    "maxIndexNum": "400",
}


class World:
    def __init__(self, values=None, **options):
        self.reactor = Loop()
        given = {
            "namesrv_port": 9876,
            "broker_port": 10911,
            "store": "/home/me/store",
            "in_memory": True,
            "bind": "127.0.0.1",
            "advertise": None,
            "first_message": False,
            "once": False,
        }
        self.server = DevServer(
            self.reactor,
            DevOptions(**(given | options)),
            SMALL | (values or {}),
            Machine(home="/home/me"),
        )

    def ask(self, port, code, body=b"", **fields):
        return loops.ask(self.reactor, port, code, body, **fields)

    def stop(self):
        loops.stop(self.reactor, self.server)


def test_both_roles_listen_and_say_so(capsys):
    world = World()

    world.server.start()

    assert {9876, 10911, 10909} <= set(world.reactor.listening)
    namesrv, broker = capsys.readouterr().out.splitlines()
    assert namesrv == ("The Name Server boot success. serializeType=JSON, address 127.0.0.1:9876")
    assert broker == (
        "The broker[rmq-dev, 127.0.0.1:10911] boot success. "
        "serializeType=JSON and name server is 127.0.0.1:9876"
    )
    world.stop()
    assert world.reactor.listening == {}


def test_message_goes_through_both(capsys):
    world = World(first_message=True, once=True)

    world.server.start()
    world.reactor.spin(0.4)

    out = capsys.readouterr().out
    assert "a message went through" in out
    assert "Hello, RocketMQ" in out
    assert "memory, until the end" in out
    assert world.server.exit_code == 0
    assert world.reactor.hasStopped
    world.stop()


def test_server_stays_after_the_first_message_unless_told_otherwise(capsys):
    world = World(first_message=True)

    world.server.start()
    world.reactor.spin(0.4)

    assert "Ctrl-C stops the server." in capsys.readouterr().out
    assert not world.reactor.hasStopped
    world.stop()


class Silent:
    """A first message that fails."""

    def __init__(self, *_):
        pass

    async def fail(self):
        raise CallError("nobody answers")

    def send_and_receive(self):
        return dev.Deferred.fromCoroutine(self.fail())


def test_first_message_that_fails_is_told_and_ends_with_1(monkeypatch, capsys):
    monkeypatch.setattr(dev, "FirstMessage", Silent)
    world = World(first_message=True, once=True)

    world.server.start()

    assert world.server.exit_code == 1
    assert world.reactor.hasStopped
    assert capsys.readouterr().err == "rmq: the first message failed: nobody answers\n"
    world.stop()


def test_route_shows_the_address_by_which_the_client_came():
    world = World()
    world.server.start()
    world.reactor.spin(0.2)

    answer = world.ask(9876, RequestCode.GET_ROUTEINFO_BY_TOPIC, topic="TBW102")

    route = decode_body(TopicRouteData, answer.body)
    assert route.broker_datas[0].broker_addrs == {0: "127.0.0.1:10911"}
    world.stop()


@pytest.mark.parametrize(
    ("values", "advertise", "address"),
    [
        ({}, None, "127.0.0.1:10911"),
        ({}, "auto", "127.0.0.1:10911"),
        ({}, "10.1.2.3", "10.1.2.3:10911"),
        ({"brokerIP1": "10.1.2.4"}, None, "10.1.2.4:10911"),
        ({"brokerIP1": "10.1.2.4"}, "10.1.2.3", "10.1.2.3:10911"),
    ],
)
def test_broker_is_reached_where_it_is_advertised(values, advertise, address):
    assert World(values, advertise=advertise).server.broker.address == address


def test_store_is_named_from_the_home():
    assert World(in_memory=False).server._kept_in == "~/store"


def test_wrong_setting_stops_the_start():
    with pytest.raises(ConfigError, match="messageDelayLevel"):
        World({"messageDelayLevel": "soon"})


def test_fast_port_answers_what_cannot_wait():
    world = World()
    world.server.start()

    pull = world.ask(10909, RequestCode.PULL_MESSAGE)
    offset = world.ask(10909, RequestCode.GET_MAX_OFFSET, topic="T", queueId="0")

    assert pull.code == ResponseCode.REQUEST_CODE_NOT_SUPPORTED
    assert (offset.code, offset.ext_fields) == (0, {"offset": "0"})
    world.stop()


def test_taken_port_leaves_the_store_closed_for_the_next_start():
    world = World()
    world.reactor.taken.add(10911)

    with pytest.raises(CannotListenError):
        world.server.start()

    world.reactor.taken.clear()
    world.server.broker.start()
    assert 10911 in world.reactor.listening


def test_settings_of_the_file_are_warned_of():
    assert any("noSuchKey" in warning for warning in World({"noSuchKey": "1"}).server.warnings)


def test_filters_by_sql92_are_on_unless_the_file_says_no():
    assert World().server.broker.settings.broker.enablePropertyFilter
    off = World({"enablePropertyFilter": "false"})
    assert not off.server.broker.settings.broker.enablePropertyFilter
