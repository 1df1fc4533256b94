import pytest
from twisted.internet.defer import ensureDeferred

from codec.bodies import encode_body
from codec.bodies.route import BrokerData, QueueData, TopicRouteData
from codec.codes import RequestCode, ResponseCode
from rmq.broker.routes import Routes
from rmq.remoting.testing import FakeCaller

ROUTE = encode_body(
    TopicRouteData(
        queue_datas=[
            QueueData(broker_name="b", read_queue_nums=1, write_queue_nums=4, perm=6),
            QueueData(broker_name="shut", read_queue_nums=9, perm=2),
            QueueData(broker_name="a", read_queue_nums=2, perm=4),
        ]
    )
)


@pytest.fixture
def caller():
    return FakeCaller()


def ask(caller, *addresses):
    routes = Routes(caller.call, lambda: addresses)
    return ensureDeferred(routes.readable_queues("T"))


def result_of(asked):
    results = []
    asked.addBoth(results.append)
    return results[0]


def test_readable_queues_of_all_brokers_come_in_order(caller):
    asked = ask(caller, "n1:1", "n2:1")
    (call,) = caller.take()
    call.succeed(body=ROUTE)

    assert call.command.code == RequestCode.GET_ROUTEINFO_BY_TOPIC
    assert call.command.ext_fields["topic"] == "T"
    found = [(queue.topic, queue.broker_name, queue.queue_id) for queue in result_of(asked)]
    assert found == [("T", "a", 0), ("T", "a", 1), ("T", "b", 0)]


def test_the_next_is_asked_when_one_does_not_know(caller):
    asked = ask(caller, "n1:1", "n2:1", "n3:1", "n4:1")
    caller.take()[0].fail()
    caller.take()[0].respond(ResponseCode.TOPIC_NOT_EXIST)
    caller.take()[0].succeed(body=b"{")
    (call,) = caller.take()
    call.succeed(body=ROUTE)

    assert call.address == "n4:1"
    assert len(result_of(asked)) == 3


def test_nobody_may_know(caller):
    asked = ask(caller, "n1:1")
    caller.take()[0].fail()

    assert result_of(asked) is None
    assert result_of(ask(caller)) is None


MASTERED = encode_body(
    TopicRouteData(
        broker_datas=[
            BrokerData(broker_name="b", broker_addrs={0: "b:1", 1: "b:2"}),
            BrokerData(broker_name="a", broker_addrs={0: "a:1"}),
            BrokerData(broker_name="lost", broker_addrs={1: "l:2"}),
        ],
        queue_datas=[
            QueueData(broker_name="b", read_queue_nums=9, write_queue_nums=2, perm=6),
            QueueData(broker_name="a", write_queue_nums=1, perm=2),
            QueueData(broker_name="lost", write_queue_nums=1, perm=6),
            QueueData(broker_name="shut", write_queue_nums=1, perm=4),
        ],
    )
)


def test_writable_queues_are_those_of_masters(caller):
    asked = ensureDeferred(Routes(caller.call, lambda: ["n1:1"]).writable_queues("T"))
    caller.take()[0].succeed(body=MASTERED)

    found = [(one.queue.broker_name, one.queue.queue_id, one.address) for one in result_of(asked)]
    assert found == [("a", 0, "a:1"), ("b", 0, "b:1"), ("b", 1, "b:1")]


def test_a_topic_that_nobody_knows_has_no_writable_queues(caller):
    asked = ensureDeferred(Routes(caller.call, lambda: ["n1:1"]).writable_queues("T"))
    caller.take()[0].respond(ResponseCode.TOPIC_NOT_EXIST)

    assert result_of(asked) == []
