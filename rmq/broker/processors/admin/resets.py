"""Having a group consume again, or skip: INVOKE_BROKER_TO_RESET_OFFSET in its two ways.

*Recorded* (``useServerSideResetOffset``, the default): the broker notes the new offsets; whoever
reads the queue next is told by the answer to its pull. Nobody needs to be connected.

*Pushed*: the members are told at once by RESET_CONSUMER_CLIENT_OFFSET, one way, and commit the new
offsets themselves; without members nothing happens.
"""

import logging
from collections.abc import Mapping

from codec.bodies import encode_body
from codec.bodies.message_queue import MessageQueue
from codec.bodies.offsets import MessageQueueForC, ResetOffsetBody, ResetOffsetBodyForC
from codec.codes import V3_0_7_SNAPSHOT, LanguageCode, RequestCode, ResponseCode
from codec.command import Command
from codec.headers.fields import ext_fields_of
from codec.headers.offsets import ResetOffsetRequestHeader
from rmq.base.errors import CommandError
from rmq.broker.clients import Client
from rmq.broker.consumers import Consumers
from rmq.broker.groups import Groups
from rmq.broker.offsets import NO_OFFSET, ConsumerOffsets
from rmq.broker.processors.admin.checks import known_topic
from rmq.broker.role import RoleHolder
from rmq.broker.topics import Topics
from rmq.conf.broker import BrokerConfig
from rmq.remoting.handling import Request, Response, handles
from rmq.store.store import MessageStore

logger = logging.getLogger(__name__)

NOT_GIVEN = -1
"""What asks for all queues (as queue id), or for no certain offset."""

CPP = LanguageCode.CPP.name


