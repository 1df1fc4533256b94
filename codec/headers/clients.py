"""Clients: presence, members of a group, queue locks, questions relayed to a client."""

from msgspec import field

from codec.headers.fields import (
    Int32,
    RequestHeader,
    ResponseHeader,
    RpcRequestHeader,
    TopicRequestHeader,
)


class HeartbeatRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks HEART_BEAT (34). Source: HeartbeatRequestHeader.java, 5.3.3."""


class UnregisterClientRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks UNREGISTER_CLIENT (35). Source: UnregisterClientRequestHeader.java, 5.3.3."""

    client_id: str = field(name="clientID")
    producer_group: str | None = None
    consumer_group: str | None = None


class UnregisterClientResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers UNREGISTER_CLIENT (35). Source: UnregisterClientResponseHeader.java, 5.3.3."""


class GetConsumerListByGroupRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks GET_CONSUMER_LIST_BY_GROUP (38).

    Source: GetConsumerListByGroupRequestHeader.java, 5.3.3.
    """

    consumer_group: str


class GetConsumerListByGroupResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers GET_CONSUMER_LIST_BY_GROUP (38).

    Source: GetConsumerListByGroupResponseHeader.java, 5.3.3.
    """


class NotifyConsumerIdsChangedRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks NOTIFY_CONSUMER_IDS_CHANGED (40).

    Source: NotifyConsumerIdsChangedRequestHeader.java, 5.3.3.
    """

    consumer_group: str


class LockBatchMqRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks LOCK_BATCH_MQ (41). Source: LockBatchMqRequestHeader.java, 5.3.3."""


class UnlockBatchMqRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks UNLOCK_BATCH_MQ (42). Source: UnlockBatchMqRequestHeader.java, 5.3.3."""


class GetConsumerConnectionListRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks GET_CONSUMER_CONNECTION_LIST (203).

    Source: GetConsumerConnectionListRequestHeader.java, 5.3.3.
    """

    consumer_group: str


class GetProducerConnectionListRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks GET_PRODUCER_CONNECTION_LIST (204).

    Source: GetProducerConnectionListRequestHeader.java, 5.3.3.
    """

    producer_group: str


class GetAllProducerInfoRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks GET_ALL_PRODUCER_INFO (328). Source: GetAllProducerInfoRequestHeader.java, 5.3.3."""


class GetConsumerRunningInfoRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks GET_CONSUMER_RUNNING_INFO (307).

    Source: GetConsumerRunningInfoRequestHeader.java, 5.3.3.
    """

    consumer_group: str
    client_id: str
    jstack_enable: bool = False


class ConsumeMessageDirectlyResultRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks CONSUME_MESSAGE_DIRECTLY (309).

    Source: ConsumeMessageDirectlyResultRequestHeader.java, 5.3.3.
    """

    consumer_group: str
    client_id: str | None = None
    msg_id: str | None = None
    broker_name: str | None = None
    topic: str | None = None
    topic_sys_flag: Int32 | None = None
    group_sys_flag: Int32 | None = None
