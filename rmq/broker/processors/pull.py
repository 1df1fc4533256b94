"""Pulling: PULL_MESSAGE and LITE_PULL_MESSAGE, answered now or when a message comes.

A pull that finds nothing is held if its consumer asks for that: ``WaitingPulls`` calls back when a
wanted message is stored or the time is over, and then the pull is done once more, not to be
held again.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import partial
from typing import TypeAlias

from twisted.internet.defer import Deferred

from codec.bodies.groups import SubscriptionGroupConfig
from codec.bodies.heartbeat import SubscriptionData
from codec.bodies.topics import PERM_READ, TopicConfig
from codec.codes import RequestCode, ResponseCode
from codec.frame import JSON
from codec.headers.pull import PullMessageRequestHeader, PullMessageResponseHeader
from codec.templates import ResponseTemplate
from rmq.base.errors import CommandError
from rmq.broker import names
from rmq.broker.consumer_filters import ConsumerFilters
from rmq.broker.consumers import Consumers
from rmq.broker.filters import compile_filter, is_tag_type, tag_codes
from rmq.broker.groups import Groups
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.processors.slave_pulls import SlavePulls
from rmq.broker.topics import Topics
from rmq.broker.waiting import Accepts, Reason, WaitingPulls
from rmq.conf.broker import BrokerConfig
from rmq.remoting.handling import Answer, Request, Response, handles
from rmq.store.messages import GetResult, GetStatus, RecordFilter
from rmq.store.sql92 import ExpressionError
from rmq.store.store import MessageStore

COMMIT_OFFSET, SUSPEND, SUBSCRIPTION = 1, 2, 4
"""Bits of sysFlag. Source: PullSysFlag.java, 5.3.3."""

(
    BROKER_FORBIDDEN,
    GROUP_FORBIDDEN,
    TOPIC_FORBIDDEN,
    BROADCASTING_FORBIDDEN,
    SUBSCRIPTION_FORBIDDEN,
) = (
    "1",
    "2",
    "3",
    "4",
    "5",
)
"""Values of forbiddenType. Source: ForbiddenType.java, 5.3.3."""

CODES = {
    GetStatus.FOUND: ResponseCode.SUCCESS,
    GetStatus.MESSAGE_WAS_REMOVING: ResponseCode.PULL_RETRY_IMMEDIATELY,
    GetStatus.NO_MATCHED_MESSAGE: ResponseCode.PULL_RETRY_IMMEDIATELY,
    GetStatus.OFFSET_FOUND_NULL: ResponseCode.PULL_NOT_FOUND,
    GetStatus.OFFSET_OVERFLOW_ONE: ResponseCode.PULL_NOT_FOUND,
    GetStatus.OFFSET_OVERFLOW_BADLY: ResponseCode.PULL_OFFSET_MOVED,
    GetStatus.OFFSET_RESET: ResponseCode.PULL_OFFSET_MOVED,
    GetStatus.OFFSET_TOO_SMALL: ResponseCode.PULL_OFFSET_MOVED,
}
"""Source: PullMessageProcessor.java, composeResponseHeader(), 5.3.3. The two that are missing, no
such queue and nothing in it, depend on the offset asked for."""

READ_BIT = 2
"""Number of the bit of a group's forbidden mask. Source: PermName.java, INDEX_PERM_READ, 5.3.3."""


HELD_HEADER_BYTES_MAX = 1 << 16
"""A pull with a longer header is answered at once instead of being held, for memory's sake."""

GotBatch: TypeAlias = Callable[[str, str, int, int], None]
"""Told: group, topic, messages, bytes."""


Wanted: TypeAlias = tuple[AbstractSet[int] | None, RecordFilter | None]
"""Hashes of tags, or what judges records; all messages if neither."""
EVERYTHING: Wanted = (None, None)


def forbidden(kind: str, remark: str) -> CommandError:
    """A pull that may not be; the response says what forbids it."""
    return CommandError(ResponseCode.NO_PERMISSION, remark, {"forbiddenType": kind})


