from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred

from rmq.base.manual import ManualClock
from rmq.broker.replicas import Replicas, Safety, all_of
from rmq.broker.role import RoleHolder
from rmq.broker.tests.roles import A_MASTER, A_SLAVE, A_SYNC_MASTER
from rmq.store.messages import PutStatus


class Acks:
    def __init__(self):
        self.positions = []
        self.listener = None

    def acked_by(self, count):
        return sorted(self.positions, reverse=True)[count - 1 : count][0] if self.positions else 0

    def on_ack(self, listener):
        self.listener = listener

    def move(self, *positions):
        self.positions = positions
        self.listener()


class World:
    def __init__(self, count=1):
        self.clock = ManualClock()
        self.acks = Acks()
        self.replicas = Replicas(self.acks, self.clock, count=count, timeout_ms=3000)
        self.told = []

    def wait(self, end):
        done = self.replicas.replicated(end)
        done.addCallback(lambda status: self.told.append((end, status)))


@pytest.fixture
def world():
    return World()


def test_a_put_is_told_when_a_slave_has_all_of_it(world):
    world.wait(100)

    world.acks.move(99)
    assert world.told == []
    world.acks.move(100)

    assert world.told == [(100, PutStatus.PUT_OK)]


def test_one_report_serves_all_that_it_covers(world):
    for end in (100, 200, 300):
        world.wait(end)

    world.acks.move(250)

    assert world.told == [(100, PutStatus.PUT_OK), (200, PutStatus.PUT_OK)]


def test_as_many_slaves_as_asked_for_must_have_it():
    world = World(count=2)
    world.wait(100)

    world.acks.move(500, 50)
    assert world.told == []
    world.acks.move(500, 100)

    assert world.told == [(100, PutStatus.PUT_OK)]


def test_what_slaves_have_already_is_told_at_once(world):
    world.acks.move(100)

    world.wait(100)

    assert world.told == [(100, PutStatus.PUT_OK)]


def test_what_was_acknowledged_stays_so_when_the_slave_goes(world):
    world.acks.move(100)
    world.acks.move(0)

    world.wait(100)

    assert world.told == [(100, PutStatus.PUT_OK)]


def test_slaves_that_take_too_long_are_told_each_put_in_its_time(world):
    world.wait(100)
    world.clock.advance(1000)
    world.wait(200)

    world.clock.advance(1999)
    assert world.told == []
    world.clock.advance(1)
    assert world.told == [(100, PutStatus.FLUSH_SLAVE_TIMEOUT)]
    world.clock.advance(1000)

    assert world.told[1:] == [(200, PutStatus.FLUSH_SLAVE_TIMEOUT)]
    assert world.clock.owed == 0


def test_one_timer_does_for_all_and_ends_when_nobody_waits(world):
    for end in (100, 200, 300):
        world.wait(end)
    assert world.clock.owed == 1

    world.acks.move(300)
    world.clock.advance(3000)

    assert len(world.told) == 3
    assert world.clock.owed == 0


def test_nothing_to_wait_for_is_none_and_one_is_itself(world):
    assert all_of([]) is None
    assert all_of([world.replicas.replicated]) == world.replicas.replicated


@pytest.mark.parametrize(
    ("disk", "slaves", "told"),
    [
        (PutStatus.PUT_OK, PutStatus.PUT_OK, PutStatus.PUT_OK),
        (PutStatus.FLUSH_DISK_TIMEOUT, PutStatus.PUT_OK, PutStatus.FLUSH_DISK_TIMEOUT),
        (
            PutStatus.FLUSH_DISK_TIMEOUT,
            PutStatus.FLUSH_SLAVE_TIMEOUT,
            PutStatus.FLUSH_SLAVE_TIMEOUT,
        ),
        (
            PutStatus.SERVICE_NOT_AVAILABLE,
            PutStatus.FLUSH_SLAVE_TIMEOUT,
            PutStatus.SERVICE_NOT_AVAILABLE,
        ),
    ],
)
def test_of_two_the_worse_counts_once_both_are_known(disk, slaves, told):
    asked, answers, seen = [], [Deferred(), Deferred()], []

    def wait(number):
        return lambda end: asked.append(end) or answers[number]

    both = all_of([wait(0), wait(1)])
    both(100).addCallback(seen.append)
    answers[1].callback(slaves)
    assert seen == []
    answers[0].callback(disk)

    assert asked == [100, 100]
    assert seen == [told]


def test_who_waits_is_refused_when_there_is_nothing_to_wait_for_any_more(world):
    world.wait(100)
    world.wait(200)
    world.acks.move(150)

    world.replicas.refuse()
    world.replicas.refuse()

    assert world.told[1:] == [(200, PutStatus.SERVICE_NOT_AVAILABLE)]
    assert world.clock.owed == 0


def test_acknowledgements_of_another_time_do_not_count(world):
    world.acks.move(150)

    world.replicas.refuse()
    world.wait(100)

    assert world.told == []
    world.acks.move(100)
    assert world.told == [(100, PutStatus.PUT_OK)]


class Sender:
    safe = None


def flushed(_end):
    raise AssertionError("not waited for here")


def test_senders_wait_for_slaves_while_they_are_at_a_sync_master(world):
    role = RoleHolder(A_SYNC_MASTER)
    safety = Safety(role, None, world.replicas)
    sender = Sender()
    safety.follow(sender)
    sender.safe(100).addCallback(world.told.append)

    role.set(A_SLAVE)
    assert world.told == [PutStatus.SERVICE_NOT_AVAILABLE]
    assert sender.safe is None
    role.set(A_MASTER)
    assert sender.safe is None
    role.set(A_SYNC_MASTER)
    sender.safe(100).addCallback(world.told.append)
    role.set(replace(A_SYNC_MASTER, epoch=2))
    world.acks.move(100)

    assert world.told[1:] == [PutStatus.PUT_OK]


def test_senders_wait_for_the_disk_at_any_master():
    role = RoleHolder(A_MASTER)
    safety = Safety(role, flushed, None)

    role.set(A_SYNC_MASTER)

    assert safety.wait is flushed


def test_senders_wait_for_nothing_if_nothing_is_wanted(world):
    assert Safety(RoleHolder(A_MASTER), None, world.replicas).wait is None
    assert Safety(RoleHolder(A_SYNC_MASTER), None, None).wait is None
