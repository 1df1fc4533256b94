import pytest

from codec.bodies.heartbeat import (
    ConsumeFromWhere,
    ConsumerData,
    ConsumeType,
    MessageModel,
    SubscriptionData,
)
from codec.codes import RequestCode
from rmq.base.manual import ManualClock
from rmq.broker.clients import Client
from rmq.broker.consumers import Consumers
from rmq.broker.tests.tables import config
from rmq.remoting.testing import FakeChannel


def data(*topics, group="g", version=1, model=MessageModel.CLUSTERING):
    return ConsumerData(
        group_name=group,
        consume_type=ConsumeType.CONSUME_PASSIVELY,
        message_model=model,
        consume_from_where=ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET,
        subscription_data_set=[
            SubscriptionData(topic=topic, sub_string="*", sub_version=version) for topic in topics
        ],
    )


class World:
    def __init__(self, **changed):
        self.clock = ManualClock()
        self.consumers = Consumers(config(**changed), self.clock)
        self.channels = [FakeChannel(f"10.0.0.{number}:1") for number in range(3)]

    def beat(self, number, heartbeat=None, **more):
        client = Client(self.channels[number], f"c{number}")
        return self.consumers.register(client, heartbeat or data("t"), **more)

    def beat_without_sub(self, number, heartbeat=None, **more):
        client = Client(self.channels[number], f"c{number}")
        heartbeat = heartbeat or data()
        return self.consumers.register_without_subscriptions(client, heartbeat, **more)

    def notices(self):
        """How many notices each channel got since the last asking."""
        counts = []
        for channel in self.channels:
            assert all(c.code == RequestCode.NOTIFY_CONSUMER_IDS_CHANGED for c in channel.sent)
            assert all(c.ext_fields["consumerGroup"] == "g" for c in channel.sent)
            counts.append(len(channel.sent))
            channel.sent.clear()
        return counts


@pytest.fixture
def world():
    return World()


def test_first_heartbeat_makes_a_member(world):
    assert world.beat(0)

    group = world.consumers.get("g")
    assert group.client_ids == ["c0"]
    assert group.consume_type is ConsumeType.CONSUME_PASSIVELY
    assert group.consume_from_where is ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET
    assert group.member("c0").channel is world.channels[0]
    assert group.member("c1") is None
    assert not group.is_broadcasting
    assert world.consumers.subscription("g", "t").sub_string == "*"
    assert list(world.consumers.groups) == ["g"]


def test_group_is_shown_to_operators(world):
    world.beat(0)

    shown = world.consumers.get("g").connection_list()

    assert [one.client_id for one in shown.connection_set] == ["c0"]
    assert shown.message_model is MessageModel.CLUSTERING
    assert list(shown.subscription_table) == ["t"]


def test_all_members_are_told_of_a_new_one(world):
    world.beat(0)
    world.beat(1)

    assert world.notices() == [2, 1, 0]


def test_heartbeat_that_changes_nothing_is_not_told(world):
    world.beat(0)
    world.notices()
    world.clock.advance(30_000)

    assert not world.beat(0)

    assert world.notices() == [0, 0, 0]
    assert world.consumers.get("g").member("c0").heard_ms == 30_000


def test_new_and_left_topics_are_a_change(world):
    world.beat(0, data("t"))

    assert world.beat(0, data("t", "u"))
    assert world.beat(0, data("u"))

    assert world.consumers.subscription("g", "t") is None
    assert world.notices() == [3, 0, 0]


def test_newer_subscription_replaces_an_older_without_notice(world):
    world.beat(0, data("t", version=2))
    newer = data("t", version=3)
    newer.subscription_data_set[0].sub_string = "a || b"

    assert not world.beat(0, newer)
    assert not world.beat(0, data("t", version=2))

    assert world.consumers.subscription("g", "t").sub_string == "a || b"


def test_topic_named_twice_counts_by_its_newest(world):
    twice = data("t", "t", version=2)
    twice.subscription_data_set[1].sub_version = 1

    world.beat(0, twice)

    assert world.consumers.subscription("g", "t").sub_version == 2


