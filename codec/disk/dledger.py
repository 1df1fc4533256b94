"""Files of a DLedger member: entries, their index, and two small texts.

::

    dledger-<selfId>/data/00000000000000000000    entries, one after the other, then a blank
    dledger-<selfId>/index/00000000000000000000   unit n at byte n * 32 tells of entry n
    dledger-<selfId>/currterm                     the term, and who has this member's vote in it
    dledger-<selfId>/checkpoint                   up to where all was written and committed

An entry never ends closer than 8 bytes to the end of its file: what does not fit so goes to the
next file, and the rest is a blank. Source: DLedgerEntryCoder.java, MmapFileList.java, 0.3.1.2.
"""

import re
import struct
from typing import Final, NamedTuple

import msgspec
from construct import Bytes, Const, Int32sb, Int32ub, Int64sb, Rebuild, Struct, len_, this
from typing_extensions import Buffer

from codec.errors import CodecError

MAGIC: Final = 1
BLANK_MAGIC: Final = -1

ENTRY = Struct(
    "magic" / Const(MAGIC, Int32sb),
    "size" / Rebuild(Int32ub, 48 + len_(this.body)),
    "index" / Int64sb,
    "term" / Int64sb,
    "pos" / Int64sb,  # where the entry itself begins, from the begin of the first file there was
    "channel" / Int32sb,
    "chain_crc" / Int32sb,
    "body_crc" / Int32sb,
    "body_length" / Rebuild(Int32ub, len_(this.body)),
    "body" / Bytes(this.body_length),
)
"""One entry. Source: DLedgerEntryCoder.java, encode(), 0.3.1.2."""

INDEX_UNIT = Struct(
    "magic" / Const(MAGIC, Int32sb),
    "pos" / Int64sb,
    "size" / Int32sb,
    "index" / Int64sb,
    "term" / Int64sb,
)
"""Where an entry lies. Source: DLedgerEntryCoder.java, encodeIndex(), 0.3.1.2."""

BLANK = Struct(
    "magic" / Const(BLANK_MAGIC, Int32sb),
    "size" / Int32sb,  # of the blank, up to the end of the file; its other bytes are zero
)
"""Begin of the unused end of a file. Source: MmapFileList.java, preAppend(), 0.3.1.2."""

ENTRY_HEADER: Final = struct.Struct(">iiqqqiiii")
"""Twin of ``ENTRY`` up to its body."""
ENTRY_HEADER_SIZE: Final = 48
UNIT: Final = struct.Struct(">iqiqq")
"""Twin of ``INDEX_UNIT``."""
UNIT_SIZE: Final = 32
BLANK_SIZE: Final = 8
_BLANK: Final = struct.Struct(">ii")
_MAGIC: Final = struct.Struct(">i")


class EntryHeader(msgspec.Struct, frozen=True, gc=False):
    """An entry without its body."""

    magic: int
    size: int
    index: int
    term: int
    pos: int
    channel: int = 0
    chain_crc: int = 0
    body_crc: int = 0
    body_length: int = 0

    @property
    def unit(self) -> bytes:
        """What the index says of it."""
        return UNIT.pack(self.magic, self.pos, self.size, self.index, self.term)


class IndexUnit(msgspec.Struct, frozen=True, gc=False):
    """Where an entry lies: ``size`` bytes from ``pos`` on, its header among them."""

    magic: int
    pos: int
    size: int
    index: int
    term: int


def pack_entry(
    index: int, term: int, pos: int, body: bytes, marks: tuple[int, int, int] = (0, 0, 0)
) -> bytes:
    """Twin of ``ENTRY.build``. ``marks``: channel, checksum of the chain, checksum of the body."""
    length = len(body)
    return (
        ENTRY_HEADER.pack(MAGIC, ENTRY_HEADER_SIZE + length, index, term, pos, *marks, length)
        + body
    )


