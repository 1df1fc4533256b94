"""The epoch file of controller mode: where in the commit log each master's reign began.

Text: the number of entries, a checksum, then a line ``epoch-start`` for each entry. The checksum is
the CRC-32, without its highest bit, of the entries' lines with their line ends; 0 is not checked.
Source: CheckpointFile.java, EpochFileCache.java, 5.3.3.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from zlib import crc32

from codec.errors import CodecError

_NUMBER: Final = re.compile(r"\d{1,10}", re.ASCII)
_ENTRY: Final = re.compile(r"(\d{1,10})-(\d{1,19})", re.ASCII)
_INT32_MAX: Final = 0x7FFFFFFF
_INT64_MAX: Final = 0x7FFFFFFFFFFFFFFF


class EpochStart(NamedTuple):
    """A master's reign: its epoch, and the position where its first record lies."""

    epoch: int
    start_position: int


def pack_epochs(epochs: Sequence[EpochStart]) -> bytes:
    """The whole file; of no epochs Java writes no file.

    Source: CheckpointFile.java, write(), 5.3.3.
    """
    lines = "".join([f"{epoch}-{start}\n" for epoch, start in epochs]).encode()
    return b"%d\n%d\n%b" % (len(epochs), _checksum(lines), lines)


def parse_epochs(data: bytes) -> list[EpochStart]:
    """The entries, in the file's order.

    Source: CheckpointFile.java, read(), 5.3.3.

    :raises CodecError: a line is not what it should be, or number or checksum are not true.
    """
    try:
        count_line, checksum_line, *lines = data.decode("ascii").splitlines()
    except ValueError as error:
        raise CodecError("epoch file has fewer than two lines, or is not ASCII") from error
    epochs = [_entry(line) for line in lines]
    if len(epochs) != _number(count_line):
        raise CodecError(f"epoch file has {len(epochs)} entries and says {count_line}")
    expected = _number(checksum_line)
    found = _checksum("".join([line + "\n" for line in lines]).encode())
    if expected not in (0, found):
        raise CodecError(f"entries of the epoch file have checksum {found}, it says {expected}")
    return epochs


def _checksum(lines: bytes) -> int:
    return crc32(lines) & 0x7FFFFFFF


def _number(line: str) -> int:
    if not _NUMBER.fullmatch(line):
        raise CodecError(f"epoch file has {line[:40]!r}, expected a number")
    return int(line)


def _entry(line: str) -> EpochStart:
    match = _ENTRY.fullmatch(line)
    if match is None:
        raise CodecError(f"epoch file has {line[:40]!r}, expected epoch-start")
    entry = EpochStart(int(match[1]), int(match[2]))
    if entry.epoch > _INT32_MAX or entry.start_position > _INT64_MAX:
        raise CodecError(f"epoch file has {line[:40]!r}, too large")
    return entry
