"""What topics hold and who reads them; and queues that nobody needs any more."""

from collections.abc import Callable

from codec.bodies import encode_body
from codec.bodies.admin import ConsumeQueueData, QueryConsumeQueueResponseBody
from codec.bodies.clients import QuerySubscriptionResponseBody
from codec.bodies.groups import GroupList
from codec.bodies.message_queue import MessageQueue
from codec.bodies.offsets import QueryConsumeTimeSpanBody, QueueTimeSpan
from codec.bodies.topics import TopicList, TopicOffset, TopicStatsTable
from codec.codes import RequestCode, ResponseCode
from codec.disk.consume_queue import UNIT
from codec.headers.broker_admin import QueryConsumeQueueRequestHeader
from codec.headers.fields import RequestHeader
from codec.headers.groups import QuerySubscriptionByConsumerRequestHeader
from codec.headers.offsets import QueryConsumeTimeSpanRequestHeader
from codec.headers.topics import (
    GetTopicStatsInfoRequestHeader,
    QueryTopicConsumeByWhoRequestHeader,
    QueryTopicsByConsumerRequestHeader,
)
from rmq.base.errors import CommandError
from rmq.base.ports import Clock
from rmq.broker import names
from rmq.broker.consumers import Consumers
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.processors.admin.checks import check_range, known_topic
from rmq.broker.stats import BrokerStats
from rmq.broker.topics import Topics
from rmq.remoting.handling import Request, Response, handles
from rmq.store.consume_queue import ConsumeQueue
from rmq.store.local_time import file_stamp
from rmq.store.store import MessageStore

UNITS_MAX = 10_000
"""Most units of a consume queue that are shown at once: some 1 MiB of JSON."""

NO_FILTER = "null"
"""What is shown where a group filters by tags only."""


