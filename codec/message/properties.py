r"""The properties of a message: text ``name \1 value \2 name \1 value \2``, in UTF-8.

Rules, as Java's reader has them:

- ``\2`` ends a segment; the last one may lack it.
- The first ``\1`` of a segment ends its name. A segment without one, with an empty name or with an
  empty value does not count. A value may contain ``\1``.
- Of a name given twice the last one counts.
- Nothing is an error: what does not count is skipped.

The send path asks for single properties of the bytes (``find``); only who needs all makes a dict.
Source: MessageDecoder.java, string2messageProperties(), messageProperties2String(), 5.3.3.
"""

from collections.abc import Mapping
from typing import Final

NAME_VALUE_SEPARATOR: Final = b"\x01"
PROPERTY_SEPARATOR: Final = b"\x02"
KEY_SEPARATOR: Final = b" "
"""Between the keys in KEYS."""
PROPERTIES_MAX: Final = 32767
"""Bytes of properties in a record, at most: their length is a signed short."""

# Names. Source: MessageConst.java, 5.3.3.
KEYS: Final = b"KEYS"
TAGS: Final = b"TAGS"
WAIT_STORE_MSG_OK: Final = b"WAIT"
DELAY_TIME_LEVEL: Final = b"DELAY"
RETRY_TOPIC: Final = b"RETRY_TOPIC"
REAL_TOPIC: Final = b"REAL_TOPIC"
REAL_QUEUE_ID: Final = b"REAL_QID"
TRANSACTION_PREPARED: Final = b"TRAN_MSG"
PRODUCER_GROUP: Final = b"PGROUP"
MIN_OFFSET: Final = b"MIN_OFFSET"
MAX_OFFSET: Final = b"MAX_OFFSET"
BUYER_ID: Final = b"BUYER_ID"
ORIGIN_MESSAGE_ID: Final = b"ORIGIN_MESSAGE_ID"
TRANSFER_FLAG: Final = b"TRANSFER_FLAG"
CORRECTION_FLAG: Final = b"CORRECTION_FLAG"
MQ2_FLAG: Final = b"MQ2_FLAG"
RECONSUME_TIME: Final = b"RECONSUME_TIME"
MSG_REGION: Final = b"MSG_REGION"
TRACE_SWITCH: Final = b"TRACE_ON"
UNIQ_CLIENT_MESSAGE_ID_KEYIDX: Final = b"UNIQ_KEY"
EXTEND_UNIQ_INFO: Final = b"EXTEND_UNIQ_INFO"
MAX_RECONSUME_TIMES: Final = b"MAX_RECONSUME_TIMES"
CONSUME_START_TIMESTAMP: Final = b"CONSUME_START_TIME"
INNER_NUM: Final = b"INNER_NUM"
INNER_BASE: Final = b"INNER_BASE"
DUP_INFO: Final = b"DUP_INFO"
CHECK_IMMUNITY_TIME_IN_SECONDS: Final = b"CHECK_IMMUNITY_TIME_IN_SECONDS"
TRANSACTION_PREPARED_QUEUE_OFFSET: Final = b"TRAN_PREPARED_QUEUE_OFFSET"
TRANSACTION_ID: Final = b"__transactionId__"
TRANSACTION_CHECK_TIMES: Final = b"TRANSACTION_CHECK_TIMES"
INSTANCE_ID: Final = b"INSTANCE_ID"
CORRELATION_ID: Final = b"CORRELATION_ID"
MESSAGE_REPLY_TO_CLIENT: Final = b"REPLY_TO_CLIENT"
MESSAGE_TTL: Final = b"TTL"
REPLY_MESSAGE_ARRIVE_TIME: Final = b"ARRIVE_TIME"
PUSH_REPLY_TIME: Final = b"PUSH_REPLY_TIME"
CLUSTER: Final = b"CLUSTER"
MESSAGE_TYPE: Final = b"MSG_TYPE"
POP_CK: Final = b"POP_CK"
POP_CK_OFFSET: Final = b"POP_CK_OFFSET"
FIRST_POP_TIME: Final = b"1ST_POP_TIME"
SHARDING_KEY: Final = b"__SHARDINGKEY"
FORWARD_QUEUE_ID: Final = b"PROPERTY_FORWARD_QUEUE_ID"
REDIRECT: Final = b"REDIRECT"
INNER_MULTI_DISPATCH: Final = b"INNER_MULTI_DISPATCH"
INNER_MULTI_QUEUE_OFFSET: Final = b"INNER_MULTI_QUEUE_OFFSET"
TRACE_CONTEXT: Final = b"TRACE_CONTEXT"
TIMER_DELAY_SEC: Final = b"TIMER_DELAY_SEC"
TIMER_DELIVER_MS: Final = b"TIMER_DELIVER_MS"
TIMER_ENQUEUE_MS: Final = b"TIMER_ENQUEUE_MS"
TIMER_DEQUEUE_MS: Final = b"TIMER_DEQUEUE_MS"
TIMER_ROLL_TIMES: Final = b"TIMER_ROLL_TIMES"
TIMER_OUT_MS: Final = b"TIMER_OUT_MS"
TIMER_DEL_UNIQKEY: Final = b"TIMER_DEL_UNIQKEY"
TIMER_DELAY_LEVEL: Final = b"TIMER_DELAY_LEVEL"
TIMER_DELAY_MS: Final = b"TIMER_DELAY_MS"
CRC32: Final = b"__CRC32#"
BORN_HOST: Final = b"__BORNHOST"
BORN_TIMESTAMP: Final = b"BORN_TIMESTAMP"
DLQ_ORIGIN_TOPIC: Final = b"DLQ_ORIGIN_TOPIC"
DLQ_ORIGIN_MESSAGE_ID: Final = b"DLQ_ORIGIN_MESSAGE_ID"
TRANSIENT_PREFIX: Final = b"__RMQ.TRANSIENT."
"""Begins the names of properties that are never stored."""
TRANSIENT_TOPIC_CONFIG: Final = b"__RMQ.TRANSIENT.TOPIC_SYS_FLAG"
TRANSIENT_GROUP_CONFIG: Final = b"__RMQ.TRANSIENT.GROUP_SYS_FLAG"


