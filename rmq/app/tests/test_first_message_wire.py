"""The first message against a NameServer and a broker that say what the test wants."""

import pytest

from codec.bodies import encode_body
from codec.bodies.route import BrokerData, TopicRouteData
from codec.codes import RequestCode, ResponseCode
from codec.headers.send import SendMessageResponseHeader
from codec.message.record import pack_record
from rmq.app.first_message import BODY, ROUTE_TRIES_MAX, FirstMessage
from rmq.base.errors import CallError, CommandError
from rmq.net.clock import ReactorClock
from rmq.net.server import RemotingServer
from rmq.net.tests.reactors import Loop
from rmq.remoting.handling import Response, handler_table, handles

ROUTE = TopicRouteData(
    broker_datas=[BrokerData(cluster="C", broker_name="b", broker_addrs={0: "127.0.0.1:10911"})]
)


class Servers:
    """NameServer and broker in one."""

    def __init__(self):
        self.routes_missing = 0
        self.asked = 0
        self.body = BODY
        self.refuses = False

    @handles(RequestCode.GET_ROUTEINFO_BY_TOPIC)
    def route(self, request):
        self.asked += 1
        if self.asked <= self.routes_missing:
            raise CommandError(ResponseCode.TOPIC_NOT_EXIST, "no route yet")
        return Response(body=encode_body(ROUTE))

    @handles(RequestCode.SEND_MESSAGE_V2)
    def send(self, request):
        if self.refuses:
            raise CommandError(ResponseCode.SERVICE_NOT_AVAILABLE, "disk full")
        return Response(SendMessageResponseHeader(msg_id="ID", queue_id=0, queue_offset=3))

    @handles(RequestCode.PULL_MESSAGE)
    def pull(self, request):
        return Response(
            body=pack_record(
                topic=b"FirstTopic",
                queue_id=0,
                flag=0,
                queue_offset=3,
                position=0,
                sys_flag=0,
                born_timestamp=0,
                born_host=bytes(8),
                store_timestamp=0,
                store_host=bytes(8),
                reconsume_times=0,
                prepared_transaction_offset=0,
                body=self.body,
                properties=b"",
            )
        )


class World:
    def __init__(self):
        self.reactor = Loop()
        self.clock = ReactorClock(self.reactor)
        self.servers = Servers()
        table = handler_table([self.servers])
        for port in (9876, 10911):
            RemotingServer(self.reactor, self.clock, table, port=port).start()
        self.told = []

    def run(self, seconds=0.3):
        first = FirstMessage(self.reactor, self.clock, "127.0.0.1:9876")
        first.send_and_receive().addBoth(self.told.append)
        self.reactor.spin(seconds)
        return self.told[0]


@pytest.fixture
def world():
    return World()


def test_message_that_comes_back_was_seen(world):
    seen = world.run()

    assert (seen.broker, seen.message_id) == ("127.0.0.1:10911", "ID")
    assert (seen.queue_offset, seen.body) == (3, "Hello, RocketMQ")


def test_route_is_asked_for_until_the_broker_has_registered(world):
    world.servers.routes_missing = 3

    assert world.run().message_id == "ID"
    assert world.servers.asked == 4


def failure(told):
    assert isinstance(told.value, CallError)
    return str(told.value)


def test_broker_that_never_registers_is_given_up(world):
    world.servers.routes_missing = ROUTE_TRIES_MAX

    assert failure(world.run(4)) == "no broker registered at 127.0.0.1:9876"


def test_refusal_is_told_with_its_cause(world):
    world.servers.refuses = True

    assert failure(world.run()) == ("127.0.0.1:10911 refused SEND_MESSAGE_V2: 14 disk full")


def test_another_message_than_was_sent_is_told(world):
    world.servers.body = b"other"

    assert failure(world.run()) == "b'Hello, RocketMQ' was sent, but b'other' came back"
