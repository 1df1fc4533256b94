"""Reading messages: pull, peek, wait for some, look up by key or position."""

from codec.headers.fields import Int32, Int64, RequestHeader, ResponseHeader, TopicRequestHeader


class PullMessageRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361).

    Source: PullMessageRequestHeader.java, 5.3.3.
    """

    consumer_group: str
    topic: str
    queue_id: Int32
    queue_offset: Int64
    max_msg_nums: Int32
    sys_flag: Int32
    commit_offset: Int64
    suspend_timeout_millis: Int64
    subscription: str | None = None
    sub_version: Int64
    expression_type: str | None = None
    max_msg_bytes: Int32 | None = None
    request_source: Int32 | None = None
    proxy_froward_client_id: str | None = None


class PullMessageResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361).

    Source: PullMessageResponseHeader.java, 5.3.3.
    """

    suggest_which_broker_id: Int64
    next_begin_offset: Int64
    min_offset: Int64
    max_offset: Int64
    offset_delta: Int64 | None = None
    topic_sys_flag: Int32 | None = None
    group_sys_flag: Int32 | None = None
    forbidden_type: Int32 | None = None


class PeekMessageRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks PEEK_MESSAGE (200052). Source: PeekMessageRequestHeader.java, 5.3.3."""

    topic: str
    queue_id: Int32 = 0
    max_msg_nums: Int32 = 0
    consumer_group: str


class NotificationRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks NOTIFICATION (200054). Source: NotificationRequestHeader.java, 5.3.3."""

    consumer_group: str
    topic: str
    queue_id: Int32 = 0
    poll_time: Int64 = 0
    born_time: Int64 = 0
    order: bool = False
    attempt_id: str | None = None


class NotificationResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers NOTIFICATION (200054). Source: NotificationResponseHeader.java, 5.3.3."""

    has_msg: bool = False
    polling_full: bool = False


class PollingInfoRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks POLLING_INFO (200055). Source: PollingInfoRequestHeader.java, 5.3.3."""

    consumer_group: str
    topic: str
    queue_id: Int32 = 0


class PollingInfoResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers POLLING_INFO (200055). Source: PollingInfoResponseHeader.java, 5.3.3."""

    polling_num: Int32 = 0


class ViewMessageRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks VIEW_MESSAGE_BY_ID (33). Source: ViewMessageRequestHeader.java, 5.3.3."""

    topic: str | None = None
    offset: Int64


class QueryMessageRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks QUERY_MESSAGE (12). Source: QueryMessageRequestHeader.java, 5.3.3."""

    topic: str
    key: str
    max_num: Int32
    begin_timestamp: Int64
    end_timestamp: Int64


class QueryMessageResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers QUERY_MESSAGE (12). Source: QueryMessageResponseHeader.java, 5.3.3."""

    index_last_update_timestamp: Int64
    index_last_update_phyoffset: Int64
