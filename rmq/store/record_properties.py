"""The properties of a record in the log, read without its body."""

from struct import Struct

from codec.message.sysflag import host_sizes
from rmq.store.commit_log import CommitLog

_SYS_FLAG = Struct(">36xi")
_LENGTH = Struct(">i")
HEAD_SIZE_MIN, HEAD_SIZE_MAX = 88, 112
"""Bytes before the body, between IPv4 and between IPv6 hosts; the last four are its length."""
HOSTS_SIZE_MIN = 16
MAGIC_V2_LAST = 0xAB
"""The last byte of the magic of records whose topic's length has two bytes."""


def properties_at(log: CommitLog, position: int, size: int) -> bytes | None:
    """The properties of the record of ``size`` bytes at ``position``; None if no record is there.

    Source: MessageDecoder.java, decodeProperties(), 5.3.3.
    """
    head = log.read(position, min(size, HEAD_SIZE_MAX))
    if head is None or len(head) < HEAD_SIZE_MIN:
        return None
    body_at = HEAD_SIZE_MIN - HOSTS_SIZE_MIN + sum(host_sizes(_SYS_FLAG.unpack_from(head)[0]))
    if len(head) < body_at:
        return None
    (body_size,) = _LENGTH.unpack_from(head, body_at - _LENGTH.size)
    topic_at = body_at + body_size
    if body_size < 0 or topic_at >= size:
        return None
    rest = log.read(position + topic_at, size - topic_at)
    assert rest is not None, "the record's head was there"
    at = 2 if head[7] == MAGIC_V2_LAST else 1
    at += int.from_bytes(rest[:at], "big") + 2
    return rest[at:] if at <= len(rest) else None
