import pytest

from codec.bodies.filters import BloomFilterData
from rmq.broker.bloom import BloomFilter, murmur3

LONG = "group-with-\u00e9#topic-\u65e5\u672c\u8a9e-and-more-than-16"
HASHES = {
    "": 0,
    "a": 9607679276477937801,
    "G1#TopicA": 16792773372261466648,
    "0123456789abcdef": 5467490433528156583,
    "0123456789abcdef0": 16943859595160698997,
    LONG: 17088081989781213773,
}
"""As Guava's murmur3_128 has them, unsigned."""


@pytest.mark.parametrize(("text", "expected"), HASHES.items())
def test_hashes_are_those_of_java(text, expected):
    assert murmur3(text.encode()) == expected


@pytest.mark.parametrize(
    ("text", "few", "many"),
    [
        ("a", (94, 99, 7), (6598, 3419, 9351, 2477, 701, 1535, 1643)),
        ("G1#TopicA", (79, 55, 31), (1991, 7031, 2479, 7519, 2967, 7000, 1960)),
        (LONG, (21, 29, 37), (5789, 2189, 8181, 4581, 981, 6973, 6218)),
    ],
)
def test_bits_are_those_of_java(text, few, many):
    assert BloomFilter(20, 32).of(text) == BloomFilterData(bit_num=112, bit_pos=few)
    assert BloomFilter(1, 1000).of(text) == BloomFilterData(bit_num=9592, bit_pos=many)
    assert BloomFilter(99, 1).of(text).bit_num == 8


def test_bits_of_another_size_are_not_its_own():
    bloom = BloomFilter(20, 32)

    assert bloom.is_own(bloom.of("a"))
    assert not bloom.is_own(BloomFilter(20, 64).of("a"))
    assert not bloom.is_own(BloomFilterData(bit_num=112, bit_pos=(1, 2)))
    assert not bloom.is_own(BloomFilterData(bit_num=112))
    assert not bloom.is_own(None)
