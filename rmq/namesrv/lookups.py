"""What the route tables say when asked: routes, members, lists of topics. Nothing here changes.

Lists come in the tables' own order; Java's order is that of its hash tables.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from codec.bodies.route import (
    MASTER_ID,
    BrokerData,
    BrokerMemberGroup,
    ClusterInfo,
    QueueData,
    TopicRouteData,
)
from codec.bodies.topics import PERM_WRITE, TopicList
from rmq.namesrv.live_brokers import BrokerKey
from rmq.namesrv.routes import RouteTables

MEMBER_GROUP_TOPIC_PREFIX = "rmq_sys_SYNC_BROKER_MEMBER_"
"""Topics by which brokers find their members: these want the true ids, never an acting master."""

UNIT = 1
"""Bit of a topic's system flag: it belongs to a unit."""
UNIT_SUBSCRIPTION = 2
"""Bit of a topic's system flag: units subscribe to it."""


def find_route(
    tables: RouteTables, topic: str, *, acting_masters: bool, order_conf: str | None = None
) -> TopicRouteData | None:
    """Tell which brokers serve a topic, ordered by name; None if none does.

    ``acting_masters``: present a slave as master where it stands in for one.
    Source: RouteInfoManager.java, pickupTopicRouteData(), 5.3.3.
    """
    of_topic = tables.topic_queues.get(topic)
    if of_topic is None:
        return None
    names = sorted(of_topic)
    queues = [of_topic[name] for name in names]
    brokers = [tables.brokers[name] for name in names]
    filter_servers: dict[str, list[str]] = {}
    for broker in brokers if tables.filter_servers else ():
        for address in broker.broker_addrs.values():
            servers = tables.filter_servers.get(BrokerKey(broker.cluster or "", address))
            if servers is not None:
                filter_servers[address] = list(servers)
    if acting_masters and not topic.startswith(MEMBER_GROUP_TOPIC_PREFIX):
        brokers = [_with_acting_master(each, of_topic[each.broker_name]) for each in brokers]
    mappings = tables.queue_mappings.get(topic)
    return TopicRouteData(
        broker_datas=brokers,
        filter_server_table=filter_servers,
        order_topic_conf=order_conf,
        queue_datas=queues,
        topic_queue_mapping_by_broker=dict(mappings) if mappings is not None else None,
    )


def _with_acting_master(broker: BrokerData, queues: QueueData) -> BrokerData:
    """The broker, its smallest id shown as the master's if it stands in for a lost one.

    A topic that can still be written is not touched: its master left no trace of having gone.
    """
    addresses = broker.broker_addrs
    if MASTER_ID in addresses or not broker.enable_acting_master or queues.perm & PERM_WRITE:
        return broker
    smallest = min(addresses)
    shown = {MASTER_ID: addresses[smallest]}
    shown.update((i, address) for i, address in addresses.items() if i != smallest)
    return replace(broker, broker_addrs=shown)


def cluster_info(tables: RouteTables) -> ClusterInfo:
    """All brokers and clusters. Source: RouteInfoManager.java, getAllClusterInfo(), 5.3.3."""
    return ClusterInfo(
        broker_addr_table=dict(tables.brokers),
        cluster_addr_table={name: list(brokers) for name, brokers in tables.clusters.items()},
    )


def member_group(tables: RouteTables, cluster: str, name: str) -> BrokerMemberGroup:
    """The addresses of one broker name; none if it is unknown.

    Source: RouteInfoManager.java, getBrokerMemberGroup(), 5.3.3.
    """
    broker = tables.brokers.get(name)
    addresses = {} if broker is None else broker.broker_addrs
    return BrokerMemberGroup(cluster=cluster, broker_name=name, broker_addrs=addresses)


def all_topics(tables: RouteTables) -> TopicList:
    """Every topic that some broker serves."""
    return TopicList(topic_list=list(tables.topic_queues))


def topics_of_cluster(tables: RouteTables, cluster: str) -> TopicList:
    """The topics that a cluster's brokers serve; none if there is no such cluster."""
    found: dict[str, None] = {}
    for name in tables.clusters.get(cluster, ()):
        found.update(dict.fromkeys(tables.topics_of(name)))
    return TopicList(topic_list=list(found))


def system_topics(tables: RouteTables) -> TopicList:
    """Names of clusters and brokers, each a topic too, and the address of one broker to ask.

    Source: RouteInfoManager.java, getSystemTopicList(), 5.3.3.
    """
    names: dict[str, None] = {}
    for cluster, brokers in tables.clusters.items():
        names[cluster] = None
        names.update(dict.fromkeys(brokers))
    first = next(iter(tables.brokers.values()), None)
    address = None if first is None else first.broker_addrs[min(first.broker_addrs)]
    return TopicList(topic_list=list(names), broker_addr=address)


def unit_topics(tables: RouteTables) -> TopicList:
    """The topics that belong to a unit."""
    return TopicList(topic_list=[t for t, flag in _flags(tables) if flag & UNIT])


def unit_subscription_topics(tables: RouteTables) -> TopicList:
    """The topics to which units subscribe."""
    return TopicList(topic_list=[t for t, flag in _flags(tables) if flag & UNIT_SUBSCRIPTION])


def central_unit_subscription_topics(tables: RouteTables) -> TopicList:
    """The topics to which units subscribe and that belong to none."""
    wanted = UNIT_SUBSCRIPTION
    return TopicList(
        topic_list=[t for t, flag in _flags(tables) if flag & (UNIT | wanted) == wanted]
    )


def _flags(tables: RouteTables) -> Iterator[tuple[str, int]]:
    """Each topic with its system flag, as the first of its brokers has it."""
    for topic, queues in tables.topic_queues.items():
        yield topic, next(iter(queues.values())).topic_sys_flag
