"""Sending: one message, batches, replies, sending back, recalling."""

from msgspec import field

from codec.headers.fields import Int32, Int64, ResponseHeader, RpcRequestHeader, TopicRequestHeader


class SendMessageRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks SEND_MESSAGE (10) and SEND_REPLY_MESSAGE (324).

    Source: SendMessageRequestHeader.java, 5.3.3.
    """

    producer_group: str
    topic: str
    default_topic: str
    default_topic_queue_nums: Int32
    queue_id: Int32
    sys_flag: Int32
    born_timestamp: Int64
    flag: Int32
    properties: str | None = None
    reconsume_times: Int32 | None = None
    unit_mode: bool | None = None
    batch: bool | None = None
    max_reconsume_times: Int32 | None = None

    @property
    def broker_name(self) -> str | None:
        """The broker that is meant, under the name the second form gives it."""
        return self.bname


class SendMessageRequestHeaderV2(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks SEND_MESSAGE_V2 (310), SEND_BATCH_MESSAGE (320), SEND_REPLY_MESSAGE_V2 (325).

    Source: SendMessageRequestHeaderV2.java, 5.3.3.
    """

    producer_group: str = field(name="a")
    topic: str = field(name="b")
    default_topic: str = field(name="c")
    default_topic_queue_nums: Int32 = field(name="d")
    queue_id: Int32 = field(name="e")
    sys_flag: Int32 = field(name="f")
    born_timestamp: Int64 = field(name="g")
    flag: Int32 = field(name="h")
    properties: str | None = field(name="i", default=None)
    reconsume_times: Int32 | None = field(name="j", default=None)
    unit_mode: bool | None = field(name="k", default=None)
    max_reconsume_times: Int32 | None = field(name="l", default=None)
    batch: bool | None = field(name="m", default=None)
    broker_name: str | None = field(name="n", default=None)


class SendMessageResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers SEND_MESSAGE (10), SEND_MESSAGE_V2 (310), SEND_BATCH_MESSAGE (320),
    SEND_REPLY_MESSAGE (324), SEND_REPLY_MESSAGE_V2 (325).

    Source: SendMessageResponseHeader.java, 5.3.3.
    """

    msg_id: str
    queue_id: Int32
    queue_offset: Int64
    transaction_id: str | None = None
    batch_uniq_id: str | None = None
    recall_handle: str | None = None


class ConsumerSendMsgBackRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks CONSUMER_SEND_MSG_BACK (36). Source: ConsumerSendMsgBackRequestHeader.java, 5.3.3."""

    offset: Int64
    group: str
    delay_level: Int32
    origin_msg_id: str | None = None
    origin_topic: str | None = None
    unit_mode: bool = False
    max_reconsume_times: Int32 | None = None


class ReplyMessageRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks PUSH_REPLY_MESSAGE_TO_CLIENT (326). Source: ReplyMessageRequestHeader.java, 5.3.3."""

    producer_group: str
    topic: str
    default_topic: str
    default_topic_queue_nums: Int32
    queue_id: Int32
    sys_flag: Int32
    born_timestamp: Int64
    flag: Int32
    properties: str | None = None
    reconsume_times: Int32 | None = None
    unit_mode: bool = False
    born_host: str
    store_host: str
    store_timestamp: Int64 = 0


class RecallMessageRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks RECALL_MESSAGE (370). Source: RecallMessageRequestHeader.java, 5.3.3."""

    producer_group: str | None = None
    topic: str
    recall_handle: str


class RecallMessageResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers RECALL_MESSAGE (370). Source: RecallMessageResponseHeader.java, 5.3.3."""

    msg_id: str
