"""How far groups are: for operators, and for groups that take over from others."""

from collections.abc import Iterable

from codec.bodies import encode_body
from codec.bodies.message_queue import MessageQueue
from codec.bodies.offsets import (
    ConsumeStats,
    ConsumeStatsList,
    OffsetWrapper,
    QueryCorrectionOffsetBody,
)
from codec.bodies.topics import TopicConfig
from codec.codes import RequestCode
from codec.headers.fields import RequestHeader
from codec.headers.groups import GetConsumeStatsInBrokerHeader, GetConsumeStatsRequestHeader
from codec.headers.offsets import CloneGroupOffsetRequestHeader, QueryCorrectionOffsetHeader
from rmq.broker.consumers import Consumers
from rmq.broker.groups import Groups
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.processors.admin.checks import check_group_name
from rmq.broker.stats import BrokerStats
from rmq.broker.topics import Topics
from rmq.remoting.handling import Request, Response, handles
from rmq.store.store import MessageStore


class OffsetAdminProcessor:
    """Shows and copies offsets of groups. Source: AdminBrokerProcessor.java, 5.3.3."""

    def __init__(
        self,
        broker: tuple[str, str],
        topics: Topics,
        groups: Groups,
        consumers: Consumers,
        offsets: ConsumerOffsets,
        store: MessageStore,
        stats: BrokerStats,
    ) -> None:
        """``broker``: its name, and the address that it tells clients."""
        self._broker_name, self._broker_address = broker
        self._topics = topics
        self._groups = groups
        self._consumers = consumers
        self._offsets = offsets
        self._store = store
        self._stats = stats

    @handles(RequestCode.GET_ALL_CONSUMER_OFFSET)
    def all_offsets(self, _request: Request[RequestHeader]) -> Response:
        """Give the committed offsets of all groups, as on disk."""
        return Response(body=encode_body(self._offsets.wrapper()))

    @handles(RequestCode.GET_CONSUME_STATS, GetConsumeStatsRequestHeader)
    def consume_stats(self, request: Request[GetConsumeStatsRequestHeader]) -> Response:
        """Say how far a group is: in the topics listed, in one, or in all it has offsets of.

        Topics not listed are left out if the group is connected and does not subscribe to them.
        Source: getConsumeStats(), getTopicsForCollectingConsumeStats().
        """
        header = request.header
        group = header.consumer_group
        listed = [topic for topic in (header.topic_list or "").split(";") if topic]
        asked: Iterable[str] = dict.fromkeys(listed)
        if not listed:
            named = self._named_or_all(header.topic, group)
            asked = [topic for topic in named if self._reads(group, topic)]
        stats = ConsumeStats()
        for topic in asked:
            config = self._topics.get(topic)
            if config is not None:
                self._add(stats, group, config, config.read_queue_nums)
        return Response(body=encode_body(stats))

    @handles(RequestCode.GET_BROKER_CONSUME_STATS, GetConsumeStatsInBrokerHeader)
    def broker_consume_stats(self, request: Request[GetConsumeStatsInBrokerHeader]) -> Response:
        """Say how far all groups are, in ordered topics only if asked so.

        Java leaves the pulled offsets 0 here, so what it calls in flight is below 0; here they are
        filled as in ``consume_stats``. Source: fetchAllConsumeStatsInBroker().
        """
        answer = ConsumeStatsList(broker_addr=self._broker_address)
        topics_of = self._offsets.group_topics()
        for group in self._groups.table:
            listed = []
            for topic in topics_of.get(group, ()):
                config = self._topics.get(topic)
                if (
                    config is None
                    or (request.header.is_order and not config.order)
                    or not self._reads(group, topic)
                ):
                    continue
                stats = ConsumeStats()
                self._add(stats, group, config, config.write_queue_nums)
                for one in stats.offset_table.values():
                    answer.total_diff += one.broker_offset - one.consumer_offset
                    answer.total_inflight_diff += one.pull_offset - one.consumer_offset
                listed.append(stats)
            answer.consume_stats_list.append({group: listed})
        return Response(body=encode_body(answer))

    @handles(RequestCode.QUERY_CORRECTION_OFFSET, QueryCorrectionOffsetHeader)
    def correction(self, request: Request[QueryCorrectionOffsetHeader]) -> Response:
        """Give the least offsets of a topic's groups, but for some, set against one group's."""
        header = request.header
        left_out = (header.filter_groups or "").split(",")
        offsets = self._offsets.correction(header.topic, left_out, header.compare_group)
        return Response(body=encode_body(QueryCorrectionOffsetBody(correction_offsets=offsets)))

    @handles(RequestCode.CLONE_GROUP_OFFSET, CloneGroupOffsetRequestHeader)
    def clone(self, request: Request[CloneGroupOffsetRequestHeader]) -> Response:
        """Give a group the offsets of another, in one topic or in all.

        Where no topic is named, Java finds all and then copies none; here they are copied.
        Source: cloneGroupOffset().

        :raises CommandError: INVALID_PARAMETER, no group can be called so.
        """
        header = request.header
        check_group_name(header.dest_group)
        given = (header.topic or "").strip()
        topics = (
            [header.topic or ""] if given else sorted(self._offsets.topics_of(header.src_group))
        )
        for topic in topics:
            if topic in self._topics and (header.offline or self._reads(header.src_group, topic)):
                self._offsets.clone(header.src_group, header.dest_group, topic)
        return Response()

    def _named_or_all(self, topic: str | None, group: str) -> list[str]:
        """The topic, or if none is named all those in which a group has offsets."""
        if topic is None or not topic.strip():
            return sorted(self._offsets.topics_of(group))
        return [topic]

    def _reads(self, group: str, topic: str) -> bool:
        """Whether a group subscribes to a topic, or is not connected, so nobody knows."""
        members = self._consumers.get(group)
        return (
            members is None
            or not members.subscriptions
            or self._consumers.subscription(group, topic) is not None
        )

    def _add(self, stats: ConsumeStats, group: str, config: TopicConfig, queues: int) -> None:
        """Say of each queue of a topic how far a group is."""
        topic = config.topic_name
        for queue_id in range(queues):
            consumed = max(0, self._offsets.query(group, topic, queue_id))
            pulled = self._offsets.query_pulled(group, topic, queue_id)
            stored_ms = self._store.store_time(topic, queue_id, consumed - 1)
            queue = MessageQueue(topic=topic, broker_name=self._broker_name, queue_id=queue_id)
            stats.offset_table[queue] = OffsetWrapper(
                broker_offset=self._store.max_offset(topic, queue_id),
                consumer_offset=consumed,
                pull_offset=max(consumed, pulled),
                last_timestamp=max(0, stored_ms),
            )
        stats.consume_tps += self._stats.get_tps(group, topic)
