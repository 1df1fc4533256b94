import logging
from dataclasses import replace

import pytest

from rmq.base.manual import ManualClock
from rmq.broker.durability import RESTART_PERIOD_MS, Durability
from rmq.broker.processors.tests.scene import ManualWorker
from rmq.net.memory_disk import MemoryDisk
from rmq.store.messages import PutStatus
from rmq.store.store import MessageStore
from rmq.store.tests.stores import SMALL, message

FLUSH_MS, QUEUE_MS, TIMEOUT_MS = 500, 1000, 5000


class World:
    def __init__(self, *, timeout_ms=TIMEOUT_MS, **settings):
        self.clock = ManualClock()
        self.disk = MemoryDisk(self.clock)
        self.worker = ManualWorker()
        self.told = []
        self.start(MessageStore(self.disk, self.clock, replace(SMALL, **settings)), timeout_ms)

    def start(self, store, timeout_ms=TIMEOUT_MS):
        store.load()
        self.store = store
        self.durability = Durability(
            store,
            self.worker,
            self.clock,
            flush_interval_ms=FLUSH_MS,
            queue_interval_ms=QUEUE_MS,
            timeout_ms=timeout_ms,
        )

    def put(self, number=0):
        return self.store.put(message(number)).end

    def wait(self, name, end):
        self.durability.flushed(end).addCallback(lambda status: self.told.append((name, status)))

    def put_and_wait(self, name):
        self.wait(name, self.put())


@pytest.fixture
def world():
    return World()


# group commit


def test_put_is_told_when_it_is_on_disk(world):
    world.put_and_wait("a")

    assert not world.worker.calls
    world.clock.advance(0)
    assert world.told == []
    world.worker.finish()

    assert world.told == [("a", PutStatus.PUT_OK)]
    assert world.store.flushed_position == world.store.written_position
    assert world.clock.owed == 0


def test_what_is_on_disk_already_waits_for_nothing(world):
    end = world.put()
    world.put_and_wait("a")
    world.clock.advance(0)
    world.worker.finish()

    world.wait("b", end)

    assert world.told[1:] == [("b", PutStatus.PUT_OK)]
    assert not world.worker.calls


def test_one_sync_covers_all_puts_of_a_turn(world):
    world.put_and_wait("a")
    world.put_and_wait("b")
    world.clock.advance(0)

    world.worker.finish()

    assert [name for name, _ in world.told] == ["a", "b"]
    assert not world.worker.calls


def test_who_comes_while_a_sync_runs_waits_for_the_next_which_starts_at_once(world):
    world.put_and_wait("a")
    world.clock.advance(0)
    world.put_and_wait("b")
    world.put_and_wait("c")
    world.clock.advance(0)
    assert len(world.worker.calls) == 1

    world.worker.finish()
    assert [name for name, _ in world.told] == ["a"]
    world.worker.finish()

    assert [name for name, _ in world.told] == ["a", "b", "c"]


def test_sync_that_takes_too_long_is_told_and_goes_on(world):
    world.put_and_wait("a")
    world.clock.advance(TIMEOUT_MS)

    assert world.told == [("a", PutStatus.FLUSH_DISK_TIMEOUT)]
    world.worker.finish()
    world.put_and_wait("b")
    world.clock.advance(0)
    world.worker.finish()
    assert world.told[1:] == [("b", PutStatus.PUT_OK)]


def test_nothing_is_synced_for_those_who_gave_up_in_the_same_turn():
    world = World(timeout_ms=0)
    world.put_and_wait("a")

    world.clock.advance(0)

    assert world.told == [("a", PutStatus.FLUSH_DISK_TIMEOUT)]
    assert not world.worker.calls


# by time


def test_log_and_queues_are_flushed_by_time():
    world = World(flush_thorough_ms=0, queue_flush_thorough_ms=0)
    world.durability.start()
    world.put()

    world.clock.advance(FLUSH_MS)
    world.worker.finish()
    assert world.store.flushed_position == world.store.written_position
    world.clock.advance(QUEUE_MS - FLUSH_MS)

    assert len(world.worker.calls) == 1
    world.worker.finish()


