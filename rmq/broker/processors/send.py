"""Sending: SEND_MESSAGE in its three codes.

The hot path is a message whose properties hold nothing that the broker must act on: its text is
kept as it came, with what every stored message gets (region, trace switch, cluster) at its end.
Anything else takes the path through a dict, as Java does for every message.

A put that must survive (SYNC_FLUSH or SYNC_MASTER, and WAIT not "false") is answered when it is on
disk, or in the logs of slaves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from codec.bodies.topics import TopicConfig
from codec.codes import V3_4_9, RequestCode, ResponseCode
from codec.errors import CodecError
from codec.frame import JSON
from codec.headers.send import (
    SendMessageRequestHeader,
    SendMessageRequestHeaderV2,
    SendMessageResponseHeader,
)
from codec.message import properties as props
from codec.message.batch import split_batch
from codec.message.sysflag import MULTI_TAGS, TRANSACTION_NORMAL, with_transaction_type
from codec.templates import ResponseTemplate
from rmq.base.errors import CommandError
from rmq.base.ports import Chance, Clock
from rmq.broker import names
from rmq.broker.delaying import TIMER_PROPERTIES, delay_level, put_off
from rmq.broker.groups import Groups
from rmq.broker.processors import plain
from rmq.broker.processors.send_late import Late, LateRun
from rmq.broker.queue_locks import QueueLocks
from rmq.broker.replicas import Wait
from rmq.broker.role import Role, RoleHolder
from rmq.broker.topics import Topics
from rmq.broker.transactions.half import HALF_QUEUE, add_origin
from rmq.remoting.handling import Answer, Request, Response, handles, handles_runs
from rmq.store.messages import PutMessage, PutResult, PutStatus
from rmq.store.store import MessageStore

SendRequest: TypeAlias = Request[SendMessageRequestHeader] | Request[SendMessageRequestHeaderV2]

Prepared: TypeAlias = tuple[PutMessage, int, bytes, bool]
"""A message, the queue its sender is told, its unique key, whether its sender waits for safety."""

PUT_OK = PutStatus.PUT_OK
PERM_WRITE = 2
PERM_READ_WRITE = 6
UNIT_TOPIC, UNIT_RETRY_TOPIC = 1, 2
"""Bits of topicSysFlag, for clients in unit mode. Source: TopicSysFlag.java, 5.3.3."""

DEAD_LETTER_QUEUES = 1

STORED = (
    PutStatus.PUT_OK,
    PutStatus.FLUSH_DISK_TIMEOUT,
    PutStatus.FLUSH_SLAVE_TIMEOUT,
    PutStatus.SLAVE_NOT_AVAILABLE,
)
"""These count as sent: the response carries the header whatever its code."""

CODES = {
    PutStatus.PUT_OK: ResponseCode.SUCCESS,
    PutStatus.FLUSH_DISK_TIMEOUT: ResponseCode.FLUSH_DISK_TIMEOUT,
    PutStatus.FLUSH_SLAVE_TIMEOUT: ResponseCode.FLUSH_SLAVE_TIMEOUT,
    PutStatus.SLAVE_NOT_AVAILABLE: ResponseCode.SLAVE_NOT_AVAILABLE,
    PutStatus.MESSAGE_ILLEGAL: ResponseCode.MESSAGE_ILLEGAL,
    PutStatus.PROPERTIES_SIZE_EXCEEDED: ResponseCode.MESSAGE_ILLEGAL,
    PutStatus.SERVICE_NOT_AVAILABLE: ResponseCode.SERVICE_NOT_AVAILABLE,
    PutStatus.OS_PAGE_CACHE_BUSY: ResponseCode.SYSTEM_BUSY,
}
"""Source: SendMessageProcessor.java, handlePutMessageResult(), 5.3.3; any other is SYSTEM_ERROR."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendSettings:
    """What sending must know of the broker's configuration."""

    cluster_name: str
    broker_ip: str
    store_host: bytes
    region_id: str
    trace_on: bool
    permission: Callable[[], int]
    accept_from_ms: int
    delay_level_max: int
    reject_transactions: Callable[[], bool]
    role: RoleHolder
    slave_may_act: bool = False
    waits_always: bool = False
    """Whether senders wait for safety though their properties say no (WAIT=false)."""


