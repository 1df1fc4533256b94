from collections.abc import Sequence

import pytest

from codec.bodies.data_version import DataVersion
from codec.bodies.route import QueueData
from codec.bodies.static_topics import TopicQueueMappingInfo
from codec.bodies.topics import TopicConfig, TopicConfigAndMappingSerializeWrapper
from rmq.namesrv.live_brokers import BrokerKey
from rmq.namesrv.notices import MinBrokerIdNotice
from rmq.namesrv.route_cache import Flavour, RouteCache
from rmq.namesrv.routes import Departure, Registered, RouteTables
from rmq.namesrv.tests.scene import registration, wrapper

STANDARD = Flavour(standard=True, host="")


@pytest.fixture
def cache() -> RouteCache:
    return RouteCache()


@pytest.fixture
def tables(cache: RouteCache) -> RouteTables:
    return RouteTables(cache)


def perms(tables: RouteTables, topic: str) -> dict[str, int]:
    return {name: queues.perm for name, queues in tables.topic_queues.get(topic, {}).items()}


def addresses(tables: RouteTables, name: str = "broker-a") -> dict[int, str]:
    return tables.brokers[name].broker_addrs


def departure(name: str = "broker-a", broker_id: int = 0, cluster: str = "c") -> Departure:
    return Departure(BrokerKey(cluster, f"{name}-{broker_id}:10911"), name, broker_id)


def stateful(
    state_version: int, topics: Sequence[str] = ("t1", "t2")
) -> TopicConfigAndMappingSerializeWrapper:
    made = wrapper(topics)
    made.data_version = DataVersion(counter=1, timestamp=1, state_version=state_version)
    return made


def test_a_master_brings_its_cluster_name_and_topics(tables: RouteTables) -> None:
    assert tables.register(registration(), 5) == Registered()

    assert addresses(tables) == {0: "broker-a-0:10911"}
    assert {name: list(of) for name, of in tables.clusters.items()} == {"c": ["broker-a"]}
    assert tables.topic_queues["t1"] == {
        "broker-a": QueueData(
            broker_name="broker-a", perm=6, read_queue_nums=16, write_queue_nums=16
        )
    }
    assert list(tables.topics_of("broker-a")) == ["t1", "t2"]
    live = tables.live.get(BrokerKey("c", "broker-a-0:10911"))
    assert live is not None
    assert (live.heard_ms, live.timeout_ms) == (5, 120_000)


def test_a_broker_may_say_how_long_it_may_be_silent(tables: RouteTables) -> None:
    tables.register(registration(timeout_ms=7), 0)

    assert [key for key, _ in tables.live.silent(8)] == [BrokerKey("c", "broker-a-0:10911")]
    assert tables.live.silent(7) == []


def test_a_slave_is_told_of_its_master_and_its_topics_do_not_count(tables: RouteTables) -> None:
    tables.register(registration(ha_address="ha-of-master"), 0)

    told = tables.register(registration(broker_id=1, topics=wrapper(("x", "y"))), 0)

    assert told == Registered("ha-of-master", "broker-a-0:10911")
    assert "x" not in tables.topic_queues
    assert addresses(tables) == {0: "broker-a-0:10911", 1: "broker-a-1:10911"}


def test_a_slave_learns_nothing_of_a_master_in_another_cluster(tables: RouteTables) -> None:
    tables.register(registration(), 0)

    assert tables.register(registration(broker_id=1, cluster="d"), 0) == Registered()


def test_a_slave_alone_speaks_for_its_name_only_if_it_may_act_as_master(
    tables: RouteTables,
) -> None:
    tables.register(registration("old", 1, acting_master=None), 0)
    tables.register(registration("plain", 1, acting_master=False), 0)
    tables.register(registration("acting", 1, acting_master=True), 0)

    assert perms(tables, "t1") == {"plain": 6, "acting": 4}


def test_only_the_slave_with_the_smallest_id_speaks(tables: RouteTables) -> None:
    tables.register(registration(broker_id=1, acting_master=True), 0)

    tables.register(registration(broker_id=2, acting_master=True, topics=wrapper(("x", "y"))), 0)

    assert "x" not in tables.topic_queues