def test_no_second_sync_starts_while_one_runs():
    world = World(flush_thorough_ms=0, queue_flush_thorough_ms=0)
    world.durability.start()
    world.put()
    world.clock.advance(QUEUE_MS)
    assert len(world.worker.calls) == 2

    world.put()
    world.clock.advance(20 * QUEUE_MS)

    assert len(world.worker.calls) == 2


def test_nothing_is_done_where_nothing_was_written(world):
    world.durability.start()

    world.clock.advance(FLUSH_MS)

    assert not world.worker.calls


def test_who_waits_is_covered_by_a_sync_of_time(world):
    world = World(flush_thorough_ms=0)
    world.durability.start()
    world.clock.advance(FLUSH_MS - 1)
    end = world.put()
    world.clock.advance(1)
    world.wait("a", end)

    world.worker.finish()

    assert world.told == [("a", PutStatus.PUT_OK)]


# failures


def test_disk_that_fails_acknowledges_nothing_and_stops_all_puts(world, caplog):
    world.put_and_wait("a")
    world.clock.advance(0)
    world.put_and_wait("b")

    world.worker.fail(OSError(5, "Input/output error"))

    assert world.told == [
        ("a", PutStatus.SERVICE_NOT_AVAILABLE),
        ("b", PutStatus.SERVICE_NOT_AVAILABLE),
    ]
    refused = world.store.put(message())
    assert refused.status is PutStatus.SERVICE_NOT_AVAILABLE
    assert "Input/output error" in refused.remark
    assert "sync failed" in caplog.text
    assert world.clock.owed == 0


def test_who_comes_after_the_disk_failed_is_told_so_at_once(world):
    end = world.put()
    world.put_and_wait("a")
    world.clock.advance(0)
    world.worker.fail(OSError("bad sector"))

    world.wait("b", end)

    assert world.told[1:] == [("b", PutStatus.SERVICE_NOT_AVAILABLE)]
    assert world.clock.owed == 0


def test_failure_of_another_kind_counts_as_the_disks(world, caplog):
    world.put_and_wait("a")
    world.clock.advance(0)

    with caplog.at_level(logging.ERROR):
        world.worker.fail(BufferError("our own"))

    assert "BufferError: our own" in caplog.text
    assert world.told == [("a", PutStatus.SERVICE_NOT_AVAILABLE)]


class BrokenStore(MessageStore):
    """Fails where it must not."""

    def flushed(self, work):
        raise AssertionError("our own")


def test_store_that_breaks_after_a_sync_is_logged_and_told_as_a_timeout(world, caplog):
    world.store.close()
    world.start(BrokenStore(world.disk, world.clock, SMALL))
    world.put_and_wait("a")
    world.clock.advance(0)

    with caplog.at_level(logging.ERROR):
        world.worker.finish()
    world.clock.advance(TIMEOUT_MS)

    assert "our own" in caplog.text
    assert world.told == [("a", PutStatus.FLUSH_DISK_TIMEOUT)]


# the end


def test_stop_is_done_at_once_while_no_sync_runs(world):
    world.durability.start()
    stopped = []

    world.durability.stop().addCallback(stopped.append)

    assert stopped == [None]
    assert world.clock.owed == 0


def test_stop_waits_for_the_syncs_that_run():
    world = World(flush_thorough_ms=0, queue_flush_thorough_ms=0)
    world.durability.start()
    world.put()
    world.clock.advance(QUEUE_MS)
    stopped = []

    world.durability.stop().addCallback(stopped.append)
    world.worker.finish()
    assert stopped == []
    world.worker.finish()

    assert stopped == [None]


def test_queues_are_flushed_whole_in_time_for_a_quick_start_after_a_crash():
    world = World(queue_flush_least_pages=1000, queue_flush_thorough_ms=600_000)
    world.durability.start()
    world.put()
    world.clock.advance(RESTART_PERIOD_MS - 1)
    of_queues = [call for call, _ in world.worker.calls if not call.__self__.of_log]

    assert of_queues == []
    world.clock.advance(1)

    of_queues = [call for call, _ in world.worker.calls if not call.__self__.of_log]
    assert len(of_queues) == 1
