"""Offsets: what a queue holds, what a group has consumed, setting it anew."""

from codec.headers.fields import Int32, Int64, ResponseHeader, RpcRequestHeader, TopicRequestHeader


class QueryConsumerOffsetRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks QUERY_CONSUMER_OFFSET (14). Source: QueryConsumerOffsetRequestHeader.java, 5.3.3."""

    consumer_group: str
    topic: str
    queue_id: Int32
    set_zero_if_not_found: bool | None = None


class QueryConsumerOffsetResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers QUERY_CONSUMER_OFFSET (14). Source: QueryConsumerOffsetResponseHeader.java, 5.3.3."""

    offset: Int64


class UpdateConsumerOffsetRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks UPDATE_CONSUMER_OFFSET (15). Source: UpdateConsumerOffsetRequestHeader.java, 5.3.3."""

    consumer_group: str
    topic: str
    queue_id: Int32
    commit_offset: Int64


class UpdateConsumerOffsetResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers UPDATE_CONSUMER_OFFSET (15).

    Source: UpdateConsumerOffsetResponseHeader.java, 5.3.3.
    """


class SearchOffsetRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks SEARCH_OFFSET_BY_TIMESTAMP (29). Source: SearchOffsetRequestHeader.java, 5.3.3."""

    topic: str
    queue_id: Int32
    timestamp: Int64
    boundary_type: str | None = None


class SearchOffsetResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers SEARCH_OFFSET_BY_TIMESTAMP (29). Source: SearchOffsetResponseHeader.java, 5.3.3."""

    offset: Int64


class GetMaxOffsetRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks GET_MAX_OFFSET (30). Source: GetMaxOffsetRequestHeader.java, 5.3.3."""

    topic: str
    queue_id: Int32
    committed: bool = True


class GetMaxOffsetResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers GET_MAX_OFFSET (30). Source: GetMaxOffsetResponseHeader.java, 5.3.3."""

    offset: Int64


class GetMinOffsetRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks GET_MIN_OFFSET (31). Source: GetMinOffsetRequestHeader.java, 5.3.3."""

    topic: str
    queue_id: Int32


class GetMinOffsetResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers GET_MIN_OFFSET (31). Source: GetMinOffsetResponseHeader.java, 5.3.3."""

    offset: Int64


class GetEarliestMsgStoretimeRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks GET_EARLIEST_MSG_STORETIME (32).

    Source: GetEarliestMsgStoretimeRequestHeader.java, 5.3.3.
    """

    topic: str
    queue_id: Int32


class GetEarliestMsgStoretimeResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers GET_EARLIEST_MSG_STORETIME (32).

    Source: GetEarliestMsgStoretimeResponseHeader.java, 5.3.3.
    """

    timestamp: Int64


class ResetOffsetRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks RESET_CONSUMER_CLIENT_OFFSET (220) and INVOKE_BROKER_TO_RESET_OFFSET (222).

    Source: ResetOffsetRequestHeader.java, 5.3.3.
    """

    group: str
    topic: str
    queue_id: Int32 = -1
    offset: Int64 | None = None
    timestamp: Int64 = 0
    is_force: bool = False


class GetConsumerStatusRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks GET_CONSUMER_STATUS_FROM_CLIENT (221) and INVOKE_BROKER_TO_GET_CONSUMER_STATUS
    (223).

    Source: GetConsumerStatusRequestHeader.java, 5.3.3.
    """

    topic: str
    group: str
    client_addr: str | None = None


class QueryCorrectionOffsetHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks QUERY_CORRECTION_OFFSET (308). Source: QueryCorrectionOffsetHeader.java, 5.3.3."""

    filter_groups: str | None = None
    compare_group: str
    topic: str


class CloneGroupOffsetRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks CLONE_GROUP_OFFSET (314). Source: CloneGroupOffsetRequestHeader.java, 5.3.3."""

    src_group: str
    dest_group: str
    topic: str | None = None
    offline: bool = False


class QueryConsumeTimeSpanRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks QUERY_CONSUME_TIME_SPAN (303). Source: QueryConsumeTimeSpanRequestHeader.java, 5.3.3."""

    topic: str
    group: str
