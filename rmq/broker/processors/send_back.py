"""Sending back: a consumer could not consume a message now; CONSUMER_SEND_MSG_BACK.

The group gets it again from its retry topic after a delay that grows with each try, or, when it
was tried too often, never: then it lies among the group's dead letters.
"""

from dataclasses import dataclass

from codec.codes import V3_4_9, RequestCode, ResponseCode
from codec.errors import CodecError
from codec.headers.send import ConsumerSendMsgBackRequestHeader
from codec.message import properties as props
from codec.message.ids import build_offset_message_id
from codec.message.record import Record, parse_record
from rmq.base.errors import CommandError
from rmq.base.ports import Chance
from rmq.broker import names
from rmq.broker.delaying import put_off
from rmq.broker.groups import Groups
from rmq.broker.processors.send import (
    DEAD_LETTER_QUEUES,
    PERM_READ_WRITE,
    PERM_WRITE,
    UNIT_RETRY_TOPIC,
    SendSettings,
    refuse_on_slave,
)
from rmq.broker.replicas import Wait
from rmq.broker.stats import BrokerStats
from rmq.broker.topics import Topics
from rmq.remoting.handling import Answer, Request, Response, handles
from rmq.store.messages import PutMessage, PutStatus
from rmq.store.store import MessageStore

FIRST_RETRY_LEVEL = 3
"""Delay level of the first try again, where the client leaves the choice; one more each time."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a message sent back goes, and after what delay; level 0 to the dead letters."""

    topic: str
    queue_id: int
    delay_level: int


class SendBackProcessor:
    """Source: AbstractSendMessageProcessor.java, consumerSendMsgBack(), 5.3.3."""

    def __init__(
        self,
        settings: SendSettings,
        topics: Topics,
        groups: Groups,
        store: MessageStore,
        safe: Wait | None,
        stats: BrokerStats,
        chance: Chance,
    ) -> None:
        """``safe`` tells when a put is as safe as senders want; None: as soon as it is written.

        It may be replaced while running: assign the attribute.
        """
        self._settings = settings
        self._topics = topics
        self._groups = groups
        self._store = store
        self.safe = safe
        self._stats = stats
        self._chance = chance

    @handles(RequestCode.CONSUMER_SEND_MSG_BACK, ConsumerSendMsgBackRequestHeader)
    def send_back(self, request: Request[ConsumerSendMsgBackRequestHeader]) -> Answer:
        """Store a message again for its group's next try, or as a dead letter.

        A group without retry queues has it dropped. The answer waits until the copy is safe, for
        the consumer then forgets the message; Java does not wait.

        :raises CommandError: SYSTEM_BUSY, this is a slave; SUBSCRIPTION_GROUP_NOT_EXIST;
            NO_PERMISSION, the broker or the retry topic is read-only; SYSTEM_ERROR, no message
            begins at the offset, or the store refused it.
        """
        refuse_on_slave(self._settings)
        header = request.header
        group = self._groups.find(header.group)
        if group is None:
            raise CommandError(
                ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
                f"subscription group not exist, {header.group}",
            )
        if self._settings.permission() & PERM_WRITE == 0:
            raise CommandError(
                ResponseCode.NO_PERMISSION,
                f"the broker[{self._settings.broker_ip}] sending message is forbidden",
            )
        if group.retry_queue_nums <= 0:
            return Response()
        retry = self._retry_queue(header, group.retry_queue_nums)
        record = self._record(header.offset)
        tries_max = group.retry_max_times
        if request.version >= V3_4_9 and header.max_reconsume_times is not None:
            tries_max = header.max_reconsume_times
        if record.reconsume_times >= tries_max or header.delay_level < 0:
            goal = self._dead_letter_queue(header.group)
        else:
            level = header.delay_level or FIRST_RETRY_LEVEL + record.reconsume_times
            goal = Destination(*retry, level)
        end = self._put(header.group, record, goal)
        return Response() if self.safe is None else self.safe(end).addCallback(_told)

    def _retry_queue(
        self, header: ConsumerSendMsgBackRequestHeader, queues: int
    ) -> tuple[str, int]:
        """The group's retry topic, made if absent, and one of ``queues`` queues."""
        topic = names.retry_topic(header.group)
        queue_id = self._chance.below(queues)
        flag = UNIT_RETRY_TOPIC if header.unit_mode else 0
        config = self._topics.create_on_send_back(topic, queues, PERM_READ_WRITE, flag)
        if config.perm & PERM_WRITE == 0:
            raise CommandError(
                ResponseCode.NO_PERMISSION, f"the topic[{topic}] sending message is forbidden"
            )
        return topic, queue_id

    def _dead_letter_queue(self, group: str) -> Destination:
        topic = names.dead_letter_topic(group)
        self._topics.create_on_send_back(topic, DEAD_LETTER_QUEUES, PERM_READ_WRITE, 0)
        return Destination(topic, self._chance.below(DEAD_LETTER_QUEUES), 0)

    def _record(self, position: int) -> Record:
        data = self._store.message_at(position)
        try:
            record = parse_record(data or b"", 0, len(data or b""))
        except CodecError as error:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR, f"look message by offset failed, {position}"
            ) from error
        assert isinstance(record, Record), "what has a head is no blank"
        return record

    def _put(self, group: str, record: Record, goal: Destination) -> int:
        """Store a copy of a record as sent back once more; where it ends in the log."""
        properties = props.parse(props.remove(record.properties, props.CRC32))
        origin = properties.setdefault("RETRY_TOPIC", record.topic.decode(errors="replace"))
        properties["WAIT"] = "false"
        properties["DELAY"] = str(goal.delay_level)
        if not properties.get("ORIGIN_MESSAGE_ID", "").strip():
            message_id = build_offset_message_id(record.store_host, record.position)
            properties["ORIGIN_MESSAGE_ID"] = message_id
        topic, queue_id = put_off(
            goal.topic,
            goal.queue_id,
            record.sys_flag,
            properties,
            self._settings.delay_level_max,
        )
        result = self._store.put(
            PutMessage(
                topic,
                queue_id,
                record.body,
                props.build(properties),
                record.flag,
                record.sys_flag,
                record.born_timestamp,
                record.born_host,
                record.reconsume_times + 1,
            )
        )
        if result.status is not PutStatus.PUT_OK:
            cause = f": {result.remark}" if result.remark else ""
            raise CommandError(ResponseCode.SYSTEM_ERROR, result.status.name + cause)
        self._stats.sent_back(group, origin)
        return result.end


def _told(status: PutStatus) -> Response:
    if status is not PutStatus.PUT_OK:
        raise CommandError(ResponseCode.SYSTEM_ERROR, status.name)
    return Response()
