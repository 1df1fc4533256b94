"""Java's ``String.hashCode``: what tags are filtered by and keys are indexed by.

The hash of ``s`` with n UTF-16 code units is ``sum(s[i] * 31 ** (n - 1 - i))`` in 32 bits, signed.
Of two strings it follows that ``hash(a + b) == hash(a) * 31 ** len(b) + hash(b)``, which lets a
part that returns often (a topic, the fixed part of a client's ids) be hashed once.

UTF-8 that is broken is hashed as Java reads it: with U+FFFD in the place of what is wrong.
"""

import struct
from collections.abc import Sequence
from operator import mul
from typing import Final

_MASK: Final = 0xFFFFFFFF
_CHUNK: Final = 256
"""Code units summed at once; longer strings take several turns."""
_POWERS: Final[tuple[int, ...]] = tuple(pow(31, n, 1 << 32) for n in range(_CHUNK + 1))

TAGS_KNOWN_MAX: Final = 4096
"""Different TAGS whose hash is remembered; when full, all are forgotten."""
PREFIXES_KNOWN_MAX: Final = 4096
"""Different fixed parts of UNIQ_KEY whose hash is remembered; when full, all are forgotten."""

_UNIQUE_KEY_TAIL: Final = 12
"""Characters of a UNIQ_KEY that change from message to message: its time and its counter."""
_UNIQUE_KEY_LENGTHS: Final = frozenset((32, 56))

_tags_known: dict[bytes, int] = {}
_prefixes_known: dict[bytes, int] = {}


def java_hash(text: str | bytes) -> int:
    """The hash of a string (of bytes: of the UTF-8 text they are), from -2**31 to 2**31 - 1.

    Source: java.lang.String, hashCode().
    """
    return extend_hash(0, text)


def extend_hash(prefix_hash: int, text: str | bytes) -> int:
    """The hash of ``prefix + text``, of whose prefix only the hash is known."""
    if isinstance(text, str):
        units: Sequence[int] = text.encode() if text.isascii() else _code_units(text)
    elif text.isascii():
        units = text
    else:
        units = _code_units(text.decode(errors="replace"))
    count = len(units)
    if count in _UNIQUE_KEY_LENGTHS and isinstance(units, bytes):
        return _signed(_extend_by_unique_key(prefix_hash, units, count))
    if count > _CHUNK:
        return _signed(_extend_in_turns(prefix_hash, units))
    return _signed(prefix_hash * _POWERS[count] + sum(map(mul, units[::-1], _POWERS)))


def tags_code(tags: bytes | None) -> int:
    """What the consume queue keeps of TAGS to filter by: their hash, 0 when there are none.

    Source: MessageExtBrokerInner.java, tagsString2tagsCode(), 5.3.3.
    """
    if not tags:
        return 0
    known = _tags_known.get(tags)
    if known is None:
        if len(_tags_known) >= TAGS_KNOWN_MAX:
            _tags_known.clear()
        known = _tags_known[tags] = java_hash(tags)
    return known


def _signed(value: int) -> int:
    """The low 32 bits as Java's int."""
    return ((value + 0x80000000) & _MASK) - 0x80000000


def _code_units(text: str) -> tuple[int, ...]:
    encoded = text.encode("utf-16-be", "surrogatepass")
    units: tuple[int, ...] = struct.unpack(f">{len(encoded) >> 1}H", encoded)
    return units


def _extend_in_turns(value: int, units: Sequence[int]) -> int:
    for start in range(0, len(units), _CHUNK):
        chunk = units[start : start + _CHUNK]
        value = value * _POWERS[len(chunk)] + sum(map(mul, chunk[::-1], _POWERS)) & _MASK
    return value


def _extend_by_unique_key(prefix_hash: int, key: bytes, count: int) -> int:
    """As ``extend_hash``, for text of a UNIQ_KEY's length: its first part returns often."""
    fixed = key[:-_UNIQUE_KEY_TAIL]
    known = _prefixes_known.get(fixed)
    if known is None:
        if len(_prefixes_known) >= PREFIXES_KNOWN_MAX:
            _prefixes_known.clear()
        known = _prefixes_known[fixed] = sum(map(mul, fixed[::-1], _POWERS)) & _MASK
    tail: int = sum(map(mul, key[: -_UNIQUE_KEY_TAIL - 1 : -1], _POWERS))
    return prefix_hash * _POWERS[count] + known * _POWERS[_UNIQUE_KEY_TAIL] + tail
