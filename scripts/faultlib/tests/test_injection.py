"""Tests of faults and repairs, on brokers that are none."""

import signal

import pytest

from scripts.faultlib.injection import DiedError, Injection
from scripts.faultlib.menu import Fault
from scripts.faultlib.tests.stand_ins import Broker


class Net:
    def __init__(self):
        self.dropped = set()

    def drop(self, pairs):
        self.dropped = set(pairs)


class Clock:
    said = "+0"

    def set(self, what):
        self.said = what


class Disk:
    def __init__(self, pid, delay_ms, told):
        self.asked = (pid, delay_ms, told.name.partition("-")[0])
        self.stops = 0

    def stop(self):
        self.stops += 1
        return 7


@pytest.fixture
def scene(tmp_path):
    disks = []

    def slow_down(*asked):
        disks.append(Disk(*asked))
        return disks[-1]

    brokers = [Broker() for _ in range(3)]
    made = Injection(brokers, Net(), [Clock() for _ in range(3)], tmp_path, slow_down)
    made.made_disks = disks
    return made


def test_who_is_killed_is_started_again(scene):
    fault = Fault("kill-majority", (0, 2), 1.0)

    scene.begin(fault)
    assert [one.process is None for one in scene.brokers] == [True, False, True]
    scene.end(fault)

    assert [one.starts for one in scene.brokers] == [1, 0, 1]


def test_who_is_killed_twice_is_started_when_both_are_over(scene):
    first, second = Fault("kill-any", (0,), 1.0), Fault("kill-leader", (0,), 1.0)

    scene.begin(first)
    scene.begin(second)
    scene.end(first)
    assert scene.brokers[0].process is None
    scene.end(second)

    assert scene.brokers[0].starts == 1


def test_who_hangs_goes_on(scene):
    fault = Fault("pause-any", (1,), 1.0)

    scene.begin(fault)
    scene.end(fault)

    assert scene.brokers[1].process.signals == [signal.SIGSTOP, signal.SIGCONT]
    scene.brokers[1].process = None
    scene.begin(fault)


def test_packets_are_lost_as_long_as_one_fault_says_so(scene):
    first = Fault("halves", (0,), 1.0, frozenset({(0, 1), (1, 0)}))
    second = Fault("outgoing", (0,), 1.0, frozenset({(0, 1), (0, 2)}))

    scene.begin(first)
    scene.begin(second)
    assert scene.network.dropped == {(0, 1), (1, 0), (0, 2)}
    scene.end(first)
    assert scene.network.dropped == {(0, 1), (0, 2)}
    scene.end(second)

    assert scene.network.dropped == set()


def test_a_disk_is_slow_until_the_repair(scene):
    fault = Fault("slow-disk", (1,), 1.0, delay_ms=50)

    scene.begin(fault)
    scene.end(fault)

    (disk,) = scene.made_disks
    assert disk.asked == (4711, 50, "strace")
    assert disk.stops == 1
    assert scene.late_calls == 7


def test_a_dead_broker_has_no_disk(scene):
    scene.brokers[1].process = None
    fault = Fault("slow-disk", (1,), 1.0, delay_ms=50)

    scene.begin(fault)
    scene.end(fault)

    assert scene.late_calls == 0


def test_what_runs_beside_the_brokers_is_ended(scene):
    scene.begin(Fault("slow-disk", (1,), 1.0, delay_ms=50))

    scene.close()
    scene.close()

    assert scene.made_disks[0].stops == 1


def test_a_clock_is_wrong_until_the_repair(scene):
    fault = Fault("clock", (2,), 1.0, clock="-90")

    scene.begin(fault)
    assert [one.said for one in scene.clocks] == ["+0", "+0", "-90"]
    scene.end(fault)

    assert scene.clocks[2].said == "+0"


def test_who_ended_by_itself_is_told_with_its_last_words(scene):
    scene.must_live()
    scene.brokers[1].process.code = 1

    with pytest.raises(DiedError, match=r"(?s)n1 ended with 1.*ValueError: no"):
        scene.begin(Fault("kill-any", (0,), 1.0))
    scene.brokers[1].process = None
    scene.must_live()
