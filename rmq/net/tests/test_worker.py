from queue import Queue

import pytest

from rmq.net.worker import ThreadWorker


class CallsFromThreads:
    """What a reactor is for a thread pool: a place to call back; the test makes the calls."""

    def __init__(self):
        self.calls = Queue()

    def callFromThread(self, call, *args, **kwargs):
        self.calls.put((call, args, kwargs))

    def make_one(self):
        call, args, kwargs = self.calls.get(timeout=10)
        call(*args, **kwargs)


@pytest.fixture
def world():
    reactor = CallsFromThreads()
    worker = ThreadWorker(reactor, threads=1)
    worker.start()
    yield reactor, worker
    worker.stop()


def test_call_is_made_in_a_thread_and_told_to_the_reactor(world):
    reactor, worker = world
    made, told = [], []

    worker.run(lambda: made.append(1)).addCallback(told.append)
    reactor.make_one()

    assert made == [1]
    assert told == [None]


def test_failure_is_told_to_the_reactor(world):
    reactor, worker = world
    told = []

    def fail():
        raise OSError(5, "Input/output error")

    worker.run(fail).addErrback(lambda failure: told.append(failure.value.errno))
    reactor.make_one()

    assert told == [5]
