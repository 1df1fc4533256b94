import pytest

from codec.bodies import encode_body
from codec.bodies.route import BrokerData, QueueData, TopicRouteData
from codec.codes import RequestCode
from codec.message import properties as props
from rmq.app.broker_acting import is_isolated, may_act
from rmq.app.broker_processors import processors
from rmq.app.tests.parts import Parts, small_settings
from rmq.broker.acting.tests.test_group import known
from rmq.broker.processors.pull import PullProcessor
from rmq.store.messages import PutMessage, PutStatus

OURS, MASTER, NAME_SERVER = "127.0.0.1:10911", "10.0.0.1:10911", "10.0.0.9:9876"
ACTING = {
    "enableSlaveActingMaster": "true",
    "enableRemoteEscape": "true",
    "namesrvAddr": NAME_SERVER,
    "messageDelayLevel": "1s",
}
SLAVE = {"brokerRole": "SLAVE", "brokerId": "1"} | ACTING
ROUTE = encode_body(
    TopicRouteData(
        broker_datas=[BrokerData(broker_name="b", broker_addrs={0: "b:1"})],
        queue_datas=[QueueData(broker_name="b", write_queue_nums=1, perm=6)],
    )
)


class World(Parts):
    def __init__(self, **values):
        super().__init__(**values)
        self.tables.load()
        self.services.load()
        self.store.load()

    def begin(self):
        self.services.start()
        self.clock.advance(0)
        return self

    def end(self):
        self.services.unregister()
        self.services.stop()
        self.store.close()

    def take(self, code):
        """The open calls of one code."""
        calls = [call for call in self.caller.calls if call.command.code == code]
        self.caller.calls = [call for call in self.caller.calls if call not in calls]
        return calls

    def polled(self, addresses):
        self.clock.advance(1_000)
        [call] = self.take(RequestCode.GET_BROKER_MEMBER_GROUP)
        call.succeed(body=known(addresses))


@pytest.mark.parametrize(
    ("values", "acts", "isolated"),
    [
        ({}, False, False),
        (ACTING, True, False),
        (ACTING | {"totalReplicas": "2"}, True, True),
        (ACTING | {"totalReplicas": "2", "skipPreOnline": "true"}, True, False),
        (ACTING | {"enableControllerMode": "true", "controllerAddr": "c:1"}, False, False),
        ({"totalReplicas": "2"}, False, False),
    ],
)
def test_who_may_act_and_who_comes_on_line_in_steps(values, acts, isolated):
    settings = small_settings(**values)

    assert may_act(settings) is acts
    assert is_isolated(settings) is isolated
    assert (Parts(**values).services.acting is not None) is acts


def test_an_acting_slave_delivers_elsewhere_what_its_master_took():
    world = World(**SLAVE)
    texts = {"DELAY": "1", "REAL_TOPIC": "T", "REAL_QID": "0"}
    world.store.put(PutMessage("SCHEDULE_TOPIC_XXXX", 0, b"late", props.build(texts)))
    world.begin()
    world.take(RequestCode.REGISTER_BROKER)
    world.polled({0: MASTER, 1: OURS})
    assert not world.services.acting.is_acting

    version = world.tables.offsets.data_version.counter
    world.polled({1: OURS})
    assert world.services.acting.is_acting
    assert world.tables.offsets.data_version.counter == version + 1
    world.clock.advance(1_000)
    world.take(RequestCode.GET_ROUTEINFO_BY_TOPIC)[0].succeed(body=ROUTE)
    [sent] = world.take(RequestCode.SEND_MESSAGE_V2)

    assert sent.address == "b:1"
    assert sent.command.ext_fields["a"] == "InnerProducerGroup_broker-a_1"
    assert sent.command.body == b"late"
    sent.succeed()
    assert world.services.schedule.wrapper().offset_table == {1: 1}
    assert world.store.put(PutMessage("T", 0, b"x")).status == PutStatus.SERVICE_NOT_AVAILABLE
    world.end()
    assert not world.services.acting.is_acting


def test_an_acting_slave_is_read_though_a_master_that_comes_back_is_connected():
    world = World(**SLAVE).begin()
    table = processors(world.ports, world.tables, world.store, world.services, world.caller)
    [pulls] = [one for one in table if isinstance(one, PullProcessor)]
    world.services.roles.become_slave(
        master_address=MASTER, ha_address="10.0.0.1:10912", epoch=0, broker_id=1
    )

    class Wire:
        def send(self, data):
            pass

        def close(self):
            pass

    world.dialled[-1][1].connected(Wire())
    assert pulls._slave.sends_to_master()
    world.services.acting.acting.on_line(1, OURS)
    world.services.acting.acting.follow(None, "10.0.0.1:10912")
    world.dialled[-1][1].connected(Wire())

    assert world.services.replication.master.is_connected
    assert not pulls._slave.sends_to_master()
    world.end()


def test_an_isolated_master_is_registered_when_its_slaves_follow():
    world = World(totalReplicas="2", **ACTING)
    world.store.put(PutMessage("T", 0, b"x"))
    end = world.store.written_position
    world.begin()
    assert world.take(RequestCode.REGISTER_BROKER) == []
    world.clock.advance(10_000)
    assert world.caller.sent == [], "no heartbeats either"

    world.take(RequestCode.GET_BROKER_MEMBER_GROUP)[0].succeed(body=known({1: "10.0.0.2:10911"}))
    [told] = world.take(RequestCode.EXCHANGE_BROKER_HA_INFO)
    assert told.command.ext_fields == {
        "masterAddress": OURS,
        "masterHaAddress": "127.0.0.2:10912",
        "masterFlushOffset": str(end),
    }
    told.succeed()
    world.clock.advance(10_000)
    for code in (
        RequestCode.GET_ALL_DELAY_OFFSET,
        RequestCode.GET_ALL_CONSUMER_OFFSET,
        RequestCode.GET_TIMER_CHECK_POINT,
    ):
        world.take(code)[0].succeed()

    [registered] = world.take(RequestCode.REGISTER_BROKER)
    assert registered.command.ext_fields["enableActingMaster"] == "true"
    assert registered.command.ext_fields["heartbeatTimeoutMillis"] == "10000"
    world.end()


def test_an_answer_to_the_registration_tells_of_a_master():
    world = World(**SLAVE).begin()
    [call] = world.take(RequestCode.REGISTER_BROKER)

    call.succeed({"masterAddr": MASTER, "haServerAddr": "10.0.0.1:10912"})

    assert world.services.role.now.master_address == MASTER
    world.end()


@pytest.mark.parametrize(
    ("values", "waits", "enough"),
    [
        ({}, False, True),
        ({"inSyncReplicas": "2"}, True, False),
        ({"inSyncReplicas": "2", "enableAutoInSyncReplicas": "true"}, True, True),
        (
            {
                "inSyncReplicas": "2",
                "enableAutoInSyncReplicas": "true",
                "minInSyncReplicas": "2",
            },
            True,
            False,
        ),
    ],
)
def test_a_sync_master_alone_may_have_to_refuse_messages(values, waits, enough):
    services = Parts(brokerRole="SYNC_MASTER", **(ACTING | values)).services

    assert (services.safety.wait is not None) is waits
    assert (services.enough is None or services.enough()) is enough
