from codec.bodies import decode_body
from codec.bodies.timer import TimerMetricsSerializeWrapper
from codec.codes import RequestCode
from codec.disk.timer_checkpoint import TimerCheckpoint, parse_timer_checkpoint
from rmq.base.manual import ManualClock
from rmq.broker.processors.admin.timers import TimerAdminProcessor
from rmq.broker.tests.tables import table_file
from rmq.broker.timer_state import TimerState
from rmq.net.memory_disk import MemoryDisk
from rmq.remoting.handling import handler_table


def answer(state, code):
    return handler_table([TimerAdminProcessor(state)])[code].answer(None)


def test_slaves_are_told_the_checkpoint_and_the_counts():
    disk = MemoryDisk(ManualClock())
    state = TimerState(disk, "/timercheck", table_file(disk, "timermetrics"))
    state.checkpoint = TimerCheckpoint(1, 2, 3, 4)

    checkpoint = answer(state, RequestCode.GET_TIMER_CHECK_POINT)
    metrics = answer(state, RequestCode.GET_TIMER_METRICS)

    assert parse_timer_checkpoint(checkpoint.body) == state.checkpoint
    assert decode_body(TimerMetricsSerializeWrapper, metrics.body) == state.metrics
