import signal
from types import SimpleNamespace

import pytest
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.python.failure import Failure

from rmq.net.children import ReactorChild


class Spawning:
    """A reactor that starts nothing."""

    def __init__(self):
        self.signals = []
        self.trouble = None

    def spawnProcess(self, protocol, executable, args, env, childFDs):
        self.started = (executable, args, sorted(childFDs))
        return SimpleNamespace(pid=77, signalProcess=self._signal)

    def _signal(self, number):
        if self.trouble is not None:
            raise self.trouble
        self.signals.append(number)


@pytest.fixture
def world(tmp_path):
    reactor, told = Spawning(), []
    path = tmp_path / "child.log"
    child = ReactorChild(reactor, ("python", "-m", "x"), str(path), told.append)
    return SimpleNamespace(reactor=reactor, told=told, child=child, path=path)


def test_child_is_started_with_a_file_for_what_it_logs(world):
    assert world.reactor.started == ("python", ["python", "-m", "x"], [1, 2])
    assert world.child.pid == 77
    assert world.path.read_bytes() == b""


@pytest.mark.parametrize(
    ("reason", "how"),
    [
        (ProcessDone(0), "status 0"),
        (ProcessTerminated(exitCode=2), "status 2"),
        (ProcessTerminated(signal=9), "SIGKILL"),
    ],
)
def test_end_is_told_in_words(world, reason, how):
    world.child.processEnded(Failure(reason))

    assert world.told == [how]


def test_child_is_asked_to_end_unless_it_has(world):
    world.child.stop()
    world.reactor.trouble = ProcessExitedAlready()
    world.child.stop()

    assert world.reactor.signals == [signal.SIGTERM]
