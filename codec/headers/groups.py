"""Subscription groups on a broker: look at, delete, forbid, count."""

from codec.headers.fields import RequestHeader, RpcRequestHeader, TopicRequestHeader


class GetSubscriptionGroupConfigRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks GET_SUBSCRIPTIONGROUP_CONFIG (352).

    Source: GetSubscriptionGroupConfigRequestHeader.java, 5.3.3.
    """

    group: str


class DeleteSubscriptionGroupRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks DELETE_SUBSCRIPTIONGROUP (207).

    Source: DeleteSubscriptionGroupRequestHeader.java, 5.3.3.
    """

    group_name: str
    clean_offset: bool = False


class GetConsumeStatsRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks GET_CONSUME_STATS (208). Source: GetConsumeStatsRequestHeader.java, 5.3.3."""

    consumer_group: str
    topic: str | None = None
    topic_list: str | None = None


class GetConsumeStatsInBrokerHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks GET_BROKER_CONSUME_STATS (317). Source: GetConsumeStatsInBrokerHeader.java, 5.3.3."""

    is_order: bool = False


class QuerySubscriptionByConsumerRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks QUERY_SUBSCRIPTION_BY_CONSUMER (345).

    Source: QuerySubscriptionByConsumerRequestHeader.java, 5.3.3.
    """

    group: str
    topic: str | None = None


class UpdateGroupForbiddenRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks UPDATE_AND_GET_GROUP_FORBIDDEN (353).

    Source: UpdateGroupForbiddenRequestHeader.java, 5.3.3.
    """

    group: str
    topic: str
    readable: bool | None = None
