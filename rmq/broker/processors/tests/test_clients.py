from dataclasses import replace as changed

import pytest

from codec.bodies import decode_body, encode_body
from codec.bodies.clients import GetConsumerListByGroupResponseBody
from codec.bodies.groups import SubscriptionGroupConfig
from codec.bodies.heartbeat import (
    CheckClientRequestBody,
    ConsumerData,
    ConsumeType,
    HeartbeatData,
    MessageModel,
    ProducerData,
    SubscriptionData,
)
from codec.bodies.locks import LockBatchRequestBody, LockBatchResponseBody
from codec.bodies.message_queue import MessageQueue
from codec.bodies.topics import TopicConfig
from codec.codes import RequestCode, ResponseCode
from codec.headers.clients import (
    GetConsumerListByGroupRequestHeader,
    UnregisterClientRequestHeader,
)
from rmq.broker.processors.tests.scene import Peer, Scene


@pytest.fixture
def scene():
    return Scene()


def consumer(group="g", *topics, kind=ConsumeType.CONSUME_PASSIVELY, unit=False):
    return ConsumerData(
        group_name=group,
        consume_type=kind,
        message_model=MessageModel.CLUSTERING,
        subscription_data_set=[SubscriptionData(topic=topic, sub_string="*") for topic in topics],
        unit_mode=unit,
    )


def heartbeat(scene, *consumers, producers=(), peer=None, client_id="c1", **fields):
    body = HeartbeatData(
        client_id=client_id,
        consumer_data_set=list(consumers),
        producer_data_set=[ProducerData(group_name=name) for name in producers],
        **fields,
    )
    return scene.ask(RequestCode.HEART_BEAT, None, encode_body(body), peer=peer)


def members(scene, group="g"):
    header = GetConsumerListByGroupRequestHeader(consumer_group=group)
    answer = scene.ask(RequestCode.GET_CONSUMER_LIST_BY_GROUP, header)
    if answer.code:
        return answer.code, answer.remark
    return decode_body(GetConsumerListByGroupResponseBody, answer.body).consumer_id_list


def unregister(scene, **groups):
    header = UnregisterClientRequestHeader(client_id="c1", **groups)
    return scene.ask(RequestCode.UNREGISTER_CLIENT, header)


# heartbeats


def test_heartbeat_makes_members_and_producers(scene):
    answer = heartbeat(scene, consumer("g", "T"), producers=["p"])

    assert (answer.code, answer.ext_fields) == (
        0,
        {"IS_SUPPORT_HEART_BEAT_V2": "true", "IS_SUB_CHANGE": "true"},
    )
    assert members(scene) == ["c1"]
    assert scene.producers.is_online("p")


def test_each_consumer_group_gets_its_retry_topic(scene):
    scene.groups.update(SubscriptionGroupConfig(group_name="g", retry_queue_nums=3))
    scene.topics.update(TopicConfig(topic_name="Ordered", order=True))

    heartbeat(scene, consumer("g", "T", "Ordered"), consumer("u", "T", unit=True))

    retry = scene.topics.get("%RETRY%g")
    assert (retry.write_queue_nums, retry.perm, retry.topic_sys_flag) == (3, 6, 0)
    assert retry.order
    assert scene.topics.get("%RETRY%u").topic_sys_flag == 2
    assert not scene.topics.get("%RETRY%u").order


def test_known_fingerprint_needs_no_subscriptions(scene):
    first = heartbeat(scene, consumer("g", "T"), heartbeat_fingerprint=7)
    again = heartbeat(scene, consumer("g"), heartbeat_fingerprint=7, without_sub=True)

    assert first.ext_fields["IS_SUB_CHANGE"] == "false"
    assert again.ext_fields["IS_SUB_CHANGE"] == "false"
    assert scene.consumers.subscription("g", "T").sub_string == "*"


def test_other_fingerprint_asks_for_the_subscriptions(scene):
    heartbeat(scene, consumer("g", "T"), heartbeat_fingerprint=7)

    answer = heartbeat(scene, consumer("g"), heartbeat_fingerprint=8, without_sub=True)

    assert answer.ext_fields["IS_SUB_CHANGE"] == "true"


def test_client_of_a_broker_that_was_restarted_is_asked_for_its_subscriptions(scene):
    answer = heartbeat(scene, consumer("g"), heartbeat_fingerprint=7, without_sub=True)

    assert answer.ext_fields["IS_SUB_CHANGE"] == "true"


def test_group_that_may_not_be_created_gets_no_members():
    scene = Scene(autoCreateSubscriptionGroup=False)

    assert heartbeat(scene, consumer("g", "T")).code == 0
    assert members(scene) == (ResponseCode.SYSTEM_ERROR, "no consumer for this group, g")
    assert scene.topics.get("%RETRY%g") is None


def test_pull_consumers_are_left_out_where_they_are_rejected(scene):
    scene.clients.config = changed(scene.config, rejectPullConsumerEnable=True)

    heartbeat(scene, consumer("pulls", "T", kind=ConsumeType.CONSUME_ACTIVELY), consumer("g", "T"))

    assert members(scene, "pulls")[0] == ResponseCode.SYSTEM_ERROR
    assert members(scene) == ["c1"]


def test_body_that_is_no_heartbeat_is_answered_with_the_place(scene):
    answer = scene.ask(RequestCode.HEART_BEAT, None, b'{"clientID":[]}')

    assert answer.code == ResponseCode.SYSTEM_ERROR
    assert "clientID" in answer.remark


