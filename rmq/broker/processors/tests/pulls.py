"""Pulls as clients ask them, for the tests of the pull processor."""

from codec.bodies.groups import SubscriptionGroupConfig
from codec.bodies.heartbeat import ConsumerData, MessageModel
from codec.bodies.topics import TopicConfig
from codec.codes import RequestCode
from codec.frame import JSON
from codec.headers.pull import PullMessageRequestHeader
from codec.message.record import parse_record
from rmq.broker.clients import Client
from rmq.broker.processors.tests.scene import Scene
from rmq.store.messages import PutMessage

COMMIT, SUSPEND, SUBSCRIPTION = 1, 2, 4


def a_scene(**options):
    scene = Scene(**options)
    scene.topics.update(TopicConfig(topic_name="T", read_queue_nums=2, write_queue_nums=2))
    scene.groups.update(SubscriptionGroupConfig(group_name="g"))
    return scene


def header(**fields):
    given = {
        "consumer_group": "g",
        "topic": "T",
        "queue_id": 0,
        "queue_offset": 0,
        "max_msg_nums": 32,
        "sys_flag": SUBSCRIPTION,
        "commit_offset": 0,
        "suspend_timeout_millis": 15_000,
        "subscription": "*",
        "sub_version": 5,
    }
    return PullMessageRequestHeader(**(given | fields))


def pull(scene, code=RequestCode.PULL_MESSAGE, peer=None, encoding=JSON, **fields):
    return scene.ask(code, header(**fields), peer=peer, encoding=encoding)


def bodies(answer):
    data, at, found = answer.body, 0, []
    while at < len(data):
        record = parse_record(data, at, len(data))
        found.append(record.body)
        at += record.total_size
    return found


def join(scene, *subscriptions, model=MessageModel.CLUSTERING):
    data = ConsumerData(
        group_name="g", message_model=model, subscription_data_set=list(subscriptions)
    )
    scene.consumers.register(Client(scene.peer, "c1"), data)


def refusal(answer):
    return answer.code, answer.ext_fields.get("forbiddenType"), answer.remark


def put(scene, body=b"hello", tag="a", queue_id=0, topic="T"):
    return scene.store.put(PutMessage(topic, queue_id, body, b"TAGS\x01%s\x02" % tag.encode()))
