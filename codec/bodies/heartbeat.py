"""What clients say about themselves every 30 seconds."""

from enum import StrEnum

from msgspec import field

from codec.bodies.body import Body, kept, kept_list, kept_set
from codec.headers.fields import Int32, Int64

TAG = "TAG"
SQL92 = "SQL92"
"""Values of ``expression_type``."""

SUBSCRIBE_ALL = "*"
"""A ``sub_string`` that takes every message."""


class ConsumeType(StrEnum):
    """How a consumer gets messages. The order is Java's, whose reader takes the number, too."""

    CONSUME_ACTIVELY = "CONSUME_ACTIVELY"
    CONSUME_PASSIVELY = "CONSUME_PASSIVELY"
    CONSUME_POP = "CONSUME_POP"


class MessageModel(StrEnum):
    """Whether each consumer of a group gets all messages or its share. Java's order."""

    BROADCASTING = "BROADCASTING"
    CLUSTERING = "CLUSTERING"


class ConsumeFromWhere(StrEnum):
    """Where a new group begins. Java's order; the second to fourth are no longer used."""

    CONSUME_FROM_LAST_OFFSET = "CONSUME_FROM_LAST_OFFSET"
    CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST = (
        "CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST"
    )
    CONSUME_FROM_MIN_OFFSET = "CONSUME_FROM_MIN_OFFSET"
    CONSUME_FROM_MAX_OFFSET = "CONSUME_FROM_MAX_OFFSET"
    CONSUME_FROM_FIRST_OFFSET = "CONSUME_FROM_FIRST_OFFSET"
    CONSUME_FROM_TIMESTAMP = "CONSUME_FROM_TIMESTAMP"


class SubscriptionData(Body, kw_only=True):
    """Which messages of a topic a group wants. Source: SubscriptionData.java, 5.3.3."""

    class_filter_mode: bool = kept(False)
    code_set: set[Int32] = kept_set()
    """Java's hash of each tag."""
    expression_type: str | None = kept(TAG)
    sub_string: str | None = None
    sub_version: Int64 = kept(0)
    """When it was made, milliseconds since 1970: a higher one replaces a lower one."""
    tags_set: set[str] = kept_set()
    topic: str


class ConsumerData(Body, kw_only=True):
    """One group that a client consumes for. Source: ConsumerData.java, 5.3.3."""

    consume_from_where: ConsumeFromWhere | None = None
    consume_type: ConsumeType | None = None
    group_name: str
    message_model: MessageModel | None = None
    subscription_data_set: list[SubscriptionData] = kept_list()
    unit_mode: bool = kept(False)


class ProducerData(Body, kw_only=True):
    """One group that a client produces for."""

    group_name: str


class HeartbeatData(Body, kw_only=True):
    """All groups of a client. Source: HeartbeatData.java, 5.3.3."""

    client_id: str = field(name="clientID")
    consumer_data_set: list[ConsumerData] = kept_list()
    heartbeat_fingerprint: Int32 = kept(0)
    """Java's hash of the rest, 0 if the client does not use heartbeats without subscriptions."""
    producer_data_set: list[ProducerData] = kept_list()
    without_sub: bool = kept(False)
    """Whether the subscriptions are left out because they are as before."""


class CheckClientRequestBody(Body, kw_only=True):
    """A subscription to be judged before a consumer starts."""

    client_id: str | None = None
    group: str | None = None
    namespace: str | None = None
    subscription_data: SubscriptionData | None = None
