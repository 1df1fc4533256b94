"""The index file: from the hash of ``topic#key`` to positions in the commit log.

A file is a header, then slots, then units. A slot holds the number of the newest unit whose hash
falls into it; each unit holds the number of the one before it. Numbers count from 1; 0 is none.
The file may hold ``units_max - 1`` units, since unit 0 is never used.
Source: IndexFile.java, IndexHeader.java, 5.3.3.
"""

import struct
from typing import Final, NamedTuple

from construct import Int32sb, Int64sb, Struct
from typing_extensions import Buffer

from codec.errors import CodecError

INDEX_HEADER = Struct(
    "begin_timestamp" / Int64sb,  # storeTimestamp of the first unit's record, ms
    "end_timestamp" / Int64sb,
    "begin_position" / Int64sb,
    "end_position" / Int64sb,
    "slots_used" / Int32sb,
    "next_unit" / Int32sb,  # Java: indexCount; the number of the unit to be written next
)
"""The first 40 bytes. Source: IndexHeader.java, updateByteBuffer(), 5.3.3."""

INDEX_SLOT = Int32sb
"""Number of a slot's newest unit."""

INDEX_UNIT = Struct(
    "key_hash" / Int32sb,
    "position" / Int64sb,
    "seconds" / Int32sb,  # since the header's begin_timestamp
    "previous_unit" / Int32sb,
)
"""One key of one record. Source: IndexFile.java, putKey(), 5.3.3."""

HEADER: Final = struct.Struct(">qqqqii")
"""Twin of ``INDEX_HEADER``."""
SLOT: Final = struct.Struct(">i")
"""Twin of ``INDEX_SLOT``."""
UNIT: Final = struct.Struct(">iqii")
"""Twin of ``INDEX_UNIT``."""
HEADER_SIZE: Final = 40
SLOT_SIZE: Final = 4
UNIT_SIZE: Final = 20
NO_UNIT: Final = 0


class IndexHeader(NamedTuple):
    """What a file covers and how full it is."""

    begin_timestamp: int = 0
    end_timestamp: int = 0
    begin_position: int = 0
    end_position: int = 0
    slots_used: int = 0
    next_unit: int = 1


class IndexUnit(NamedTuple):
    """One key of one record."""

    key_hash: int
    position: int
    seconds: int
    previous_unit: int


def pack_header(header: IndexHeader) -> bytes:
    """Twin of ``INDEX_HEADER.build``."""
    return HEADER.pack(*header)


def parse_header(buffer: Buffer) -> IndexHeader:
    """Twin of ``INDEX_HEADER.parse``. A fresh file is all zero: see ``IndexHeader.next_unit``.

    :raises CodecError: fewer than 40 bytes.
    """
    try:
        return IndexHeader._make(HEADER.unpack_from(buffer))
    except struct.error as error:
        raise CodecError(f"index header is shorter than {HEADER_SIZE} bytes") from error


def pack_unit(key_hash: int, position: int, seconds: int, previous_unit: int) -> bytes:
    """Twin of ``INDEX_UNIT.build``."""
    return UNIT.pack(key_hash, position, seconds, previous_unit)


def parse_unit(buffer: Buffer, offset: int = 0) -> IndexUnit:
    """Twin of ``INDEX_UNIT.parse``, of the 20 bytes from ``offset`` (0 or more) on.

    :raises CodecError: fewer bytes are left.
    """
    try:
        return IndexUnit._make(UNIT.unpack_from(buffer, offset))
    except struct.error as error:
        raise CodecError(f"no whole index unit of {UNIT_SIZE} bytes at {offset}") from error


def file_size(slots: int, units_max: int) -> int:
    """Bytes of an index file."""
    return HEADER_SIZE + slots * SLOT_SIZE + units_max * UNIT_SIZE


def slot_at(key_hash: int, slots: int) -> int:
    """Where in the file the slot of a hash (0 or more) lies."""
    return HEADER_SIZE + key_hash % slots * SLOT_SIZE


def unit_at(number: int, slots: int) -> int:
    """Where in the file a unit lies."""
    return HEADER_SIZE + slots * SLOT_SIZE + number * UNIT_SIZE


def key_hash(hash_code: int) -> int:
    """What is kept of Java's hash of ``topic#key``: 0 or more.

    Source: IndexFile.java, indexKeyHashMethod(), 5.3.3.
    """
    return abs(hash_code) if hash_code != -0x80000000 else 0


def seconds_since(begin_timestamp: int, store_timestamp: int) -> int:
    """What a unit says of its record's time, both given in ms; 0 in a file without a beginning.

    Source: IndexFile.java, putKey(), 5.3.3.
    """
    if begin_timestamp <= 0:
        return 0
    return min(max((store_timestamp - begin_timestamp) // 1000, 0), 0x7FFFFFFF)
