"""How far consumers are."""

from codec.bodies.body import Body, kept, kept_dict, kept_list
from codec.bodies.data_version import DataVersion
from codec.bodies.message_queue import MessageQueue
from codec.headers.fields import Int32, Int64


class ConsumerOffsetSerializeWrapper(Body, kw_only=True):
    """All consumers' offsets of a broker, also its file consumerOffset.json.

    Java's class of this name lacks ``group_topic_map``, but what its broker writes has it.
    """

    data_version: DataVersion | None = None
    group_topic_map: dict[str, tuple[str, ...]] | None = None
    """Group to the topics it has offsets of, each once; derived from ``offset_table``."""
    offset_table: dict[str, dict[Int32, Int64]] = kept_dict()
    """``topic@group`` to queue id to offset."""


class DelayOffsetSerializeWrapper(Body, kw_only=True):
    """How far the delivery of delayed messages is, also the file delayOffset.json."""

    data_version: DataVersion | None = None
    offset_table: dict[Int32, Int64] = kept_dict()
    """Delay level to queue offset."""


class ResetOffsetBody(Body, kw_only=True):
    """Offsets that a client is to set. Source: ResetOffsetBody.java, 5.3.3."""

    offset_table: dict[MessageQueue, Int64] = kept_dict()


class MessageQueueForC(Body, kw_only=True):
    """An offset to set, in the form that C++ clients read."""

    broker_name: str
    offset: Int64
    queue_id: Int32
    topic: str


class ResetOffsetBodyForC(Body, kw_only=True):
    """Offsets that a C++ client is to set. Source: ResetOffsetBodyForC.java, 5.3.3."""

    offset_table: list[MessageQueueForC] = kept_list()


class GetConsumerStatusBody(Body, kw_only=True):
    """What a client says it has consumed; by client id when a broker answers for several."""

    consumer_table: dict[str, dict[MessageQueue, Int64]] = kept_dict()
    message_queue_table: dict[MessageQueue, Int64] = kept_dict()


class OffsetWrapper(Body, kw_only=True):
    """How far a group is in one queue."""

    broker_offset: Int64 = kept(0)
    """Where the queue ends, exclusive."""
    consumer_offset: Int64 = kept(0)
    last_timestamp: Int64 = kept(0)
    """When the last consumed message was stored, milliseconds since 1970."""
    pull_offset: Int64 = kept(0)


class ConsumeStats(Body, kw_only=True):
    """How far a group is in all queues."""

    consume_tps: float = kept(0.0)
    offset_table: dict[MessageQueue, OffsetWrapper] = kept_dict()


class ConsumeStatsList(Body, kw_only=True):
    """How far all groups of a broker are."""

    broker_addr: str | None = None
    consume_stats_list: list[dict[str, list[ConsumeStats]]] = kept_list()
    """Each with one group."""
    total_diff: Int64 = kept(0)
    total_inflight_diff: Int64 = kept(0)


class QueryCorrectionOffsetBody(Body, kw_only=True):
    """Offsets by queue id that take other groups into account."""

    correction_offsets: dict[Int32, Int64] = kept_dict()


class QueueTimeSpan(Body, kw_only=True):
    """From when to when the messages of a queue are, and how far a group is."""

    consume_time_stamp: Int64 = kept(0)
    consume_time_stamp_str: str | None = None
    """The same for people."""
    delay_time: Int64 = kept(0)
    max_time_stamp: Int64 = kept(0)
    max_time_stamp_str: str | None = None
    message_queue: MessageQueue | None = None
    min_time_stamp: Int64 = kept(0)
    min_time_stamp_str: str | None = None


class QueryConsumeTimeSpanBody(Body, kw_only=True):
    """The answer to QUERY_CONSUME_TIME_SPAN."""

    consume_time_span_set: list[QueueTimeSpan] = kept_list()


class OffsetMovedEvent(Body, kw_only=True):
    """A message body that tells operators of a group sent back to another offset."""

    consumer_group: str | None = None
    message_queue: MessageQueue | None = None
    offset_new: Int64 = kept(0)
    offset_request: Int64 = kept(0)