def parse_entry_header(buffer: Buffer, offset: int = 0) -> EntryHeader:
    """Twin of ``ENTRY.parse`` for what is before the body, from ``offset`` (0 or more) on.

    :raises CodecError: fewer than 48 bytes are left, or magic or sizes are no entry's.
    """
    try:
        header = EntryHeader(*ENTRY_HEADER.unpack_from(buffer, offset))
    except struct.error as error:
        raise CodecError(f"no whole entry header at {offset}") from error
    if header.magic != MAGIC or header.body_length < 0:
        raise CodecError(f"{header} at {offset}, expected magic {MAGIC}")
    if header.size != ENTRY_HEADER_SIZE + header.body_length:
        raise CodecError(f"{header} at {offset}, its size and its body's do not agree")
    return header


def is_blank(buffer: Buffer, offset: int) -> bool:
    """Whether a blank begins at ``offset``, which has at least 4 bytes after it."""
    return _MAGIC.unpack_from(buffer, offset) == (BLANK_MAGIC,)


def pack_blank(size: int) -> bytes:
    """Twin of ``BLANK.build``; ``size`` bytes, 8 or more, are left in the file."""
    return _BLANK.pack(BLANK_MAGIC, size)


def pack_unit(pos: int, size: int, index: int, term: int) -> bytes:
    """Twin of ``INDEX_UNIT.build``."""
    return UNIT.pack(MAGIC, pos, size, index, term)


def parse_unit(buffer: Buffer, offset: int = 0) -> IndexUnit:
    """Twin of ``INDEX_UNIT.parse``, of the 32 bytes from ``offset`` (0 or more) on.

    :raises CodecError: fewer bytes are left, or the magic is not 1.
    """
    try:
        unit = IndexUnit(*UNIT.unpack_from(buffer, offset))
    except struct.error as error:
        raise CodecError(f"no whole unit of {UNIT_SIZE} bytes at {offset}") from error
    if unit.magic != MAGIC:
        raise CodecError(f"{unit} at {offset}, expected magic {MAGIC}")
    return unit


class CurrentTerm(NamedTuple):
    """What a member must not forget: the term, and the id that has its vote in it, if any."""

    term: int
    vote: str | None


class LedgerCheckpoint(NamedTuple):
    """What a member knew lately; -1 is nothing. Only a hint."""

    end_index: int
    committed_index: int


def pack_term(current: CurrentTerm) -> bytes:
    """The text of ``currterm``. Source: MemberState.java, persistTerm(), 0.3.1.2."""
    return f"voteLeader={current.vote or ''}\ncurrTerm={current.term}\n".encode()


def parse_term(text: bytes) -> CurrentTerm:
    """Read ``currterm``; what is not said is 0, and no vote.

    :raises CodecError: the text or the term cannot be read.
    """
    values = _properties(text)
    return CurrentTerm(_number(values, "currTerm", 0), values.get("voteLeader") or None)


def pack_ledger_checkpoint(checkpoint: LedgerCheckpoint) -> bytes:
    """The text of ``checkpoint``.

    Source: DLedgerMmapFileStore.java, persistCheckPoint(), 0.3.1.2.
    """
    return b"committedIndex=%d\nendIndex=%d\n" % (checkpoint.committed_index, checkpoint.end_index)


def parse_ledger_checkpoint(text: bytes) -> LedgerCheckpoint:
    """Read ``checkpoint``; what is not said is -1.

    :raises CodecError: the text or a number cannot be read.
    """
    values = _properties(text)
    return LedgerCheckpoint(_number(values, "endIndex", -1), _number(values, "committedIndex", -1))


_LINE: Final = re.compile(r"\s*([^=:\s]+)\s*[=:]?\s*(.*)")
_NUMBER: Final = re.compile(r"-?\d{1,19}", re.ASCII)


def _properties(text: bytes) -> dict[str, str]:
    """Lines ``key=value`` as Java's Properties reads them, without escapes, which no id has."""
    try:
        lines = text.decode().splitlines()
    except UnicodeDecodeError as error:
        raise CodecError(f"properties are not UTF-8: {error}") from error
    found = [_LINE.fullmatch(line) for line in lines if line.lstrip()[:1] not in ("", "#", "!")]
    return {match[1]: match[2].rstrip() for match in found if match}


def _number(values: dict[str, str], key: str, default: int) -> int:
    text = values.get(key, "")
    if not text:
        return default
    if not _NUMBER.fullmatch(text):
        raise CodecError(f"{key}={text[:40]}, expected a number")
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise CodecError(f"{key}={text}, expected 64 bits at most")
    return number