class PullProcessor:
    """Gives consumers the messages of a queue."""

    def __init__(
        self,
        config: BrokerConfig,
        topics: Topics,
        groups: Groups,
        consumers: Consumers,
        offsets: ConsumerOffsets,
        store: MessageStore,
        waiting: WaitingPulls,
        filters: ConsumerFilters,
        slave: SlavePulls,
        got: GotBatch | None = None,
    ) -> None:
        """``slave`` is asked while this is one. ``got`` is told of every batch that is given, for
        statistics.

        ``config`` may be replaced while running: assign the attribute.
        """
        self.config = config
        self._topics = topics
        self._groups = groups
        self._consumers = consumers
        self._offsets = offsets
        self._store = store
        self._waiting = waiting
        self._filters = filters
        self._slave = slave
        self._got = got
        self._found = ResponseTemplate(
            PullMessageResponseHeader,
            {
                "suggest_which_broker_id": "%d",
                "next_begin_offset": "%d",
                "min_offset": "%d",
                "max_offset": "%d",
                "topic_sys_flag": "%d",
                "group_sys_flag": "%d",
            },
            remark="FOUND",
        ).frame_of

    @handles(RequestCode.PULL_MESSAGE, PullMessageRequestHeader)
    def pull(self, request: Request[PullMessageRequestHeader]) -> Answer:
        """Give messages from an offset on, at once or when there are some.

        Source: PullMessageProcessor.java, processRequest(), 5.3.3.

        :raises CommandError: the codes of ``_checked`` and ``_wanted``.
        """
        return self._pull(request, may_hold=True)

    @handles(RequestCode.LITE_PULL_MESSAGE, PullMessageRequestHeader)
    def lite_pull(self, request: Request[PullMessageRequestHeader]) -> Answer:
        """The same for consumers that pull by themselves.

        :raises CommandError: as ``pull``; NO_PERMISSION if litePullMessageEnable is false.
        """
        if not self.config.litePullMessageEnable:
            raise forbidden(
                BROKER_FORBIDDEN,
                f"the broker[{self.config.brokerIP1}] for lite pull consumer is forbidden",
            )
        return self._pull(request, may_hold=True)

    def _pull(self, request: Request[PullMessageRequestHeader], *, may_hold: bool) -> Answer:
        header = request.header
        is_slave = self._slave.is_one
        if is_slave and not self.config.slaveReadEnable:
            self._slave.refuse_disabled()
        topic, group = self._checked(request)
        tags, matching = wanted = self._wanted(header, group)
        found = self._reset(header) or self._store.get(
            header.topic,
            header.queue_id,
            header.queue_offset,
            header.max_msg_nums,
            tags=tags,
            matching=matching,
        )
        if may_hold and header.sys_flag & COMMIT_OFFSET and not is_slave:
            self._offsets.commit(
                header.consumer_group, header.topic, header.queue_id, header.commit_offset
            )
        status = found.status
        if status is GetStatus.FOUND:
            if self._got is not None:
                self._got(header.consumer_group, header.topic, found.count, found.size)
            if request.encoding == JSON:
                return self._found(
                    found.slices,
                    found.size,
                    self._suggested(found, group),
                    found.next_begin_offset,
                    found.min_offset,
                    found.max_offset,
                    topic.topic_sys_flag,
                    group.group_sys_flag,
                    request.opaque,
                )
            return Response(
                self._response_header(found, topic, group),
                ResponseCode.SUCCESS,
                "FOUND",
                b"".join(found.slices),
            )
        code = CODES.get(status)
        if code is None:
            code = (
                ResponseCode.PULL_OFFSET_MOVED
                if header.queue_offset
                else ResponseCode.PULL_NOT_FOUND
            )
        if is_slave:
            code = self._slave.code(code)
        if (
            code is ResponseCode.PULL_NOT_FOUND
            and may_hold
            and header.sys_flag & SUSPEND
            and len(request.raw_header) <= HELD_HEADER_BYTES_MAX
        ):
            return self._held(request, wanted)
        return Response(self._response_header(found, topic, group), code, status.name)

    def _held(
        self, request: Request[PullMessageRequestHeader], wanted: Wanted
    ) -> Deferred[Response | bytes]:
        header = request.header
        request.body = request.raw_header = b""  # nothing of a held request that is not needed
        answer: Deferred[Response | bytes] = Deferred()
        suspend_ms = header.suspend_timeout_millis
        if not self.config.longPollingEnable:
            suspend_ms = self.config.shortPollingTimeMills
        self._waiting.hold(
            header.topic,
            header.queue_id,
            header.queue_offset,
            suspend_ms,
            partial(self._resumed, request, answer),
            accepts=_accepts(*wanted),
            owner=request.channel,
        )
        return answer

    def _resumed(
        self,
        request: Request[PullMessageRequestHeader],
        answer: Deferred[Response | bytes],
        reason: Reason,
    ) -> None:
        if reason is Reason.CLOSED:
            return
        try:
            response = self._pull(request, may_hold=False)
        except CommandError as refusal:
            answer.errback(refusal)
            return
        assert isinstance(response, (Response, bytes)), "a pull once resumed is not held again"
        answer.callback(response)

    def _checked(
        self, request: Request[PullMessageRequestHeader]
    ) -> tuple[TopicConfig, SubscriptionGroupConfig]:
        """Topic and group, if this consumer may pull from this queue.

        :raises CommandError: NO_PERMISSION, SUBSCRIPTION_GROUP_NOT_EXIST, TOPIC_NOT_EXIST,
            INVALID_PARAMETER.
        """
        header = request.header
        if not self.config.brokerPermission & PERM_READ:
            raise forbidden(
                BROKER_FORBIDDEN,
                f"the broker[{self.config.brokerIP1}] pulling message is forbidden",
            )
        group = self._groups.find(header.consumer_group)
        if group is None:
            raise CommandError(
                ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
                f"subscription group [{header.consumer_group}] does not exist, create it with "
                "mqadmin updateSubGroup or set autoCreateSubscriptionGroup=true",
            )
        if not group.consume_enable:
            raise forbidden(
                GROUP_FORBIDDEN, f"subscription group no permission, {header.consumer_group}"
            )
        topic = self._topics.get(header.topic)
        if topic is None:
            raise CommandError(
                ResponseCode.TOPIC_NOT_EXIST,
                f"topic[{header.topic}] not exist, apply first please!",
            )
        if not topic.perm & PERM_READ:
            raise forbidden(
                TOPIC_FORBIDDEN, f"the topic[{header.topic}] pulling message is forbidden"
            )
        if not 0 <= header.queue_id < topic.read_queue_nums:
            raise CommandError(
                ResponseCode.INVALID_PARAMETER,
                f"queueId[{header.queue_id}] is illegal, topic:[{header.topic}] "
                f"topicConfig.readQueueNums:[{topic.read_queue_nums}] "
                f"consumer:[{request.channel.remote_address}]",
            )
        return topic, group

    def _wanted(self, header: PullMessageRequestHeader, group: SubscriptionGroupConfig) -> Wanted:
        """Which messages of the topic the group wants.

        :raises CommandError: SUBSCRIPTION_PARSE_FAILED, SUBSCRIPTION_NOT_EXIST,
            SUBSCRIPTION_NOT_LATEST, FILTER_DATA_NOT_EXIST, FILTER_DATA_NOT_LATEST, NO_PERMISSION;
            SYSTEM_ERROR for another expression than tags without enablePropertyFilter.
        """
        if header.sys_flag & SUBSCRIPTION:
            return self._wanted_now(header)
        members = self._consumers.get(header.consumer_group)
        if members is None:
            raise CommandError(
                ResponseCode.SUBSCRIPTION_NOT_EXIST,
                "the consumer's group info not exist: no heartbeat of the group came yet",
            )
        if not group.consume_broadcast_enable and members.is_broadcasting:
            raise forbidden(
                BROADCASTING_FORBIDDEN,
                f"the consumer group[{header.consumer_group}] can not consume by broadcast way",
            )
        if self._groups.is_forbidden(header.consumer_group, header.topic, READ_BIT):
            raise forbidden(
                SUBSCRIPTION_FORBIDDEN,
                f"the consumer group[{header.consumer_group}] is forbidden "
                f"for topic[{header.topic}]",
            )
        subscription = members.subscriptions.get(header.topic)
        if subscription is None:
            raise CommandError(
                ResponseCode.SUBSCRIPTION_NOT_EXIST,
                "the consumer's subscription not exist: all members of a group must subscribe to "
                "the same topics",
            )
        if subscription.sub_version < header.sub_version:
            raise CommandError(
                ResponseCode.SUBSCRIPTION_NOT_LATEST, "the consumer's subscription not latest"
            )
        if not is_tag_type(subscription.expression_type):
            return self._wanted_by_filter(header, subscription)
        if subscription.class_filter_mode:
            return EVERYTHING
        return tag_codes(subscription.sub_string), None

    def _wanted_now(self, header: PullMessageRequestHeader) -> Wanted:
        """What the request itself wants.

        Java gives everything to a consumer whose SQL92 it cannot parse; here that is refused.
        """
        kind = header.expression_type
        try:
            if is_tag_type(kind):
                return tag_codes(header.subscription), None
            self._check_served(kind)
            return None, self._judge(header, compile_filter(kind, header.subscription))
        except ValueError as error:
            raise CommandError(
                ResponseCode.SUBSCRIPTION_PARSE_FAILED,
                f"parse the consumer's subscription failed, {error}",
            ) from error

    def _wanted_by_filter(
        self, header: PullMessageRequestHeader, subscription: SubscriptionData
    ) -> Wanted:
        """What the filter wants that the group's heartbeat registered."""
        known = self._filters.get(header.topic, header.consumer_group)
        kind = subscription.expression_type
        if known is None:
            raise CommandError(
                ResponseCode.FILTER_DATA_NOT_EXIST,
                "The broker's consumer filter data is not exist!Your expression may be wrong! "
                + _cause(kind, subscription.sub_string),
            )
        if known.data.client_version < header.sub_version:
            raise CommandError(
                ResponseCode.FILTER_DATA_NOT_LATEST,
                "the consumer's consumer filter data not latest",
            )
        self._check_served(kind)
        if subscription.class_filter_mode:
            return EVERYTHING
        return None, self._judge(header, known.expression)

    def _judge(self, header: PullMessageRequestHeader, expression: RecordFilter) -> RecordFilter:
        """The expression, unless messages for a retry are to be judged as they were at first."""
        if self.config.filterSupportRetry and names.is_retry_topic(header.topic):
            return self._filters.for_retries(header.consumer_group)
        return expression

    def _check_served(self, expression_type: str | None) -> None:
        if not self.config.enablePropertyFilter:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR,
                f"The broker does not support consumer to filter message by {expression_type}",
            )

    def _reset(self, header: PullMessageRequestHeader) -> GetResult | None:
        """Where an operator sent this group's reading of the queue, if so; told once."""
        offset = self._offsets.take_reset(header.consumer_group, header.topic, header.queue_id)
        if offset is None or not self.config.useServerSideResetOffset:
            return None
        return GetResult(
            GetStatus.OFFSET_RESET,
            offset,
            self._store.min_offset(header.topic, header.queue_id),
            self._store.max_offset(header.topic, header.queue_id),
        )

    def _suggested(self, found: GetResult, group: SubscriptionGroupConfig) -> int:
        """The broker of this set from which the consumer had best go on reading."""
        if not self.config.slaveReadEnable:
            return 0
        if found.fell_behind:
            return group.which_broker_when_consume_slowly
        return 0 if self._slave.sends_to_master() else group.broker_id

    def _response_header(
        self, found: GetResult, topic: TopicConfig, group: SubscriptionGroupConfig
    ) -> PullMessageResponseHeader:
        return PullMessageResponseHeader(
            suggest_which_broker_id=self._suggested(found, group),
            next_begin_offset=found.next_begin_offset,
            min_offset=found.min_offset,
            max_offset=found.max_offset,
            topic_sys_flag=topic.topic_sys_flag,
            group_sys_flag=group.group_sys_flag,
        )


def _accepts(tags: AbstractSet[int] | None, matching: RecordFilter | None) -> Accepts | None:
    """Whether an arriving message ends the hold; one of which nothing is known does."""
    if tags is not None:
        return lambda tags_code, properties: tags_code is None or tags_code in tags  # noqa: ARG005
    if matching is not None:
        return lambda tags_code, properties: properties is None or matching.matches(properties)  # noqa: ARG005
    return None


def _cause(expression_type: str | None, expression: str | None) -> str:
    """Why there is no filter: its expression, if that is wrong."""
    try:
        compile_filter(expression_type, expression)
    except ExpressionError as error:
        return str(error)
    return "No heartbeat with it came yet"
