r"""The commit log's record: one message as it lies on disk, is replicated and is pulled.

- Version 1 has one byte for the topic's length (a signed one: 127 at most), version 2 has two.
  Writers take version 2 only for topics that need it.
- Hosts are 4 or 16 bytes of address and 4 of port; two bits of sysFlag say which.
- All integers are big-endian and signed.
- A *blank* fills a file whose remaining bytes are too few for the next record: its length, its
  magic, and whatever was there.
- With ``enabledAppendPropCRC`` the properties end with ``__CRC32#``, a checksum of all bytes
  before it, in ten decimal digits, the lowest first.

``RECORD`` declares it; ``pack_record`` and ``parse_record`` are its twins for the hot path.
Source: MessageExtEncoder.java, CommitLog.java, MessageDecoder.java, 5.3.3.
"""

import struct
from typing import Any, Final, NamedTuple, SupportsIndex, overload
from zlib import crc32

import msgspec
from construct import (
    Bytes,
    Check,
    IfThenElse,
    Int8sb,
    Int16sb,
    Int32sb,
    Int32ub,
    Int64sb,
    OneOf,
    Rebuild,
    Struct,
    len_,
    this,
)
from typing_extensions import Buffer, Protocol

from codec.errors import CodecError
from codec.message import properties as names
from codec.message.properties import PROPERTIES_MAX
from codec.message.sysflag import BORN_HOST_V6, STORE_HOST_V6, host_sizes

MAGIC_V1: Final = 0xDAA320A7
MAGIC_V2: Final = 0xDAA320AB
MAGIC_BLANK: Final = 0xCBD43194
BLANK_SIZE: Final = 8
"""Bytes that a record always leaves at the end of its file, so that a blank has room."""
TOPIC_V1_MAX: Final = 127
"""Bytes of topic in a version-1 record, at most."""
TOPIC_MAX: Final = 32767
"""Bytes of topic in a version-2 record, at most."""

_FIXED: Final = 91
"""Bytes of a version-1 record between IPv4 hosts without body, topic and properties."""


def _total_size(record: Any) -> int:
    sizes = host_sizes(record.sys_flag)
    fixed = 75 + sum(sizes) + (1 if record.magic == MAGIC_V2 else 0)
    return fixed + len(record.body) + len(record.topic) + len(record.properties)


RECORD = Struct(
    "total_size" / Rebuild(Int32sb, _total_size),
    "magic" / OneOf(Int32ub, [MAGIC_V1, MAGIC_V2]),
    "body_crc" / Int32sb,  # CRC-32 of the body without its highest bit
    "queue_id" / Int32sb,
    "flag" / Int32sb,  # the sender's own
    "queue_offset" / Int64sb,  # how manieth message of its queue, from 0
    "position" / Int64sb,  # of this record in the commit log
    "sys_flag" / Int32sb,  # see sysflag
    "born_timestamp" / Int64sb,  # ms, the sender's clock
    "born_host" / Bytes(lambda record: 20 if record.sys_flag & BORN_HOST_V6 else 8),
    "store_timestamp" / Int64sb,  # ms, the broker's clock; grows with position
    "store_host" / Bytes(lambda record: 20 if record.sys_flag & STORE_HOST_V6 else 8),
    "reconsume_times" / Int32sb,
    "prepared_transaction_offset" / Int64sb,  # of a committed message: where its half message lies
    "body_length" / Rebuild(Int32sb, len_(this.body)),
    "body" / Bytes(this.body_length),
    "topic_length" / Rebuild(IfThenElse(this.magic == MAGIC_V1, Int8sb, Int16sb), len_(this.topic)),
    "topic" / Bytes(this.topic_length),
    "properties_length" / Rebuild(Int16sb, len_(this.properties)),
    "properties" / Bytes(this.properties_length),
    Check(lambda record: record.total_size == _total_size(record)),
)
"""One record. Source: CommitLog.java, checkMessageAndReturnSize(), 5.3.3."""

