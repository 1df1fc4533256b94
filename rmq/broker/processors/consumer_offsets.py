"""What groups have consumed: the offsets that they store here."""

from codec.codes import RequestCode, ResponseCode
from codec.headers.offsets import (
    QueryConsumerOffsetRequestHeader,
    QueryConsumerOffsetResponseHeader,
    UpdateConsumerOffsetRequestHeader,
    UpdateConsumerOffsetResponseHeader,
)
from rmq.base.errors import CommandError
from rmq.broker.groups import Groups
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.topics import Topics
from rmq.conf.broker import BrokerConfig
from rmq.remoting.handling import Request, Response, handles
from rmq.store.store import MessageStore


class ConsumerOffsetProcessor:
    """Keeps and tells the offset from which a group goes on."""

    def __init__(
        self,
        config: BrokerConfig,
        topics: Topics,
        groups: Groups,
        offsets: ConsumerOffsets,
        store: MessageStore,
    ) -> None:
        """``config`` may be replaced while running: assign the attribute."""
        self.config = config
        self._topics = topics
        self._groups = groups
        self._offsets = offsets
        self._store = store

    @handles(RequestCode.QUERY_CONSUMER_OFFSET, QueryConsumerOffsetRequestHeader)
    def query(self, request: Request[QueryConsumerOffsetRequestHeader]) -> Response:
        """Say at which message (counted from 0 in its queue) a group goes on.

        A group with no stored offset starts at 0 if the queue's first message is still in memory;
        else the refusal makes its client choose by its own ConsumeFromWhere.
        Source: ConsumerManageProcessor.java, queryConsumerOffset(), 5.3.3.

        :raises CommandError: QUERY_NOT_FOUND, no stored offset and none to assume.
        """
        asked = request.header
        offset = self._offsets.query(asked.consumer_group, asked.topic, asked.queue_id)
        if offset >= 0:
            return Response(QueryConsumerOffsetResponseHeader(offset=offset))
        if asked.set_zero_if_not_found is False:
            raise CommandError(
                ResponseCode.QUERY_NOT_FOUND,
                "Not found, do not set to zero, maybe this group boot first",
            )
        if self._store.min_offset(asked.topic, asked.queue_id) > 0 or not (
            self._store.begins_in_memory(asked.topic, asked.queue_id)
        ):
            raise CommandError(
                ResponseCode.QUERY_NOT_FOUND,
                "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first",
            )
        return Response(QueryConsumerOffsetResponseHeader(offset=0))

    @handles(RequestCode.UPDATE_CONSUMER_OFFSET, UpdateConsumerOffsetRequestHeader)
    def update(self, request: Request[UpdateConsumerOffsetRequestHeader]) -> Response:
        """Store the offset from which a group will go on; a commit makes no group.

        Source: ConsumerManageProcessor.java, updateConsumerOffset(), 5.3.3.

        :raises CommandError: SUBSCRIPTION_GROUP_NOT_EXIST, TOPIC_NOT_EXIST, INVALID_PARAMETER.
        """
        told = request.header
        if told.consumer_group not in self._groups:
            raise CommandError(
                ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
                f"Group {told.consumer_group} not exist!",
            )
        topic = self._topics.get(told.topic)
        if topic is None:
            raise CommandError(ResponseCode.TOPIC_NOT_EXIST, f"Topic {told.topic} not exist!")
        if told.queue_id < 0 or told.commit_offset < 0:
            raise CommandError(
                ResponseCode.INVALID_PARAMETER,
                f"queueId {told.queue_id} and commitOffset {told.commit_offset} of topic "
                f"{told.topic}, expected both to be 0 or more",
            )
        if self.config.useServerSideResetOffset and self._offsets.has_reset(
            told.consumer_group, told.topic, told.queue_id
        ):
            return Response(
                UpdateConsumerOffsetResponseHeader(), remark="Offset has been previously reset"
            )
        self._offsets.commit(told.consumer_group, told.topic, told.queue_id, told.commit_offset)
        return Response(UpdateConsumerOffsetResponseHeader())
