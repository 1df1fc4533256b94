"""The route tables: which broker serves which topic, and the rules by which they change.

Six tables, as RouteInfoManager keeps them:

==============  ==========================================  ====================================
table           key                                         value
==============  ==========================================  ====================================
topic queues    topic, broker name                          how many queues, who may do what
brokers         broker name                                 addresses by broker id (0: master)
clusters        cluster name                                its broker names
live brokers    cluster name, address                       when last heard of, what it said
filter servers  cluster name, address                       addresses of its filter servers
queue mappings  topic, broker name                          where a static topic's queues lie
==============  ==========================================  ====================================

Values in the tables are never changed in place: a change puts a new value. So what was looked up
stays as it was, and an answer needs no copy. The tables do no input or output: a change gives back
the notices that are to be sent, and forgets the cached routes that it made untrue.

Invariants: a broker name has an address; whatever names a broker (a topic's queues, a cluster)
names one that is in the broker table. Java lets some of them linger without an address.

A broker name's topics are what its master says, or, if the broker knows of acting masters, its
slave with the smallest id while there is no master. A registration that is refused changes nothing.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from codec.bodies.route import MASTER_ID, BrokerData, QueueData
from codec.bodies.static_topics import TopicQueueMappingInfo
from codec.bodies.topics import (
    PERM_READ,
    PERM_WRITE,
    TopicConfig,
    TopicConfigAndMappingSerializeWrapper,
)
from rmq.namesrv.live_brokers import HEARTBEAT_TIMEOUT_MS, BrokerKey, LiveBroker, LiveBrokers
from rmq.namesrv.notices import MinBrokerIdNotice
from rmq.namesrv.route_cache import RouteCache
from rmq.remoting.channel import Channel

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Registration:
    """What a broker says of itself."""

    key: BrokerKey
    name: str
    broker_id: int
    ha_address: str | None
    zone: str | None
    timeout_ms: int | None
    acting_master: bool | None
    """Whether its slaves may act as master; None from a broker too old to know of it."""
    topics: TopicConfigAndMappingSerializeWrapper
    filter_servers: Sequence[str] | None
    channel: Channel


@dataclass(frozen=True, slots=True)
class Registered:
    """What a broker is told when it has registered: of its master, if it is a slave."""

    ha_address: str | None = None
    master_address: str | None = None
    notice: MinBrokerIdNotice | None = None


@dataclass(frozen=True, slots=True)
class Departure:
    """A broker that is to be unregistered."""

    key: BrokerKey
    name: str
    broker_id: int


class RouteTables:
    """The tables and the rules. Source: RouteInfoManager.java, 5.3.3."""

    def __init__(self, cache: RouteCache) -> None:
        self._cache = cache
        self._topic_queues: dict[str, dict[str, QueueData]] = {}
        self._brokers: dict[str, BrokerData] = {}
        self._clusters: dict[str, dict[str, None]] = {}
        self.live = LiveBrokers()
        self._filter_servers: dict[BrokerKey, Sequence[str]] = {}
        self._queue_mappings: dict[str, dict[str, TopicQueueMappingInfo]] = {}
        self._topics_of: dict[str, dict[str, None]] = {}
        """Index: a broker name's topics, so that its leaving does not visit all topics."""

    @property
    def topic_queues(self) -> Mapping[str, Mapping[str, QueueData]]:
        """Topic, then broker name, to queues; no topic is without queues."""
        return self._topic_queues

    @property
    def brokers(self) -> Mapping[str, BrokerData]:
        """Broker name to its addresses; no broker is without an address."""
        return self._brokers

    @property
    def clusters(self) -> Mapping[str, Iterable[str]]:
        """Cluster name to its broker names."""
        return self._clusters

    @property
    def filter_servers(self) -> Mapping[BrokerKey, Sequence[str]]:
        """Running broker to its filter servers; none that has no filter server."""
        return self._filter_servers

    @property
    def queue_mappings(self) -> Mapping[str, Mapping[str, TopicQueueMappingInfo]]:
        """Static topic, then broker name, to where its queues lie."""
        return self._queue_mappings

    def topics_of(self, name: str) -> Iterable[str]:
        """The topics that brokers of this name serve."""
        return self._topics_of.get(name, ())

    def register(
        self, entry: Registration, now_ms: int, *, delete_absent_topics: bool = False
    ) -> Registered | None:
        """Enter a broker and its topics; None if it is refused.

        ``delete_absent_topics``: forget those topics of the broker that it no longer names.
        A claim to an id that another address holds with newer state is ignored, but answered.
        Source: RouteInfoManager.java, registerBroker(), 5.3.3.
        """
        known = self._brokers.get(entry.name)
        before = known.broker_addrs if known is not None else {}
        addresses = {
            broker_id: address
            for broker_id, address in before.items()
            if address != entry.key.address or broker_id == entry.broker_id
        }
        replaced = addresses.get(entry.broker_id)
        conflict = self._is_outdated_claim(entry, replaced)
        table = entry.topics.topic_config_table
        if not conflict and replaced is None and len(table) == 1:
            logger.warning(
                "event=registration_refused broker=%s cluster=%s address=%s",
                entry.name,
                *entry.key,
            )
            return None
        if not conflict:
            addresses[entry.broker_id] = entry.key.address
            addresses = dict(sorted(addresses.items()))
        self._clusters.setdefault(entry.key.cluster, {})[entry.name] = None
        self._enter_broker(entry, known, addresses)
        if conflict:
            logger.warning(
                "event=registration_ignored broker=%s id=%d held_by=%s cluster=%s address=%s",
                entry.name,
                entry.broker_id,
                replaced,
                *entry.key,
            )
            self.live.remove(entry.key)
            return Registered()
        if self._speaks_for_its_name(entry, addresses):
            self._enter_topics(entry, known is None or not replaced, delete_absent_topics)
        self._enter_live(entry, now_ms)
        self._enter_filter_servers(entry)
        return self._registered(entry, addresses, before)

    def _is_outdated_claim(self, entry: Registration, holder: str | None) -> bool:
        """Whether another address holds the id and its state is newer."""
        if holder is None or holder == entry.key.address:
            return False
        live = self.live.get(BrokerKey(entry.key.cluster, holder))
        return (
            live is not None
            and live.data_version.state_version > entry.topics.data_version.state_version
        )

    def _enter_broker(
        self, entry: Registration, known: BrokerData | None, addresses: dict[int, str]
    ) -> None:
        broker = BrokerData(
            cluster=entry.key.cluster if known is None else known.cluster,
            broker_name=entry.name,
            broker_addrs=addresses,
            enable_acting_master=bool(entry.acting_master),
            zone_name=entry.zone,
        )
        if broker != known:
            self._brokers[entry.name] = broker
            self._cache.forget_all()

    @staticmethod
    def _speaks_for_its_name(entry: Registration, addresses: Mapping[int, str]) -> bool:
        """Whether a broker says what topics its name has: the master, or the prime slave."""
        if entry.broker_id == MASTER_ID:
            return True
        return entry.acting_master is not None and entry.broker_id == min(addresses)

    def _enter_topics(self, entry: Registration, first: bool, delete_absent_topics: bool) -> None:
        topics = entry.topics
        live = self.live.get(entry.key)
        changed = first or live is None or live.data_version != topics.data_version
        mappings = topics.topic_queue_mapping_info_map
        table = topics.topic_config_table
        if delete_absent_topics and not mappings:
            for topic in [t for t in self._topics_of.get(entry.name, ()) if t not in table]:
                self._remove_queues(topic, entry.name)
        wipe = entry.broker_id != MASTER_ID and bool(entry.acting_master)
        present = self._topics_of.get(entry.name, {})
        for config in table.values():
            if changed or config.topic_name not in present:
                self._put_queues(config.topic_name, _queues(entry.name, config, wipe=wipe))
        if changed:
            for topic, mapping in mappings.items():
                name = mapping.bname or entry.name
                self._queue_mappings.setdefault(topic, {})[name] = mapping
                self._cache.forget(topic)

    def _enter_live(self, entry: Registration, now_ms: int) -> None:
        timeout_ms = HEARTBEAT_TIMEOUT_MS if entry.timeout_ms is None else entry.timeout_ms
        if self.live.get(entry.key) is None:
            logger.info(
                "event=broker_registered broker=%s cluster=%s address=%s", entry.name, *entry.key
            )
        self.live.put(
            entry.key,
            LiveBroker(
                heard_ms=now_ms,
                timeout_ms=timeout_ms,
                data_version=entry.topics.data_version,
                channel=entry.channel,
                ha_address=entry.ha_address,
            ),
        )

    def _enter_filter_servers(self, entry: Registration) -> None:
        if entry.filter_servers is None:
            return
        if list(self._filter_servers.get(entry.key, ())) == list(entry.filter_servers):
            return
        if entry.filter_servers:
            self._filter_servers[entry.key] = entry.filter_servers
        else:
            self._filter_servers.pop(entry.key, None)
        self._cache.forget_all()

    def _registered(
        self, entry: Registration, addresses: Mapping[int, str], before: Mapping[int, str]
    ) -> Registered:
        notice = None
        if entry.broker_id < min(before, default=MASTER_ID):
            notice = MinBrokerIdNotice.after_arrival(addresses, entry.ha_address)
        if entry.broker_id != MASTER_ID and MASTER_ID in addresses:
            master_address = addresses[MASTER_ID]
            master = self.live.get(BrokerKey(entry.key.cluster, master_address))
            if master is not None:
                return Registered(master.ha_address, master_address, notice)
        return Registered(notice=notice)

    def unregister(self, departures: Iterable[Departure]) -> list[MinBrokerIdNotice]:
        """Take out brokers, with the topics that nobody serves any more.

        Where the master left and a slave may act for it, its topics can no longer be written.
        Source: RouteInfoManager.java, unRegisterBroker(), 5.3.3.
        """
        offline: dict[str, str] = {}
        reduced: dict[str, None] = {}
        for departure in departures:
            logger.info(
                "event=broker_unregistered broker=%s cluster=%s address=%s",
                departure.name,
                *departure.key,
            )
            self.live.remove(departure.key)
            if self._filter_servers.pop(departure.key, None) is not None:
                self._cache.forget_all()
            broker = self._brokers.get(departure.name)
            if broker is None:
                continue
            if departure.broker_id == min(broker.broker_addrs):
                offline[departure.name] = departure.key.address
            self._remove_address(broker, departure.key)
            reduced[departure.name] = None
        self._wipe_masterless(reduced)
        remaining = {name: self._brokers.get(name) for name in offline}
        return [
            MinBrokerIdNotice.after_departure(broker.broker_addrs, offline[name])
            for name, broker in remaining.items()
            if broker is not None and broker.enable_acting_master
        ]

    def _remove_address(self, broker: BrokerData, key: BrokerKey) -> None:
        """Take an address from a broker name; with the last one the name itself goes."""
        name = broker.broker_name
        left = {i: address for i, address in broker.broker_addrs.items() if address != key.address}
        self._cache.forget_all()
        if left:
            self._brokers[name] = replace(broker, broker_addrs=left)
            return
        del self._brokers[name]
        for topic in list(self._topics_of.get(name, ())):
            self._remove_queues(topic, name)
            if topic not in self._topic_queues:
                self._queue_mappings.pop(topic, None)
        for cluster in [c for c, names in self._clusters.items() if name in names]:
            del self._clusters[cluster][name]
            if not self._clusters[cluster]:
                del self._clusters[cluster]

    def _wipe_masterless(self, names: Iterable[str]) -> None:
        for name in names:
            broker = self._brokers.get(name)
            if broker is not None and broker.enable_acting_master and min(broker.broker_addrs) > 0:
                self._set_perm(name, lambda perm: perm & ~PERM_WRITE)

    def departures_of(self, key: BrokerKey) -> list[Departure]:
        """What is to be unregistered when this broker is gone: under each name that has it.

        Source: RouteInfoManager.java, setupUnRegisterRequest(), 5.3.3, which takes the first.
        """
        return [
            Departure(key, name, broker_id)
            for name, broker in self._brokers.items()
            if broker.cluster == key.cluster
            for broker_id, address in broker.broker_addrs.items()
            if address == key.address
        ]

    def register_topic(self, topic: str, queues: Sequence[QueueData]) -> bool:
        """Enter queues of one topic; False, and nothing entered, if a broker is unknown.

        Source: RouteInfoManager.java, registerTopic(), 5.3.3, which keeps those before it.
        """
        if any(each.broker_name not in self._brokers for each in queues):
            logger.warning("event=topic_refused topic=%s reason=unknown_broker", topic)
            return False
        for each in queues:
            self._put_queues(topic, each)
        return True

    def delete_topic(self, topic: str, cluster: str | None = None) -> None:
        """Forget a topic's queues, all of them or those in one cluster.

        Source: RouteInfoManager.java, deleteTopic(), 5.3.3.
        """
        for name in list(self._topic_queues.get(topic, ())):
            if cluster is None or name in self._clusters.get(cluster, ()):
                self._remove_queues(topic, name)

    def wipe_write_perm(self, name: str) -> int:
        """Let nobody write to a broker's topics; give how many there are."""
        return self._set_perm(name, lambda perm: perm & ~PERM_WRITE)

    def add_write_perm(self, name: str) -> int:
        """Let a broker's topics be written and read; give how many there are."""
        return self._set_perm(name, lambda _perm: PERM_READ | PERM_WRITE)

    def _set_perm(self, name: str, perm_of: Callable[[int], int]) -> int:
        topics = list(self._topics_of.get(name, ()))
        for topic in topics:
            queues = self._topic_queues[topic][name]
            self._put_queues(topic, replace(queues, perm=perm_of(queues.perm)))
        return len(topics)

    def _put_queues(self, topic: str, queues: QueueData) -> None:
        of_topic = self._topic_queues.setdefault(topic, {})
        if of_topic.get(queues.broker_name) != queues:
            of_topic[queues.broker_name] = queues
            self._topics_of.setdefault(queues.broker_name, {})[topic] = None
            self._cache.forget(topic)

    def _remove_queues(self, topic: str, name: str) -> None:
        of_topic = self._topic_queues[topic]
        del of_topic[name]
        if not of_topic:
            del self._topic_queues[topic]
        of_name = self._topics_of[name]
        del of_name[topic]
        if not of_name:
            del self._topics_of[name]
        self._cache.forget(topic)


def _queues(name: str, config: TopicConfig, *, wipe: bool) -> QueueData:
    """What a broker's topic is to others; a prime slave's can only be read (``wipe``)."""
    return QueueData(
        broker_name=name,
        read_queue_nums=config.read_queue_nums,
        write_queue_nums=config.write_queue_nums,
        perm=config.perm & ~PERM_WRITE if wipe else config.perm,
        topic_sys_flag=config.topic_sys_flag,
    )