def refuse_on_slave(settings: SendSettings) -> None:
    """Send a producer away from a slave, before anything is made for it.

    One that may act as master is asked further, and its store refuses.
    Source: SendMessageProcessor.java, rejectRequest(); NettyRemotingAbstract.java,
    processRequestCommand(), 5.3.3.

    :raises CommandError: SYSTEM_BUSY.
    """
    if not settings.role.now.is_master and not settings.slave_may_act:
        raise CommandError(
            ResponseCode.SYSTEM_BUSY,
            "[REJECTREQUEST]system busy, start flow control for a while: this broker is a slave",
        )


class SendProcessor:
    """Stores what producers send."""

    def __init__(
        self,
        settings: SendSettings,
        topics: Topics,
        groups: Groups,
        locks: QueueLocks,
        store: MessageStore,
        safe: Wait | None,
        clock: Clock,
        chance: Chance,
        new_unique_key: Callable[[], str],
    ) -> None:
        """``safe`` tells when a put is as safe as senders want; None: as soon as it is written.

        It may be replaced while running: assign the attribute.
        """
        self._settings = settings
        self._topics = topics
        self._groups = groups
        self._locks = locks
        self._store = store
        self.safe = safe
        self.enough: Callable[[], bool] | None = None
        """Whether enough brokers are there for messages that are waited for; None: always."""
        self._clock = clock
        self._chance = chance
        self._accept_from_ms = settings.accept_from_ms
        self._new_unique_key = new_unique_key
        self._host_hex = settings.store_host.hex().upper()
        trace = str(settings.trace_on).lower()
        self._added = {
            "MSG_REGION": settings.region_id,
            "TRACE_ON": trace,
            "CLUSTER": settings.cluster_name,
        }
        self._suffix = "".join(f"{name}\x01{value}\x02" for name, value in self._added.items())
        self._response_fields = {"MSG_REGION": settings.region_id, "TRACE_ON": trace}
        self._reply = ResponseTemplate(
            SendMessageResponseHeader,
            {
                "msg_id": self._host_hex + "%016X",
                "queue_id": "%d",
                "queue_offset": "%d",
                "transaction_id": "%b",
            },
            self._response_fields,
        ).frame
        self._put = store.put
        self._looks_closer = True
        """Whether more is to be seen to than what the topic says."""
        settings.role.on_change(self._role_changed)
        self._role_changed(settings.role.now, settings.role.now)

    @handles(RequestCode.SEND_MESSAGE, SendMessageRequestHeader)
    def send(self, request: Request[SendMessageRequestHeader]) -> Answer:
        """Store a message sent with the long header.

        :raises CommandError: refused, as Java does and with its codes.
        """
        return self._put_batch(request) if request.header.batch else self._put_one(request)

    @handles(RequestCode.SEND_MESSAGE_V2, SendMessageRequestHeaderV2)
    def send_v2(self, request: Request[SendMessageRequestHeaderV2]) -> Answer:
        """Store a message sent with the short header.

        :raises CommandError: as ``send``.
        """
        return self._put_batch(request) if request.header.batch else self._put_one(request)

    @handles(RequestCode.SEND_BATCH_MESSAGE, SendMessageRequestHeaderV2)
    def send_batch(self, request: Request[SendMessageRequestHeaderV2]) -> Answer:
        """Store a batch: all of its messages or none.

        :raises CommandError: as ``send``; MESSAGE_ILLEGAL for a body that is no batch.
        """
        return self._put_batch(request) if request.header.batch else self._put_one(request)

    @handles_runs(RequestCode.SEND_MESSAGE_V2)
    def send_run(
        self, requests: Sequence[Request[SendMessageRequestHeaderV2]]
    ) -> list[Answer | Exception]:
        """Store messages that came together: one look at the clock, one write to the log."""
        answers: list[Answer | Exception] = [None] * len(requests)
        waiting: list[tuple[int, Prepared]] = []
        for number, request in enumerate(requests):
            try:
                if request.header.batch:
                    self._put_run(requests, waiting, answers)
                    answers[number] = self._put_batch(request)
                else:
                    waiting.append((number, self._prepared(request)))
            except Exception as error:  # noqa: BLE001 - it is this request's alone, and answered so
                answers[number] = error
        self._put_run(requests, waiting, answers)
        return answers

    def _put_run(
        self,
        requests: Sequence[Request[SendMessageRequestHeaderV2]],
        waiting: list[tuple[int, Prepared]],
        answers: list[Answer | Exception],
    ) -> None:
        """Store what is prepared and fill in its answers; of those that wait the last has all."""
        results = self._store.put_run([prepared[0] for _, prepared in waiting])
        late = LateRun(self._respond)
        last = 0
        for (number, prepared), result in zip(waiting, results, strict=True):
            request = requests[number]
            reply = self._reply_to(request, prepared, result)
            if reply is not None:
                if not prepared[3]:
                    answers[number] = reply
                elif not request.oneway:
                    _, queue_id, unique_key, _ = prepared
                    late.add(Late(request, result, queue_id, unique_key.decode(), reply))
                    last = number
                continue
            try:
                answers[number] = self._answer(prepared, result, None)
            except CommandError as refusal:
                answers[number] = refusal
        if late:
            assert self.safe is not None, "somebody waits for it"
            answers[last] = late.answer(self.safe)
        waiting.clear()

    def _put_one(self, request: SendRequest) -> Answer:
        prepared = self._prepared(request)
        result = self._put(prepared[0])
        return self._answer(prepared, result, self._reply_to(request, prepared, result))

    def _prepared(self, request: SendRequest) -> Prepared:
        """What is to be stored for a request, if it may be.

        :raises CommandError: refused.
        """
        header = request.header
        topic = header.topic
        queue_id = header.queue_id
        config = self._topics.get(topic)
        if (
            config is None
            or not 0 <= queue_id < config.write_queue_nums
            or topic in names.NOT_ALLOWED_SEND_TOPICS
            or self._looks_closer
            or config.order
        ):
            refuse_on_slave(self._settings)
            config = self.checked_topic(request)
            if queue_id < 0:
                queue_id = self._chance.below(config.write_queue_nums)
        text = header.properties or ""
        found = wanted = None
        if topic[0] != "%" and (not text or text[-1] == plain.END):
            found = plain.read(text, self._new_unique_key)
        if found is None:
            topic, target, sys_flag, key, stored = self._looked_at(request, queue_id)
            unique_key = key.encode(errors="replace")
        else:
            target = queue_id
            sys_flag = header.sys_flag
            unique_key, wanted, is_new = found
            stored = text + self._suffix
            if is_new:
                stored = f"{text}UNIQ_KEY\x01{unique_key.decode()}\x02{self._suffix}"
        if config.topic_filter_type == "MULTI_TAG":
            sys_flag |= MULTI_TAGS
        if self.enough is not None and _is_waited_for(stored):
            _refuse_unless(self.enough())
        message = PutMessage(
            topic,
            target,
            request.body,
            stored.encode(errors="replace"),
            header.flag,
            sys_flag,
            header.born_timestamp,
            request.channel.host_bytes,
            header.reconsume_times or 0,
            0,
            wanted,
        )
        is_waited_for = self.safe is not None and (
            self._settings.waits_always or _is_waited_for(stored)
        )
        return message, queue_id, unique_key, is_waited_for

    def _reply_to(
        self, request: SendRequest, prepared: Prepared, result: PutResult
    ) -> bytes | None:
        """The answer to a put that went well, where it can be written at once."""
        _, queue_id, unique_key, _ = prepared
        if result.status is PUT_OK and request.encoding == JSON and unique_key.isalnum():
            return self._reply(
                result.position, queue_id, result.queue_offset, unique_key, request.opaque
            )
        return None

    def _answer(self, prepared: Prepared, result: PutResult, reply: bytes | None) -> Answer:
        """What the sender is told, at once or when its message is safe."""
        _, queue_id, unique_key, is_waited_for = prepared
        if is_waited_for and self.safe is not None:
            return self._when_safe(self.safe, result, queue_id, unique_key.decode(), reply)
        return reply or self._respond(result, queue_id, unique_key.decode())

    def _looked_at(self, request: SendRequest, queue_id: int) -> tuple[str, int, int, str, str]:
        """Topic, queue, sysFlag, unique key and properties after a look at each property.

        Those it is stored with: the producer is told the queue that it asked for, as in Java.

        :raises CommandError: as ``_retry_or_dead_letter``, ``_is_half``, ``_refuse_unserved``,
            ``put_off``.
        """
        topic = request.header.topic
        sys_flag = request.header.sys_flag
        properties = props.parse((request.header.properties or "").encode(errors="replace"))
        properties.pop("POP_CK", None)
        if topic.startswith(names.RETRY_PREFIX):
            topic, queue_id = self._retry_or_dead_letter(request, queue_id, properties)
        unique_key = properties.get("UNIQ_KEY", "")
        if not unique_key:
            unique_key = properties["UNIQ_KEY"] = self._new_unique_key()
        is_half = self._is_half(request, properties)
        if is_half:
            properties.pop("DELAY", None)  # as the stock producer does: a commit is not put off
        self._refuse_unserved(request, properties)
        for name in self._added:
            properties.pop(name, None)
        if is_half:
            add_origin(properties, topic, queue_id)
            topic, queue_id = names.HALF_TOPIC, HALF_QUEUE
            sys_flag = with_transaction_type(sys_flag, TRANSACTION_NORMAL)
        else:
            topic, queue_id = put_off(
                topic, queue_id, sys_flag, properties, self._settings.delay_level_max
            )
        stored = props.build(properties).decode() + self._suffix
        return topic, queue_id, sys_flag, unique_key, stored

    def _is_half(self, request: SendRequest, properties: dict[str, str]) -> bool:
        """Whether a message begins a transaction.

        Consumers before 4.6.1 send back with the properties of what they got, hence the second
        condition. Source: SendMessageProcessor.java, sendMessage(), 5.3.3.

        :raises CommandError: NO_PERMISSION, rejectTransactionMessage.
        """
        if properties.get("TRAN_MSG", "").lower() != "true":
            return False
        if (request.header.reconsume_times or 0) > 0 and delay_level(properties) > 0:
            return False
        if self._settings.reject_transactions():
            raise CommandError(
                ResponseCode.NO_PERMISSION,
                f"the broker[{self._settings.broker_ip}] sending transaction message is forbidden",
            )
        return True

    def _role_changed(self, _before: Role, after: Role) -> None:
        self._looks_closer = not after.is_master or self._accept_from_ms > 0

    def _put_batch(self, request: SendRequest) -> Answer:
        header = request.header
        refuse_on_slave(self._settings)
        config = self.checked_topic(request)
        if names.is_retry_topic(header.topic):
            raise CommandError(
                ResponseCode.MESSAGE_ILLEGAL,
                f"batch request does not support retry group {header.topic}",
            )
        queue_id = header.queue_id
        if queue_id < 0:
            queue_id = self._chance.below(config.write_queue_nums)
        properties = props.parse((header.properties or "").encode(errors="replace"))
        properties.update(self._added)
        properties.pop("POP_CK", None)
        self._refuse_unserved(request, properties)
        if self._is_half(request, properties):
            raise CommandError(
                ResponseCode.MESSAGE_ILLEGAL,
                "a batch cannot begin a transaction, send its messages one by one. "
                f"Producer: {request.channel.remote_address}",
            )
        if delay_level(properties) > 0:
            raise CommandError(
                ResponseCode.MESSAGE_ILLEGAL,
                "a batch cannot be delayed, send its messages one by one. "
                f"Producer: {request.channel.remote_address}",
            )
        try:
            items = split_batch(request.body)
        except CodecError as error:
            raise CommandError(
                ResponseCode.MESSAGE_ILLEGAL, f"the body is not a batch of messages: {error}"
            ) from error
        if self.enough is not None and properties.get("WAIT") != "false":
            _refuse_unless(self.enough())
        sys_flag = header.sys_flag
        if config.topic_filter_type == "MULTI_TAG":
            sys_flag |= MULTI_TAGS
        result = self._store.put_batch(
            PutMessage(
                header.topic,
                queue_id,
                b"",
                props.build(properties),
                header.flag,
                sys_flag,
                header.born_timestamp,
                request.channel.host_bytes,
                header.reconsume_times or 0,
            ),
            items,
        )
        unique_key = properties.get("UNIQ_KEY", "")
        if self.safe is not None and (
            self._settings.waits_always or properties.get("WAIT") != "false"
        ):
            return self._when_safe(self.safe, result, queue_id, unique_key)
        return self._respond(result, queue_id, unique_key)

    def checked_topic(self, request: SendRequest) -> TopicConfig:
        """The topic's configuration, made on the fly where that is allowed.

        :raises CommandError: INVALID_PARAMETER (name, queue id), NO_PERMISSION (reserved topic,
            read-only broker), TOPIC_NOT_EXIST, SYSTEM_ERROR (sends are not accepted yet).
        """
        header = request.header
        topic = header.topic
        if self._accept_from_ms and self._clock.wall_ms() < self._accept_from_ms:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR,
                f"broker unable to service, until {self._accept_from_ms} ms since 1970",
            )
        config = self._topics.get(topic)
        if config is None or topic in names.NOT_ALLOWED_SEND_TOPICS:
            config = self._topic_made(request)
        if self._settings.permission() & PERM_WRITE == 0 and config.order:
            raise CommandError(
                ResponseCode.NO_PERMISSION,
                f"the broker[{self._settings.broker_ip}] sending message is forbidden",
            )
        none_to_choose = header.queue_id < 0 and config.write_queue_nums < 1
        if none_to_choose or header.queue_id >= max(
            config.write_queue_nums, config.read_queue_nums
        ):
            raise CommandError(
                ResponseCode.INVALID_PARAMETER,
                f"request queueId[{header.queue_id}] is illegal, topic {topic} has "
                f"{config.write_queue_nums} write and {config.read_queue_nums} read queues. "
                f"Producer: {request.channel.remote_address}",
            )
        return config

    def _topic_made(self, request: SendRequest) -> TopicConfig:
        header = request.header
        topic = header.topic
        fault = names.topic_fault(topic)
        if fault is not None:
            raise CommandError(ResponseCode.INVALID_PARAMETER, fault)
        if topic in names.NOT_ALLOWED_SEND_TOPICS:
            raise CommandError(
                ResponseCode.NO_PERMISSION, f"Sending message to topic[{topic}] is forbidden."
            )
        is_retry = names.is_retry_topic(topic)
        flag = 0
        if header.unit_mode:
            flag = UNIT_RETRY_TOPIC if is_retry else UNIT_TOPIC
        config = self._topics.create_on_send(
            topic,
            header.default_topic,
            request.channel.remote_address,
            header.default_topic_queue_nums,
            flag,
        )
        if config is None and is_retry:
            config = self._topics.create_on_send_back(topic, 1, PERM_READ_WRITE, flag)
        if config is None:
            raise CommandError(
                ResponseCode.TOPIC_NOT_EXIST,
                f"topic[{topic}] not exist, apply first please! "
                "Create it with mqadmin updateTopic, or set autoCreateTopicEnable=true.",
            )
        return config

    def _retry_or_dead_letter(
        self, request: SendRequest, queue_id: int, properties: dict[str, str]
    ) -> tuple[str, int]:
        """Where a message for another try goes: its retry topic, or the dead letters.

        Source: SendMessageProcessor.java, handleRetryAndDLQ(), 5.3.3.

        :raises CommandError: SUBSCRIPTION_GROUP_NOT_EXIST.
        """
        header = request.header
        group = names.group_of(header.topic)
        config = self._groups.find(group)
        if config is None:
            raise CommandError(
                ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, f"subscription group not exist, {group}"
            )
        tries_max = config.retry_max_times
        if request.version >= V3_4_9 and header.max_reconsume_times is not None:
            tries_max = header.max_reconsume_times
        if (header.reconsume_times or 0) <= tries_max and self._locks.is_lock_all_expired(group):
            return header.topic, queue_id
        dead = names.dead_letter_topic(group)
        self._topics.create_on_send_back(dead, DEAD_LETTER_QUEUES, PERM_READ_WRITE, 0)
        properties.pop("DELAY", None)
        return dead, self._chance.below(DEAD_LETTER_QUEUES)

    def _refuse_unserved(self, request: SendRequest, properties: dict[str, str]) -> None:
        """Refuse what would be stored but never handled: better no message than a lost one."""
        if delay_level(properties) <= 0 and any(name in properties for name in TIMER_PROPERTIES):
            raise CommandError(
                ResponseCode.MESSAGE_ILLEGAL,
                "this version of rmq does not deliver at any given time yet, use a delay level. "
                f"Producer: {request.channel.remote_address}",
            )

    def _when_safe(
        self,
        safe: Wait,
        result: PutResult,
        queue_id: int,
        unique_key: str,
        reply: bytes | None = None,
    ) -> Answer:
        """The answer when the put is safe, or is not in time; ``reply`` if it is, where known."""
        if result.status is not PutStatus.PUT_OK:
            return self._respond(result, queue_id, unique_key)

        def told(status: PutStatus) -> Response | bytes:
            if status is PUT_OK and reply is not None:
                return reply
            result.status = status
            return self._respond(result, queue_id, unique_key)

        done = safe(result.end)
        if not done.called:
            return done.addCallback(told)
        status = done.result
        assert isinstance(status, PutStatus), f"{status=}"
        return told(status)

    def _respond(self, result: PutResult, queue_id: int, unique_key: str) -> Response:
        status = result.status
        if status is not PutStatus.PUT_OK and status not in STORED:
            raise CommandError(
                CODES.get(status, ResponseCode.SYSTEM_ERROR), result.remark or status.name
            )
        host = self._host_hex
        if result.positions:
            message_id = ",".join([f"{host}{position:016X}" for position in result.positions])
        else:
            message_id = f"{host}{result.position:016X}"
        return Response(
            SendMessageResponseHeader(
                msg_id=message_id,
                queue_id=queue_id,
                queue_offset=result.queue_offset,
                transaction_id=unique_key or None,
            ),
            CODES[status],
            None,
            b"",
            self._response_fields,
        )


def _is_waited_for(text: str) -> bool:
    """Whether the sender waits for the disk, as it does unless its properties say no."""
    return not (text.startswith("WAIT\x01false\x02") or "\x02WAIT\x01false\x02" in text)


def _refuse_unless(enough: bool) -> None:
    """Better no message than one that fewer brokers have than the configuration wants.

    Source: CommitLog.java, asyncPutMessage(); SendMessageProcessor.java, handlePutMessageResult(),
    IN_SYNC_REPLICAS_NOT_ENOUGH, 5.3.3.
    """
    if not enough:
        raise CommandError(ResponseCode.SYSTEM_ERROR, "in-sync replicas not enough")