BLANK = Struct(
    "remaining" / Int32sb,  # bytes up to the file's end, these included
    "magic" / OneOf(Int32ub, [MAGIC_BLANK]),
)
"""The end of a file. Source: CommitLog.java, DefaultAppendMessageCallback.doAppend(), 5.3.3."""


def _fixed_part(born: int, store: int) -> struct.Struct:
    return struct.Struct(f">iIiiiqqiq{born}sq{store}siqi")


_FIXED_PARTS: Final = (
    _fixed_part(8, 8),
    _fixed_part(20, 8),
    _fixed_part(8, 20),
    _fixed_part(20, 20),
)
"""Up to the body, by the two IPv6 bits of sysFlag."""
_IPV4: Final = _FIXED_PARTS[0]
_IPV6: Final = BORN_HOST_V6 | STORE_HOST_V6
_HOST_SIZES: Final = ((8, 8), (20, 8), (8, 20), (20, 20))
_BYTE: Final = tuple(bytes((n,)) for n in range(TOPIC_V1_MAX + 1))
_HEAD: Final = struct.Struct(">iIiiiqqi")
_PREFIX: Final = struct.Struct(">iI")
_TIMESTAMP: Final = struct.Struct(">q")


class Record(msgspec.Struct, frozen=True, gc=False):
    """All of one record; times in ms, hosts as address and port in 8 or 20 bytes."""

    total_size: int
    magic: int
    body_crc: int
    queue_id: int
    flag: int
    queue_offset: int
    position: int
    sys_flag: int
    born_timestamp: int
    born_host: bytes
    store_timestamp: int
    store_host: bytes
    reconsume_times: int
    prepared_transaction_offset: int
    body: bytes
    topic: bytes
    properties: bytes


class RecordHead(NamedTuple):
    """What stands at fixed places before the hosts, and when the record was stored."""

    total_size: int
    magic: int
    body_crc: int
    queue_id: int
    flag: int
    queue_offset: int
    position: int
    sys_flag: int
    store_timestamp: int


class Outline(msgspec.Struct, frozen=True, gc=False):
    """What queues and indexes are made of: a record less its body, hosts and counters."""

    total_size: int
    queue_id: int
    queue_offset: int
    position: int
    sys_flag: int
    store_timestamp: int
    topic: bytes
    properties: bytes


class Blank(NamedTuple):
    """The file ends here."""

    remaining: int


def body_checksum(body: bytes) -> int:
    """The ``body_crc`` of a body: 31 bits. Source: UtilAll.java, crc32(), 5.3.3."""
    return crc32(body) & 0x7FFFFFFF


def record_size(body_size: int, topic_size: int, properties_size: int, sys_flag: int = 0) -> int:
    """Bytes that ``pack_record`` will give.

    Source: MessageExtEncoder.java, calMsgLength(), 5.3.3.
    """
    size = _FIXED + body_size + topic_size + properties_size
    if topic_size > TOPIC_V1_MAX:
        size += 1
    if sys_flag & (BORN_HOST_V6 | STORE_HOST_V6):
        size += sum(host_sizes(sys_flag)) - 16
    return size


def pack_record(
    *,
    body: bytes,
    topic: bytes,
    properties: bytes,
    queue_id: int,
    flag: int,
    queue_offset: int,
    position: int,
    sys_flag: int,
    born_timestamp: int,
    born_host: bytes,
    store_timestamp: int,
    store_host: bytes,
    reconsume_times: int,
    prepared_transaction_offset: int,
    body_crc: int | None = None,
) -> bytes:
    """One record, of version 2 if the topic needs it. Twin of ``RECORD.build``.

    The caller has made sure that every integer fits its field, that hosts are as long as the two
    IPv6 bits of ``sys_flag`` say, and of ``TOPIC_MAX`` and ``PROPERTIES_MAX``.
    A ``body_crc`` of None is computed.
    """
    hosts = sys_flag >> 4 & 3
    fixed = _FIXED_PARTS[hosts]
    assert (len(born_host), len(store_host)) == _HOST_SIZES[hosts]
    topic_size = len(topic)
    if topic_size <= TOPIC_V1_MAX:
        magic = MAGIC_V1
        topic_length = _BYTE[topic_size]
    else:
        magic = MAGIC_V2
        topic_length = topic_size.to_bytes(2, "big")
    body_size = len(body)
    properties_size = len(properties)
    assert properties_size <= PROPERTIES_MAX
    head = fixed.pack(
        fixed.size + len(topic_length) + 2 + body_size + topic_size + properties_size,
        magic,
        crc32(body) & 0x7FFFFFFF if body_crc is None else body_crc,
        queue_id,
        flag,
        queue_offset,
        position,
        sys_flag,
        born_timestamp,
        born_host,
        store_timestamp,
        store_host,
        reconsume_times,
        prepared_transaction_offset,
        body_size,
    )
    properties_length = properties_size.to_bytes(2, "big")
    return b"".join((head, body, topic_length, topic, properties_length, properties))


