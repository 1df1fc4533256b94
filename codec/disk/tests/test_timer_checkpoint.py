import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.bodies.data_version import DataVersion
from codec.disk.timer_checkpoint import (
    TIMER_CHECKPOINT,
    TIMER_CHECKPOINT_SIZE,
    TimerCheckpoint,
    pack_timer_checkpoint,
    parse_timer_checkpoint,
)
from codec.errors import CodecError

LONGS = st.integers(-(2**63), 2**63 - 1)
VERSIONS = st.builds(DataVersion, counter=LONGS, state_version=LONGS, timestamp=LONGS)
CHECKPOINTS = st.builds(TimerCheckpoint, LONGS, LONGS, LONGS, LONGS, VERSIONS)


def declared(checkpoint):
    version = checkpoint.data_version
    return {
        "last_read_time_ms": checkpoint.last_read_time_ms,
        "last_timer_log_flush_pos": checkpoint.last_timer_log_flush_pos,
        "last_timer_queue_offset": checkpoint.last_timer_queue_offset,
        "master_timer_queue_offset": checkpoint.master_timer_queue_offset,
        "state_version": version.state_version,
        "timestamp": version.timestamp,
        "counter": version.counter,
    }


@given(CHECKPOINTS)
def test_checkpoint_is_packed_as_declared_and_read_back(checkpoint):
    packed = pack_timer_checkpoint(checkpoint)

    assert packed == TIMER_CHECKPOINT.build(declared(checkpoint))
    assert parse_timer_checkpoint(packed) == checkpoint


@given(CHECKPOINTS, st.binary(max_size=40))
def test_what_follows_a_checkpoint_is_ignored(checkpoint, rest):
    assert parse_timer_checkpoint(pack_timer_checkpoint(checkpoint) + rest) == checkpoint


def test_old_checkpoint_has_no_version():
    packed = pack_timer_checkpoint(TimerCheckpoint(1, 2, 3, 4))

    assert parse_timer_checkpoint(packed[:32]) == TimerCheckpoint(1, 2, 3, 4)


@pytest.mark.parametrize("size", [0, 31, 33, TIMER_CHECKPOINT_SIZE - 1])
def test_short_checkpoint_is_refused(size):
    with pytest.raises(CodecError, match=f"of {size} bytes"):
        parse_timer_checkpoint(bytes(size))
