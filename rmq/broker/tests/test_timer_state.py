import pytest

from codec.bodies.data_version import DataVersion
from codec.bodies.timer import TimerMetric, TimerMetricsSerializeWrapper
from codec.disk.timer_checkpoint import TimerCheckpoint
from rmq.base.errors import StoreError
from rmq.base.manual import ManualClock
from rmq.broker.tests.tables import FullDisk, table_file
from rmq.broker.timer_state import TimerState

PATH = "/store/config/timercheck"
VERSION = DataVersion(counter=4, state_version=2, timestamp=9)


@pytest.fixture
def disk():
    return FullDisk(ManualClock())


def state_on(disk):
    state = TimerState(disk, PATH, table_file(disk, "timermetrics"))
    state.load()
    return state


def test_what_was_never_saved_is_at_its_beginning(disk):
    state = state_on(disk)

    assert state.checkpoint == TimerCheckpoint()
    assert state.metrics.timing_count == {}


def test_master_s_checkpoint_leaves_our_own_files_alone_and_outlives_a_restart(disk):
    state = state_on(disk)
    state.checkpoint = TimerCheckpoint(1, 2, 3, 4)

    state.adopt_checkpoint(TimerCheckpoint(10, 20, 30, 40, VERSION))
    state.persist()

    assert state_on(disk).checkpoint == TimerCheckpoint(10, 2, 3, 40, VERSION)
    assert len(disk.read(PATH)) == 4096


def test_unchanged_checkpoint_is_not_written(disk):
    state = state_on(disk)

    state.adopt_checkpoint(TimerCheckpoint())
    state.persist()

    assert disk.read(PATH) is None


def test_checkpoint_that_the_disk_refuses_is_saved_later(disk):
    state = state_on(disk)
    state.adopt_checkpoint(TimerCheckpoint(10))

    disk.full = True
    state.persist()
    disk.full = False
    state.persist()

    assert state_on(disk).checkpoint.last_read_time_ms == 10


def test_metrics_of_another_version_replace_ours(disk):
    state = state_on(disk)
    theirs = TimerMetricsSerializeWrapper(
        data_version=VERSION, timing_count={"T": TimerMetric(count=1, time_stamp=5)}
    )

    state.adopt_metrics(theirs)
    state.adopt_metrics(TimerMetricsSerializeWrapper(data_version=VERSION))

    assert state.metrics == theirs
    assert state_on(disk).metrics == theirs


def test_broken_checkpoint_stops_the_start(disk):
    disk.replace(PATH, b"short")

    with pytest.raises(StoreError, match="timercheck: timer checkpoint of 5 bytes"):
        state_on(disk)
