from types import SimpleNamespace

import pytest
from twisted.internet.defer import Deferred, succeed

from codec.codes import ResponseCode
from rmq.base.errors import CommandError
from rmq.base.manual import ManualClock
from rmq.broker.agreement import Agreement, CommittedFlushing, ConfirmedFlushing
from rmq.broker.role import RoleHolder
from rmq.broker.tests.roles import A_SLAVE, A_SYNC_MASTER
from rmq.store.messages import PutStatus


class World:
    def __init__(self):
        self.log = SimpleNamespace(end_position=200)
        self.store = SimpleNamespace(written_position=100)
        self.role = RoleHolder(A_SYNC_MASTER)
        self.flushing = CommittedFlushing(self)
        self.flushing.watch(self.store, self.role)
        self.told = []

    def on_commit(self, listener):
        self._listener = listener

    def commits(self, position):
        self.store.written_position = position
        self._listener(7)

    def asks(self, end):
        self.flushing.flushed(end).addCallback(lambda status: self.told.append((end, status)))


def test_what_is_committed_is_safe_at_once_and_the_rest_when_it_is():
    world = World()
    for end in (100, 150, 120, 160):
        world.asks(end)
    assert world.told == [(100, PutStatus.PUT_OK)]

    world.commits(150)
    world.commits(150)

    assert world.told[1:] == [(150, PutStatus.PUT_OK), (120, PutStatus.PUT_OK)]


def test_who_leads_no_more_tells_that_nobody_knows():
    world = World()
    world.asks(150)
    world.role.set(A_SYNC_MASTER)
    failed = []
    world.flushing.settled("fact").addErrback(lambda failure: failed.append(failure.value))

    world.role.set(A_SLAVE)

    assert world.told == [(150, PutStatus.FLUSH_SLAVE_TIMEOUT)]
    [error] = failed
    assert isinstance(error, CommandError)
    assert error.code == ResponseCode.SYSTEM_BUSY


@pytest.mark.parametrize("position", [199, 200])
def test_fact_is_told_when_the_log_of_now_is_committed(position):
    world = World()
    told = []
    world.flushing.settled("fact").addCallback(told.append)

    world.commits(position)

    assert told == (["fact"] if position == 200 else [])


def test_leader_of_another_term_goes_on_waiting():
    world = World()
    world.asks(150)

    world.role.set(A_SLAVE)
    world.role.set(A_SYNC_MASTER)
    world.asks(160)
    world.commits(160)

    assert world.told == [(150, PutStatus.FLUSH_SLAVE_TIMEOUT), (160, PutStatus.PUT_OK)]


class ConfirmedWorld:
    """A master whose slaves have less than it; dispatch follows what they say."""

    def __init__(self, on_disk=lambda _: succeed(PutStatus.PUT_OK)):
        self.clock = ManualClock()
        self.store = SimpleNamespace(dispatched_position=100, written_position=200)
        self.role = RoleHolder(A_SYNC_MASTER)
        self.flushing = ConfirmedFlushing(self.clock, self, self.store, self.role, on_disk)
        self.told = []

    def on_confirm(self, listener):
        self._listener = listener

    def confirms(self, position):
        self._listener()
        self.store.dispatched_position = position

    def asks(self, end):
        self.flushing.flushed(end).addCallback(lambda status: self.told.append((end, status)))


def test_what_the_set_has_is_safe_when_it_can_be_read():
    world = ConfirmedWorld()
    for end in (100, 150, 200):
        world.asks(end)

    world.confirms(150)
    world.confirms(150)
    assert world.told == [(100, PutStatus.PUT_OK)]
    world.clock.advance(0)

    assert world.told[1:] == [(150, PutStatus.PUT_OK)]


@pytest.mark.parametrize("world", [World, ConfirmedWorld])
def test_what_is_not_agreed_on_may_be_cut_off(world):
    flushing = world().flushing

    assert flushing.is_settled(100)
    assert not flushing.is_settled(101)


def test_nothing_is_looked_at_where_nobody_waits():
    world = ConfirmedWorld()

    world.confirms(150)

    assert world.flushing._soon is None


def test_what_the_set_has_must_be_on_the_own_disk_too_before_it_is_saved():
    synced = Deferred()
    world = ConfirmedWorld(lambda _: synced)
    world.asks(100)
    facts = []
    world.flushing.settled("fact").addCallback(facts.append)

    world.confirms(200)
    world.clock.advance(0)
    assert (world.told, facts) == ([], ["fact"])
    synced.callback(PutStatus.FLUSH_DISK_TIMEOUT)

    assert world.told == [(100, PutStatus.FLUSH_DISK_TIMEOUT)]


def test_a_master_that_was_replaced_knows_of_no_agreement():
    world = ConfirmedWorld()
    world.asks(150)

    world.role.set(A_SLAVE)

    assert world.told == [(150, PutStatus.FLUSH_SLAVE_TIMEOUT)]


def test_each_group_says_itself_what_it_agreed_on():
    for name in ("agreed_position", "end_position"):
        with pytest.raises(NotImplementedError):
            getattr(Agreement(), name)
