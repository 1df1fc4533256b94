"""Classic replication: what a slave and its master say on the HA port.

No handshake. A slave says how far its commit log reaches, again and again; the master answers with
pieces of the log. Neither is aligned to records. Source: DefaultHAConnection.java and
DefaultHAClient.java, 5.3.3.
"""

import struct
from typing import Final, NamedTuple

from construct import ExprValidator, Int32sb, Int64sb, obj_
from construct import Struct as Declaration

from codec.errors import CodecError

NOT_NEGATIVE_64 = ExprValidator(Int64sb, obj_ >= 0)
NOT_NEGATIVE_32 = ExprValidator(Int32sb, obj_ >= 0)

REPORT = Declaration(
    "position" / NOT_NEGATIVE_64,  # where the slave's log ends; 0 when it has none
)
"""From a slave, and all that it ever says.

Source: DefaultHAClient.java, reportSlaveMaxOffset(), 5.3.3.
"""

CHUNK_HEADER = Declaration(
    "position" / NOT_NEGATIVE_64,  # of the first byte that follows; the next one's if none does
    "size" / NOT_NEGATIVE_32,  # bytes that follow, all of one file; 0 in a heartbeat
)
"""From the master, before each piece of the log. Source: DefaultHAConnection.java, run(), 5.3.3."""

REPORT_SIZE: Final = 8
CHUNK_HEADER_SIZE: Final = 12

_REPORT: Final = struct.Struct(">q")
_CHUNK_HEADER: Final = struct.Struct(">qi")


class ChunkHeader(NamedTuple):
    """What comes next of the commit log."""

    position: int
    size: int


def pack_report(position: int) -> bytes:
    """Twin of ``REPORT.build``."""
    return _REPORT.pack(position)


def parse_report(data: bytes) -> int:
    """Twin of ``REPORT.parse``; gives the position.

    :raises CodecError: not 8 bytes, or a negative position.
    """
    if len(data) != REPORT_SIZE:
        raise CodecError(f"report of {len(data)} bytes, expected {REPORT_SIZE}")
    (position,) = _REPORT.unpack(data)
    if position < 0:
        raise CodecError(f"report of {position=}, expected 0 or more")
    return int(position)


def pack_chunk_header(position: int, size: int) -> bytes:
    """Twin of ``CHUNK_HEADER.build``."""
    return _CHUNK_HEADER.pack(position, size)


def parse_chunk_header(data: bytes) -> ChunkHeader:
    """Twin of ``CHUNK_HEADER.parse``.

    :raises CodecError: not 12 bytes, or a negative number.
    """
    if len(data) != CHUNK_HEADER_SIZE:
        raise CodecError(f"chunk header of {len(data)} bytes, expected {CHUNK_HEADER_SIZE}")
    header = ChunkHeader(*_CHUNK_HEADER.unpack(data))
    if header.position < 0 or header.size < 0:
        raise CodecError(f"chunk header {header}, expected nothing negative")
    return header
