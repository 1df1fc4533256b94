"""Half messages and what is made of them.

``TRAN_MSG`` and ``PGROUP`` are the producer's properties; the broker adds ``REAL_TOPIC``,
``REAL_QID`` and ``__transactionId__`` and sets the transaction bits of sysFlag to normal, so that
the half message is in a consume queue, and has an offset there.
"""

import re
from typing import TypeAlias

from codec.bodies.topics import TopicConfig
from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.headers.fields import ext_fields_of
from codec.headers.transactions import CheckTransactionStateRequestHeader
from codec.message import properties as props
from codec.message.ids import build_offset_message_id
from codec.message.record import Record, pack_record, parse_record
from codec.message.sysflag import (
    TRANSACTION_COMMIT,
    TRANSACTION_NORMAL,
    transaction_type,
    with_transaction_type,
)
from rmq.base.errors import CommandError
from rmq.broker import names
from rmq.broker.transactions.endings import Endings, Identity
from rmq.store.messages import PutMessage
from rmq.store.store import MessageStore

HALF_QUEUE = 0
"""Half messages go into this queue only."""

FOUND_MAX = 64
"""Records of one unique key that are looked at for a commit."""

LATEST_MS = 1 << 62
"""Later than any record."""

Known: TypeAlias = dict[bytes, bytes]
"""Properties of a half message, those of ``_KNOWN`` that it has."""

_KNOWN = re.compile(
    rb"\x02(UNIQ_KEY|TAGS|KEYS|PGROUP|REAL_TOPIC|REAL_QID|CHECK_IMMUNITY_TIME_IN_SECONDS)"
    rb"\x01([^\x02]+)"
)
"""What an end asks of a half message's properties, and what queue and index want of them."""

MAX_TIME_TOPIC = TopicConfig(
    topic_name=names.CHECK_MAX_TIME_TOPIC, read_queue_nums=1, write_queue_nums=1, perm=6
)
"""Made when the first transaction is given up."""


def add_origin(properties: dict[str, str], topic: str, queue_id: int) -> None:
    """Let the properties of a half message say where it belongs.

    Source: TransactionalMessageBridge.java, parseHalfMessageInner(), 5.3.3.
    """
    unique_key = properties.get("UNIQ_KEY")
    if unique_key:
        properties["__transactionId__"] = unique_key
    properties["REAL_TOPIC"] = topic
    properties["REAL_QID"] = str(queue_id)


def half_at(store: MessageStore, position: int) -> Record | None:
    """The record at a position of the log, None if none begins there that a queue could name."""
    stored = store.message_at(position)
    if stored is None:
        return None
    record = parse_record(stored, 0, len(stored), check_crc=False)
    return record if isinstance(record, Record) else None


def known_of(half: Record) -> Known:
    """What an end must know of a half message, found in one pass; as ``props.find`` finds it."""
    return dict(_KNOWN.findall(props.PROPERTY_SEPARATOR + half.properties))


def identity_of(half: Record, known: Known) -> Identity:
    """What tells the half messages of one transaction from all others.

    ``known`` is ``known_of(half)``. Every half message has a unique key: the broker sees to it.
    """
    return (
        known.get(props.UNIQ_CLIENT_MESSAGE_ID_KEYIDX, b""),
        known.get(props.PRODUCER_GROUP, b""),
        known.get(props.REAL_TOPIC, b""),
        half.born_timestamp,
    )


def final_message(half: Record, known: Known) -> PutMessage:
    """What a commit stores; its properties still have what the half message's had, as in Java.

    ``known`` is ``known_of(half)``.

    Source: EndTransactionProcessor.java, endMessageTransaction(), 5.3.3.

    :raises CommandError: SYSTEM_ERROR, the properties do not say where it belongs.
    """
    topic, queue_id = _origin(half, known)
    return PutMessage(
        topic,
        queue_id,
        half.body,
        half.properties,
        half.flag,
        with_transaction_type(half.sys_flag, TRANSACTION_COMMIT),
        half.born_timestamp,
        half.born_host,
        half.reconsume_times,
        half.position,
        known,
    )


