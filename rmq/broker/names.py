"""What topics and groups may be called, and the names that RocketMQ keeps for itself.

A topic or group is 1 or more of ``% | a-z A-Z 0-9 _ -``; a topic at most 127 of them, a group 255.
Source: TopicValidator.java, Validators.java, MixAll.java, 5.3.3.
"""

import re

TOPIC_LENGTH_MAX = 127
"""Characters in a topic's name."""

GROUP_LENGTH_MAX = 255
"""Characters in a consumer group's name."""

RETRY_PREFIX = "%RETRY%"
DEAD_LETTER_PREFIX = "%DLQ%"
SYSTEM_TOPIC_PREFIX = "rmq_sys_"
SYSTEM_GROUP_PREFIX = "CID_RMQ_SYS_"
LIGHT_QUEUE_PREFIX = "%LMQ%"

DEFAULT_TOPIC = "TBW102"
"""The topic whose settings automatically created topics inherit."""

SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX"
BENCHMARK_TOPIC = "BenchmarkTest"
HALF_TOPIC = "RMQ_SYS_TRANS_HALF_TOPIC"
OP_HALF_TOPIC = "RMQ_SYS_TRANS_OP_HALF_TOPIC"
TRACE_TOPIC = "RMQ_SYS_TRACE_TOPIC"
CHECK_MAX_TIME_TOPIC = "TRANS_CHECK_MAX_TIME_TOPIC"
SELF_TEST_TOPIC = "SELF_TEST_TOPIC"
OFFSET_MOVED_EVENT = "OFFSET_MOVED_EVENT"
CHECKPOINT_TOPIC = "CHECKPOINT_TOPIC"
TIMER_TOPIC = "rmq_sys_wheel_timer"
REVIVE_TOPIC_PREFIX = "rmq_sys_REVIVE_LOG_"
SYNC_BROKER_MEMBER_PREFIX = "rmq_sys_SYNC_BROKER_MEMBER_"
REPLY_TOPIC_SUFFIX = "_REPLY_TOPIC"

SYSTEM_TOPICS = frozenset(
    {
        DEFAULT_TOPIC,
        SCHEDULE_TOPIC,
        BENCHMARK_TOPIC,
        HALF_TOPIC,
        TRACE_TOPIC,
        OP_HALF_TOPIC,
        CHECK_MAX_TIME_TOPIC,
        SELF_TEST_TOPIC,
        OFFSET_MOVED_EVENT,
        CHECKPOINT_TOPIC,
    }
)
"""System topics of every broker; ``Topics.is_system`` also knows those named after its cluster."""

NOT_ALLOWED_SEND_TOPICS = frozenset(
    {
        SCHEDULE_TOPIC,
        HALF_TOPIC,
        OP_HALF_TOPIC,
        CHECK_MAX_TIME_TOPIC,
        SELF_TEST_TOPIC,
        OFFSET_MOVED_EVENT,
    }
)
"""Topics into which only the broker itself writes."""

TOOLS_GROUP = "TOOLS_CONSUMER"
FILTER_SERVER_GROUP = "FILTERSRV_CONSUMER"
SELF_TEST_GROUP = "SELF_TEST_C_GROUP"
HTTP_PROXY_GROUP = "CID_ONS-HTTP-PROXY"
PULL_GROUP = "CID_ONSAPI_PULL"
PERMISSION_GROUP = "CID_ONSAPI_PERMISSION"
OWNER_GROUP = "CID_ONSAPI_OWNER"
TRANSACTION_GROUP = "CID_RMQ_SYS_TRANS"

_legal = re.compile(r"[%|a-zA-Z0-9_-]*").fullmatch


def topic_fault(topic: str) -> str | None:
    """Why a topic's name cannot be used, in Java's words; None if it can.

    Source: TopicValidator.java, validateTopic(), 5.3.3.
    """
    if not topic or topic.isspace():
        return "The specified topic is blank."
    if _legal(topic) is None:
        return "The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"
    if len(topic) > TOPIC_LENGTH_MAX:
        return "The specified topic is longer than topic max length."
    return None


def group_fault(group: str) -> str | None:
    """Why a group's name cannot be used, in Java's words; None if it can.

    Source: Validators.java, checkGroup(), 5.3.3.
    """
    if not group or group.isspace():
        return "the specified group is blank"
    if len(group) > GROUP_LENGTH_MAX:
        return "the specified group is longer than group max length 255."
    if _legal(group) is None:
        return (
            f"the specified group[{group}] contains illegal characters, "
            "allowing only ^[%|a-zA-Z0-9_-]+$"
        )
    return None


def retry_topic(group: str) -> str:
    """Where messages go that a group could not consume yet."""
    return RETRY_PREFIX + group


def dead_letter_topic(group: str) -> str:
    """Where messages go that a group could not consume at all."""
    return DEAD_LETTER_PREFIX + group


def is_retry_topic(topic: str) -> bool:
    """Whether a topic holds messages for another try."""
    return topic.startswith(RETRY_PREFIX)


def group_of(topic: str) -> str:
    """The group of a retry or dead-letter topic; any other topic comes back unchanged."""
    return topic.removeprefix(RETRY_PREFIX).removeprefix(DEAD_LETTER_PREFIX)


def pop_retry_topic(group: str, topic: str, *, second_form: bool = False) -> str:
    """Where a group's un-acked POP messages of one topic go; the second form joins with ``+``.

    Source: KeyBuilder.java, buildPopRetryTopic(), 5.3.3.
    """
    return f"{RETRY_PREFIX}{group}{'+' if second_form else '_'}{topic}"
