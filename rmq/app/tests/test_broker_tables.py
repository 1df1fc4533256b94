from codec.bodies.heartbeat import ConsumerData, SubscriptionData
from codec.bodies.topics import TopicConfig
from rmq.app.tests.parts import Parts
from rmq.broker.clients import Client
from rmq.remoting.testing import FakeChannel


def test_what_was_persisted_is_loaded():
    first = Parts()
    first.tables.topics.update(TopicConfig(topic_name="T"))
    first.tables.offsets.commit("g", "T", 0, 7)
    first.tables.persist()

    second = Parts(first.disk)
    second.tables.load()

    assert "T" in second.tables.topics.table
    assert second.tables.offsets.query("g", "T", 0) == 7


def test_tables_that_obey_settings_follow_them():
    tables = Parts().tables

    assert tables.followers == (
        tables.topics,
        tables.groups,
        tables.offsets,
        tables.consumers,
        tables.filters,
    )


def test_filters_hear_of_heartbeats():
    first = Parts()
    subscription = SubscriptionData(topic="T", sub_string="a > 5", expression_type="SQL92")
    data = ConsumerData(group_name="g", subscription_data_set=[subscription])
    first.tables.consumers.register(Client(FakeChannel(), "c"), data)
    first.tables.persist()

    second = Parts(first.disk)
    second.tables.load()

    assert first.tables.filters.get("T", "g") is not None
    assert second.tables.filters.get("T", "g") is not None
