"""Who is there: heartbeats, leaving, the members of a group, and their queue locks."""

from codec.bodies import decode_body, encode_body
from codec.bodies.clients import GetConsumerListByGroupResponseBody
from codec.bodies.heartbeat import CheckClientRequestBody, ConsumerData, HeartbeatData
from codec.bodies.locks import LockBatchRequestBody, LockBatchResponseBody, UnlockBatchRequestBody
from codec.bodies.message_queue import MessageQueue
from codec.bodies.topics import PERM_READ, PERM_WRITE
from codec.codes import RequestCode, ResponseCode
from codec.headers.clients import (
    GetConsumerListByGroupRequestHeader,
    HeartbeatRequestHeader,
    LockBatchMqRequestHeader,
    UnlockBatchMqRequestHeader,
    UnregisterClientRequestHeader,
)
from codec.headers.fields import RequestHeader
from rmq.base.errors import CommandError
from rmq.broker import names
from rmq.broker.clients import Client
from rmq.broker.consumers import Consumers
from rmq.broker.filters import compile_filter, is_tag_type
from rmq.broker.groups import Groups
from rmq.broker.producers import Producers
from rmq.broker.queue_locks import QueueLocks
from rmq.broker.topics import UNIT_SUB_FLAG, Topics
from rmq.conf.broker import BrokerConfig
from rmq.remoting.handling import Request, Response, handles
from rmq.store.sql92 import ExpressionError


