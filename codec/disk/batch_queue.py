"""A unit of the batch consume queue: where a run of messages with following offsets lies.

Units are found by searching, not by place: each says at which queue offset it begins.
Source: BatchConsumeQueue.java, 5.3.3.
"""

import struct
from typing import Final, NamedTuple

from construct import Default, Int16sb, Int32sb, Int64sb, Struct
from typing_extensions import Buffer

from codec.errors import CodecError

BATCH_QUEUE_UNIT = Struct(
    "position" / Int64sb,
    "size" / Int32sb,
    "tags_code" / Int64sb,
    "store_timestamp" / Int64sb,  # ms
    "base_offset" / Int64sb,  # queue offset of the first message
    "batch_size" / Int16sb,  # messages
    "compacted_offset" / Default(Int32sb, -1),  # of compaction topics
    "reserved" / Default(Int32sb, 0),
)
"""One record of several messages. Source: BatchConsumeQueue.java, putBatchMessage(), 5.3.3."""

UNIT: Final = struct.Struct(">qiqqqhii")
"""Twin of ``BATCH_QUEUE_UNIT``."""
UNIT_SIZE: Final = 46


class BatchQueueUnit(NamedTuple):
    """Where a record lies, and which messages are in it."""

    position: int
    size: int
    tags_code: int
    store_timestamp: int
    base_offset: int
    batch_size: int
    compacted_offset: int = -1
    reserved: int = 0

    @property
    def is_valid(self) -> bool:
        """Whether recovery counts it as written.

        Source: BatchConsumeQueue.java, recover(), 5.3.3.
        """
        return (
            self.position >= 0 and self.size > 0 and self.base_offset >= 0 and self.batch_size > 0
        )


def pack_unit(unit: BatchQueueUnit) -> bytes:
    """Twin of ``BATCH_QUEUE_UNIT.build``."""
    return UNIT.pack(*unit)


def parse_unit(buffer: Buffer, offset: int = 0) -> BatchQueueUnit:
    """Twin of ``BATCH_QUEUE_UNIT.parse``, of the 46 bytes from ``offset`` (0 or more) on.

    :raises CodecError: fewer bytes are left.
    """
    try:
        return BatchQueueUnit._make(UNIT.unpack_from(buffer, offset))
    except struct.error as error:
        raise CodecError(f"no whole unit of {UNIT_SIZE} bytes at {offset}") from error
