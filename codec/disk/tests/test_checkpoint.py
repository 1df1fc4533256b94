import pytest
from construct import ConstructError
from hypothesis import given
from hypothesis import strategies as st

from codec.disk.checkpoint import (
    CHECKPOINT,
    CHECKPOINT_SIZE,
    Checkpoint,
    pack_checkpoint,
    parse_checkpoint,
)
from codec.errors import CodecError
from codec.tests.golden_files import files


def test_the_checkpoints_of_java_are_read_and_packed_again():
    for path in files("checkpoint"):
        checkpoint = parse_checkpoint(path.read_bytes())

        assert checkpoint.physic_msg_timestamp >= 0
        assert pack_checkpoint(checkpoint) == path.read_bytes()


@given(st.binary(min_size=40, max_size=40))
def test_declaration_and_twin_agree_on_any_checkpoint(fields):
    data = fields + bytes(CHECKPOINT_SIZE - 40)
    read = CHECKPOINT.parse(data)

    checkpoint = parse_checkpoint(data)

    values = {name: getattr(checkpoint, name) for name in Checkpoint.__struct_fields__}
    assert values == {name: read[name] for name in values}
    assert pack_checkpoint(checkpoint) == CHECKPOINT.build(values) == data


def test_what_later_versions_may_add_is_not_looked_at():
    data = bytes(40) + b"later" + bytes(CHECKPOINT_SIZE - 45)

    assert parse_checkpoint(data) == Checkpoint()
    assert CHECKPOINT.build(CHECKPOINT.parse(data)) == data


@pytest.mark.parametrize("size", [0, 39, 40, CHECKPOINT_SIZE - 1])
def test_a_cut_checkpoint_is_refused(size):
    with pytest.raises(CodecError):
        parse_checkpoint(bytes(size))
    with pytest.raises(ConstructError):
        CHECKPOINT.parse(bytes(size))


def test_a_checkpoint_with_more_than_its_size_is_refused():
    with pytest.raises(CodecError):
        parse_checkpoint(bytes(CHECKPOINT_SIZE + 1))


def test_the_earliest_of_log_and_queues_counts_with_three_seconds_off():
    assert Checkpoint(9000, 8000, 4000).min_timestamp == 5000
    assert Checkpoint(9000, 8000, 4000).min_timestamp_index == 4000
    assert Checkpoint(9000, 8000, 6000).min_timestamp_index == 5000


def test_nothing_is_earlier_than_0():
    assert Checkpoint(2999, 8000, 4000).min_timestamp == 0
