"""Who is connected, and what a client says of itself."""

from enum import StrEnum

from msgspec import field

from codec.bodies.body import Body, kept, kept_dict, kept_list
from codec.bodies.heartbeat import (
    ConsumeFromWhere,
    ConsumeType,
    MessageModel,
    SubscriptionData,
)
from codec.bodies.message_queue import MessageQueue
from codec.headers.fields import Int32, Int64


class Connection(Body, kw_only=True):
    """One client process."""

    client_addr: str | None = None
    client_id: str | None = None
    language: str | None = None
    """A name of LanguageCode."""
    version: Int32 = kept(0)


class ConsumerConnection(Body, kw_only=True):
    """The clients of a consumer group, and what it wants."""

    connection_set: list[Connection] = kept_list()
    consume_from_where: ConsumeFromWhere | None = None
    consume_type: ConsumeType | None = None
    message_model: MessageModel | None = None
    subscription_table: dict[str, SubscriptionData] = kept_dict()
    """By topic."""


class ProducerConnection(Body, kw_only=True):
    """The clients of a producer group."""

    connection_set: list[Connection] = kept_list()


class ProducerInfo(Body, kw_only=True):
    """One producing client."""

    client_id: str | None = None
    language: str | None = None
    """A name of LanguageCode."""
    last_update_timestamp: Int64 = kept(0)
    remote_ip: str | None = field(name="remoteIP", default=None)
    version: Int32 = kept(0)


class ProducerTableInfo(Body, kw_only=True):
    """All producing clients of a broker, by group."""

    data: dict[str, list[ProducerInfo]] = kept_dict()


class GetConsumerListByGroupResponseBody(Body, kw_only=True):
    """Client ids of a group, each once."""

    consumer_id_list: list[str] = kept_list()


class QuerySubscriptionResponseBody(Body, kw_only=True):
    """What a group wants of a topic."""

    group: str | None = None
    subscription_data: SubscriptionData | None = None
    topic: str | None = None


class ConsumeStatus(Body, kw_only=True):
    """How fast a client consumes a topic; rates a second, times in milliseconds."""

    consume_failed_msgs: Int64 = kept(0)
    consume_failed_tps: float = field(name="consumeFailedTPS", default_factory=lambda: 0.0)
    consume_ok_tps: float = field(name="consumeOKTPS", default_factory=lambda: 0.0)
    consume_rt: float = field(name="consumeRT", default_factory=lambda: 0.0)
    pull_rt: float = field(name="pullRT", default_factory=lambda: 0.0)
    pull_tps: float = field(name="pullTPS", default_factory=lambda: 0.0)


class ProcessQueueInfo(Body, kw_only=True):
    """What a client holds of a queue."""

    cached_msg_count: Int32 = kept(0)
    cached_msg_max_offset: Int64 = kept(0)
    cached_msg_min_offset: Int64 = kept(0)
    cached_msg_size_in_mib: Int32 = field(name="cachedMsgSizeInMiB", default_factory=lambda: 0)
    commit_offset: Int64 = kept(0)
    droped: bool = kept(False)
    last_consume_timestamp: Int64 = kept(0)
    last_lock_timestamp: Int64 = kept(0)
    last_pull_timestamp: Int64 = kept(0)
    locked: bool = kept(False)
    transaction_msg_count: Int32 = kept(0)
    transaction_msg_max_offset: Int64 = kept(0)
    transaction_msg_min_offset: Int64 = kept(0)
    try_unlock_times: Int64 = kept(0)


class PopProcessQueueInfo(Body, kw_only=True):
    """What a client holds of a queue that it pops."""

    droped: bool = kept(False)
    last_pop_timestamp: Int64 = kept(0)
    wait_ack_count: Int32 = kept(0)


class ConsumerRunningInfo(Body, kw_only=True):
    """A consumer's own account. Source: ConsumerRunningInfo.java, 5.3.3."""

    jstack: str | None = None
    mq_pop_table: dict[MessageQueue, PopProcessQueueInfo] = kept_dict()
    mq_table: dict[MessageQueue, ProcessQueueInfo] = kept_dict()
    properties: dict[str, str] = kept_dict()
    status_table: dict[str, ConsumeStatus] = kept_dict()
    """By topic."""
    subscription_set: list[SubscriptionData] = kept_list()
    user_consumer_info: dict[str, str] = kept_dict()


class CMResult(StrEnum):
    """How consuming a single message ended."""

    CR_SUCCESS = "CR_SUCCESS"
    CR_LATER = "CR_LATER"
    CR_ROLLBACK = "CR_ROLLBACK"
    CR_COMMIT = "CR_COMMIT"
    CR_THROW_EXCEPTION = "CR_THROW_EXCEPTION"
    CR_RETURN_NULL = "CR_RETURN_NULL"


class ConsumeMessageDirectlyResult(Body, kw_only=True):
    """What became of a message that an operator had consumed."""

    auto_commit: bool = kept(True)
    consume_result: CMResult | None = None
    order: bool = kept(False)
    remark: str | None = None
    spent_time_mills: Int64 = kept(0)