class InspectionProcessor:
    """Source: AdminBrokerProcessor.java, 5.3.3."""

    def __init__(
        self,
        broker: tuple[str, str],
        clock: Clock,
        local_offset_ms: Callable[[int], int],
        topics: Topics,
        consumers: Consumers,
        offsets: ConsumerOffsets,
        store: MessageStore,
        stats: BrokerStats,
    ) -> None:
        """``broker``: its name, and the address that it tells clients; ``local_offset_ms``: wall
        time to local time less UTC, for times that people read.
        """
        self._broker_name, self._broker_address = broker
        self._clock = clock
        self._local_offset_ms = local_offset_ms
        self._topics = topics
        self._consumers = consumers
        self._offsets = offsets
        self._store = store
        self._stats = stats

    @handles(RequestCode.GET_TOPIC_STATS_INFO, GetTopicStatsInfoRequestHeader)
    def topic_stats(self, request: Request[GetTopicStatsInfoRequestHeader]) -> Response:
        """Say where each queue of a topic begins and ends, and when its last message came.

        :raises CommandError: TOPIC_NOT_EXIST.
        """
        topic = request.header.topic
        config = known_topic(self._topics, topic)
        table = TopicStatsTable(topic_put_tps=self._stats.put_tps(topic))
        for queue_id in range(max(config.write_queue_nums, config.read_queue_nums)):
            end = self._store.max_offset(topic, queue_id)
            table.offset_table[self._queue(topic, queue_id)] = TopicOffset(
                min_offset=self._store.min_offset(topic, queue_id),
                max_offset=end,
                last_update_timestamp=self._store.store_time(topic, queue_id, end - 1)
                if end
                else 0,
            )
        return Response(body=encode_body(table))

    @handles(RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, QueryTopicConsumeByWhoRequestHeader)
    def groups_of_topic(self, request: Request[QueryTopicConsumeByWhoRequestHeader]) -> Response:
        """Name the groups that subscribe to a topic or have offsets in it."""
        topic = request.header.topic
        groups = self._consumers.groups_of_topic(topic) | self._offsets.groups_of(topic)
        return Response(body=encode_body(GroupList(group_list=sorted(groups))))

    @handles(RequestCode.QUERY_TOPICS_BY_CONSUMER, QueryTopicsByConsumerRequestHeader)
    def topics_of_group(self, request: Request[QueryTopicsByConsumerRequestHeader]) -> Response:
        """Name the topics in which a group has offsets."""
        topics = sorted(self._offsets.topics_of(request.header.group))
        body = TopicList(topic_list=topics, broker_addr=self._broker_address)
        return Response(body=encode_body(body))

    @handles(RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER, QuerySubscriptionByConsumerRequestHeader)
    def subscription(self, request: Request[QuerySubscriptionByConsumerRequestHeader]) -> Response:
        """Say what a group wants of a topic; nothing if it does not want it."""
        group, topic = request.header.group, request.header.topic
        wanted = None if topic is None else self._consumers.subscription(group, topic)
        body = QuerySubscriptionResponseBody(group=group, topic=topic, subscription_data=wanted)
        return Response(body=encode_body(body))

    @handles(RequestCode.QUERY_CONSUME_TIME_SPAN, QueryConsumeTimeSpanRequestHeader)
    def time_span(self, request: Request[QueryConsumeTimeSpanRequestHeader]) -> Response:
        """Say of each queue from when to when its messages are, and at which time a group is.

        Source: queryConsumeTimeSpan().

        :raises CommandError: TOPIC_NOT_EXIST.
        """
        topic, group = request.header.topic, request.header.group
        config = known_topic(self._topics, topic)
        spans = [
            self._time_span(topic, queue_id, self._offsets.query(group, topic, queue_id))
            for queue_id in range(config.write_queue_nums)
        ]
        return Response(body=encode_body(QueryConsumeTimeSpanBody(consume_time_span_set=spans)))

    def _time_span(self, topic: str, queue_id: int, consumed: int) -> QueueTimeSpan:
        store = self._store
        end = store.max_offset(topic, queue_id)
        begin_ms = store.earliest_time(topic, queue_id)
        end_ms = store.store_time(topic, queue_id, end - 1)
        consumed_ms = store.store_time(topic, queue_id, consumed - 1) if consumed > 0 else begin_ms
        delay_ms = 0
        if consumed < end:
            delay_ms = self._clock.wall_ms() - store.store_time(topic, queue_id, consumed)
        return QueueTimeSpan(
            message_queue=self._queue(topic, queue_id),
            min_time_stamp=begin_ms,
            min_time_stamp_str=self._time_text(begin_ms),
            max_time_stamp=end_ms,
            max_time_stamp_str=self._time_text(end_ms),
            consume_time_stamp=consumed_ms,
            consume_time_stamp_str=self._time_text(consumed_ms),
            delay_time=delay_ms,
        )

    @handles(RequestCode.QUERY_CONSUME_QUEUE, QueryConsumeQueueRequestHeader)
    def consume_queue(self, request: Request[QueryConsumeQueueRequestHeader]) -> Response:
        """Show units of a queue, and what a group wants of its topic.

        An index beyond the queue is answered with SUCCESS, a remark and no body, as in Java.
        Source: queryConsumeQueue().

        :raises CommandError: SYSTEM_ERROR, no such queue; INVALID_PARAMETER, a count not from 0 to
            ``UNITS_MAX`` (Java takes any).
        """
        asked = request.header
        topic = asked.topic or ""
        queue = self._store.consume_queue(topic, asked.queue_id)
        if queue is None:
            raise CommandError(ResponseCode.SYSTEM_ERROR, f"{asked.queue_id}@{topic} is not exist!")
        check_range("count", asked.count, UNITS_MAX)
        if not queue.min_offset <= asked.index <= queue.next_offset:
            return Response(remark=f"Index {asked.index} of {asked.queue_id}@{topic} is not exist!")
        body = QueryConsumeQueueResponseBody(
            min_queue_index=queue.min_offset,
            max_queue_index=queue.next_offset,
            queue_data=_units(queue, asked.index, asked.count),
        )
        if asked.consumer_group is not None:
            wanted = self._consumers.subscription(asked.consumer_group, topic)
            body.subscription_data = wanted
            body.filter_data = (
                f"{asked.consumer_group}@{topic} is not online!" if wanted is None else NO_FILTER
            )
        return Response(body=encode_body(body))

    @handles(RequestCode.CLEAN_UNUSED_TOPIC)
    def clean_unused_topics(self, _request: Request[RequestHeader]) -> Response:
        """Delete the queues of topics that are not in the table.

        Source: DefaultMessageStore.java, cleanUnusedTopic(), 5.3.3.

        :raises OSError: a file cannot be deleted.
        """
        stored = {queue.topic for queue in self._store.consume_queues()}
        unused = {
            topic
            for topic in stored
            if topic not in self._topics
            and not self._topics.is_system(topic)
            and not topic.startswith(names.LIGHT_QUEUE_PREFIX)
        }
        self._store.delete_topics(unused)
        return Response()

    @handles(RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE)
    def clean_expired_queues(self, _request: Request[RequestHeader]) -> Response:
        """Delete the queues of which no message is left.

        :raises StoreError: a file cannot be deleted.
        """
        self._store.delete_expired_queues()
        return Response()

    def _queue(self, topic: str, queue_id: int) -> MessageQueue:
        return MessageQueue(topic=topic, broker_name=self._broker_name, queue_id=queue_id)

    def _time_text(self, wall_ms: int) -> str:
        """``yyyy-MM-dd HH:mm:ss,SSS``. Source: UtilAll.java, timeMillisToHumanString2(), 5.3.3."""
        stamp = file_stamp(wall_ms + self._local_offset_ms(wall_ms))
        date = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}"
        return f"{date} {stamp[8:10]}:{stamp[10:12]}:{stamp[12:14]},{stamp[14:]}"


def _units(queue: ConsumeQueue, index: int, count: int) -> list[ConsumeQueueData]:
    """Units from an offset on, as far as there are."""
    shown: list[ConsumeQueueData] = []
    end = min(index + count, queue.next_offset)
    while index < end:
        units = queue.units(index, end - index)
        shown += [
            ConsumeQueueData(physic_offset=position, physic_size=size, tags_code=tags_code)
            for position, size, tags_code in UNIT.iter_unpack(units)
        ]
        index += len(units) // UNIT.size
    return shown
