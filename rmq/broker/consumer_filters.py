"""Which expressions groups filter topics by: what their heartbeats said last.

A filter is born with the first heartbeat that has its expression; the subscription's version says
which of two is newer. It dies when its group has no more members, or no longer subscribes the
topic; is alive again when the same version comes back; and is forgotten 24 hours after its death
(``filterDataCleanTimeSpan``). An expression that cannot be compiled replaces nothing: its
predecessor is forgotten, so that pulls are refused and the client tells its user.

Kept in ``config/consumerFilter.json``; after a start all are dead until they are heard of again.
Unlike Java, which lets a filter that it cannot compile pass everything, it is not loaded.
Source: ConsumerFilterManager.java, 5.3.3.
"""

import logging
from collections.abc import Iterable

from codec.bodies import decode_body
from codec.bodies.filters import (
    ConsumerFilterData,
    ConsumerFilterSerializeWrapper,
    FilterDataMapByTopic,
)
from codec.bodies.heartbeat import SubscriptionData
from codec.fastjson import dumps_pretty
from codec.message.properties import RETRY_TOPIC, find
from rmq.base.ports import Clock
from rmq.broker.bloom import BloomFilter
from rmq.broker.consumers import ConsumerGroup
from rmq.broker.filters import compile_filter, is_tag_type
from rmq.broker.saving import TableFile
from rmq.conf.broker import BrokerConfig
from rmq.store.messages import RecordFilter
from rmq.store.sql92 import Expression, ExpressionError

logger = logging.getLogger(__name__)

SILENT_MS = 30_000
"""After a start a filter counts as dead since so long before it."""

FILTERS_MAX = 100_000
"""Filters of all groups, for memory's sake: names of topics come from clients."""


class ConsumerFilter:
    """One group's filter of one topic."""

    __slots__ = ("data", "expression")

    def __init__(self, data: ConsumerFilterData, expression: Expression) -> None:
        self.data = data
        self.expression = expression

    @property
    def is_dead(self) -> bool:
        """Whether no consumer wants it."""
        return self.data.dead_time >= self.data.born_time


class RetryFilter:
    """Judges messages of a retry topic as their first topic's filter does (filterSupportRetry).

    Source: ExpressionForRetryMessageFilter.java, isMatchedByCommitLog(), 5.3.3.
    """

    def __init__(self, filters: dict[str, ConsumerFilter]) -> None:
        """``filters`` of the group, by topic."""
        self._filters = filters
        self.cost = max((one.expression.cost for one in filters.values()), default=1)

    def matches(self, properties: bytes) -> bool:
        """Whether a message with these properties is wanted; of a topic without filter, it is."""
        topic = find(properties, RETRY_TOPIC)
        known = None if topic is None else self._filters.get(topic.decode(errors="replace"))
        return known is None or known.expression.matches(properties)


