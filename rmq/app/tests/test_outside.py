import os

from rmq.app.outside import true_outside
from rmq.app.store import memory_size
from rmq.net.clock import ReactorClock, SystemChance
from rmq.net.tests.reactors import Loop
from rmq.net.worker import ThreadWorker


def test_true_outside_is_this_machine_and_this_process():
    outside = true_outside(Loop())

    assert isinstance(outside.clock, ReactorClock)
    assert isinstance(outside.chance, SystemChance)
    assert isinstance(outside.worker, ThreadWorker)
    assert (outside.process_id, outside.memory_size) == (os.getpid(), memory_size())
