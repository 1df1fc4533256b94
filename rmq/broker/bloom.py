"""Which bits of a Bloom filter belong to a text.

Java's broker can store with each message a bit map of the groups whose filters it passes
(``enableCalcFilterBitMap``), and keeps each group's bits in consumerFilter.json; a broker that
reads the file back throws all of it away unless the bits are those that it would choose.

The hash is MurmurHash3 for 64-bit machines, 128 bits, seed 0, of which the first 64 count.
Source: BloomFilter.java, 5.3.3.
"""

from math import ceil, e, log
from typing import Final

from codec.bodies.filters import BloomFilterData

_MASK: Final = 2**64 - 1
_C1: Final = 0x87C37B91114253D5
_C2: Final = 0x4CF5AD432745937F
_BLOCK: Final = 16


class BloomFilter:
    """``bits`` bits in all, ``hashes`` of them for each text."""

    def __init__(self, error_percent: int, texts: int) -> None:
        """For ``texts`` texts (1 or more), ``error_percent`` (1 to 99) of the answers wrong."""
        error_rate = error_percent / 100
        self.hashes = ceil(log(error_rate) / log(0.5))
        bits = ceil(texts * (log(1 / error_rate) / log(2)) * (log(e) / log(2)))
        self.bits = 8 * ceil(bits / 8)

    def of(self, text: str) -> BloomFilterData:
        """The bits of a text. Source: BloomFilter.java, calcBitPositions(), 5.3.3."""
        hashed = murmur3(text.encode(errors="replace"))
        low, high = hashed & 0xFFFFFFFF, hashed >> 32
        mixed = ((low + n * high) & 0xFFFFFFFF for n in range(1, self.hashes + 1))
        positions = ((~one & 0xFFFFFFFF if one >> 31 else one) % self.bits for one in mixed)
        return BloomFilterData(bit_num=self.bits, bit_pos=tuple(positions))

    def is_own(self, data: BloomFilterData | None) -> bool:
        """Whether bits may be from a filter of this size."""
        return (
            data is not None
            and data.bit_num == self.bits
            and data.bit_pos is not None
            and len(data.bit_pos) == self.hashes
        )


def murmur3(data: bytes) -> int:
    """The first 64 bits of MurmurHash3_x64_128, unsigned. Source: Guava, murmur3_128().asLong()."""
    h1 = h2 = 0
    whole = len(data) - len(data) % _BLOCK
    for at in range(0, whole, _BLOCK):
        k1 = int.from_bytes(data[at : at + 8], "little")
        k2 = int.from_bytes(data[at + 8 : at + _BLOCK], "little")
        h1 ^= _mixed(k1, _C1, 31, _C2)
        h1 = (_rotated(h1, 27) + h2) * 5 + 0x52DCE729 & _MASK
        h2 ^= _mixed(k2, _C2, 33, _C1)
        h2 = (_rotated(h2, 31) + h1) * 5 + 0x38495AB5 & _MASK
    rest = data[whole:]
    h2 ^= _mixed(int.from_bytes(rest[8:], "little"), _C2, 33, _C1)
    h1 ^= _mixed(int.from_bytes(rest[:8], "little"), _C1, 31, _C2)
    h1 ^= len(data)
    h2 ^= len(data)
    h1 = h1 + h2 & _MASK
    h2 = h1 + h2 & _MASK
    return _finished(h1) + _finished(h2) & _MASK


def _mixed(value: int, before: int, turn: int, after: int) -> int:
    return _rotated(value * before & _MASK, turn) * after & _MASK


def _rotated(value: int, turn: int) -> int:
    value &= _MASK
    return (value << turn | value >> 64 - turn) & _MASK


def _finished(value: int) -> int:
    value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD & _MASK
    value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53 & _MASK
    return value ^ value >> 33
