"""The timer's checkpoint: how far messages of any delay were taken up and delivered.

As the file ``config/timercheck`` it is followed by zeros up to a page; as the body that slaves ask
for (GET_TIMER_CHECK_POINT) it is alone. Source: TimerCheckpoint.java, 5.3.3.
"""

import struct
from typing import Final

from construct import Int64sb
from construct import Struct as Declaration
from msgspec import Struct

from codec.bodies.data_version import DataVersion
from codec.errors import CodecError

TIMER_CHECKPOINT_SIZE: Final = 56
TIMER_CHECKPOINT_FILE_SIZE: Final = 4096

TIMER_CHECKPOINT = Declaration(
    "last_read_time_ms" / Int64sb,
    "last_timer_log_flush_pos" / Int64sb,
    "last_timer_queue_offset" / Int64sb,
    "master_timer_queue_offset" / Int64sb,
    "state_version" / Int64sb,
    "timestamp" / Int64sb,
    "counter" / Int64sb,
)
"""The body. Source: TimerCheckpoint.java, encode(), 5.3.3."""

_FIELDS: Final = struct.Struct(">7q")
_OLD_SIZE: Final = 32
"""Bytes of a checkpoint from before it had a version. Source: decode()."""


class TimerCheckpoint(Struct, frozen=True, gc=False):
    """How far the timer is; 0 where nothing was done yet."""

    last_read_time_ms: int = 0
    """Up to which slot of the wheel messages were delivered, ms since 1970."""
    last_timer_log_flush_pos: int = 0
    """All of the timer log below is on disk, bytes."""
    last_timer_queue_offset: int = 0
    """The next message of the timer topic to be taken up, by its queue offset."""
    master_timer_queue_offset: int = 0
    """The same of this slave's master."""
    data_version: DataVersion = DataVersion()


def pack_timer_checkpoint(checkpoint: TimerCheckpoint) -> bytes:
    """The body. Twin of ``TIMER_CHECKPOINT.build``."""
    version = checkpoint.data_version
    return _FIELDS.pack(
        checkpoint.last_read_time_ms,
        checkpoint.last_timer_log_flush_pos,
        checkpoint.last_timer_queue_offset,
        checkpoint.master_timer_queue_offset,
        version.state_version,
        version.timestamp,
        version.counter,
    )


def parse_timer_checkpoint(data: bytes) -> TimerCheckpoint:
    """Twin of ``TIMER_CHECKPOINT.parse``; what follows is ignored, a version may be missing.

    :raises CodecError: there are too few bytes.
    """
    if len(data) == _OLD_SIZE:
        data += bytes(TIMER_CHECKPOINT_SIZE - _OLD_SIZE)
    if len(data) < TIMER_CHECKPOINT_SIZE:
        raise CodecError(f"timer checkpoint of {len(data)} bytes, expected {TIMER_CHECKPOINT_SIZE}")
    read, flushed, taken, taken_by_master, state, timestamp, counter = _FIELDS.unpack_from(data)
    version = DataVersion(counter=counter, state_version=state, timestamp=timestamp)
    return TimerCheckpoint(read, flushed, taken, taken_by_master, version)
