from codec.bodies.route import BrokerMemberGroup, QueueData
from codec.bodies.static_topics import TopicQueueMappingInfo
from codec.bodies.topics import TopicConfig
from rmq.namesrv import lookups
from rmq.namesrv.lookups import find_route
from rmq.namesrv.route_cache import RouteCache
from rmq.namesrv.routes import RouteTables
from rmq.namesrv.tests.scene import registration, wrapper


def made() -> RouteTables:
    return RouteTables(RouteCache())


def test_a_route_lists_brokers_and_queues_by_name() -> None:
    tables = made()
    tables.register(registration("broker-b"), 0)
    tables.register(registration("broker-a"), 0)

    route = find_route(tables, "t1", acting_masters=False)

    assert route is not None
    assert [each.broker_name for each in route.broker_datas] == ["broker-a", "broker-b"]
    assert [each.broker_name for each in route.queue_datas] == ["broker-a", "broker-b"]
    assert route.order_topic_conf is None
    assert route.topic_queue_mapping_by_broker is None
    assert route.filter_server_table == {}


def test_a_topic_nobody_serves_has_no_route() -> None:
    assert find_route(made(), "t1", acting_masters=False) is None


def test_a_route_tells_order_mappings_and_filter_servers() -> None:
    tables = made()
    topics = wrapper(("t1", "t2"))
    mapping = TopicQueueMappingInfo(bname="broker-a", topic="t1")
    topics.topic_queue_mapping_info_map["t1"] = mapping
    tables.register(registration(topics=topics, filter_servers=["f:1"]), 0)
    tables.register(registration("broker-b"), 0)

    route = find_route(tables, "t1", acting_masters=False, order_conf="broker-a:4")

    assert route is not None
    assert route.order_topic_conf == "broker-a:4"
    assert route.topic_queue_mapping_by_broker == {"broker-a": mapping}
    assert route.filter_server_table == {"broker-a-0:10911": ["f:1"]}


def shown(tables: RouteTables, topic: str, *, acting_masters: bool = True) -> dict[int, str]:
    route = find_route(tables, topic, acting_masters=acting_masters)
    assert route is not None
    return route.broker_datas[0].broker_addrs


def masterless(*, acting_master: bool) -> RouteTables:
    tables = made()
    for broker_id in (2, 1):
        tables.register(registration(broker_id=broker_id, acting_master=acting_master), 0)
    return tables


def test_the_smallest_slave_is_shown_as_master_where_the_topic_cannot_be_written() -> None:
    tables = masterless(acting_master=True)

    assert shown(tables, "t1") == {0: "broker-a-1:10911", 2: "broker-a-2:10911"}
    assert shown(tables, "t1", acting_masters=False) == {
        1: "broker-a-1:10911",
        2: "broker-a-2:10911",
    }


def test_a_topic_that_can_be_written_shows_true_ids() -> None:
    tables = masterless(acting_master=True)
    tables.add_write_perm("broker-a")

    assert set(shown(tables, "t1")) == {1, 2}


def test_a_broker_that_knows_no_acting_masters_shows_true_ids() -> None:
    tables = masterless(acting_master=False)
    tables.wipe_write_perm("broker-a")

    assert set(shown(tables, "t1")) == {1, 2}


def test_a_master_needs_no_acting_one() -> None:
    tables = masterless(acting_master=True)
    tables.register(registration(broker_id=0, acting_master=True), 0)
    tables.wipe_write_perm("broker-a")

    assert set(shown(tables, "t1")) == {0, 1, 2}


def test_the_topic_by_which_brokers_find_each_other_shows_true_ids() -> None:
    tables = masterless(acting_master=True)
    topic = "rmq_sys_SYNC_BROKER_MEMBER_broker-a"
    tables.register_topic(topic, [QueueData(broker_name="broker-a", perm=4)])

    assert set(shown(tables, topic)) == {1, 2}


def test_a_cluster_lists_all_its_brokers() -> None:
    tables = made()
    tables.register(registration("broker-a"), 0)
    tables.register(registration("broker-b", cluster="d"), 0)

    info = lookups.cluster_info(tables)

    assert set(info.broker_addr_table) == {"broker-a", "broker-b"}
    assert info.cluster_addr_table == {"c": ["broker-a"], "d": ["broker-b"]}


def test_members_are_listed_by_broker_name_whatever_the_cluster() -> None:
    tables = made()
    tables.register(registration(), 0)

    assert lookups.member_group(tables, "x", "broker-a") == BrokerMemberGroup(
        cluster="x", broker_name="broker-a", broker_addrs={0: "broker-a-0:10911"}
    )
    assert lookups.member_group(tables, "c", "?") == BrokerMemberGroup(
        cluster="c", broker_name="?", broker_addrs={}
    )


def test_topics_are_listed_once() -> None:
    tables = made()
    tables.register(registration("broker-a"), 0)
    tables.register(registration("broker-b", topics=wrapper(("t2", "t3"))), 0)
    tables.register(registration("broker-c", cluster="d", topics=wrapper(("t4", "t5"))), 0)

    assert lookups.all_topics(tables).topic_list == ["t1", "t2", "t3", "t4", "t5"]
    assert lookups.topics_of_cluster(tables, "c").topic_list == ["t1", "t2", "t3"]
    assert lookups.topics_of_cluster(tables, "?").topic_list == []


def test_system_topics_are_clusters_and_brokers_with_an_address_to_ask() -> None:
    tables = made()
    assert lookups.system_topics(tables).broker_addr is None

    tables.register(registration("broker-a", 2), 0)
    tables.register(registration("broker-a", 1), 0)
    listed = lookups.system_topics(tables)

    assert listed.topic_list == ["c", "broker-a"]
    assert listed.broker_addr == "broker-a-1:10911"


def test_units_are_told_by_the_topics_system_flag() -> None:
    tables = made()
    topics = wrapper(())
    for flag in range(4):
        name = f"flag{flag}"
        topics.topic_config_table[name] = TopicConfig(topic_name=name, topic_sys_flag=flag)
    tables.register(registration(topics=topics), 0)

    assert lookups.unit_topics(tables).topic_list == ["flag1", "flag3"]
    assert lookups.unit_subscription_topics(tables).topic_list == ["flag2", "flag3"]
    assert lookups.central_unit_subscription_topics(tables).topic_list == ["flag2"]
