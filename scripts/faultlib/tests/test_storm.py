"""Tests of the order of faults and repairs, with a clock that is none."""

import random

import pytest

from scripts.commandlib import waiting
from scripts.commandlib.tests.clock import Clock
from scripts.commandlib.waiting import TooLateError
from scripts.faultlib import storm
from scripts.faultlib.injection import DiedError
from scripts.faultlib.menu import KINDS, Fault, Menu
from scripts.faultlib.register import Board
from scripts.faultlib.storm import Storm, go_together


class Attempts:
    def __init__(self, clock):
        self.clock = clock
        self.ack_times = []
        self.has_hung = False

    @property
    def acknowledged(self):
        return int(self.clock.now)

    def has_acked_since(self, begin):
        self.ack_times.append(self.clock.now)
        return not self.has_hung and self.clock.now > begin + 1


class Producer:
    failure = None

    def __init__(self, clock):
        self.attempts = Attempts(clock)


class Injection:
    def __init__(self):
        self.active, self.most, self.looks = [], 0, 0
        self.has_died = False

    def begin(self, fault):
        self.active.append(fault)
        self.most = max(self.most, len(self.active))

    def end(self, fault):
        self.active.remove(fault)

    def must_live(self):
        self.looks += 1
        if self.has_died:
            raise DiedError("n1")


class Group:
    def __init__(self):
        self.brokers = ["n0", "n1", "n2"]
        self.leader = "n1"
        self.wholes = []

    def master(self):
        return self.leader

    def is_whole(self):
        said = self.wholes.pop(0) if self.wholes else True
        if isinstance(said, Exception):
            raise said
        return said


@pytest.fixture
def scene(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(storm, "time", clock)
    monkeypatch.setattr(waiting, "time", clock)
    chance = random.Random(4)
    said = []
    made = Storm(
        Group(),
        Injection(),
        [Producer(clock)],
        Board(),
        Menu(KINDS, chance),
        chance,
        said.append,
    )
    made.said = said
    return made


def test_so_many_faults_happen_and_all_are_repaired(scene):
    scene.go(40, 1, 1e6)

    assert len(scene.suffered) == 40
    assert scene.injection.active == []
    assert scene.injection.most == 2
    assert scene.board.number > 20
    assert all(one.again_s > 0.9 and one.pause_s > 0 for one in scene.suffered)
    assert {one.fault.kind for one in scene.suffered} == set(KINDS)
    begun = [line for line in scene.said if " s  " in line]
    assert len(begun) == 40


def test_faults_go_on_until_there_are_messages_enough(scene):
    scene.go(1, 200, 1e6)

    assert scene.producers[0].attempts.acknowledged >= 200
    assert len(scene.suffered) > 5


def test_no_fault_begins_when_the_time_is_over(scene):
    scene.go(1000, 1, 60)

    assert 5 < len(scene.suffered) < 60
    assert scene.said[-1] == "1 minutes are over"


def test_without_a_leader_anybody_is_hit(scene):
    scene.group.leader = None

    scene.go(5, 1, 1e6)

    assert len(scene.suffered) == 5


def test_members_must_get_whole_now_and_then(scene):
    scene.group.wholes = [False, OSError(), True]

    scene.go(storm.WHOLE_EACH, 1, 1e6)
    assert scene.group.wholes == []

    scene.group.wholes = [False] * 10_000
    with pytest.raises(TooLateError, match="all members"):
        scene.until_whole()


def test_a_group_that_serves_no_more_is_told(scene):
    scene.producers[0].attempts.has_hung = True

    with pytest.raises(TooLateError, match="the group to serve"):
        scene.go(1, 1, 1e6)


def test_a_broker_that_died_is_told(scene):
    scene.injection.has_died = True

    with pytest.raises(DiedError):
        scene.go(1, 1, 1e6)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (Fault("kill-any", (0,), 1), Fault("kill-leader", (1,), 1), False),
        (Fault("pause-any", (0,), 1), Fault("pause-leader", (1,), 1), False),
        (Fault("kill-any", (0,), 1), Fault("pause-any", (0,), 1), False),
        (Fault("pause-any", (0,), 1), Fault("kill-any", (0,), 1), False),
        (Fault("kill-any", (0,), 1), Fault("pause-any", (1,), 1), True),
        (Fault("halves", (0,), 1), Fault("clock", (0,), 1), True),
        (Fault("ring", (0,), 1), Fault("ring", (1,), 1), False),
    ],
)
def test_two_of_a_family_or_of_a_dead_broker_are_not_there_at_once(one, other, together):
    assert go_together(one, other) == together
