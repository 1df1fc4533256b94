"""Topics on a broker: create, delete, look at."""

from codec.headers.fields import Int32, ResponseHeader, RpcRequestHeader, TopicRequestHeader


class CreateTopicRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks UPDATE_AND_CREATE_TOPIC (17) and UPDATE_AND_CREATE_STATIC_TOPIC (513).

    Source: CreateTopicRequestHeader.java, 5.3.3.
    """

    topic: str
    default_topic: str
    read_queue_nums: Int32
    write_queue_nums: Int32
    perm: Int32
    topic_filter_type: str
    topic_sys_flag: Int32 | None = None
    order: bool = False
    attributes: str | None = None
    force: bool = False


class CreateTopicListRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks UPDATE_AND_CREATE_TOPIC_LIST (18). Source: CreateTopicListRequestHeader.java, 5.3.3."""


class GetAllTopicConfigResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers GET_ALL_TOPIC_CONFIG (21). Source: GetAllTopicConfigResponseHeader.java, 5.3.3."""


class GetTopicConfigRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks GET_TOPIC_CONFIG (351). Source: GetTopicConfigRequestHeader.java, 5.3.3."""

    topic: str


class DeleteTopicRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks DELETE_TOPIC_IN_BROKER (215). Source: DeleteTopicRequestHeader.java, 5.3.3."""

    topic: str


class GetTopicStatsInfoRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks GET_TOPIC_STATS_INFO (202). Source: GetTopicStatsInfoRequestHeader.java, 5.3.3."""

    topic: str


class QueryTopicConsumeByWhoRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks QUERY_TOPIC_CONSUME_BY_WHO (300).

    Source: QueryTopicConsumeByWhoRequestHeader.java, 5.3.3.
    """

    topic: str


class QueryTopicsByConsumerRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks QUERY_TOPICS_BY_CONSUMER (343).

    Source: QueryTopicsByConsumerRequestHeader.java, 5.3.3.
    """

    group: str
