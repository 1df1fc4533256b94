"""The checkpoint file: up to when the store is known to be on disk.

Source: StoreCheckpoint.java, 5.3.3.
"""

import struct
from typing import Final

from construct import Bytes, Default, Int64sb
from construct import Struct as Declaration
from msgspec import Struct

from codec.errors import CodecError

CHECKPOINT_SIZE: Final = 4096

CHECKPOINT = Declaration(
    "physic_msg_timestamp" / Int64sb,
    "logics_msg_timestamp" / Int64sb,
    "index_msg_timestamp" / Int64sb,
    "master_flushed_offset" / Int64sb,
    "confirm_phy_offset" / Int64sb,
    "unused" / Default(Bytes(4056), bytes(4056)),  # the page's rest; later versions may use it
)
"""The whole file. Source: StoreCheckpoint.java, flush(), 5.3.3."""

_FIELDS: Final = struct.Struct(">5q")
_SAFETY_MS: Final = 3000
"""Records this much older than the newest flushed one are taken as flushed."""


class Checkpoint(Struct, frozen=True, gc=False):
    """Times are storeTimestamps in ms, 0 when nothing was flushed yet."""

    physic_msg_timestamp: int = 0
    logics_msg_timestamp: int = 0
    index_msg_timestamp: int = 0
    master_flushed_offset: int = 0
    confirm_phy_offset: int = 0

    @property
    def min_timestamp(self) -> int:
        """Commit log and consume queues are whole up to here, ms.

        Source: StoreCheckpoint.java, getMinTimestamp(), 5.3.3.
        """
        flushed = min(self.physic_msg_timestamp, self.logics_msg_timestamp)
        return max(flushed - _SAFETY_MS, 0)

    @property
    def min_timestamp_index(self) -> int:
        """The index is whole up to here as well, ms."""
        return min(self.min_timestamp, self.index_msg_timestamp)


def pack_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The whole file. Twin of ``CHECKPOINT.build``."""
    fields = _FIELDS.pack(
        checkpoint.physic_msg_timestamp,
        checkpoint.logics_msg_timestamp,
        checkpoint.index_msg_timestamp,
        checkpoint.master_flushed_offset,
        checkpoint.confirm_phy_offset,
    )
    return fields + bytes(CHECKPOINT_SIZE - _FIELDS.size)


def parse_checkpoint(data: bytes) -> Checkpoint:
    """Twin of ``CHECKPOINT.parse``; what is in the unused rest is not kept.

    :raises CodecError: the file has not its size.
    """
    if len(data) != CHECKPOINT_SIZE:
        raise CodecError(f"checkpoint of {len(data)} bytes, expected {CHECKPOINT_SIZE}")
    return Checkpoint(*_FIELDS.unpack_from(data))
