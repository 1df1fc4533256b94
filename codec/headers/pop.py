"""POP consumption: take messages for a while, acknowledge, take for longer."""

from codec.headers.fields import Int32, Int64, ResponseHeader, TopicRequestHeader


class PopMessageRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks POP_MESSAGE (200050). Source: PopMessageRequestHeader.java, 5.3.3."""

    consumer_group: str
    topic: str
    queue_id: Int32 = 0
    max_msg_nums: Int32 = 0
    invisible_time: Int64 = 0
    poll_time: Int64 = 0
    born_time: Int64 = 0
    init_mode: Int32 = 0
    exp_type: str | None = None
    exp: str | None = None
    order: bool = False
    attempt_id: str | None = None


class PopMessageResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers POP_MESSAGE (200050) and PEEK_MESSAGE (200052).

    Source: PopMessageResponseHeader.java, 5.3.3.
    """

    pop_time: Int64 = 0
    invisible_time: Int64 = 0
    revive_qid: Int32 = 0
    rest_num: Int64 = 0
    start_offset_info: str | None = None
    msg_offset_info: str | None = None
    order_count_info: str | None = None


class AckMessageRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks ACK_MESSAGE (200051). Source: AckMessageRequestHeader.java, 5.3.3."""

    consumer_group: str
    topic: str
    queue_id: Int32
    extra_info: str
    offset: Int64


class ChangeInvisibleTimeRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks CHANGE_MESSAGE_INVISIBLETIME (200053).

    Source: ChangeInvisibleTimeRequestHeader.java, 5.3.3.
    """

    consumer_group: str
    topic: str
    queue_id: Int32
    extra_info: str
    offset: Int64
    invisible_time: Int64


class ChangeInvisibleTimeResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers CHANGE_MESSAGE_INVISIBLETIME (200053).

    Source: ChangeInvisibleTimeResponseHeader.java, 5.3.3.
    """

    pop_time: Int64 = 0
    invisible_time: Int64 = 0
    revive_qid: Int32 = 0
