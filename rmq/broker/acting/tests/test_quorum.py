import pytest

from rmq.base.manual import ManualClock
from rmq.broker.acting.quorum import Quorum, QuorumSettings
from rmq.broker.role import RoleHolder
from rmq.broker.tests.roles import A_MASTER, A_SYNC_MASTER
from rmq.replication.mode import SlaveState
from rmq.store.messages import PutStatus


def settings(wanted=2, least=1, adapts=False):
    return QuorumSettings(wanted=wanted, least=least, adapts=adapts, timeout_ms=3_000)


class World:
    """Slaves that have acknowledged up to a position, and are near or not."""

    def __init__(self, near=(), alive=9, role=A_SYNC_MASTER, **changed):
        self.clock = ManualClock()
        self.listeners = []
        self.near = list(near)
        self.acked = []
        self.alive = alive
        self.quorum = Quorum(
            self, self.clock, RoleHolder(role), lambda: self.alive, settings(**changed)
        )
        self.told = []

    @property
    def slaves(self):
        return [SlaveState("s", 0, 0, 0, near, 0) for near in self.near]

    def on_ack(self, listener):
        self.listeners.append(listener)

    def acked_by(self, count):
        acked = sorted(self.acked, reverse=True)
        return acked[count - 1] if count <= len(acked) else 0

    def ack(self, *positions):
        self.acked = positions
        for listener in self.listeners:
            listener()

    def wait(self, end):
        self.quorum.replicated(end).addCallback(lambda status: self.told.append((end, status)))


@pytest.mark.parametrize(
    ("near", "alive", "changed", "needed", "enough"),
    [
        ([True, True], 3, {"wanted": 2}, 2, True),
        ([True, False], 3, {"wanted": 2}, 2, True),
        ([False], 2, {"wanted": 2}, 2, False),
        ([True], 1, {"wanted": 2}, 2, False),
        ([True], 2, {"wanted": 3}, 3, False),
        ([True], 2, {"wanted": 3, "adapts": True}, 2, True),
        ([], 1, {"wanted": 3, "adapts": True}, 1, True),
        ([], 1, {"wanted": 3, "adapts": True, "least": 2}, 2, False),
        ([True, True], 3, {"wanted": 1, "adapts": True, "least": 2}, 2, True),
    ],
)
def test_how_many_are_needed_and_whether_they_are_there(near, alive, changed, needed, enough):
    quorum = World(near, alive, **changed).quorum

    assert quorum.needed == needed
    assert quorum.enough() is enough


def test_only_a_sync_master_needs_anybody():
    assert World(role=A_MASTER).quorum.enough()


def test_a_message_waits_for_as_many_as_were_needed_when_it_was_stored():
    world = World([True, True], wanted=3, adapts=True)
    world.wait(100)
    world.near = [True]
    world.wait(200)

    world.ack(200)
    assert world.told == [(200, PutStatus.PUT_OK)]
    world.ack(200, 100)

    assert world.told == [(200, PutStatus.PUT_OK), (100, PutStatus.PUT_OK)]


def test_what_needs_nobody_does_not_wait():
    world = World(wanted=3, adapts=True)

    world.wait(100)

    assert world.told == [(100, PutStatus.PUT_OK)]


def test_who_waits_is_told_when_time_is_up_or_the_role_is_lost():
    world = World([True])
    world.wait(100)
    world.clock.advance(3_000)
    world.wait(200)
    world.quorum.refuse()

    assert world.told == [
        (100, PutStatus.FLUSH_SLAVE_TIMEOUT),
        (200, PutStatus.SERVICE_NOT_AVAILABLE),
    ]


@pytest.mark.parametrize(
    ("changed", "is_trivial"),
    [
        ({"wanted": 1}, True),
        ({"wanted": 1, "least": 2}, True),
        ({"wanted": 1, "least": 2, "adapts": True}, False),
        ({"wanted": 2}, False),
    ],
)
def test_when_a_master_alone_is_always_enough(changed, is_trivial):
    assert settings(**changed).is_trivial is is_trivial
