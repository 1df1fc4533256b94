from itertools import pairwise

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from rmq.base.errors import StoreError
from rmq.base.manual import ManualClock
from rmq.broker.group_role import AGAIN_MS, RETRY_MS, SHARED_MS, GroupRole
from rmq.broker.role import Role, RoleHolder
from rmq.raft.messages import Role as MemberRole

LEADER, FOLLOWER, CANDIDATE = MemberRole.LEADER, MemberRole.FOLLOWER, MemberRole.CANDIDATE


class World:
    """A member, its log, a store and a switch, all made up; what was called is in ``calls``."""

    def __init__(self):
        self.clock = ManualClock()
        self.calls = []
        self.role = LEADER
        self.leader_id = None
        self.is_agreed = True
        self.trouble = None
        self.refusals = []
        self.announces_at_once = False
        self.holder = RoleHolder(Role(kind="SLAVE", broker_id=2))
        self.group = GroupRole(
            self.clock,
            self,
            self,
            self,
            self.holder,
            self,
            broker_id=2,
            announce=lambda: self.calls.append("announce"),
        )
        self.group.start()

    def on_commit(self, listener):
        self.commit = listener

    def on_role(self, listener):
        self._changed = listener

    def on_joined(self, listener):
        self.joined = listener

    def announced_within(self, ms):
        """How often the NameServers are told in so many ms from now."""
        before = self.calls.count("announce")
        self.clock.advance(ms)
        return self.calls.count("announce") - before

    def becomes(self, role, term, leader_id=None):
        self.role, self.leader_id = role, leader_id
        self._changed(role, term)

    def catch_up(self):
        self.calls.append("catch up")

    def show_committed(self):
        self.calls.append("show")
        if self.trouble is not None:
            raise self.trouble
        return 0

    def become_master(self, *, epoch, sync_master):
        self.calls.append(f"master {epoch}")
        assert sync_master
        if self.refusals:
            return fail(self.refusals.pop())
        self.holder.set(Role(kind="SYNC_MASTER", broker_id=0, epoch=epoch))
        return succeed(None)

    def become_slave(self, *, master_address, ha_address, epoch, broker_id):
        self.calls.append(f"slave {epoch}")
        if self.announces_at_once:
            self.group.catch_up()
        assert (master_address, ha_address) == (None, None)
        self.holder.set(Role(kind="SLAVE", broker_id=broker_id, epoch=epoch))
        return Deferred()


def test_leader_is_master_once_its_log_is_agreed_on():
    world = World()
    world.is_agreed = False
    world.becomes(LEADER, 3)
    world.commit(7)
    assert world.calls == ["show", "show"]

    world.is_agreed = True
    world.commit(8)
    world.commit(9)

    assert world.calls[2:] == ["show", "master 3", "show"]


def test_follower_is_a_slave_before_more_is_shown():
    world = World()

    world.becomes(FOLLOWER, 4, "n0")

    assert world.calls == ["slave 4", "show"]
    assert world.holder.now.broker_id == 2


def test_master_that_leads_no_more_is_a_slave_of_its_own_term():
    world = World()
    world.becomes(LEADER, 3)

    world.becomes(CANDIDATE, 9)
    world.becomes(CANDIDATE, 10)

    assert world.calls[2:] == ["slave 3", "show", "show"]


def test_who_is_master_is_asked_for_when_a_new_leader_had_time_to_tell():
    world = World()
    world.becomes(FOLLOWER, 4, "n0")

    assert world.announced_within(AGAIN_MS[-1]) == len(AGAIN_MS)


@pytest.mark.parametrize("joined_ms", [0, 1, SHARED_MS])
def test_master_is_announced_again_after_a_member_joined(joined_ms):
    world = World()
    world.becomes(LEADER, 3)
    world.clock.advance(joined_ms)

    world.joined("n0")

    assert world.announced_within(AGAIN_MS[0] - 1) == 0
    assert world.announced_within(SHARED_MS) == 1
    assert world.announced_within(AGAIN_MS[-1]) == len(AGAIN_MS) - 1
    assert world.announced_within(60_000) == 0


def test_a_late_word_of_the_master_before_is_outdone_within_seven_seconds():
    world = World()
    world.becomes(LEADER, 3)
    world.clock.advance(1)
    world.joined("n0")

    told_ms = [ms for ms in range(1, 20_000) if world.announced_within(1)]

    assert told_ms[0] < 1_500
    assert max(later - ms for ms, later in pairwise(told_ms)) <= 7_000
    assert told_ms[-1] >= 15_000


def test_members_that_join_together_are_announced_to_together():
    world = World()
    world.becomes(LEADER, 3)
    world.clock.advance(1)

    world.joined("n0")
    world.clock.advance(SHARED_MS - 1)
    world.joined("n2")

    assert world.announced_within(60_000) == len(AGAIN_MS)


def test_master_that_members_join_time_and_again_is_announced_so_often_and_no_more():
    world = World()
    world.becomes(LEADER, 3)

    for _ in range(1_000):
        world.joined("n0")
        world.clock.advance(10)

    assert world.calls.count("announce") <= 10_000 / SHARED_MS
    assert world.announced_within(60_000) <= AGAIN_MS[-1] / SHARED_MS + 1


@pytest.mark.parametrize("role", [CANDIDATE, FOLLOWER])
@pytest.mark.parametrize("is_agreed", [True, False])
def test_who_leads_no_more_is_not_announced_for_who_joined(role, is_agreed):
    world = World()
    world.is_agreed = is_agreed
    world.becomes(LEADER, 3)
    world.joined("n0")

    world.becomes(role, 4)
    world.joined("n0")

    assert world.announced_within(60_000) == 0


def test_leader_asks_nobody_who_is_master():
    world = World()
    world.becomes(FOLLOWER, 4, "n0")
    world.becomes(LEADER, 5)

    assert world.announced_within(AGAIN_MS[-1]) == 0


def test_role_is_looked_at_before_it_is_told_to_others_but_not_by_the_member_itself():
    world = World()
    world.group.catch_up()
    assert world.calls == ["catch up"]

    world.announces_at_once = True
    world.becomes(FOLLOWER, 4, "n0")

    assert world.calls == ["catch up", "slave 4", "show"]


def test_store_that_cannot_show_is_asked_again_and_does_not_lead(caplog):
    world = World()
    world.trouble = StoreError("no room")
    world.becomes(LEADER, 3)
    world.commit(5)
    assert not world.holder.now.is_master
    assert caplog.text.count("event=committed_not_dispatched cause=no room") == 1

    world.trouble = None
    world.clock.advance(RETRY_MS)

    assert world.holder.now.is_master


def test_switch_that_fails_is_tried_again():
    world = World()
    world.refusals.append(StoreError("no room"))
    world.becomes(LEADER, 3)
    assert not world.holder.now.is_master

    world.clock.advance(RETRY_MS)

    assert world.holder.now.is_master


@pytest.mark.parametrize("has_trouble", [False, True])
def test_after_the_end_nothing_changes(has_trouble):
    world = World()
    if has_trouble:
        world.trouble = StoreError("no room")
    world.becomes(FOLLOWER, 3, "n0")
    world.becomes(LEADER, 4)
    world.joined("n0")
    world.group.stop()
    world.calls.clear()

    world.becomes(LEADER, 5)
    world.joined("n0")
    world.commit(8)
    world.clock.advance(AGAIN_MS[-1])

    assert world.calls == []
