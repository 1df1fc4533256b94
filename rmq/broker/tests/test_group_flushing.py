from types import SimpleNamespace

import pytest

from codec.codes import ResponseCode
from rmq.base.errors import CommandError
from rmq.broker.group_flushing import CommittedFlushing
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
