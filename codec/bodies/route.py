"""Routes: which brokers there are, where they listen, what queues of a topic they have."""

import re

from msgspec.structs import replace

from codec import fastjson
from codec.bodies.body import Body, encode_body, kept, kept_dict, kept_list
from codec.bodies.static_topics import TopicQueueMappingInfo
from codec.headers.fields import Int32, Int64

MASTER_ID = 0
"""The broker id of a master; slaves have higher ones."""

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class QueueData(Body, kw_only=True):
    """How many queues of a topic a broker has. Source: QueueData.java, 5.3.3."""

    broker_name: str
    perm: Int32 = kept(0)
    read_queue_nums: Int32 = kept(0)
    topic_sys_flag: Int32 = kept(0)
    write_queue_nums: Int32 = kept(0)


class BrokerData(Body, kw_only=True):
    """The processes that serve one broker name. Source: BrokerData.java, 5.3.3."""

    broker_addrs: dict[Int64, str] = kept_dict()
    """Broker id (0 is the master) to ``host:port``."""
    broker_name: str
    cluster: str | None = None
    enable_acting_master: bool = kept(False)
    zone_name: str | None = None


class TopicRouteData(Body, kw_only=True):
    """Where a topic is. Source: TopicRouteData.java, 5.3.3."""

    broker_datas: list[BrokerData] = kept_list()
    filter_server_table: dict[str, list[str]] = kept_dict()
    """Broker address to its filter servers; empty since there are none any more."""
    order_topic_conf: str | None = None
    queue_datas: list[QueueData] = kept_list()
    topic_queue_mapping_by_broker: dict[str, TopicQueueMappingInfo] | None = None
    """Of a static topic, by broker name."""


class ClusterInfo(Body, kw_only=True):
    """All brokers, and which clusters they form."""

    broker_addr_table: dict[str, BrokerData] = kept_dict()
    cluster_addr_table: dict[str, list[str]] = kept_dict()
    """Cluster to its broker names, each once."""


class BrokerMemberGroup(Body, kw_only=True):
    """The processes of one broker name, as brokers ask for each other."""

    broker_addrs: dict[Int64, str] = kept_dict()
    broker_name: str | None = None
    cluster: str | None = None


class GetBrokerMemberGroupResponseBody(Body, kw_only=True):
    """The answer to GET_BROKER_MEMBER_GROUP."""

    broker_member_group: BrokerMemberGroup | None = None


def encode_route(route: TopicRouteData) -> bytes:
    """A route for clients from 4.9.4 on: standard JSON, only ASCII, broker ids ascending.

    Source: ClientRequestProcessor.java, getRouteInfoByTopic(), 5.3.3.
    """
    text = encode_body(_sorted(route)).replace(b"/", rb"\/")
    if text.isascii():
        return text
    return _NOT_ASCII.sub(_escape, text.decode()).encode()


def encode_legacy_route(route: TopicRouteData) -> bytes:
    """A route for clients before 4.9.4: broker ids are bare numbers as keys, text is UTF-8."""
    return fastjson.dumps_bare(_sorted(route))


def _sorted(route: TopicRouteData) -> TopicRouteData:
    """``route``, or a copy in which every broker's ids ascend."""
    if all(_ascends(broker.broker_addrs) for broker in route.broker_datas):
        return route
    brokers = [
        replace(broker, broker_addrs=dict(sorted(broker.broker_addrs.items())))
        for broker in route.broker_datas
    ]
    return replace(route, broker_datas=brokers)


def _ascends(addresses: dict[int, str]) -> bool:
    return len(addresses) < 2 or list(addresses) == sorted(addresses)


def _escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be").hex().upper()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
