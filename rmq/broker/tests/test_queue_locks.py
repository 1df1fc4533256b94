import pytest

from codec.bodies.message_queue import MessageQueue
from rmq.base.manual import ManualClock
from rmq.broker.queue_locks import QueueLocks

A, B = (MessageQueue(topic="t", broker_name="b", queue_id=number) for number in range(2))


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def locks(clock):
    return QueueLocks(clock)


def test_free_queues_are_locked(locks):
    assert locks.lock("g", [A, B], "one") == {A, B}


def test_queue_of_another_is_not_had(locks):
    locks.lock("g", [A], "one")

    assert locks.lock("g", [A, B], "two") == {B}


def test_groups_do_not_meet(locks):
    locks.lock("g", [A], "one")

    assert locks.lock("h", [A], "two") == {A}


def test_lease_runs_out_after_a_minute(locks, clock):
    locks.lock("g", [A], "one")

    clock.advance(60_000)
    assert locks.lock("g", [A], "two") == set()
    clock.advance(1)
    assert locks.lock("g", [A], "two") == {A}
    assert locks.lock("g", [A], "one") == set()


def test_lease_is_renewed_by_who_has_it(locks, clock):
    locks.lock("g", [A], "one")
    clock.advance(50_000)
    locks.lock("g", [A], "one")
    clock.advance(50_000)

    assert locks.lock("g", [A], "two") == set()


def test_jump_of_the_system_clock_moves_no_lease(locks, clock):
    locks.lock("g", [A], "one")
    clock.set_wall_ms(clock.wall_ms() + 3_600_000)

    assert locks.lock("g", [A], "two") == set()


def test_only_the_holder_can_unlock(locks):
    locks.lock("g", [A, B], "one")

    locks.unlock("g", [A, B], "two")
    assert locks.lock("g", [A], "two") == set()

    locks.unlock("g", [A], "one")
    locks.unlock("g", [A], "one")
    assert locks.lock("g", [A, B], "two") == {A}


def test_unlock_in_an_unknown_group_is_nothing(locks):
    locks.unlock("g", [A], "one")
    locks.lock("g", [A], "one")
    locks.unlock("g", [A], "one")

    assert locks.is_lock_all_expired("g")


def test_all_expired_is_told(locks, clock):
    assert locks.is_lock_all_expired("g")
    locks.lock("g", [A], "one")
    clock.advance(30_000)
    locks.lock("g", [B], "one")
    clock.advance(30_001)
    assert not locks.is_lock_all_expired("g")
    clock.advance(30_000)
    assert locks.is_lock_all_expired("g")


def test_nothing_asked_is_nothing_kept(locks):
    assert locks.lock("g", [], "one") == set()
    assert locks.is_lock_all_expired("g")


def test_leases_that_ran_out_are_forgotten(locks, clock):
    locks.lock("g", [A], "one")
    clock.advance(60_001)
    locks.lock("h", [A, B], "one")

    locks.remove_expired()

    assert locks.lock("g", [A], "two") == {A}
    assert locks.lock("h", [A], "two") == set()
