import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.disk.consume_queue import (
    CONSUME_QUEUE_UNIT,
    FILLER,
    UNIT_SIZE,
    ConsumeQueueUnit,
    pack_unit,
    parse_unit,
)
from codec.errors import CodecError
from codec.message.java_hash import tags_code
from codec.message.properties import TAGS, find
from codec.tests.golden_files import GOLDEN, STORES, files, record_at


def test_every_unit_of_java_is_read_and_packed_again():
    for path in files("consumequeue/*/*/*"):
        data = path.read_bytes()
        for offset in range(0, len(data), UNIT_SIZE):
            unit = parse_unit(data, offset)
            whole = data[offset : offset + UNIT_SIZE]
            assert pack_unit(*unit) == CONSUME_QUEUE_UNIT.build(unit._asdict()) == whole


@pytest.mark.parametrize("store", STORES)
def test_units_of_java_point_at_their_records(store):
    logs = sorted((GOLDEN / store / "commitlog").iterdir())
    log = b"".join(path.read_bytes() for path in logs)
    for path in sorted((GOLDEN / store / "consumequeue").glob("*/*/*")):
        units = [parse_unit(path.read_bytes(), at) for at in range(0, 1000, UNIT_SIZE)]
        valid = [unit for unit in units if unit.is_valid]
        assert valid == units[: len(valid)] != []
        for number, unit in enumerate(valid):
            record = record_at(log, unit.position)
            assert (record.queue_offset, record.total_size) == (number, unit.size)
            assert tags_code(find(record.properties, TAGS)) == unit.tags_code


@given(st.binary(min_size=UNIT_SIZE, max_size=UNIT_SIZE))
def test_declaration_and_twin_agree_on_any_unit(data):
    read = CONSUME_QUEUE_UNIT.parse(data)

    unit = parse_unit(b"before" + data, 6)

    assert unit._asdict() == {name: read[name] for name in unit._fields}
    assert pack_unit(*unit) == data


@given(st.binary(max_size=UNIT_SIZE - 1))
def test_a_cut_unit_is_refused(data):
    with pytest.raises(CodecError):
        parse_unit(data)


def test_a_unit_is_valid_when_it_points_somewhere():
    assert ConsumeQueueUnit(0, 1, 0).is_valid
    assert not ConsumeQueueUnit(0, 0, 0).is_valid
    assert not ConsumeQueueUnit(-1, 1, 0).is_valid


def test_the_filler_is_a_valid_unit_of_the_largest_size():
    assert parse_unit(FILLER) == (0, 0x7FFFFFFF, 0)
    assert parse_unit(FILLER).is_valid
