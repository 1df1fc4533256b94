import pytest
from twisted.internet.defer import succeed

from codec.bodies import decode_body, encode_body
from codec.bodies.assignment import (
    MessageRequestMode,
    MessageRequestModeSerializeWrapper,
    QueryAssignmentRequestBody,
    QueryAssignmentResponseBody,
    SetMessageRequestModeRequestBody,
)
from codec.bodies.groups import SubscriptionGroupConfig
from codec.bodies.heartbeat import ConsumerData, MessageModel
from codec.bodies.message_queue import MessageQueue
from codec.bodies.topics import TopicConfig
from codec.codes import RequestCode, ResponseCode
from rmq.broker.clients import Client
from rmq.broker.processors.admin.assignment import AssignmentProcessor
from rmq.broker.processors.tests.scene import Scene
from rmq.broker.request_modes import RequestModes
from rmq.broker.tests.tables import table_file
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.handling import handler_table
from rmq.remoting.testing import FakeChannel

QUEUES = [MessageQueue(topic="T", broker_name="broker-a", queue_id=number) for number in range(5)]


class KnownRoutes:
    def __init__(self):
        self.queues = {"T": QUEUES, "EMPTY": []}

    def readable_queues(self, topic):
        return succeed(self.queues.get(topic))


class AssignmentScene(Scene):
    def __init__(self, **changed):
        super().__init__(**changed)
        self.topics.update(TopicConfig(topic_name="T"))
        self.modes = RequestModes(table_file(self.disk, "messageRequestMode.json"))
        processor = AssignmentProcessor(
            self.config, self.topics, self.groups, self.consumers, self.modes, KnownRoutes()
        )
        self._dispatcher = Dispatcher(handler_table([processor]))
        for client_id in ("b", "a"):
            client = Client(FakeChannel(), client_id)
            self.consumers.register(client, ConsumerData(group_name="G"))

    def assigned(self, client_id="a", topic="T", group="G", strategy="AVG", model=None):
        """The numbers of the queues that a client is to take, None if it is told nothing."""
        body = QueryAssignmentRequestBody(
            client_id=client_id,
            topic=topic,
            consumer_group=group,
            strategy_name=strategy,
            message_model=model or MessageModel.CLUSTERING,
        )
        answer = self.ask(RequestCode.QUERY_ASSIGNMENT, body=encode_body(body))
        assert answer.code == ResponseCode.SUCCESS
        given = decode_body(QueryAssignmentResponseBody, answer.body).message_queue_assignments
        if given is None:
            return None
        assert all(one.mode is MessageRequestMode.PULL for one in given)
        return [one.message_queue.queue_id for one in given]

    def set_mode(self, **fields):
        chosen = {"topic": "T", "consumer_group": "G"} | fields
        body = encode_body(SetMessageRequestModeRequestBody(**chosen))
        return self.ask(RequestCode.SET_MESSAGE_REQUEST_MODE, body=body)


@pytest.fixture
def scene():
    return AssignmentScene(autoCreateSubscriptionGroup=False)


def test_members_share_the_queues(scene):
    assert scene.assigned("a") == [0, 1, 2]
    assert scene.assigned("b") == [3, 4]
    assert scene.assigned("a", strategy="AVG_BY_CIRCLE") == [0, 2, 4]


def test_who_is_no_member_takes_none(scene):
    assert scene.assigned("c") == []


def test_all_take_all_by_broadcasting(scene):
    assert scene.assigned("c", model=MessageModel.BROADCASTING) == [0, 1, 2, 3, 4]


def test_all_is_given_if_the_broker_does_not_share():
    assert AssignmentScene(serverLoadBalancerEnable=False).assigned("c") == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "question",
    [{"topic": "X"}, {"topic": "EMPTY"}, {"group": "H"}, {"strategy": "X"}, {"client_id": None}],
)
def test_what_cannot_be_said_changes_nothing(scene, question):
    assert scene.assigned(**question) is None


@pytest.mark.parametrize("missing", ["topic", "consumer_group"])
def test_a_question_must_be_whole(scene, missing):
    fields = {"topic": "T", "consumer_group": "G"} | {missing: None}

    answer = scene.ask(
        RequestCode.QUERY_ASSIGNMENT, body=encode_body(QueryAssignmentRequestBody(**fields))
    )

    assert answer.code == ResponseCode.INVALID_PARAMETER
    assert scene.set_mode(**fields).code == ResponseCode.INVALID_PARAMETER


def test_a_mode_is_set_and_shown(scene):
    scene.groups.update(SubscriptionGroupConfig(group_name="G"))

    assert scene.set_mode(pop_share_queue_num=2).code == ResponseCode.SUCCESS

    answer = scene.ask(RequestCode.GET_ALL_MESSAGE_REQUEST_MODE)
    shown = decode_body(MessageRequestModeSerializeWrapper, answer.body).message_request_mode_map
    assert shown["T"]["G"].pop_share_queue_num == 2


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"topic": "%RETRY%G"}, ResponseCode.NO_PERMISSION),
        ({"topic": "X"}, ResponseCode.TOPIC_NOT_EXIST),
        ({"consumer_group": "X"}, ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST),
        ({"mode": MessageRequestMode.POP}, ResponseCode.INVALID_PARAMETER),
    ],
)
def test_a_mode_that_cannot_be_is_refused(scene, fields, code):
    scene.groups.update(SubscriptionGroupConfig(group_name="G"))

    answer = scene.set_mode(**fields)

    assert answer.code == code
    assert answer.remark
    assert scene.modes.wrapper().message_request_mode_map == {}
