import logging

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import LogLevel, globalLogPublisher

from rmq.sim import world as worlds
from rmq.sim.world import SimulationError, World, watched_log


def test_events_happen_in_the_order_of_their_times_then_of_their_making():
    world, seen = World(1), []
    world.later(20, lambda: seen.append(("b", world.now_us)))
    world.later(10, lambda: seen.append(("a", world.now_us)))
    world.later(20, lambda: seen.append(("c", world.now_us)))
    world.later(31, lambda: seen.append("late"))

    assert not world.run(30)

    assert seen == [("a", 10), ("b", 20), ("c", 20)]
    assert (world.now_us, world.events) == (30, 3)


def test_a_cancelled_event_does_not_happen():
    world, seen = World(1), []
    event = world.later(1, lambda: seen.append(1))
    assert event.owed

    event.cancel()
    world.run(2)
    event.make()

    assert not event.owed
    assert (seen, world.events) == ([], 0)


def test_a_run_ends_when_it_is_done():
    world, seen = World(1), []
    for number in range(5):
        world.later(number, lambda: seen.append(1))

    assert world.run_for(1, done=lambda: len(seen) == 3)

    assert (len(seen), world.now_us) == (3, 2)
    assert world.run_for(1, done=lambda: True)


def test_what_a_check_raises_ends_the_run_at_once():
    world, seen = World(1), []
    world.later(1, lambda: seen.append(1))
    world.later(2, lambda: seen.append(2))

    def check():
        if seen:
            raise SimulationError("found")

    world.after_each_event(check)

    with pytest.raises(SimulationError, match="found"):
        world.run(10)
    assert seen == [1]


def test_what_was_found_ends_the_run():
    world = World(1)
    world.later(1, lambda: world.find("this"))

    with pytest.raises(SimulationError, match="this"):
        world.run(10)


def test_a_world_that_never_ends_is_found(monkeypatch):
    monkeypatch.setattr(worlds, "EVENTS_MAX", 100)
    world = World(1)

    def again():
        world.later(0, again)

    again()

    with pytest.raises(SimulationError, match="more than 100"):
        world.run(10)


def test_the_hash_covers_everything_and_the_tail_the_last():
    world, other, shown = World(1), World(1), []
    world.trace.show = shown.append
    for one in (world, other):
        for number in range(3):
            one.note(f"line {number}")
    assert world.trace.digest == other.trace.digest

    other.note("more")

    assert world.trace.digest != other.trace.digest
    assert shown == ["0 line 0", "0 line 1", "0 line 2"]
    assert other.trace.tail(2) == ["0 line 2", "0 more"]


def test_an_error_that_is_logged_with_its_traceback_is_found():
    world = World(1)
    log = logging.getLogger("rmq.some")
    with watched_log(world):
        log.error("expected: told without traceback")
        log.warning("less than an error")
        world.later(1, lambda: None)
        world.run(1)
        log.error("failed", exc_info=ValueError("bug"))
        world.later(1, lambda: None)

        with pytest.raises(SimulationError, match=r"logged: rmq.some: failed"):
            world.run(10)
    assert not log.parent.handlers


def test_a_failure_that_nobody_looked_at_is_found():
    world = World(1)
    with watched_log(world):
        globalLogPublisher({"log_level": LogLevel.info, "log_format": "nothing"})
        forgotten = Deferred()
        forgotten.errback(ValueError("forgotten"))
        del forgotten
        world.later(1, lambda: None)

        with pytest.raises(SimulationError, match="nobody looked at"):
            world.run(10)
