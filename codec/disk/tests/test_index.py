import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.disk import index
from codec.errors import CodecError
from codec.message.java_hash import java_hash
from codec.tests.golden_files import GOLDEN, STORES, record_at

SLOTS, UNITS_MAX = 16, 40


def golden(store):
    (path,) = (GOLDEN / store / "index").iterdir()
    return path.read_bytes()


@pytest.mark.parametrize("store", STORES)
def test_an_index_of_java_is_read_and_packed_again(store):
    data = golden(store)
    header = index.parse_header(data)

    assert len(data) == index.file_size(SLOTS, UNITS_MAX)
    assert index.pack_header(header) == index.INDEX_HEADER.build(header._asdict()) == data[:40]
    for number in range(UNITS_MAX):
        at = index.unit_at(number, SLOTS)
        unit = index.parse_unit(data, at)
        whole = data[at : at + index.UNIT_SIZE]
        assert index.pack_unit(*unit) == index.INDEX_UNIT.build(unit._asdict()) == whole
    slots = [
        index.SLOT.unpack_from(data, at)[0]
        for at in range(index.HEADER_SIZE, index.unit_at(0, SLOTS), index.SLOT_SIZE)
    ]
    assert b"".join(index.INDEX_SLOT.build(slot) for slot in slots) == data[40:104]
    assert sum(slot > 0 for slot in slots) == header.slots_used


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("key", ["k0", "k1", "shared", "AC11000100000000", "AC11000100000PRE0"])
def test_keys_of_java_are_found_by_our_hash(store, key):
    data = golden(store)
    log = b"".join(path.read_bytes() for path in sorted((GOLDEN / store / "commitlog").iterdir()))
    begin = index.parse_header(data).begin_timestamp
    hashed = index.key_hash(java_hash(f"TopicA#{key}"))

    found = 0
    (number,) = index.SLOT.unpack_from(data, index.slot_at(hashed, SLOTS))
    while number != index.NO_UNIT:
        unit = index.parse_unit(data, index.unit_at(number, SLOTS))
        number = unit.previous_unit
        if unit.key_hash == hashed:
            record = record_at(log, unit.position)
            assert key.encode() in record.properties
            assert unit.seconds == index.seconds_since(begin, record.store_timestamp)
            found += 1
    assert found == (3 if key == "shared" else 1)


@given(st.binary(min_size=40, max_size=40))
def test_declaration_and_twin_agree_on_any_header(data):
    read = index.INDEX_HEADER.parse(data)

    header = index.parse_header(data)

    assert header._asdict() == {name: read[name] for name in header._fields}
    assert index.pack_header(header) == data


@given(st.binary(min_size=20, max_size=20))
def test_declaration_and_twin_agree_on_any_unit(data):
    read = index.INDEX_UNIT.parse(data)

    unit = index.parse_unit(b"before" + data, 6)

    assert unit._asdict() == {name: read[name] for name in unit._fields}
    assert index.pack_unit(*unit) == data


@given(st.binary(max_size=39))
def test_a_cut_header_or_unit_is_refused(data):
    with pytest.raises(CodecError):
        index.parse_header(data)
    with pytest.raises(CodecError):
        index.parse_unit(data[:19])


def test_the_hash_of_a_key_is_never_negative():
    assert index.key_hash(-5) == 5
    assert index.key_hash(5) == 5
    assert index.key_hash(-(1 << 31)) == 0


def test_places_in_the_file_follow_each_other():
    assert index.slot_at(0, SLOTS) == 40
    assert index.slot_at(17, SLOTS) == 44
    assert index.unit_at(0, SLOTS) == 104
    assert index.unit_at(UNITS_MAX, SLOTS) == index.file_size(SLOTS, UNITS_MAX)
    assert index.file_size(5_000_000, 20_000_000) == 420_000_040


@pytest.mark.parametrize(
    ("begin", "stored", "seconds"),
    [
        (0, 5000, 0),
        (-1, 5000, 0),
        (1000, 2999, 1),
        (5000, 1000, 0),
        (5000, 4999, 0),
        (1, 1 << 62, 0x7FFFFFFF),
    ],
)
def test_seconds_are_counted_from_the_files_beginning_within_bounds(begin, stored, seconds):
    assert index.seconds_since(begin, stored) == seconds