def test_the_first_word_about_one_topic_only_is_refused_and_changes_nothing(
    tables: RouteTables,
) -> None:
    assert tables.register(registration(topics=wrapper(("t1",))), 0) is None

    assert not tables.brokers
    assert not tables.clusters
    assert not tables.topic_queues
    assert len(tables.live) == 0


def test_a_known_broker_may_register_a_single_topic(tables: RouteTables) -> None:
    tables.register(registration(), 0)

    assert tables.register(registration(topics=wrapper(("t3",), version=2)), 0) == Registered()

    assert set(tables.topic_queues) == {"t1", "t2", "t3"}


def test_topics_that_are_no_longer_named_stay_unless_asked_otherwise(tables: RouteTables) -> None:
    tables.register(registration(), 0)
    tables.register(registration("broker-b", topics=wrapper(("t1", "t2"))), 0)

    tables.register(registration(topics=wrapper(("t2", "t3"), version=2)), 0)
    assert set(perms(tables, "t1")) == {"broker-a", "broker-b"}

    again = registration(topics=wrapper(("t2", "t3"), version=3))
    tables.register(again, 0, delete_absent_topics=True)
    assert set(perms(tables, "t1")) == {"broker-b"}
    assert set(perms(tables, "t2")) == {"broker-a", "broker-b"}


def test_the_last_broker_to_drop_a_topic_ends_it(tables: RouteTables) -> None:
    tables.register(registration(), 0)

    again = registration(topics=wrapper((), version=2))
    tables.register(again, 0, delete_absent_topics=True)

    assert not tables.topic_queues
    assert list(tables.topics_of("broker-a")) == []


def test_static_topics_keep_all_others_from_being_deleted(tables: RouteTables) -> None:
    tables.register(registration(), 0)
    topics = wrapper(("t3", "t4"), version=2)
    topics.topic_queue_mapping_info_map["s"] = TopicQueueMappingInfo(bname="broker-a", topic="s")

    tables.register(registration(topics=topics), 0, delete_absent_topics=True)

    assert "t1" in tables.topic_queues
    assert set(tables.queue_mappings["s"]) == {"broker-a"}


def test_a_mapping_without_a_broker_name_is_the_registering_brokers(tables: RouteTables) -> None:
    topics = wrapper(("t1", "t2"))
    topics.topic_queue_mapping_info_map["t1"] = TopicQueueMappingInfo(topic="t1")

    tables.register(registration(topics=topics), 0)

    assert set(tables.queue_mappings["t1"]) == {"broker-a"}


def test_the_same_data_version_changes_no_topic_but_brings_back_a_deleted_one(
    tables: RouteTables,
) -> None:
    tables.register(registration(), 0)
    tables.wipe_write_perm("broker-a")
    tables.delete_topic("t2")

    tables.register(registration(), 0)

    assert perms(tables, "t1") == {"broker-a": 4}
    assert perms(tables, "t2") == {"broker-a": 6}


def test_a_new_data_version_overrules_what_was_set_here(tables: RouteTables) -> None:
    tables.register(registration(), 0)
    tables.wipe_write_perm("broker-a")

    tables.register(registration(topics=wrapper(("t1", "t2"), version=2)), 0)

    assert perms(tables, "t1") == {"broker-a": 6}


def test_an_address_has_one_id_only(tables: RouteTables) -> None:
    tables.register(registration(broker_id=1, address="a:1"), 0)

    tables.register(registration(broker_id=0, address="a:1"), 0)

    assert addresses(tables) == {0: "a:1"}


def test_an_id_is_taken_over_by_a_state_that_is_not_older(tables: RouteTables) -> None:
    tables.register(registration(address="old:1", topics=stateful(5)), 0)

    tables.register(registration(address="new:1", topics=stateful(5)), 0)

    assert addresses(tables) == {0: "new:1"}


