"""A unit of the consume queue: where in the commit log the n-th message of a queue lies.

Unit n of a queue lies at byte ``n * UNIT_SIZE`` of the queue's files, seen as one.
Every 20 bytes are a unit; whether it points anywhere is for ``is_valid`` to say.
Source: ConsumeQueue.java, 5.3.3.
"""

import struct
from typing import Final, NamedTuple

from construct import Int32sb, Int64sb, Struct
from typing_extensions import Buffer

from codec.errors import CodecError

CONSUME_QUEUE_UNIT = Struct(
    "position" / Int64sb,
    "size" / Int32sb,
    "tags_code" / Int64sb,  # hash of TAGS; in the schedule topic the time of delivery in ms
)
"""One message of a queue. Source: ConsumeQueue.java, putMessagePositionInfo(), 5.3.3."""

UNIT: Final = struct.Struct(">qiq")
"""Twin of ``CONSUME_QUEUE_UNIT``."""
UNIT_SIZE: Final = 20


class ConsumeQueueUnit(NamedTuple):
    """Where a record lies and what it is filtered by."""

    position: int
    size: int
    tags_code: int

    @property
    def is_valid(self) -> bool:
        """Whether recovery counts it as written; a filler before the first message is, too.

        Source: ConsumeQueue.java, recover(), 5.3.3.
        """
        return self.position >= 0 and self.size > 0


def pack_unit(position: int, size: int, tags_code: int) -> bytes:
    """Twin of ``CONSUME_QUEUE_UNIT.build``."""
    return UNIT.pack(position, size, tags_code)


def parse_unit(buffer: Buffer, offset: int = 0) -> ConsumeQueueUnit:
    """Twin of ``CONSUME_QUEUE_UNIT.parse``, of the 20 bytes from ``offset`` (0 or more) on.

    :raises CodecError: fewer bytes are left.
    """
    try:
        return ConsumeQueueUnit._make(UNIT.unpack_from(buffer, offset))
    except struct.error as error:
        raise CodecError(f"no whole unit of {UNIT_SIZE} bytes at {offset}") from error


FILLER: Final = pack_unit(0, 0x7FFFFFFF, 0)
"""Stands before the first message of a queue whose first unit is not the first of its file.

Source: ConsumeQueue.java, fillPreBlank(), 5.3.3.
"""