def again(half: Record, topic: str, queue_id: int, properties: dict[str, str]) -> PutMessage:
    """The half message once more, with other properties: put back, given up, or resumed.

    Java forgets the sender's flag when it puts back; here it stays.
    Source: TransactionalMessageBridge.java, renewHalfMessageInner(), 5.3.3.
    """
    return PutMessage(
        topic,
        queue_id,
        half.body,
        props.build(properties),
        half.flag,
        with_transaction_type(half.sys_flag, TRANSACTION_NORMAL),
        half.born_timestamp,
        half.born_host,
        half.reconsume_times,
    )


def question(half: Record, broker_name: str) -> Command:
    """What asks a producer about its transaction: the message as it will be when committed.

    Source: AbstractTransactionalMessageCheckListener.java, sendCheckMessage(), 5.3.3.

    :raises CommandError: as ``final_message``.
    """
    topic, queue_id = _origin(half, known_of(half))
    unique_key = text_of(half, props.UNIQ_CLIENT_MESSAGE_ID_KEYIDX)
    header = CheckTransactionStateRequestHeader(
        topic=names.HALF_TOPIC,
        tran_state_table_offset=half.queue_offset,
        commit_log_offset=half.position,
        msg_id=unique_key,
        transaction_id=unique_key,
        offset_msg_id=build_offset_message_id(half.store_host, half.position),
        bname=broker_name,
    )
    body = pack_record(
        body=half.body,
        topic=topic.encode(),
        properties=half.properties,
        queue_id=queue_id,
        flag=half.flag,
        queue_offset=half.queue_offset,
        position=half.position,
        sys_flag=half.sys_flag,
        born_timestamp=half.born_timestamp,
        born_host=half.born_host,
        store_timestamp=half.store_timestamp,
        store_host=half.store_host,
        reconsume_times=half.reconsume_times,
        prepared_transaction_offset=half.prepared_transaction_offset,
        body_crc=half.body_crc,
    )
    return Command(
        code=RequestCode.CHECK_TRANSACTION_STATE,
        ext_fields=ext_fields_of(header),
        body=body,
    )


def is_committed(store: MessageStore, half: Record) -> bool:
    """Whether the log holds this transaction's committed message; a look into the index.

    Copies of a half message have its unique key, group and time of birth in common. Java does not
    look: a crash between a commit and its op message delivers twice there.
    """
    key = text_of(half, props.UNIQ_CLIENT_MESSAGE_ID_KEYIDX)
    topic = text_of(half, props.REAL_TOPIC)
    if key is None or topic is None:
        return False
    group = props.find(half.properties, props.PRODUCER_GROUP)
    for stored in store.query(topic, key, FOUND_MAX, 0, LATEST_MS).records:
        record = parse_record(stored, 0, len(stored), check_crc=False)
        if (
            isinstance(record, Record)
            and transaction_type(record.sys_flag) == TRANSACTION_COMMIT
            and record.born_timestamp == half.born_timestamp
            and record.topic.decode(errors="replace") == topic
            and text_of(record, props.UNIQ_CLIENT_MESSAGE_ID_KEYIDX) == key
            and props.find(record.properties, props.PRODUCER_GROUP) == group
        ):
            return True
    return False


def was_committed(store: MessageStore, endings: Endings, half: Record, identity: Identity) -> bool:
    """Whether a commit of this transaction was stored, though the index may not show it yet.

    ``identity`` is ``identity_of(half, ...)``.
    """
    return endings.has_committed(identity) or is_committed(store, half)


def text_of(half: Record, name: bytes) -> str | None:
    """A property of a half message as text, None if it has none of that name."""
    value = props.find(half.properties, name)
    return None if value is None else value.decode(errors="replace")


def number_of(text: str | None, otherwise: int) -> int:
    """A property's number; ``otherwise`` if it is none, or longer than 19 characters."""
    if text is None or len(text) > 19 or not text.removeprefix("-").isdecimal():
        return otherwise
    return int(text)


def _origin(half: Record, known: Known) -> tuple[str, int]:
    topic = known.get(props.REAL_TOPIC)
    queue_id = number_of(known.get(props.REAL_QUEUE_ID, b"").decode(errors="replace"), -1)
    if topic is None or not 0 <= queue_id < 1 << 31:
        raise CommandError(
            ResponseCode.SYSTEM_ERROR,
            f"the half message at {half.position} does not say to which queue it belongs",
        )
    return topic.decode(errors="replace"), queue_id