def test_an_outdated_claim_to_an_id_is_answered_but_ignored(tables: RouteTables) -> None:
    tables.register(registration(address="holder:1", topics=stateful(5)), 0)
    tables.register(registration(broker_id=1, address="old:1"), 0)

    told = tables.register(
        registration(address="old:1", topics=stateful(4, ("x", "y")), acting_master=True), 0
    )

    assert told == Registered()
    assert addresses(tables) == {0: "holder:1"}
    assert tables.live.get(BrokerKey("c", "old:1")) is None
    assert tables.brokers["broker-a"].enable_acting_master is True
    assert "x" not in tables.topic_queues


def test_a_holder_that_is_no_longer_alive_defends_nothing(tables: RouteTables) -> None:
    tables.register(registration(address="holder:1", topics=stateful(5)), 0)
    tables.live.remove(BrokerKey("c", "holder:1"))

    tables.register(registration(address="new:1", topics=stateful(4)), 0)

    assert addresses(tables) == {0: "new:1"}


def test_filter_servers_are_set_replaced_and_removed(tables: RouteTables) -> None:
    key = BrokerKey("c", "broker-a-0:10911")

    tables.register(registration(filter_servers=["f:1"]), 0)
    assert tables.filter_servers == {key: ["f:1"]}
    tables.register(registration(filter_servers=None), 0)
    assert tables.filter_servers == {key: ["f:1"]}
    tables.register(registration(filter_servers=["f:2"]), 0)
    assert tables.filter_servers == {key: ["f:2"]}
    tables.register(registration(filter_servers=[]), 0)
    assert tables.filter_servers == {}


def test_a_smaller_id_is_worth_a_notice_to_those_that_were_there(tables: RouteTables) -> None:
    tables.register(registration(broker_id=1), 0)

    told = tables.register(registration(broker_id=0, ha_address="ha0"), 0)

    assert told is not None
    assert told.notice == MinBrokerIdNotice(
        0, "broker-a-0:10911", None, "ha0", ("broker-a-1:10911",)
    )


def test_a_greater_id_or_the_first_is_worth_none(tables: RouteTables) -> None:
    first = tables.register(registration(broker_id=1), 0)
    second = tables.register(registration(broker_id=2), 0)

    assert first == Registered()
    assert second == Registered()


def test_the_last_address_to_leave_takes_name_cluster_and_topics_along(
    tables: RouteTables,
) -> None:
    topics = wrapper(("t1", "t2"))
    topics.topic_queue_mapping_info_map["t1"] = TopicQueueMappingInfo(bname="broker-a", topic="t1")
    tables.register(registration(topics=topics, filter_servers=["f:1"]), 0)
    tables.register(registration("broker-b", topics=wrapper(("t2", "t3"))), 0)

    assert tables.unregister([departure()]) == []

    assert set(tables.brokers) == {"broker-b"}
    assert list(tables.clusters["c"]) == ["broker-b"]
    assert set(tables.topic_queues) == {"t2", "t3"}
    assert not tables.filter_servers
    assert not tables.queue_mappings
    tables.unregister([departure("broker-b")])
    assert not tables.clusters
    assert not tables.topic_queues
    assert len(tables.live) == 0


def test_a_name_leaves_every_cluster_it_was_in(tables: RouteTables) -> None:
    tables.register(registration(cluster="c"), 0)
    tables.register(registration(cluster="d"), 0)

    tables.unregister([departure(cluster="never heard of")])

    assert not tables.clusters


def test_without_a_master_topics_can_no_longer_be_written_if_a_slave_may_act(
    tables: RouteTables,
) -> None:
    tables.register(registration(acting_master=True), 0)
    tables.register(registration(broker_id=1, acting_master=True), 0)
    tables.register(registration(broker_id=2, acting_master=True), 0)

    notices = tables.unregister([departure(broker_id=0)])

    assert perms(tables, "t1") == {"broker-a": 4}
    assert notices == [
        MinBrokerIdNotice(
            1,
            "broker-a-1:10911",
            "broker-a-0:10911",
            None,
            ("broker-a-1:10911", "broker-a-2:10911"),
        )
    ]


def test_without_a_master_nothing_changes_if_no_slave_may_act(tables: RouteTables) -> None:
    tables.register(registration(), 0)
    tables.register(registration(broker_id=1), 0)

    assert tables.unregister([departure(broker_id=0)]) == []

    assert perms(tables, "t1") == {"broker-a": 6}


