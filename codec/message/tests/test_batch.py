import struct

import pytest
from construct import ConstructError
from hypothesis import given
from hypothesis import strategies as st

from codec.errors import CodecError
from codec.message.batch import BATCH_ITEM, BatchItem, pack_batch, split_batch
from codec.tests.golden_files import pairs, vectors

items = st.builds(
    BatchItem, st.binary(max_size=9), st.binary(max_size=9), st.integers(-(1 << 31), (1 << 31) - 1)
)
one = pack_batch([BatchItem(b"body", b"k\x01v\x02", 7)])


def test_a_batch_of_java_is_split_and_packed_again():
    ((body, listed),) = vectors("batch")

    split = split_batch(bytes.fromhex(body))

    texts = [text.split("/") for text in listed.split(",") if text]
    assert split == [
        (bytes.fromhex(body), bytes.fromhex(rest), int(flag)) for flag, body, rest in texts
    ]
    assert pack_batch(split).hex() == body
    assert pairs("") == []


@given(st.lists(items, max_size=5))
def test_declaration_and_twin_agree_on_batches(batch):
    body = b"".join(BATCH_ITEM.build(item._asdict()) for item in batch)

    assert pack_batch(batch) == body
    assert split_batch(body) == batch


@given(st.lists(items, min_size=1, max_size=2).map(pack_batch), st.data())
def test_of_broken_bytes_the_twin_takes_only_what_the_declaration_builds_back(body, data):
    at = data.draw(st.integers(0, len(body) - 1))
    broken = (
        body[:at] + data.draw(st.binary(max_size=5)) + body[data.draw(st.integers(at, len(body))) :]
    )
    try:
        count = len(split_batch(broken))
    except CodecError:
        return

    rebuilt = b""
    for _ in range(count):
        rebuilt += BATCH_ITEM.build(BATCH_ITEM.parse(broken[len(rebuilt) :]))
    assert rebuilt == broken


def test_magic_and_checksum_of_an_item_are_not_looked_at():
    assert split_batch(one[:4] + b"12345678" + one[12:]) == split_batch(one)


def test_a_batch_of_too_many_is_refused():
    assert len(split_batch(one * 2, 2)) == 2
    with pytest.raises(CodecError, match="more than 2"):
        split_batch(one * 3, 2)


@pytest.mark.parametrize(
    ("at", "form", "value"),
    [
        (0, ">i", len(one) - 1),
        (0, ">i", len(one) + 1),
        (0, ">i", -1),
        (0, ">i", 0),
        (16, ">i", -1),
        (16, ">i", 0x7FFFFFFF),
        (16, ">i", 8),
        (24, ">h", -1),
        (24, ">h", 3),
        (24, ">h", 5),
    ],
)
def test_a_false_length_is_refused(at, form, value):
    broken = bytearray(one)
    struct.pack_into(form, broken, at, value)

    with pytest.raises(CodecError):
        split_batch(bytes(broken))
    with pytest.raises(ConstructError):
        BATCH_ITEM.parse(broken)


def test_a_cut_item_is_refused():
    for size in range(1, len(one)):
        with pytest.raises(CodecError):
            split_batch(one + one[:size])
