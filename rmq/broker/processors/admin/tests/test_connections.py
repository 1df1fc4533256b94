import pytest

from codec.bodies import decode_body
from codec.bodies.clients import ConsumerConnection, ProducerConnection, ProducerTableInfo
from codec.bodies.heartbeat import ConsumerData
from codec.codes import RequestCode, ResponseCode
from codec.headers.clients import (
    GetAllProducerInfoRequestHeader,
    GetConsumerConnectionListRequestHeader,
    GetProducerConnectionListRequestHeader,
)
from rmq.broker.clients import Client
from rmq.broker.processors.admin.tests.scene import AdminScene


@pytest.fixture
def scene():
    return AdminScene()


def consumers(scene, group):
    header = GetConsumerConnectionListRequestHeader(consumer_group=group)
    return scene.ask(RequestCode.GET_CONSUMER_CONNECTION_LIST, header)


def producers(scene, group):
    header = GetProducerConnectionListRequestHeader(producer_group=group)
    return scene.ask(RequestCode.GET_PRODUCER_CONNECTION_LIST, header)


def test_members_of_a_consumer_group_are_shown(scene):
    scene.consumers.register(Client(scene.peer, "c1"), ConsumerData(group_name="G"))

    answer = consumers(scene, "G")

    connection = decode_body(ConsumerConnection, answer.body).connection_set[0]
    assert (connection.client_id, connection.client_addr) == ("c1", "10.0.0.1:40000")


def test_a_consumer_group_without_members_is_offline(scene):
    answer = consumers(scene, "G")

    assert answer.code == ResponseCode.CONSUMER_NOT_ONLINE
    assert answer.remark == "the consumer group[G] not online"


def test_members_of_a_producer_group_are_shown(scene):
    scene.producers.register("P", Client(scene.peer, "p1"))

    answer = producers(scene, "P")

    assert decode_body(ProducerConnection, answer.body).connection_set[0].client_id == "p1"
    everybody = scene.ask(RequestCode.GET_ALL_PRODUCER_INFO, GetAllProducerInfoRequestHeader())
    assert list(decode_body(ProducerTableInfo, everybody.body).data) == ["P"]


def test_a_producer_group_without_members_is_an_error(scene):
    answer = producers(scene, "P")

    assert answer.code == ResponseCode.SYSTEM_ERROR
    assert answer.remark == "the producer group[P] not exist"
