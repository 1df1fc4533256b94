import logging

import pytest

from rmq.base.manual import ManualClock
from rmq.replication.connecting import RETRY_MS, Connecting


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


def test_a_lost_connection_is_made_again_after_a_while(world, caplog):
    attempt, _ = world.connected()

    attempt.lost("reset")
    world.clock.advance(RETRY_MS - 1)
    assert world.dialled == ["m:1"]
    world.clock.advance(1)

    assert world.dialled == ["m:1", "m:1"]
    assert world.slave.told == [("lost", "reset")]
    assert "master lost address=m:1 reason=reset: trying again in 5000 ms" in caplog.text


def test_a_vain_attempt_is_made_again_and_is_none_of_the_slaves_business(world, caplog):
    world.refusal = "refused"

    world.connecting.connect_to("m:1")
    world.clock.advance(2 * RETRY_MS)

    assert world.dialled == ["m:1"] * 3
    assert world.slave.told == []
    assert "master not reached address=m:1 reason=refused" in caplog.text


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
    world.clock.advance(2 * RETRY_MS)

    assert world.dialled == ["m:1", "n:2"]