class ResetProcessor:
    """Source: resetOffset() of AdminBrokerProcessor.java and of Broker2Client.java, 5.3.3."""

    def __init__(
        self,
        config: BrokerConfig,
        topics: Topics,
        groups: Groups,
        consumers: Consumers,
        offsets: ConsumerOffsets,
        store: MessageStore,
        role: RoleHolder,
    ) -> None:
        """``config`` may be replaced while running: assign the attribute."""
        self.config = config
        self._topics = topics
        self._groups = groups
        self._consumers = consumers
        self._offsets = offsets
        self._store = store
        self._role = role

    @handles(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, ResetOffsetRequestHeader)
    def reset(self, request: Request[ResetOffsetRequestHeader]) -> Response:
        """Have a group go on at a time, at the end (a negative time), or in one queue at an offset.

        The answer has the new offsets by queue.

        :raises CommandError: as ``_recorded`` and ``_pushed``; SYSTEM_ERROR, this is a slave.
        """
        header = request.header
        if self.config.useServerSideResetOffset:
            if not self._role.now.is_master:
                raise CommandError(
                    ResponseCode.SYSTEM_ERROR, "Can not reset offset in slave broker"
                )
            targets = self._recorded(header)
        else:
            targets = self._pushed(header, request.language)
        logger.info(
            "event=offsets_reset group=%s topic=%s by=%s offsets=%s",
            header.group,
            header.topic,
            request.channel.remote_address,
            targets,
        )
        offsets = {self._queue(header, queue_id): offset for queue_id, offset in targets.items()}
        return Response(body=encode_body(ResetOffsetBody(offset_table=offsets)))

    def _recorded(self, header: ResetOffsetRequestHeader) -> dict[int, int]:
        """Note new offsets; a queue that the topic does not have is refused, unlike in Java.

        Source: AdminBrokerProcessor.java, resetOffsetInner(), 5.3.3.

        :raises CommandError: TOPIC_NOT_EXIST; SUBSCRIPTION_GROUP_NOT_EXIST; INVALID_PARAMETER, no
            such queue; SYSTEM_ERROR, the offset is outside the queue, or there is no queue.
        """
        topic, queue_id = header.topic, header.queue_id
        config = known_topic(self._topics, topic)
        if header.group not in self._groups:
            raise CommandError(
                ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, f"Group {header.group} does not exist"
            )
        queues = max(config.read_queue_nums, config.write_queue_nums)
        if queue_id >= queues:
            raise CommandError(
                ResponseCode.INVALID_PARAMETER,
                f"queueId {queue_id}, but topic {topic} has {queues} queues",
            )
        if queue_id < 0:
            targets = {
                number: self._offset_at(topic, number, header.timestamp)
                for number in range(config.read_queue_nums)
            }
        elif header.offset is None or header.offset == NOT_GIVEN:
            targets = {queue_id: self._offset_at(topic, queue_id, header.timestamp)}
        else:
            self._check_within(topic, queue_id, header.offset)
            targets = {queue_id: header.offset}
        if not targets:
            raise CommandError(ResponseCode.SYSTEM_ERROR, "No queues to reset.")
        for number, offset in targets.items():
            self._offsets.reset(header.group, topic, number, offset)
        return targets

    def _pushed(self, header: ResetOffsetRequestHeader, language: str) -> dict[int, int]:
        """Tell all members new offsets: those of a time, but none ahead unless that is forced.

        All are asked for their version before the first is told; Java stops half-way.

        :raises CommandError: TOPIC_NOT_EXIST; SYSTEM_ERROR, the group has no offset in a queue, or
            a member is too old; CONSUMER_NOT_ONLINE.
        """
        topic, group = header.topic, header.group
        targets: dict[int, int] = {}
        for queue_id in range(known_topic(self._topics, topic).write_queue_nums):
            consumed = self._offsets.query(group, topic, queue_id)
            if consumed == NO_OFFSET:
                raise CommandError(
                    ResponseCode.SYSTEM_ERROR,
                    f"THe consumer group <{group}> not exist: "
                    f"it has no offset in queue {queue_id} of topic {topic}",
                )
            offset = self._offset_at(topic, queue_id, header.timestamp)
            targets[queue_id] = offset if header.is_force else min(offset, consumed)
        members = self._members(header)
        for client in members:
            self._push(client, header, targets, language)
        return targets

    def _members(self, header: ResetOffsetRequestHeader) -> list[Client]:
        group = self._consumers.get(header.group)
        if group is None or not group.members:
            raise CommandError(
                ResponseCode.CONSUMER_NOT_ONLINE,
                f"Consumer not online, so can not reset offset, Group: {header.group} "
                f"Topic: {header.topic} Timestamp: {header.timestamp}",
            )
        members = list(group.members.values())
        for client in members:
            if client.version < V3_0_7_SNAPSHOT:
                raise CommandError(
                    ResponseCode.SYSTEM_ERROR,
                    "the client does not support this feature. "
                    f"version={client.version} client={client!r}",
                )
        return members

    def _push(
        self,
        client: Client,
        header: ResetOffsetRequestHeader,
        targets: Mapping[int, int],
        language: str,
    ) -> None:
        """Tell a member; C++ clients read a list only.

        Java makes the list only if who asks says to be C++; here a member that does gets it too.
        """
        body: ResetOffsetBody | ResetOffsetBodyForC
        queues = {self._queue(header, queue_id): offset for queue_id, offset in targets.items()}
        if CPP in (language, client.language):
            body = ResetOffsetBodyForC(
                offset_table=[
                    MessageQueueForC(
                        broker_name=queue.broker_name,
                        offset=offset,
                        queue_id=queue.queue_id,
                        topic=queue.topic,
                    )
                    for queue, offset in queues.items()
                ]
            )
        else:
            body = ResetOffsetBody(offset_table=queues)
        told = ResetOffsetRequestHeader(
            topic=header.topic, group=header.group, timestamp=header.timestamp
        )
        client.channel.send(
            Command(
                code=RequestCode.RESET_CONSUMER_CLIENT_OFFSET,
                ext_fields=ext_fields_of(told),
                body=encode_body(body),
            )
        )

    def _offset_at(self, topic: str, queue_id: int, timestamp_ms: int) -> int:
        """The offset for a time; where the queue ends if it is negative."""
        if timestamp_ms < 0:
            return self._store.max_offset(topic, queue_id)
        return self._store.offset_by_time(topic, queue_id, timestamp_ms)

    def _check_within(self, topic: str, queue_id: int, offset: int) -> None:
        first = self._store.min_offset(topic, queue_id)
        end = self._store.max_offset(topic, queue_id)
        if not first <= offset <= end + 1:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR,
                f"Target offset {offset} not in consume queue range [{first}-{end}]",
            )

    def _queue(self, header: ResetOffsetRequestHeader, queue_id: int) -> MessageQueue:
        return MessageQueue(
            topic=header.topic, broker_name=self.config.brokerName, queue_id=queue_id
        )
