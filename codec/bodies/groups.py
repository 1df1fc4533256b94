"""Consumer groups: their settings and their lists."""

from enum import StrEnum

from codec.bodies.body import Body, kept, kept_dict, kept_list, kept_new
from codec.bodies.data_version import DataVersion
from codec.headers.fields import Int32, Int64

DEFAULT_RETRY_DELAYS_MS = (
    1_000,
    5_000,
    10_000,
    30_000,
    60_000,
    120_000,
    180_000,
    240_000,
    300_000,
    360_000,
    420_000,
    480_000,
    540_000,
    600_000,
    1_200_000,
    1_800_000,
    3_600_000,
    7_200_000,
)


class GroupRetryPolicyType(StrEnum):
    """How the wait before the next attempt grows."""

    EXPONENTIAL = "EXPONENTIAL"
    CUSTOMIZED = "CUSTOMIZED"


class CustomizedRetryPolicy(Body, kw_only=True):
    """Waits one by one. Source: CustomizedRetryPolicy.java, 5.3.3."""

    next: tuple[Int64, ...] = kept(DEFAULT_RETRY_DELAYS_MS)
    """Milliseconds before each attempt; the last stays."""

    def delay_ms(self, attempts: int) -> int:
        """The wait after ``attempts`` (0 or more) failed. Source: nextDelayDuration()."""
        index = max(attempts, 0) + 2
        return self.next[min(index, len(self.next) - 1)]


class ExponentialRetryPolicy(Body, kw_only=True):
    """Waits that multiply. Source: ExponentialRetryPolicy.java, 5.3.3."""

    initial: Int64 = kept(5_000)
    max: Int64 = kept(7_200_000)
    multiplier: Int64 = kept(2)

    def delay_ms(self, attempts: int) -> int:
        """The wait after ``attempts`` (0 to 32 count) failed. Source: nextDelayDuration()."""
        growth: int = self.multiplier ** min(max(attempts, 0), 32)
        return min(self.max, self.initial * growth)


class GroupRetryPolicy(Body, kw_only=True):
    """The retry policy a group has chosen. Source: GroupRetryPolicy.java, 5.3.3."""

    customized_retry_policy: CustomizedRetryPolicy | None = None
    exponential_retry_policy: ExponentialRetryPolicy | None = None
    type: GroupRetryPolicyType | None = kept(GroupRetryPolicyType.CUSTOMIZED)

    def delay_ms(self, attempts: int) -> int:
        """The wait after ``attempts`` failed, by the chosen policy or the default one.

        Source: getRetryPolicy().
        """
        if self.type is GroupRetryPolicyType.EXPONENTIAL and self.exponential_retry_policy:
            return self.exponential_retry_policy.delay_ms(attempts)
        if self.type is GroupRetryPolicyType.CUSTOMIZED and self.customized_retry_policy:
            return self.customized_retry_policy.delay_ms(attempts)
        return CustomizedRetryPolicy().delay_ms(attempts)


class SimpleSubscriptionData(Body, kw_only=True):
    """A subscription as an operator may fix it for a group."""

    expression: str | None = None
    expression_type: str | None = None
    topic: str
    version: Int64 = kept(0)


class SubscriptionGroupConfig(Body, kw_only=True):
    """The settings of a consumer group. Source: SubscriptionGroupConfig.java, 5.3.3."""

    attributes: dict[str, str] = kept_dict()
    broker_id: Int64 = kept(0)
    consume_broadcast_enable: bool = kept(True)
    consume_enable: bool = kept(True)
    consume_from_min_enable: bool = kept(True)
    consume_message_orderly: bool = kept(False)
    consume_timeout_minute: Int32 = kept(15)
    group_name: str | None = None
    group_retry_policy: GroupRetryPolicy = kept_new(GroupRetryPolicy)
    group_sys_flag: Int32 = kept(0)
    notify_consumer_ids_changed_enable: bool = kept(True)
    retry_max_times: Int32 = kept(16)
    retry_queue_nums: Int32 = kept(1)
    subscription_data_set: tuple[SimpleSubscriptionData, ...] | None = None
    which_broker_when_consume_slowly: Int64 = kept(1)


class SubscriptionGroupWrapper(Body, kw_only=True):
    """All groups of a broker, also its file subscriptionGroup.json.

    Java's class of this name lacks ``forbidden_table``, but what its broker answers has it.
    """

    data_version: DataVersion = kept_new(DataVersion)
    forbidden_table: dict[str, dict[str, Int32]] = kept_dict()
    """Group to topic to bits of what is forbidden; 1 is reading."""
    subscription_group_table: dict[str, SubscriptionGroupConfig] = kept_dict()


class SubscriptionGroupList(Body, kw_only=True):
    """Groups to create or change together."""

    group_config_list: list[SubscriptionGroupConfig] = kept_list()


class GroupList(Body, kw_only=True):
    """Names of groups, each once."""

    group_list: list[str] = kept_list()


class GroupForbidden(Body, kw_only=True):
    """Whether a group may read a topic."""

    group: str | None = None
    readable: bool | None = None
    topic: str | None = None
