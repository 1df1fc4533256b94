"""Topics that are made just before their master goes: whoever is master next knows them."""

import pytest

from codec.bodies import decode_body
from codec.bodies.route import TopicRouteData
from codec.codes import RequestCode, ResponseCode
from codec.headers.fields import ext_fields_of
from codec.headers.namesrv import GetRouteInfoRequestHeader
from codec.headers.send import SendMessageRequestHeaderV2
from rmq.app.tests import loops
from rmq.app.tests.test_broker_dledger import NAMESRV_PORT
from rmq.app.tests.test_broker_dledger import World as GroupWorld
from rmq.app.tests.test_broker_switch import FIRST
from rmq.app.tests.test_broker_switch import World as SetWorld
from rmq.broker.following import AGAIN_MS


def send(world, broker, topic, properties=None):
    header = SendMessageRequestHeaderV2(
        producer_group="p",
        topic=topic,
        default_topic="TBW102",
        default_topic_queue_nums=4,
        queue_id=3,
        sys_flag=0,
        born_timestamp=1,
        flag=0,
        properties=properties,
    )
    port = broker.settings.server.listenPort
    answer = loops.ask(
        world.reactor, port, RequestCode.SEND_MESSAGE_V2, b"x", **ext_fields_of(header)
    )
    assert answer.code == ResponseCode.SUCCESS, answer.remark


@pytest.fixture
def group():
    """A DLedger group whose slaves have copied all a while ago."""
    world = GroupWorld()
    world.master()
    world.until(lambda: all(one.services.role.now.master_address for one in slaves(world)))
    world.reactor.spin(AGAIN_MS / 1000)
    yield world
    world.stop()


def slaves(world):
    return [one for one in world.brokers if not one.services.role.now.is_master]


@pytest.mark.parametrize("properties", [None, "DELAY\x0118\x02"])
def test_topic_that_was_made_a_moment_ago_is_known_to_the_next_leader(group, properties):
    leader = group.master()
    send(group, leader, "young", properties)
    group.reactor.spin(0.1)
    assert ["young" in one.tables.topics for one in slaves(group)] == [True, True]

    stopped = []
    leader.stop().addBoth(stopped.append)
    heir = group.master(but=leader)
    group.until(lambda: stopped)
    group.reactor.spin(1)

    assert heir.tables.topics.get("young") == leader.tables.topics.get("young")
    header = GetRouteInfoRequestHeader(topic="young", accept_standard_json_only=True)
    answer = loops.ask(
        group.reactor, NAMESRV_PORT, RequestCode.GET_ROUTEINFO_BY_TOPIC, **ext_fields_of(header)
    )
    route = decode_body(TopicRouteData, answer.body)
    assert [one.read_queue_nums for one in route.queue_datas] == [4]
    assert route.broker_datas[0].broker_addrs[0] == heir.address
    group.brokers.remove(leader)


def test_slave_learns_a_young_topic_from_the_master_of_now():
    world = SetWorld()
    world.switch(1)
    world.spin(AGAIN_MS / 1000)

    send(world, world.second, "young")
    world.spin()
    assert "young" in world.first.tables.topics
    world.first.services.roles.become_master(epoch=2)
    world.second.services.roles.become_slave(
        master_address=f"127.0.0.1:{FIRST}", ha_address="127.0.0.1:10912", epoch=2, broker_id=1
    )
    world.spin(AGAIN_MS / 1000)
    send(world, world.first, "younger")
    world.spin()

    assert "younger" in world.second.tables.topics
    world.stop()