def test_a_slave_that_leaves_its_master_changes_nothing_else(tables: RouteTables) -> None:
    tables.register(registration(acting_master=True), 0)
    tables.register(registration(broker_id=1, acting_master=True), 0)

    assert tables.unregister([departure(broker_id=1)]) == []

    assert perms(tables, "t1") == {"broker-a": 6}
    assert addresses(tables) == {0: "broker-a-0:10911"}


def test_a_batch_is_told_about_once_and_as_it_ends(tables: RouteTables) -> None:
    for broker_id in range(3):
        tables.register(registration(broker_id=broker_id, acting_master=True), 0)
    tables.register(registration("broker-b", acting_master=True), 0)

    notices = tables.unregister(
        [departure(broker_id=0), departure(broker_id=1), departure("broker-b")]
    )

    assert notices == [
        MinBrokerIdNotice(2, "broker-a-2:10911", "broker-a-1:10911", None, ("broker-a-2:10911",))
    ]


def test_an_unknown_broker_can_leave(tables: RouteTables) -> None:
    assert tables.unregister([departure()]) == []


def test_what_departs_with_a_connection_is_found_under_every_name(tables: RouteTables) -> None:
    tables.register(registration("broker-a", address="same:1"), 0)
    tables.register(registration("broker-b", address="same:1"), 0)
    tables.register(registration("broker-x", address="same:1", cluster="other"), 0)
    tables.register(registration("broker-y"), 0)
    key = BrokerKey("c", "same:1")

    assert tables.departures_of(key) == [
        Departure(key, "broker-a", 0),
        Departure(key, "broker-b", 0),
    ]


def test_a_topic_can_be_registered_on_known_brokers_only(tables: RouteTables) -> None:
    tables.register(registration(), 0)
    known = QueueData(broker_name="broker-a", perm=6)

    assert tables.register_topic("x", [known, QueueData(broker_name="?")]) is False
    assert "x" not in tables.topic_queues
    assert tables.register_topic("x", [known]) is True
    assert tables.topic_queues["x"] == {"broker-a": known}


def test_a_topic_can_be_deleted_in_one_cluster(tables: RouteTables) -> None:
    tables.register(registration(), 0)
    tables.register(registration("broker-b", cluster="d"), 0)

    tables.delete_topic("t1", "d")
    assert set(perms(tables, "t1")) == {"broker-a"}
    tables.delete_topic("t1", "no such cluster")
    assert set(perms(tables, "t1")) == {"broker-a"}
    tables.delete_topic("t1")
    assert "t1" not in tables.topic_queues
    tables.delete_topic("t1")


def test_write_permission_is_wiped_and_added_for_one_broker(tables: RouteTables) -> None:
    tables.register(registration(), 0)
    tables.register(registration("broker-b"), 0)

    assert tables.wipe_write_perm("broker-a") == 2
    assert perms(tables, "t1") == {"broker-a": 4, "broker-b": 6}
    assert tables.add_write_perm("broker-a") == 2
    assert perms(tables, "t1") == {"broker-a": 6, "broker-b": 6}
    assert tables.wipe_write_perm("no such broker") == 0


def test_a_registration_that_says_nothing_new_leaves_the_cache_alone(
    tables: RouteTables, cache: RouteCache
) -> None:
    tables.register(registration(filter_servers=[]), 0)
    cache.put("t1", STANDARD, b"kept")

    tables.register(registration(filter_servers=[]), 9)

    assert cache.get("t1", *STANDARD) == b"kept"


def test_only_topics_that_changed_are_forgotten(tables: RouteTables, cache: RouteCache) -> None:
    tables.register(registration(), 0)
    cache.put("t1", STANDARD, b"kept")
    cache.put("t2", STANDARD, b"stale")
    changed = wrapper(("t1",), version=2)
    changed.topic_config_table["t2"] = TopicConfig(topic_name="t2", write_queue_nums=1)

    tables.register(registration(topics=changed), 0)

    assert cache.get("t1", *STANDARD) == b"kept"
    assert cache.get("t2", *STANDARD) is None