def find(properties: bytes, name: bytes) -> bytes | None:
    """The value of one property; None when it is not there. The same that ``parse`` would give.

    ``name`` is not empty and contains neither separator.
    """
    if name not in properties:
        return None
    key = b"\x02%b\x01" % name
    end = len(properties)
    while (at := properties.rfind(key, 0, end)) >= 0:
        value = _value_at(properties, at + len(key))
        if value:
            return value
        end = at + 1
    if properties.startswith(key[1:]):
        return _value_at(properties, len(key) - 1) or None
    return None


def parse(properties: bytes) -> dict[str, str]:
    """All properties; broken UTF-8 is read as U+FFFD, as Java reads it."""
    found: dict[str, str] = {}
    for segment in properties.decode(errors="replace").split("\x02"):
        name, _, value = segment.partition("\x01")
        if name and value:
            found[name] = value
    return found


def build(properties: Mapping[str, str]) -> bytes:
    """The text of properties, in the mapping's order, ended by a separator; of none: empty.

    Lone surrogates become ``?``, as Java writes them.
    """
    text = "".join([f"{name}\x01{value}\x02" for name, value in properties.items()])
    return text.encode(errors="replace")


def put(properties: bytes, name: bytes, value: bytes) -> bytes:
    """The same properties with this one at the end, and no other of its name."""
    rest = join(remove(properties, name), b"") if properties else b""
    return b"%b%b\x01%b\x02" % (rest, name, value)


def remove(properties: bytes, name: bytes) -> bytes:
    """The same bytes without any property of this name, be its value empty or not.

    Source: MessageUtils.java, deleteProperty(), 5.3.3.
    """
    if name not in properties:
        return properties
    key = name + NAME_VALUE_SEPARATOR
    ended = properties.endswith(PROPERTY_SEPARATOR)
    segments = (properties[:-1] if ended else properties).split(PROPERTY_SEPARATOR)
    kept = [segment for segment in segments if not segment.startswith(key)]
    if len(kept) == len(segments):
        return properties
    ended = ended or segments[-1].startswith(key)
    return PROPERTY_SEPARATOR.join(kept) + (PROPERTY_SEPARATOR if kept and ended else b"")


def join(properties: bytes, more: bytes) -> bytes:
    """Two texts of properties as one, a separator between if the first does not end with one.

    Source: MessageExtEncoder.java, encode() of MessageExtBatch, 5.3.3.
    """
    if properties and not properties.endswith(PROPERTY_SEPARATOR):
        return b"%b\x02%b" % (properties, more)
    return properties + more


def _value_at(properties: bytes, start: int) -> bytes:
    end = properties.find(PROPERTY_SEPARATOR, start)
    return properties[start:] if end < 0 else properties[start:end]