class ClientProcessor:
    """Keeps the tables of clients, and answers who is in them."""

    def __init__(
        self,
        config: BrokerConfig,
        topics: Topics,
        groups: Groups,
        producers: Producers,
        consumers: Consumers,
        locks: QueueLocks,
    ) -> None:
        """``config`` may be replaced while running: assign the attribute."""
        self.config = config
        self._topics = topics
        self._groups = groups
        self._producers = producers
        self._consumers = consumers
        self._locks = locks

    @handles(RequestCode.HEART_BEAT, HeartbeatRequestHeader)
    def heartbeat(self, request: Request[HeartbeatRequestHeader]) -> Response:
        """Take note of a client's groups; each consumer group gets its retry topic.

        The answer's version tells the client what this broker can do, and IS_SUB_CHANGE whether
        it must send its subscriptions again. Source: ClientManageProcessor.java, heartBeat() and
        heartBeatV2(), 5.3.3.

        :raises CodecError: the body is no HeartbeatData.
        """
        data = decode_body(HeartbeatData, request.body)
        client = Client(request.channel, data.client_id, request.language, request.version)
        fingerprint = data.heartbeat_fingerprint
        must_send_again = fingerprint == 0
        for consumer in data.consumer_data_set:
            if self.config.rejectPullConsumerEnable and consumer.consume_type == "CONSUME_ACTIVELY":
                continue
            self._register_consumer(client, consumer, without_sub=data.without_sub)
            changed = self._consumers.fingerprint_changed(
                consumer.group_name, fingerprint, without_sub=data.without_sub
            )
            must_send_again = must_send_again or changed
        for producer in data.producer_data_set:
            self._producers.register(producer.group_name, client)
        return Response(
            ext_fields={
                "IS_SUPPORT_HEART_BEAT_V2": "true",
                "IS_SUB_CHANGE": str(must_send_again).lower(),
            }
        )

    def _register_consumer(self, client: Client, data: ConsumerData, *, without_sub: bool) -> None:
        group = self._groups.find(data.group_name)
        if group is None:
            return
        ordered = any(self._topics.is_ordered(one.topic) for one in data.subscription_data_set)
        self._topics.create_on_send_back(
            names.retry_topic(data.group_name),
            group.retry_queue_nums,
            PERM_READ | PERM_WRITE,
            UNIT_SUB_FLAG if data.unit_mode else 0,
            order=ordered,
        )
        notify = group.notify_consumer_ids_changed_enable
        if without_sub:
            self._consumers.register_without_subscriptions(client, data, notify=notify)
        else:
            self._consumers.register(client, data, notify=notify)

    @handles(RequestCode.UNREGISTER_CLIENT, UnregisterClientRequestHeader)
    def unregister(self, request: Request[UnregisterClientRequestHeader]) -> Response:
        """Forget a client in the groups that it names."""
        header = request.header
        if header.producer_group is not None:
            self._producers.unregister(header.producer_group, request.channel)
        if header.consumer_group is not None:
            group = self._groups.find(header.consumer_group)
            notify = group is None or group.notify_consumer_ids_changed_enable
            self._consumers.unregister(header.consumer_group, request.channel, notify=notify)
        return Response()

    @handles(RequestCode.CHECK_CLIENT_CONFIG, RequestHeader)
    def check(self, request: Request[RequestHeader]) -> Response:
        """Judge a subscription before its consumer starts.

        :raises CommandError: SYSTEM_ERROR, another expression than tags, which only a broker with
            enablePropertyFilter serves; SUBSCRIPTION_PARSE_FAILED, one that cannot be used.
        """
        subscription = decode_body(CheckClientRequestBody, request.body).subscription_data
        if subscription is None or is_tag_type(subscription.expression_type):
            return Response()
        kind = subscription.expression_type
        if not self.config.enablePropertyFilter:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR,
                f"The broker does not support consumer to filter message by {kind}",
            )
        try:
            compile_filter(kind, subscription.sub_string)
        except ExpressionError as error:
            raise CommandError(ResponseCode.SUBSCRIPTION_PARSE_FAILED, str(error)) from error
        return Response()

    @handles(RequestCode.GET_CONSUMER_LIST_BY_GROUP, GetConsumerListByGroupRequestHeader)
    def members(self, request: Request[GetConsumerListByGroupRequestHeader]) -> Response:
        """Name the members of a group: clients share queues by this list.

        :raises CommandError: SYSTEM_ERROR, the group has none.
        """
        name = request.header.consumer_group
        group = self._consumers.get(name)
        if group is None or not group.members:
            raise CommandError(ResponseCode.SYSTEM_ERROR, f"no consumer for this group, {name}")
        body = GetConsumerListByGroupResponseBody(consumer_id_list=group.client_ids)
        return Response(body=encode_body(body))

    @handles(RequestCode.LOCK_BATCH_MQ, LockBatchMqRequestHeader)
    def lock(self, request: Request[LockBatchMqRequestHeader]) -> Response:
        """Give a client the queues that no other holds, for 60 seconds.

        Those that this broker does not have are left out, and named; Java gives them too.
        Source: AdminBrokerProcessor.java, lockBatchMQ(), 5.3.3.

        :raises CommandError: TOPIC_NOT_EXIST, the broker has none of the queues.
        """
        body = decode_body(LockBatchRequestBody, request.body)
        group = _given(body.consumer_group, "consumerGroup")
        client_id = _given(body.client_id, "clientId")
        here = [queue for queue in body.mq_set if self._has(queue)]
        remark = None
        if len(here) < len(body.mq_set):
            missing = next(queue for queue in body.mq_set if not self._has(queue))
            remark = (
                f"{len(body.mq_set) - len(here)} queues are not here, as queue {missing.queue_id} "
                f"of topic {missing.topic}: ask for the topic's route again"
            )
            if not here:
                raise CommandError(ResponseCode.TOPIC_NOT_EXIST, remark)
        locked = self._locks.lock(group, here, client_id)
        answer = LockBatchResponseBody(lock_ok_mq_set=list(locked))
        return Response(remark=remark, body=encode_body(answer))

    def _has(self, queue: MessageQueue) -> bool:
        topic = self._topics.get(queue.topic or "")
        return topic is not None and 0 <= queue.queue_id < max(
            topic.read_queue_nums, topic.write_queue_nums
        )

    @handles(RequestCode.UNLOCK_BATCH_MQ, UnlockBatchMqRequestHeader)
    def unlock(self, request: Request[UnlockBatchMqRequestHeader]) -> Response:
        """Take back the queues that a client no longer needs."""
        body = decode_body(UnlockBatchRequestBody, request.body)
        self._locks.unlock(
            _given(body.consumer_group, "consumerGroup"),
            body.mq_set,
            _given(body.client_id, "clientId"),
        )
        return Response()


def _given(value: str | None, field: str) -> str:
    if not value:
        raise CommandError(ResponseCode.INVALID_PARAMETER, f"{field} is missing from the body")
    return value
