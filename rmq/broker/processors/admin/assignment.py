"""Which queues a client takes, when it leaves that to the broker."""

from collections.abc import Awaitable
from typing import Protocol

from codec.bodies import decode_body, encode_body
from codec.bodies.assignment import (
    MessageQueueAssignment,
    MessageRequestMode,
    QueryAssignmentRequestBody,
    QueryAssignmentResponseBody,
    SetMessageRequestModeRequestBody,
)
from codec.bodies.heartbeat import MessageModel
from codec.bodies.message_queue import MessageQueue
from codec.codes import RequestCode, ResponseCode
from codec.headers.fields import RequestHeader
from rmq.base.errors import CommandError
from rmq.broker import names
from rmq.broker.allocation import STRATEGIES
from rmq.broker.consumers import Consumers
from rmq.broker.groups import Groups
from rmq.broker.processors.admin.checks import known_topic
from rmq.broker.request_modes import RequestModes
from rmq.broker.topics import Topics
from rmq.conf.broker import BrokerConfig
from rmq.remoting.handling import Request, Response, handles


class QueueRoutes(Protocol):
    """Who knows where the queues of a topic are."""

    def readable_queues(self, topic: str) -> Awaitable[list[MessageQueue] | None]:
        """The queues of a topic that can be read, in order; None if nobody knows the topic."""
        ...


class AssignmentProcessor:
    """Shares queues among the members of a group. Source: QueryAssignmentProcessor.java, 5.3.3.

    Only for pulling: popping cannot be chosen.
    """

    def __init__(
        self,
        config: BrokerConfig,
        topics: Topics,
        groups: Groups,
        consumers: Consumers,
        modes: RequestModes,
        routes: QueueRoutes,
    ) -> None:
        """``config`` may be replaced while running: assign the attribute."""
        self.config = config
        self._topics = topics
        self._groups = groups
        self._consumers = consumers
        self._modes = modes
        self._routes = routes

    @handles(RequestCode.QUERY_ASSIGNMENT)
    async def assignment(self, request: Request[RequestHeader]) -> Response:
        """Name the queues that a client takes; no list at all means: go on as before.

        :raises CodecError: the body is no question.
        :raises CommandError: INVALID_PARAMETER, the topic or the group is missing.
        """
        asked = decode_body(QueryAssignmentRequestBody, request.body)
        topic = _given(asked.topic, "topic")
        group = _given(asked.consumer_group, "consumerGroup")
        queues = await self._routes.readable_queues(topic)
        if queues is not None and asked.message_model is not MessageModel.BROADCASTING:
            queues = self._share(queues, group, asked)
        if queues is None:
            return Response(body=encode_body(QueryAssignmentResponseBody()))
        mode = self._modes.mode(topic, group)
        assignments = [MessageQueueAssignment(message_queue=queue, mode=mode) for queue in queues]
        return Response(
            body=encode_body(QueryAssignmentResponseBody(message_queue_assignments=assignments))
        )

    def _share(
        self, queues: list[MessageQueue], group: str, asked: QueryAssignmentRequestBody
    ) -> list[MessageQueue] | None:
        """A member's share; none for who is no member, None if it cannot be said."""
        if not self.config.serverLoadBalancerEnable:
            return queues
        members = self._consumers.get(group)
        strategy = STRATEGIES.get(asked.strategy_name or "")
        if members is None or strategy is None or not queues or not asked.client_id:
            return None
        client_ids = sorted(set(members.client_ids))
        if asked.client_id not in client_ids:
            return []
        return strategy(queues, client_ids.index(asked.client_id), len(client_ids))

    @handles(RequestCode.SET_MESSAGE_REQUEST_MODE)
    def set_mode(self, request: Request[RequestHeader]) -> Response:
        """Have a group pull the messages of a topic.

        :raises CodecError: the body is no mode.
        :raises CommandError: NO_PERMISSION, a retry topic; TOPIC_NOT_EXIST;
            SUBSCRIPTION_GROUP_NOT_EXIST; INVALID_PARAMETER, something is missing, or popping.
        """
        chosen = decode_body(SetMessageRequestModeRequestBody, request.body)
        topic = _given(chosen.topic, "topic")
        group = _given(chosen.consumer_group, "consumerGroup")
        if topic.startswith(names.RETRY_PREFIX):
            raise CommandError(ResponseCode.NO_PERMISSION, "retry topic is not allowed to set mode")
        known_topic(self._topics, topic)
        if self._groups.find(group) is None:
            raise CommandError(
                ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, "subscription group does not exist"
            )
        if chosen.mode is not MessageRequestMode.PULL:
            raise CommandError(
                ResponseCode.INVALID_PARAMETER,
                f"mode {chosen.mode} is not served by this broker, set PULL",
            )
        self._modes.set(topic, group, chosen)
        return Response()

    @handles(RequestCode.GET_ALL_MESSAGE_REQUEST_MODE)
    def all_modes(self, _request: Request[RequestHeader]) -> Response:
        """Give all modes that were set."""
        return Response(body=encode_body(self._modes.wrapper()))


def _given(value: str | None, field: str) -> str:
    if not value:
        raise CommandError(ResponseCode.INVALID_PARAMETER, f"{field} is missing from the body")
    return value
