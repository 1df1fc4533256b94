"""What operators ask of consumers: the broker passes it on, over the consumer's own connection."""

import logging
from collections.abc import Mapping

from twisted.internet.defer import Deferred, DeferredList

from codec.bodies import decode_body, encode_body
from codec.bodies.message_queue import MessageQueue
from codec.bodies.offsets import GetConsumerStatusBody
from codec.codes import (
    V3_0_7_SNAPSHOT,
    V3_1_8_SNAPSHOT,
    RequestCode,
    ResponseCode,
)
from codec.command import Command
from codec.errors import CodecError
from codec.headers.clients import (
    ConsumeMessageDirectlyResultRequestHeader,
    GetConsumerRunningInfoRequestHeader,
)
from codec.headers.fields import ext_fields_of
from codec.headers.offsets import GetConsumerStatusRequestHeader
from codec.message.ids import parse_offset_message_id
from rmq.base.errors import CallError, CallTimeoutError, CommandError
from rmq.broker.clients import Client
from rmq.broker.consumers import Consumers
from rmq.broker.groups import Groups
from rmq.broker.topics import Topics
from rmq.remoting.handling import Request, Response, handles
from rmq.store.store import MessageStore

logger = logging.getLogger(__name__)

ANSWER_MS_MAX = 10_000
"""How long a consumer has to answer. Source: Broker2Client.java, callClient(), 5.3.3."""

STATUS_MS_MAX = 5_000
"""The same for its offsets. Source: Broker2Client.java, getConsumeStatus(), 5.3.3."""


class RelayProcessor:
    """Passes questions on. Source: AdminBrokerProcessor.java, callConsumer(), 5.3.3."""

    def __init__(
        self,
        broker_name: str,
        topics: Topics,
        groups: Groups,
        consumers: Consumers,
        store: MessageStore,
    ) -> None:
        self._broker_name = broker_name
        self._topics = topics
        self._groups = groups
        self._consumers = consumers
        self._store = store

    @handles(RequestCode.GET_CONSUMER_RUNNING_INFO, GetConsumerRunningInfoRequestHeader)
    async def running_info(self, request: Request[GetConsumerRunningInfoRequestHeader]) -> Response:
        """Have a consumer tell of itself, with its threads' stacks if that is asked.

        :raises CommandError: as ``_relayed``.
        """
        header = request.header
        return await self._relayed(
            RequestCode.GET_CONSUMER_RUNNING_INFO,
            header.consumer_group,
            header.client_id,
            request.ext_fields,
            request.body,
        )

    @handles(RequestCode.CONSUME_MESSAGE_DIRECTLY, ConsumeMessageDirectlyResultRequestHeader)
    async def consume(
        self, request: Request[ConsumeMessageDirectlyResultRequestHeader]
    ) -> Response:
        """Have a consumer consume one stored message now; it tells how that went.

        Source: AdminBrokerProcessor.java, consumeMessageDirectly(), 5.3.3.

        :raises CommandError: as ``_relayed``; SYSTEM_ERROR, the id is none, or its message gone.
        """
        header = request.header
        fields = request.ext_fields | {"brokerName": self._broker_name}
        topic = self._topics.get(header.topic or "")
        if topic is not None:
            fields["topicSysFlag"] = str(topic.topic_sys_flag)
        group = self._groups.get(header.consumer_group)
        if group is not None:
            fields["groupSysFlag"] = str(group.group_sys_flag)
        return await self._relayed(
            RequestCode.CONSUME_MESSAGE_DIRECTLY,
            header.consumer_group,
            header.client_id,
            fields,
            self._record(header.msg_id),
        )

    @handles(RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS, GetConsumerStatusRequestHeader)
    async def status(self, request: Request[GetConsumerStatusRequestHeader]) -> Response:
        """Ask the members of a group, or the one named, how far they are in a topic.

        Members that do not answer are left out. All are asked at once, Java asks one by one.
        Source: Broker2Client.java, getConsumeStatus(), 5.3.3.

        :raises CommandError: SYSTEM_ERROR, the group is not connected, or a member is too old.
        """
        header = request.header
        group = self._consumers.get(header.group)
        if group is None or not group.members:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR,
                f"No Any Consumer online in the consumer group: [{header.group}]",
            )
        named = (header.client_addr or "").strip()
        asked = [one for one in group.members.values() if not named or one.client_id == named]
        for client in asked:
            if client.version < V3_0_7_SNAPSHOT:
                raise CommandError(
                    ResponseCode.SYSTEM_ERROR,
                    "the client does not support this feature. "
                    f"version={client.version} client={client!r}",
                )
        question = ext_fields_of(
            GetConsumerStatusRequestHeader(topic=header.topic, group=header.group)
        )
        answers = await DeferredList([self._status_of(client, question) for client in asked])
        told = {
            client.client_id: offsets
            for client, (_, offsets) in zip(asked, answers, strict=True)
            if offsets is not None
        }
        return Response(body=encode_body(GetConsumerStatusBody(consumer_table=told)))

    def _status_of(
        self, client: Client, question: Mapping[str, str]
    ) -> "Deferred[dict[MessageQueue, int] | None]":
        """A member's offsets; None if it does not tell."""
        command = Command(
            code=RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT, ext_fields=dict(question)
        )
        return Deferred.fromCoroutine(_offsets_told(client, command))

    async def _relayed(
        self,
        code: RequestCode,
        group: str,
        client_id: str | None,
        fields: dict[str, str],
        body: bytes,
    ) -> Response:
        """Ask a consumer and give its answer as it is.

        :raises CommandError: SYSTEM_ERROR, the consumer is not connected, is too old, or left;
            CONSUME_MSG_TIMEOUT, it does not answer.
        """
        members = self._consumers.get(group)
        client = None if members is None or client_id is None else members.member(client_id)
        if client is None:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR, f"The Consumer <{group}> <{client_id}> not online"
            )
        if client.version < V3_1_8_SNAPSHOT:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR,
                f"The Consumer <{client_id}> Version <{client.version}> too low to finish, "
                "please upgrade it to V3_1_8_SNAPSHOT",
            )
        command = Command(code=code, ext_fields=fields, body=body)
        try:
            answer = await client.channel.call(command, ANSWER_MS_MAX)
        except CallTimeoutError as error:
            raise CommandError(
                ResponseCode.CONSUME_MSG_TIMEOUT,
                f"consumer <{group}> <{client_id}> Timeout: {error}",
            ) from error
        except CallError as error:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR,
                f"invoke consumer <{group}> <{client_id}> Exception: {error}",
            ) from error
        return Response(None, answer.code, answer.remark, answer.body, answer.ext_fields or None)

    def _record(self, message_id: str | None) -> bytes:
        """The record that an offset message id names."""
        try:
            position = parse_offset_message_id(message_id or "").position
        except CodecError as error:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR, f"msgId {message_id!r} does not say where: {error}"
            ) from error
        record = self._store.message_at(position) if position >= 0 else None
        if record is None:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR, f"can not find message by the offset, {position}"
            )
        return record


async def _offsets_told(client: Client, command: Command) -> dict[MessageQueue, int] | None:
    try:
        answer = await client.channel.call(command, STATUS_MS_MAX)
        if answer.code != ResponseCode.SUCCESS or not answer.body:
            return None
        return decode_body(GetConsumerStatusBody, answer.body).message_queue_table
    except (CallError, CodecError) as error:
        logger.warning("event=status_not_told client=%r cause=%s", client, error)
        return None