def test_connection_with_another_identity_is_another_member(world, caplog):
    world.beat(0)

    assert not world.consumers.register(Client(world.channels[0], "other"), data("t"))

    assert world.consumers.get("g").client_ids == ["other"]
    assert "event=client_id_changed" in caplog.text


@pytest.mark.parametrize(
    ("changed", "model", "notify"),
    [
        ({"notifyConsumerIdsChangedEnable": False}, MessageModel.CLUSTERING, True),
        ({}, MessageModel.BROADCASTING, True),
        ({}, MessageModel.CLUSTERING, False),
    ],
)
def test_who_wants_no_notices_gets_none(changed, model, notify):
    world = World(**changed)
    world.beat(0, data("t", model=model), notify=notify)
    world.beat(1, data("t", model=model), notify=notify)
    world.beat_without_sub(2, data(model=model), notify=notify)
    world.consumers.unregister("g", world.channels[0], notify=notify)

    assert world.notices() == [0, 0, 0]


def test_notices_can_wait_to_be_sent_together():
    world = World(realTimeNotifyConsumerChange=False)
    world.beat(0)
    world.beat(1)
    world.beat(2, data("t", group="gone"))
    world.consumers.channel_closed(world.channels[2])
    assert world.notices() == [0, 0, 0]

    world.consumers.send_notices()
    world.consumers.send_notices()

    assert world.notices() == [1, 1, 0]


def test_heartbeat_without_subscriptions_keeps_them(world):
    world.beat(0)
    world.notices()

    assert not world.beat_without_sub(0)
    assert world.beat_without_sub(1)

    assert world.consumers.subscription("g", "t") is not None
    assert world.notices() == [1, 1, 0]


def test_changed_fingerprint_is_told(world):
    world.beat(0)

    assert not world.consumers.fingerprint_changed("g", 7, without_sub=False)
    assert not world.consumers.fingerprint_changed("g", 7, without_sub=True)
    assert world.consumers.fingerprint_changed("g", 8, without_sub=True)
    assert not world.consumers.fingerprint_changed("unknown", 8, without_sub=True)


def test_subscriptions_left_out_to_a_broker_that_does_not_know_them_are_asked_for(world):
    world.beat_without_sub(0)

    assert world.consumers.fingerprint_changed("g", 7, without_sub=True)


def test_member_that_leaves_is_told_to_the_others(world):
    world.beat(0)
    world.beat(1)
    world.notices()

    world.consumers.unregister("g", world.channels[0])
    world.consumers.unregister("g", world.channels[0])
    world.consumers.unregister("unknown", world.channels[0])

    assert world.consumers.get("g").client_ids == ["c1"]
    assert world.notices() == [0, 1, 0]


def test_group_ends_with_its_last_member(world):
    told = []
    world.consumers.on_change(lambda name, group: told.append((name, group is not None)))
    world.beat(0)
    world.beat(0, data("t", group="h"))

    world.consumers.unregister("g", world.channels[0])

    assert world.consumers.get("g") is None
    assert world.consumers.subscription("g", "t") is None
    assert told == [("g", True), ("h", True), ("g", False)]


def test_closed_connection_leaves_all_groups(world):
    world.beat(0)
    world.beat(0, data("t", group="h"))
    world.beat(1)
    for channel in world.channels:
        channel.sent.clear()

    assert world.consumers.channel_closed(world.channels[0])
    assert not world.consumers.channel_closed(world.channels[0])

    assert list(world.consumers.groups) == ["g"]
    assert world.notices() == [0, 1, 0]


def test_silent_member_is_closed_and_told_to_the_others(world):
    world.beat(0)
    world.clock.advance(120_000)
    world.beat(1)
    world.notices()
    assert world.consumers.close_silent() == 0

    world.clock.advance(1)

    assert world.consumers.close_silent() == 1
    assert world.channels[0].closed_because == "consumer sent no heartbeat"
    assert world.notices() == [0, 1, 0]


def test_groups_of_a_topic_are_listed(world):
    world.beat(0)
    world.beat(0, data("t", "u", group="h"))

    assert world.consumers.groups_of_topic("t") == {"g", "h"}
    assert world.consumers.groups_of_topic("u") == {"h"}