class ConsumerFilters:
    """All filters of a broker."""

    def __init__(self, config: BrokerConfig, clock: Clock, file: TableFile) -> None:
        """``config`` may be replaced while running: assign the attribute."""
        self.config = config
        self._clock = clock
        self._file = file
        self._bloom = BloomFilter(
            config.maxErrorRateOfBloomFilter, config.expectConsumerNumUseFilter
        )
        self._groups: dict[str, dict[str, ConsumerFilter]] = {}
        self._count = 0
        self._unsaved = False

    def get(self, topic: str, group: str) -> ConsumerFilter | None:
        """A group's filter of a topic, dead or alive."""
        known = self._groups.get(group)
        return None if known is None else known.get(topic)

    def for_retries(self, group: str) -> RecordFilter:
        """What judges the messages of a group's retry topic."""
        return RetryFilter(self._groups.get(group, {}))

    def group_changed(self, name: str, group: ConsumerGroup | None) -> None:
        """Take note of a heartbeat, or of a group's end; a listener of ``Consumers``."""
        if group is not None:
            self.register(name, group.subscriptions.values())
        else:
            self.register(name, ())

    def register(self, group: str, subscriptions: Iterable[SubscriptionData]) -> None:
        """Take note of all that a group subscribes; its filters of other topics die."""
        topics = set[str]()
        for subscription in subscriptions:
            topics.add(subscription.topic)
            if not is_tag_type(subscription.expression_type) and subscription.sub_string:
                self._register(group, subscription, subscription.sub_string)
        for topic, known in self._groups.get(group, {}).items():
            if topic not in topics and not known.is_dead:
                known.data.dead_time = self._clock.wall_ms()
                self._unsaved = True
                logger.info("event=filter_died group=%s topic=%s", group, topic)

    def _register(self, group: str, subscription: SubscriptionData, text: str) -> None:
        topic, version = subscription.topic, subscription.sub_version
        kind = subscription.expression_type or ""
        known = self.get(topic, group)
        if known is not None:
            data = known.data
            is_newer = version > data.client_version
            if not is_newer or (data.expression, data.expression_type) == (text, kind):
                if version >= data.client_version:
                    self._unsaved |= known.is_dead or is_newer
                    data.client_version = version
                    data.dead_time = 0
                return
        try:
            expression = compile_filter(kind, text)
        except ExpressionError as error:
            logger.warning("event=filter_refused group=%s topic=%s cause=%s", group, topic, error)
            if known is not None:
                self._remove(group, topic)
            return
        data = ConsumerFilterData(
            bloom_filter_data=self._bloom.of(f"{group}#{topic}"),
            born_time=self._clock.wall_ms(),
            client_version=version,
            consumer_group=group,
            expression=text,
            expression_type=kind,
            topic=topic,
        )
        self._add(ConsumerFilter(data, expression))

    def _add(self, one: ConsumerFilter) -> None:
        group, topic = one.data.consumer_group, one.data.topic
        if self.get(topic, group) is None:
            if self._count >= FILTERS_MAX:
                logger.error("event=too_many_filters group=%s topic=%s", group, topic)
                return
            self._count += 1
        self._groups.setdefault(group, {})[topic] = one
        self._unsaved = True
        logger.info(
            "event=filter_registered group=%s topic=%s expression=%r",
            group,
            topic,
            one.data.expression,
        )

    def _remove(self, group: str, topic: str) -> None:
        filters = self._groups[group]
        del filters[topic]
        if not filters:
            del self._groups[group]
        self._count -= 1
        self._unsaved = True

    def load(self) -> None:
        """Take over what is on disk, unless its bits are of another size (as Java).

        :raises StoreError: the file cannot be read, nor its backup.
        """
        loaded = self._file.load(lambda text: decode_body(ConsumerFilterSerializeWrapper, text))
        if loaded is None:
            return
        filters = [
            data
            for by_topic in loaded.filter_data_by_topic.values()
            for data in by_topic.group_filter_data.values()
        ]
        if not all(self._bloom.is_own(data.bloom_filter_data) for data in filters):
            logger.warning("event=filters_ignored cause='other size of bloom filter'")
            return
        for data in filters:
            try:
                expression = compile_filter(data.expression_type, data.expression)
            except ExpressionError as error:
                logger.error(  # noqa: TRY400 - no traceback: the text is to blame
                    "event=filter_not_loaded group=%s topic=%s cause=%s",
                    data.consumer_group,
                    data.topic,
                    error,
                )
                continue
            if data.dead_time == 0:
                data.dead_time = max(self._clock.wall_ms() - SILENT_MS, data.born_time)
            self._add(ConsumerFilter(data, expression))

    def persist(self) -> None:
        """Forget what is dead for long, and save what changed, if anything."""
        self._clean()
        if self._unsaved:
            self._unsaved = not self._file.save(dumps_pretty(self._wrapper()))

    def _clean(self) -> None:
        oldest_ms = self._clock.wall_ms() - self.config.filterDataCleanTimeSpan
        old = [
            (group, topic)
            for group, filters in self._groups.items()
            for topic, known in filters.items()
            if known.is_dead and known.data.dead_time <= oldest_ms
        ]
        for group, topic in old:
            self._remove(group, topic)
            logger.info("event=filter_forgotten group=%s topic=%s", group, topic)

    def _wrapper(self) -> ConsumerFilterSerializeWrapper:
        topics: dict[str, FilterDataMapByTopic] = {}
        for filters in self._groups.values():
            for topic, known in filters.items():
                known.data.dead = known.is_dead
                by_topic = topics.setdefault(topic, FilterDataMapByTopic(topic=topic))
                by_topic.group_filter_data[known.data.consumer_group] = known.data
        return ConsumerFilterSerializeWrapper(filter_data_by_topic=topics)
