import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.disk.batch_queue import (
    BATCH_QUEUE_UNIT,
    UNIT_SIZE,
    BatchQueueUnit,
    pack_unit,
    parse_unit,
)
from codec.errors import CodecError


@given(st.binary(min_size=UNIT_SIZE, max_size=UNIT_SIZE))
def test_declaration_and_twin_agree_on_any_unit(data):
    read = BATCH_QUEUE_UNIT.parse(data)

    unit = parse_unit(b"before" + data, 6)

    assert unit._asdict() == {name: read[name] for name in unit._fields}
    assert pack_unit(unit) == BATCH_QUEUE_UNIT.build(unit._asdict()) == data


def test_what_is_not_given_is_as_java_writes_it():
    fields = {
        "position": 1,
        "size": 2,
        "tags_code": 3,
        "store_timestamp": 4,
        "base_offset": 5,
        "batch_size": 6,
    }

    assert pack_unit(BatchQueueUnit(**fields)) == BATCH_QUEUE_UNIT.build(fields)
    assert pack_unit(BatchQueueUnit(**fields))[-8:].hex() == "ffffffff00000000"


@given(st.binary(max_size=UNIT_SIZE - 1))
def test_a_cut_unit_is_refused(data):
    with pytest.raises(CodecError):
        parse_unit(data)


@pytest.mark.parametrize(
    "unit", [(-1, 1, 0, 0, 0, 1), (0, 0, 0, 0, 0, 1), (0, 1, 0, 0, -1, 1), (0, 1, 0, 0, 0, 0)]
)
def test_a_unit_that_lacks_anything_is_not_valid(unit):
    assert not BatchQueueUnit(*unit).is_valid


def test_a_unit_that_points_at_messages_is_valid():
    assert BatchQueueUnit(0, 1, 0, 0, 0, 1).is_valid
