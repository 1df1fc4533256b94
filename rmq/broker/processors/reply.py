"""Answers to requests between clients: SEND_REPLY_MESSAGE in its two codes.

A request is an ordinary message whose properties name who asks (``REPLY_TO_CLIENT``) and which of
its questions it is (``CORRELATION_ID``). Whoever consumes it sends a reply with the same two, to a
broker on which the requester is a producer. The broker hands the reply to that client, over the
connection of its heartbeats, and tells the replier whether it arrived; it may also store it.
"""

import logging
from collections.abc import Callable
from typing import TypeAlias

from codec.bodies.topics import TopicConfig
from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.headers.fields import ext_fields_of
from codec.headers.send import (
    ReplyMessageRequestHeader,
    SendMessageRequestHeader,
    SendMessageRequestHeaderV2,
    SendMessageResponseHeader,
)
from codec.message import properties as props
from codec.message.ids import build_offset_message_id
from rmq.base.errors import CallError
from rmq.base.ports import Chance, Clock
from rmq.broker.processors.send import SendRequest, SendSettings
from rmq.broker.producers import Producers
from rmq.broker.replicas import Wait
from rmq.conf.broker import BrokerConfig
from rmq.remoting.handling import Request, Response, handles
from rmq.store.messages import PutMessage, PutStatus
from rmq.store.store import MessageStore

logger = logging.getLogger(__name__)

CheckedTopic: TypeAlias = Callable[[SendRequest], TopicConfig]
"""The topic of what is sent, if that may be; CommandError else. See ``SendProcessor``."""

PUSH_MS_MAX = 10_000
"""How long the requester has to take a reply. Source: Broker2Client.java, callClient(), 5.3.3."""

REPLY_TO_CLIENT = props.MESSAGE_REPLY_TO_CLIENT.decode()
PUSH_REPLY_TIME = props.PUSH_REPLY_TIME.decode()
NOT_STORED_ID = "0"
"""The message id of a reply that arrived but is not stored: clients want one."""


class ReplyProcessor:
    """Hands replies to who asked. Source: ReplyMessageProcessor.java, 5.3.3."""

    def __init__(
        self,
        config: BrokerConfig,
        settings: SendSettings,
        checked_topic: CheckedTopic,
        producers: Producers,
        store: MessageStore,
        safe: Wait | None,
        clock: Clock,
        chance: Chance,
    ) -> None:
        """``safe`` tells when a stored reply is as safe as senders want; None: at once.

        ``config`` and ``safe`` may be replaced while running: assign the attribute.
        """
        self.config = config
        self._checked_topic = checked_topic
        self._producers = producers
        self._store = store
        self.safe = safe
        self._clock = clock
        self._chance = chance
        self._store_host = settings.store_host
        port = int.from_bytes(settings.store_host[-4:], "big")
        self._store_address = f"{settings.broker_ip}:{port}"
        self._response_fields = {
            "MSG_REGION": settings.region_id,
            "TRACE_ON": str(settings.trace_on).lower(),
        }

    @handles(RequestCode.SEND_REPLY_MESSAGE, SendMessageRequestHeader)
    async def reply(self, request: Request[SendMessageRequestHeader]) -> Response:
        """Hand over a reply sent with the long header.

        :raises CommandError: the topic does not take messages, as for any message sent.
        """
        return await self._reply(request)

    @handles(RequestCode.SEND_REPLY_MESSAGE_V2, SendMessageRequestHeaderV2)
    async def reply_v2(self, request: Request[SendMessageRequestHeaderV2]) -> Response:
        """Hand over a reply sent with the short header.

        :raises CommandError: as ``reply``.
        """
        return await self._reply(request)

    async def _reply(self, request: SendRequest) -> Response:
        """The answer says whether the requester has taken the reply; storing it changes no code."""
        config = self._checked_topic(request)
        queue_id = request.header.queue_id
        if queue_id < 0:
            queue_id = self._chance.below(config.write_queue_nums)
        fault = await self._push(request)
        header = None
        if fault is None:
            header = SendMessageResponseHeader(
                msg_id=NOT_STORED_ID, queue_id=queue_id, queue_offset=0
            )
        else:
            logger.warning("event=reply_not_pushed cause=%s", fault)
        if self.config.storeReplyMessageEnable:
            header = await self._stored(request, queue_id) or header
        code = ResponseCode.SUCCESS if fault is None else ResponseCode.SYSTEM_ERROR
        return Response(header, code, fault, b"", self._response_fields)

    async def _push(self, request: SendRequest) -> str | None:
        """Give the reply to the requester; why it has not taken it, None if it has."""
        header = request.header
        properties = props.parse((header.properties or "").encode(errors="replace"))
        requester = properties.get(REPLY_TO_CLIENT)
        if requester is None:
            return f"reply message properties[{REPLY_TO_CLIENT}] is null"
        channel = self._producers.channel_of(requester)
        if channel is None:
            return f"push reply message fail, channel of <{requester}> not found."
        now_ms = self._clock.wall_ms()
        properties[PUSH_REPLY_TIME] = str(now_ms)
        pushed = ReplyMessageRequestHeader(
            producer_group=header.producer_group,
            topic=header.topic,
            default_topic=header.default_topic,
            default_topic_queue_nums=header.default_topic_queue_nums,
            queue_id=header.queue_id,
            sys_flag=header.sys_flag,
            born_timestamp=header.born_timestamp,
            flag=header.flag,
            properties=props.build(properties).decode(),
            reconsume_times=header.reconsume_times,
            unit_mode=header.unit_mode or False,
            born_host=request.channel.remote_address,
            store_host=self._store_address,
            store_timestamp=now_ms,
        )
        command = Command(
            code=RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT,
            ext_fields=ext_fields_of(pushed),
            body=request.body,
        )
        try:
            answer = await channel.call(command, PUSH_MS_MAX)
        except CallError as error:
            return f"push reply message to {requester} fail: {error}"
        if answer.code != ResponseCode.SUCCESS:
            return f"push reply message to {requester} fail: {answer.remark}"
        return None

    async def _stored(
        self, request: SendRequest, queue_id: int
    ) -> SendMessageResponseHeader | None:
        """Store the reply with its properties as sent; None if the store refused it.

        Java forgets the sysFlag, so that a compressed reply cannot be read any more; here it stays.
        """
        header = request.header
        text = (header.properties or "").encode(errors="replace")
        result = self._store.put(
            PutMessage(
                header.topic,
                queue_id,
                request.body,
                text,
                header.flag,
                header.sys_flag,
                header.born_timestamp,
                request.channel.host_bytes,
                header.reconsume_times or 0,
            )
        )
        if result.status is not PutStatus.PUT_OK:
            logger.warning("event=reply_not_stored cause=%s", result.remark or result.status.name)
            return None
        if self.safe is not None and props.find(text, props.WAIT_STORE_MSG_OK) != b"false":
            await self.safe(result.end)
        return SendMessageResponseHeader(
            msg_id=build_offset_message_id(self._store_host, result.position),
            queue_id=queue_id,
            queue_offset=result.queue_offset,
        )