def pack_blank(remaining: int) -> bytes:
    """The 8 bytes that end a file of which ``remaining`` (8 or more) bytes are left."""
    return _PREFIX.pack(remaining, MAGIC_BLANK)


def read_head(buffer: Buffer, offset: int, limit: int) -> RecordHead:
    """The head of the record at ``offset``, without a look at what follows it.

    For records that were checked when they were written or recovered. ``limit`` is the end of what
    may be read.

    :raises CodecError: no record begins there, or its head is not whole.
    """
    if not 0 <= offset <= limit - _FIXED:
        raise CodecError(f"no whole record head at {offset}, readable up to {limit}")
    try:
        fields = _HEAD.unpack_from(buffer, offset)
        if fields[1] != MAGIC_V1 and fields[1] != MAGIC_V2:
            raise CodecError(f"magic {fields[1]:#x} at {offset}, expected a record's")
        stored_at = offset + (68 if fields[7] & BORN_HOST_V6 else 56)
        (store_timestamp,) = _TIMESTAMP.unpack_from(buffer, stored_at)
    except struct.error as error:
        raise CodecError(f"no whole record head at {offset}") from error
    return RecordHead._make((*fields, store_timestamp))


class Readable(Buffer, Protocol):
    """A run of bytes, like ``mmap``."""

    def __len__(self) -> int: ...

    @overload
    def __getitem__(self, key: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, key: slice, /) -> Buffer: ...


def parse_outline(buffer: Readable, offset: int, limit: int) -> Outline | Blank:
    """What ``parse_record`` gives without ``check_crc``, less what nobody but a reader wants.

    :raises CodecError: as ``parse_record``.
    """
    if 0 <= offset <= limit - _IPV4.size and limit <= len(buffer):
        fields = _IPV4.unpack_from(buffer, offset)
        topic_at = offset + _IPV4.size + fields[14] + 1
        end = offset + fields[0]
        usual = fields[1] == MAGIC_V1 and not fields[7] & _IPV6
        if usual and offset + _IPV4.size < topic_at <= end <= limit:
            topic_end = topic_at + buffer[topic_at - 1]
            if topic_end <= topic_at + TOPIC_V1_MAX and topic_end + 2 <= end:
                length = buffer[topic_end] << 8 | buffer[topic_end + 1]
                if length <= PROPERTIES_MAX and topic_end + 2 + length == end:
                    return Outline(
                        fields[0],
                        fields[3],
                        fields[5],
                        fields[6],
                        fields[7],
                        fields[10],
                        bytes(buffer[topic_at:topic_end]),
                        bytes(buffer[topic_end + 2 : end]),
                    )
    record = parse_record(buffer, offset, limit, check_crc=False)
    if isinstance(record, Blank):
        return record
    return Outline(
        record.total_size,
        record.queue_id,
        record.queue_offset,
        record.position,
        record.sys_flag,
        record.store_timestamp,
        record.topic,
        record.properties,
    )