def test_members_hear_of_each_other_unless_their_group_wants_silence(scene):
    scene.groups.update(
        SubscriptionGroupConfig(group_name="silent", notify_consumer_ids_changed_enable=False)
    )
    heartbeat(scene, consumer("g", "T"), consumer("silent", "T"))
    scene.consumers.send_notices()
    scene.peer.sent.clear()

    heartbeat(
        scene, consumer("g", "T"), consumer("silent", "T"), peer=Peer("10.0.0.3:1"), client_id="c2"
    )
    scene.consumers.send_notices()

    assert [notice.ext_fields for notice in scene.peer.sent] == [{"consumerGroup": "g"}]


# leaving


def test_client_leaves_the_groups_that_it_names(scene):
    heartbeat(scene, consumer("g", "T"), consumer("h", "T"), producers=["p", "q"])

    assert unregister(scene, consumer_group="g", producer_group="p").code == 0

    assert members(scene)[0] == ResponseCode.SYSTEM_ERROR
    assert members(scene, "h") == ["c1"]
    assert not scene.producers.is_online("p")
    assert scene.producers.is_online("q")


def test_client_that_names_no_group_stays(scene):
    heartbeat(scene, consumer("g", "T"), producers=["p"])

    assert unregister(scene).code == 0

    assert members(scene) == ["c1"]
    assert scene.producers.is_online("p")


def test_client_leaves_a_group_that_is_no_longer_configured():
    scene = Scene(autoCreateSubscriptionGroup=False)
    scene.groups.update(SubscriptionGroupConfig(group_name="g"))
    heartbeat(scene, consumer("g", "T"))
    scene.groups.delete("g")

    assert unregister(scene, consumer_group="g").code == 0

    assert members(scene)[0] == ResponseCode.SYSTEM_ERROR


# checks


@pytest.mark.parametrize(
    ("subscription", "code"),
    [
        (None, 0),
        (SubscriptionData(topic="T", sub_string="a"), 0),
        (
            SubscriptionData(topic="T", sub_string="a > 1", expression_type="SQL92"),
            ResponseCode.SYSTEM_ERROR,
        ),
    ],
)
def test_only_expressions_that_are_served_pass_the_check(scene, subscription, code):
    body = encode_body(CheckClientRequestBody(subscription_data=subscription))

    assert scene.ask(RequestCode.CHECK_CLIENT_CONFIG, None, body).code == code


@pytest.mark.parametrize(
    ("text", "kind", "code", "remark"),
    [
        ("a > 1", "SQL92", 0, None),
        (
            "a >",
            "SQL92",
            ResponseCode.SUBSCRIPTION_PARSE_FAILED,
            "character 4: expected a name, a value, or '(', found the end",
        ),
        (
            "a > 1",
            "SQL93",
            ResponseCode.SUBSCRIPTION_PARSE_FAILED,
            "character 1: expression type 'SQL93', expected TAG or SQL92",
        ),
    ],
)
def test_expression_is_compiled_by_the_check(text, kind, code, remark):
    scene = Scene(enablePropertyFilter=True)
    subscription = SubscriptionData(topic="T", sub_string=text, expression_type=kind)
    body = encode_body(CheckClientRequestBody(subscription_data=subscription))

    answer = scene.ask(RequestCode.CHECK_CLIENT_CONFIG, None, body)

    assert (answer.code, answer.remark) == (code, remark)


# queue locks


def lock(scene, client_id, code=RequestCode.LOCK_BATCH_MQ, group="g", queue_id=0, told=None):
    queue_ids = queue_id if isinstance(queue_id, list) else [queue_id]
    scene.topics.update(TopicConfig(topic_name="T", read_queue_nums=2, write_queue_nums=1))
    body = LockBatchRequestBody(
        consumer_group=group,
        client_id=client_id,
        mq_set=[MessageQueue(broker_name="broker-a", topic="T", queue_id=one) for one in queue_ids],
    )
    answer = scene.ask(code, None, encode_body(body))
    if told is not None:
        told.append(answer.remark)
    if answer.code or not answer.body:
        return answer.code
    return [
        queue.queue_id for queue in decode_body(LockBatchResponseBody, answer.body).lock_ok_mq_set
    ]


def test_locked_queue_is_nobody_elses_until_it_is_unlocked(scene):
    assert lock(scene, "c1") == [0]
    assert lock(scene, "c2") == []
    assert lock(scene, "c2", queue_id=1) == [1]

    assert lock(scene, "c1", RequestCode.UNLOCK_BATCH_MQ) == 0

    assert lock(scene, "c2") == [0]


def test_queues_that_are_not_here_are_not_locked_and_named(scene):
    told = []

    assert lock(scene, "c1", queue_id=[0, 2, -1], told=told) == [0]
    assert lock(scene, "c1", queue_id=[2], told=told) == ResponseCode.TOPIC_NOT_EXIST
    assert lock(scene, "c1", queue_id=[], told=told) == []
    assert told == [
        "2 queues are not here, as queue 2 of topic T: ask for the topic's route again",
        "1 queues are not here, as queue 2 of topic T: ask for the topic's route again",
        None,
    ]


@pytest.mark.parametrize("code", [RequestCode.LOCK_BATCH_MQ, RequestCode.UNLOCK_BATCH_MQ])
@pytest.mark.parametrize(("group", "client_id"), [("", "c1"), ("g", "")])
def test_lock_of_nobody_is_refused(scene, code, group, client_id):
    assert lock(scene, client_id, code, group) == ResponseCode.INVALID_PARAMETER
