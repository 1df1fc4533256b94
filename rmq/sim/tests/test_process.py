import pytest

from rmq.net.memory_disk import PAGE_SIZE
from rmq.sim.dice import Dice
from rmq.sim.process import DiskThreads, Machine, ProcessClock, torn
from rmq.sim.world import BEGIN_MS, World

DISK_FAILED = OSError("disk failed")


@pytest.fixture
def world():
    return World(1)


@pytest.fixture
def machine(world):
    machine = Machine(world, "m", "10.0.0.1", lambda process: None)
    machine.start()
    return machine


def test_a_program_is_given_each_new_process(world):
    given = []
    machine = Machine(world, "m", "10.0.0.1", given.append)

    first = machine.start()
    machine.kill()
    second = machine.start()

    assert given == [first, second]
    assert [one.name for one in given] == ["m.1", "m.2"]
    assert (first.alive, second.alive) == (False, True)
    assert machine.process is second


def test_clocks_are_off_and_fast_as_they_were_told(world):
    machine = Machine(world, "m", "10.0.0.1", lambda process: None)
    machine.clock.drift(1_000)
    machine.clock.skew_ms = -7
    clock, seen = ProcessClock(machine.start()), []
    clock.call_later(10_000, lambda: seen.append((world.now_us, clock.monotonic_ms())))

    world.run_for(20_000)

    assert seen == [(9_990_010, 10_000)]
    assert clock.monotonic_ms() == 20_020
    assert clock.wall_ms() == BEGIN_MS + 20_020 - 7
    assert machine.disk.clock.wall_ms() == clock.wall_ms()
    with pytest.raises(AssertionError):
        machine.disk.clock.call_later(1, seen.clear)


def test_what_a_dead_process_is_owed_does_not_happen(world, machine):
    process, seen, told = machine.process, [], []
    process.at_death(told.append)
    process.later(5, lambda: seen.append("timer"))

    machine.kill()
    process.later(1, lambda: seen.append("more"))
    process.enter(lambda: seen.append("bytes"))
    world.run_for(1)

    assert (seen, told) == ([], [False])


def test_what_a_paused_process_is_owed_happens_when_it_goes_on(world, machine):
    process, seen = machine.process, []
    process.later(5, lambda: seen.append("timer"))
    cancelled = process.later(6, lambda: seen.append("cancelled"))

    process.pause()
    process.enter(lambda: seen.append("bytes"))
    world.run_for(1)
    assert seen == []
    cancelled.cancel()
    process.resume()

    assert seen == ["bytes", "timer"]


def test_what_was_written_outlives_the_process_but_not_the_power(world, machine):
    file = machine.disk.map("a", PAGE_SIZE)
    file.reserve(PAGE_SIZE)
    file.memory[:3] = b"abc"

    machine.kill()
    assert machine.disk.read("a")[:3] == b"abc"
    machine.start()
    machine.lose_power()

    assert not machine.has_power
    assert machine.disk.read("a")[:3] in {b"abc", bytes(3)}
    machine.start()
    assert machine.has_power


def test_a_sync_is_true_when_it_is_told_and_not_before(world, machine):
    disk, done = machine.disk, []
    threads = DiskThreads(machine.process, disk)
    threads.start()
    file = disk.map("a", PAGE_SIZE)
    file.reserve(PAGE_SIZE)
    file.memory[:3] = b"abc"

    threads.run(file.sync).addCallback(done.append)
    assert (done, disk.crash().read("a")[:3]) == ([], bytes(3))
    world.run_for(10)
    threads.stop()

    assert (done, disk.crash().read("a")[:3]) == ([None], b"abc")


def test_a_sync_that_fails_says_so(world, machine):
    failed = []

    def fail():
        raise DISK_FAILED

    DiskThreads(machine.process, machine.disk).run(fail).addErrback(failed.append)
    world.run_for(10)

    assert [one.value for one in failed] == [DISK_FAILED]


def test_a_torn_page_has_sectors_of_both():
    old, new, dice = b"o" * PAGE_SIZE, b"n" * PAGE_SIZE, Dice(1)

    found = {torn(dice, old, new) for _ in range(50)}

    assert {old, new} < found
    assert all(set(page[:512]) in ({ord("o")}, {ord("n")}) for page in found)
    assert len(found) > 5