def parse_record(
    buffer: Buffer, offset: int, limit: int, *, check_crc: bool = True
) -> Record | Blank:
    """The record or the blank at ``offset``. Twin of ``RECORD.parse``.

    ``limit`` is the end of what may be read, at most the buffer's length. A blank's ``remaining``
    is not checked: the file ends in any case. Whether ``position`` is where the record was found
    is the caller's question. An error holds no view of the buffer: a map can be closed after it.
    Source: CommitLog.java, checkMessageAndReturnSize(), 5.3.3.

    :raises CodecError: the bytes are neither, or the body has another checksum.
    """
    try:
        with memoryview(buffer) as memory, memory.cast("B") as view:
            return _parse(view, offset, min(limit, len(view)), check_crc)
    except struct.error as error:
        raise CodecError(f"record at {offset} ends before its fixed part does") from error


def _parse(view: memoryview, offset: int, limit: int, check_crc: bool) -> Record | Blank:
    if not 0 <= offset <= limit - BLANK_SIZE:
        raise CodecError(f"no record at {offset}, readable up to {limit}")
    total_size, magic = _PREFIX.unpack_from(view, offset)
    if magic == MAGIC_BLANK:
        return Blank(total_size)
    if magic not in (MAGIC_V1, MAGIC_V2):
        raise CodecError(f"magic {magic:#x} at {offset}, expected a record's or a blank's")
    if not _FIXED <= total_size <= limit - offset:
        raise CodecError(f"{total_size=} at {offset}, readable up to {limit}")
    end = offset + total_size
    sys_flag = int.from_bytes(view[offset + 36 : offset + 40], "big")
    fixed = _FIXED_PARTS[sys_flag >> 4 & 3]
    fields = fixed.unpack_from(view, offset)
    body_at = offset + fixed.size
    body_end = body_at + fields[-1]
    if not body_at <= body_end <= end - 3:
        raise CodecError(f"body of {fields[-1]} bytes in a record of {total_size}")
    topic_at = body_end + (1 if magic == MAGIC_V1 else 2)
    topic_length = int.from_bytes(view[body_end:topic_at], "big", signed=True)
    topic_end = topic_at + topic_length
    if not topic_at <= topic_end <= end - 2:
        raise CodecError(f"topic of {topic_length} bytes in a record of {total_size}")
    properties_length = int.from_bytes(view[topic_end : topic_end + 2], "big", signed=True)
    if properties_length < 0 or topic_end + 2 + properties_length != end:
        raise CodecError(f"{properties_length=} at {topic_end}, but the record ends at {end}")
    body = bytes(view[body_at:body_end])
    if check_crc and body and (checksum := body_checksum(body)) != fields[2]:
        raise CodecError(f"body at {body_at} has {checksum=}, its record says {fields[2]}")
    topic, properties = view[topic_at:topic_end], view[topic_end + 2 : end]
    return Record(*(*fields[:-1], body, bytes(topic), bytes(properties)))


CRC_PROPERTY_SIZE: Final = 20
"""Bytes of the ``__CRC32#`` property: name, separator, ten digits, separator."""


def reserve_crc(properties: bytes) -> bytes:
    """Properties with 20 bytes at their end that ``seal`` will fill; an older checksum goes.

    Source: MessageExtEncoder.java, encode(), 5.3.3.
    """
    rest = names.remove(properties, names.CRC32)
    return names.join(rest, bytes(CRC_PROPERTY_SIZE))


def crc_property(checksum: int) -> bytes:
    """The ``__CRC32#`` property of a checksum of 31 bits.

    Source: MessageDecoder.java, createCrc32(), 5.3.3.
    """
    return b"%b\x01%b\x02" % (names.CRC32, f"{checksum:010d}"[::-1].encode())


def seal(record: bytes) -> bytes:
    """A record whose properties end with reserved bytes, with its checksum in them.

    Source: CommitLog.java, DefaultAppendMessageCallback.doAppend(), 5.3.3.
    """
    content = record[:-CRC_PROPERTY_SIZE]
    return content + crc_property(body_checksum(content))


def has_true_seal(record: bytes) -> bool:
    """Whether a whole record's checksum of itself is there and true.

    Source: CommitLog.java, checkMessageAndReturnSize() with forceVerifyPropCRC, 5.3.3.
    """
    return len(record) >= CRC_PROPERTY_SIZE and seal(record) == record
