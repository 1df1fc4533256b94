"""The broker's topics: a table in memory, kept in ``config/topics.json``.

A ``TopicConfig`` in the table is never changed in place: every change puts another one there, so
who holds one (a registration under way) sees a consistent value, and who needs the newest asks
``get`` again. Every change bumps the table's ``DataVersion``, by which a NameServer knows that it
must look at the registration. Source: TopicConfigManager.java, 5.3.3.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from msgspec.structs import replace

from codec.bodies import decode_body
from codec.bodies.data_version import DataVersion
from codec.bodies.topics import (
    PERM_INHERIT,
    PERM_READ,
    PERM_WRITE,
    TopicConfig,
    TopicConfigAndMappingSerializeWrapper,
    TopicConfigSerializeWrapper,
)
from codec.fastjson import dumps_pretty
from rmq.base.ports import Clock
from rmq.broker import names
from rmq.broker.attributes import TOPIC_ATTRIBUTES, altered
from rmq.broker.saving import TableFile
from rmq.conf.broker import BrokerConfig

logger = logging.getLogger(__name__)

PERM_MAX = 7
"""Greatest valid permission. Source: PermName.java, isValid(), 5.3.3."""

UNIT_SUB_FLAG = 2
"""Bits of ``topic_sys_flag``. Source: TopicSysFlag.java, 5.3.3."""

SCHEDULE_QUEUES = 18
"""Queues of the schedule topic, one for each delay level."""

Changed: TypeAlias = Callable[[Sequence[TopicConfig]], None]
"""Told of topics that are new or other than before; NameServers must hear of them."""


class Topics:
    """All topics of this broker by name."""

    def __init__(
        self,
        config: BrokerConfig,
        clock: Clock,
        file: TableFile,
        *,
        timer_wheel_enabled: bool = True,
    ) -> None:
        """``config`` may be replaced while running: assign the attribute."""
        self.config = config
        self._clock = clock
        self._file = file
        self._table: dict[str, TopicConfig] = {}
        self.get = self._table.get
        self._listeners: list[Changed] = []
        self._unsaved = False
        self.state_version = 0
        """Of each version from now on: the master's epoch under Controllers, else 0."""
        self._data_version = DataVersion(timestamp=clock.wall_ms())
        for topic in _system_topics(config, timer_wheel_enabled=timer_wheel_enabled):
            self._table[topic.topic_name] = topic
        self._system = names.SYSTEM_TOPICS | self._table.keys()

    get: Callable[[str], TopicConfig | None]
    """A topic by name, None if there is none; as cheap as a dict's own look-up."""

    def __len__(self) -> int:
        return len(self._table)

    def __contains__(self, topic: str) -> bool:
        return topic in self._table

    @property
    def table(self) -> Mapping[str, TopicConfig]:
        """All topics; not to be changed by the reader."""
        return self._table

    @property
    def data_version(self) -> DataVersion:
        """The version of the table as it is now."""
        return self._data_version

    @property
    def system_topics(self) -> AbstractSet[str]:
        """Names of RocketMQ's own topics, less those known by their prefix alone."""
        return self._system

    def is_system(self, topic: str) -> bool:
        """Whether a topic is RocketMQ's own, also those named after this broker and its cluster."""
        return topic in self._system or topic.startswith(names.SYSTEM_TOPIC_PREFIX)

    def is_ordered(self, topic: str) -> bool:
        """Whether a topic is known and marked as ordered."""
        config = self._table.get(topic)
        return config is not None and config.order

    def on_change(self, listener: Changed) -> None:
        """Have ``listener`` told of every topic that is created or updated."""
        self._listeners.append(listener)

    def create_on_send(
        self, topic: str, default_topic: str, client_address: str, queue_count: int, sys_flag: int
    ) -> TopicConfig | None:
        """The topic, created like ``default_topic`` if absent; None if that may not be inherited.

        It gets ``queue_count`` queues (0 at least), but no more than the default topic has, and
        the default topic's permission without INHERIT. The caller has checked the name.
        Source: TopicConfigManager.java, createTopicInSendMessageMethod(), 5.3.3.
        """
        existing = self._table.get(topic)
        if existing is not None:
            return existing
        model = self._table.get(default_topic)
        if model is None:
            cause = "unknown_default_topic"
        elif not model.perm & PERM_INHERIT:
            cause = "default_topic_not_inheritable"
        elif default_topic == names.DEFAULT_TOPIC and not self.config.autoCreateTopicEnable:
            cause = "autoCreateTopicEnable=false"
        else:
            queues = max(0, min(queue_count, model.write_queue_nums))
            created = TopicConfig(
                topic_name=topic,
                read_queue_nums=queues,
                write_queue_nums=queues,
                perm=model.perm & ~PERM_INHERIT,
                topic_sys_flag=sys_flag,
                topic_filter_type=model.topic_filter_type,
            )
            return self._change(created)
        logger.warning(
            "event=topic_not_created topic=%s default_topic=%s producer=%s cause=%s",
            topic,
            default_topic,
            client_address,
            cause,
        )
        return None

    def create_on_send_back(
        self,
        topic: str,
        queues: int,
        perm: int = PERM_READ | PERM_WRITE,
        sys_flag: int = 0,
        *,
        order: bool = False,
    ) -> TopicConfig:
        """A retry or dead-letter topic, created if absent; its order flag follows ``order``.

        Source: TopicConfigManager.java, createTopicInSendMessageBackMethod(), 5.3.3.
        """
        existing = self._table.get(topic)
        if existing is None:
            created = TopicConfig(
                topic_name=topic,
                read_queue_nums=queues,
                write_queue_nums=queues,
                perm=perm,
                topic_sys_flag=sys_flag,
                order=order,
            )
            return self._change(created)
        if existing.order == order:
            return existing
        return self._change(replace(existing, order=order), tell=False)

    def create_if_absent(self, config: TopicConfig) -> TopicConfig:
        """The topic of that name, put into the table as given if there was none."""
        existing = self._table.get(config.topic_name)
        return self._change(config) if existing is None else existing

    def update(self, config: TopicConfig) -> TopicConfig:
        """Create or replace a topic; ``attributes`` say what to alter (``+key``, ``-key``).

        Source: TopicConfigManager.java, updateTopicConfig(), 5.3.3.

        :raises CommandError: SYSTEM_ERROR, an attribute cannot be altered so; nothing is changed.
        """
        return self.update_all([config])[0]

    def update_all(self, configs: Sequence[TopicConfig]) -> list[TopicConfig]:
        """Create or replace topics, all or none; as ``update``, but saved and told once.

        :raises CommandError: SYSTEM_ERROR, an attribute cannot be altered so; nothing is changed.
        """
        updated = []
        for config in configs:
            existing = self._table.get(config.topic_name)
            current = None if existing is None else existing.attributes
            attributes = altered(TOPIC_ATTRIBUTES, current, config.attributes)
            updated.append(replace(config, attributes=attributes))
        for config in updated:
            self._table[config.topic_name] = config
            self._bump()
            logger.info("event=topic_updated config=%s", config)
        self.persist()
        self._tell(updated)
        return updated

    def delete(self, topic: str) -> bool:
        """Forget a topic; False if it was unknown. Name servers are not told, as in Java.

        Source: TopicConfigManager.java, deleteTopicConfig(), 5.3.3.
        """
        if self._table.pop(topic, None) is None:
            return False
        logger.info("event=topic_deleted topic=%s", topic)
        self._bump()
        self.persist()
        return True

    def wrapper(self) -> TopicConfigSerializeWrapper:
        """The whole table with its version, as on disk."""
        return TopicConfigSerializeWrapper(
            topic_config_table=dict(self._table), data_version=self._data_version
        )

    def all_configs(self) -> TopicConfigAndMappingSerializeWrapper:
        """What GET_ALL_TOPIC_CONFIG answers: the whole table, whatever the broker allows."""
        return TopicConfigAndMappingSerializeWrapper(
            topic_config_table=dict(self._table), data_version=self._data_version
        )

    def registration(
        self, topics: Iterable[TopicConfig] | None = None
    ) -> TopicConfigAndMappingSerializeWrapper:
        """What a NameServer is told: all or some topics.

        Where the broker may not be read or written at all, no topic may.
        Source: BrokerController.java, registerBrokerAll(), 5.3.3.
        """
        told = self._table.values() if topics is None else topics
        allowed = self.config.brokerPermission
        both = PERM_READ | PERM_WRITE
        if allowed & both != both:
            told = [replace(config, perm=config.perm & allowed) for config in told]
        return TopicConfigAndMappingSerializeWrapper(
            topic_config_table={config.topic_name: config for config in told},
            data_version=self._data_version,
        )

    def next_version(self) -> None:
        """Have the next registration look like a change, though nothing changed."""
        self._bump()

    def adopt(self, theirs: TopicConfigAndMappingSerializeWrapper) -> bool:
        """Become a copy of the master's table, version included; whether anything changed.

        Java's slave counts its own version on meanwhile, and so copies all in every round.
        Source: SlaveSynchronize.java, syncTopicConfig(), 5.3.3.
        """
        if theirs.data_version == self._data_version:
            return False
        self._table.clear()  # not another dict: ``get`` is this one's
        self._table.update(theirs.topic_config_table)
        self._data_version = theirs.data_version
        self._unsaved = True
        self.persist()
        return True

    def load(self) -> None:
        """Take over what is on disk; its topics win over those made at creation.

        :raises StoreError: the file cannot be read, nor its backup.
        """
        loaded = self._file.load(lambda text: decode_body(TopicConfigSerializeWrapper, text))
        if loaded is not None:
            self._table.update(loaded.topic_config_table)
            self._data_version = loaded.data_version
            logger.info("event=topics_loaded count=%d", len(loaded.topic_config_table))

    def persist(self) -> None:
        """Save what changed, if anything; what the disk refuses is tried again by the next call."""
        if self._unsaved:
            self._unsaved = not self._file.save(dumps_pretty(self.wrapper()))

    def _change(self, config: TopicConfig, *, tell: bool = True) -> TopicConfig:
        logger.info("event=topic_changed config=%s", config)
        self._table[config.topic_name] = config
        self._bump()
        self.persist()
        if tell:
            self._tell([config])
        return config

    def _bump(self) -> None:
        self._unsaved = True
        self._data_version = self._data_version.next(self._clock.wall_ms(), self.state_version)

    def _tell(self, topics: Sequence[TopicConfig]) -> None:
        for listener in self._listeners:
            listener(topics)


