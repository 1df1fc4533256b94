from codec.bodies.topics import TopicConfig
from rmq.app.tests.parts import Parts


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

    assert tables.followers == (tables.topics, tables.groups, tables.offsets, tables.consumers)
