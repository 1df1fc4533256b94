import logging

import pytest

from rmq.base.manual import ManualClock
from rmq.replication.connecting import RETRIES_MS, Connecting


class AWire:
    def __init__(self):
        self.closed = 0

    def close(self):
        self.closed += 1


class ASlave:
    def __init__(self):
        self.told = []

    def connected(self, wire):
        self.told.append(("connected", wire))

    def receive(self, data):
        self.told.append(("received", data))

    def lost(self, reason):
        self.told.append(("lost", reason))


class World:
    def __init__(self):
        self.clock = ManualClock()
        self.dialled = []
        self.attempts = []
        self.refusal = None
        self.slave = ASlave()
        self.connecting = Connecting(self.dial, self.slave, self.clock)

    def dial(self, address, attempt):
        self.dialled.append(address)
        self.attempts.append(attempt)
        if self.refusal:
            attempt.lost(self.refusal)

    def connected(self, address="m:1"):
        """The attempt and its wire, after the slave was told."""
        self.connecting.connect_to(address)
        wire = AWire()
        self.attempts[-1].connected(wire)
        self.slave.told.clear()
        return self.attempts[-1], wire


@pytest.fixture
def world():
    return World()


def test_nobody_is_dialled_without_an_address(world):
    world.connecting.connect_to(None)
    world.clock.advance(60_000)

    assert world.dialled == []
    assert world.connecting.address is None


def test_the_slave_hears_of_its_connection(world):
    attempt, wire = world.connected()

    attempt.receive(b"abc")

    assert world.dialled == ["m:1"]
    assert world.slave.told == [("received", b"abc")]
    assert wire.closed == 0


def test_a_lost_connection_is_made_again_soon(world, caplog):
    attempt, _ = world.connected()

    attempt.lost("reset")
    world.clock.advance(99)
    assert world.dialled == ["m:1"]
    world.clock.advance(1)

    assert world.dialled == ["m:1", "m:1"]
    assert world.slave.told == [("lost", "reset")]
    assert "master lost address=m:1 reason=reset: trying again in 100 ms" in caplog.text


def times_of_attempts(world, until_ms=20_000):
    """When, from now on, the master is dialled."""
    times, began_ms, known = [], world.clock.monotonic_ms(), len(world.dialled)
    while world.clock.monotonic_ms() < began_ms + until_ms:
        world.clock.advance(50)
        times += [world.clock.monotonic_ms() - began_ms] * (len(world.dialled) - known)
        known = len(world.dialled)
    return times


def test_vain_attempts_are_made_less_often_and_are_none_of_the_slaves_business(world, caplog):
    world.refusal = "refused"
    world.connecting.connect_to("m:1")

    assert times_of_attempts(world) == [100, 1100, 6100, 11100, 16100]

    assert world.slave.told == []
    assert "master not reached address=m:1 reason=refused" in caplog.text


def test_who_hangs_up_at_once_is_asked_no_more_often_than_who_refuses(world):
    world.refusal = "refused"
    attempt, _ = world.connected()
    attempt.lost("hung up")
    world.clock.advance(100 + 1000 + 5000 - 1)
    world.refusal = None
    world.clock.advance(1)
    world.attempts[-1].connected(AWire())
    world.clock.advance(RETRIES_MS[-1] - 1)
    world.refusal = "refused"
    world.attempts[-1].lost("hung up")

    assert times_of_attempts(world, 6000) == [5000]


def test_a_connection_that_lasted_is_made_again_soon(world):
    world.refusal = "refused"
    world.connecting.connect_to("m:1")
    world.clock.advance(100 + 1000 + 5000 - 1)
    world.refusal = None
    world.clock.advance(1)
    world.attempts[-1].connected(AWire())
    world.clock.advance(RETRIES_MS[-1])
    world.refusal = "refused"
    world.attempts[-1].lost("reset")

    assert times_of_attempts(world, 6000) == [100, 1100]


def test_another_address_is_tried_soon_again(world):
    world.refusal = "refused"
    world.connecting.connect_to("m:1")
    world.clock.advance(9000)
    world.connecting.connect_to("n:2")

    assert times_of_attempts(world, 2000) == [100, 1100]


def test_the_same_address_changes_nothing(world):
    _, wire = world.connected()

    world.connecting.connect_to("m:1")

    assert world.dialled == ["m:1"]
    assert wire.closed == 0


def test_another_address_is_dialled_at_once_and_the_old_connection_closed(world, caplog):
    attempt, wire = world.connected()

    world.connecting.connect_to("n:2")
    attempt.receive(b"late")
    attempt.lost("closed by us")
    with caplog.at_level(logging.INFO):
        world.attempts[-1].connected(AWire())

    assert world.dialled == ["m:1", "n:2"]
    assert wire.closed == 1
    assert [told[0] for told in world.slave.told] == ["lost", "connected"]
    assert "master connected address=n:2" in caplog.text


def test_no_address_ends_it(world):
    _, wire = world.connected()

    world.connecting.connect_to(None)
    world.clock.advance(60_000)

    assert wire.closed == 1
    assert world.dialled == ["m:1"]
    assert [told[0] for told in world.slave.told] == ["lost"]


def test_what_gets_through_too_late_is_closed(world):
    world.connecting.connect_to("m:1")
    world.connecting.connect_to("n:2")
    late = AWire()

    world.attempts[0].connected(late)

    assert late.closed == 1
    assert world.slave.told == []


def test_a_new_address_does_not_wait_for_the_next_attempt(world):
    attempt, _ = world.connected()
    attempt.lost("reset")

    world.connecting.connect_to("n:2")
    world.clock.advance(10_000)

    assert world.dialled == ["m:1", "n:2"]