def _system_topics(config: BrokerConfig, *, timer_wheel_enabled: bool) -> Iterable[TopicConfig]:
    """What every broker has from the start. Source: TopicConfigManager.java, init(), 5.3.3."""
    cluster, broker = config.brokerClusterName, config.brokerName
    both = PERM_READ | PERM_WRITE
    yield _topic(names.SELF_TEST_TOPIC)
    if config.autoCreateTopicEnable:
        yield _topic(names.DEFAULT_TOPIC, config.defaultTopicQueueNums, both | PERM_INHERIT)
    yield _topic(names.BENCHMARK_TOPIC, 1024)
    yield _topic(cluster, 16, PERM_INHERIT | (both if config.clusterTopicEnable else 0))
    yield _topic(broker, 1, PERM_INHERIT | (both if config.brokerTopicEnable else 0))
    yield _topic(names.OFFSET_MOVED_EVENT)
    yield _topic(names.SCHEDULE_TOPIC, SCHEDULE_QUEUES)
    if config.traceTopicEnable:
        yield _topic(config.msgTraceTopicName)
    yield _topic(cluster + names.REPLY_TOPIC_SUFFIX)
    yield _topic(names.REVIVE_TOPIC_PREFIX + cluster, config.reviveQueueNum)
    yield _topic(names.SYNC_BROKER_MEMBER_PREFIX + broker, 1, PERM_INHERIT)
    yield _topic(names.HALF_TOPIC)
    yield _topic(names.OP_HALF_TOPIC)
    if timer_wheel_enabled:
        yield _topic(names.TIMER_TOPIC)


def _topic(name: str, queues: int = 1, perm: int = PERM_READ | PERM_WRITE) -> TopicConfig:
    return TopicConfig(topic_name=name, read_queue_nums=queues, write_queue_nums=queues, perm=perm)
