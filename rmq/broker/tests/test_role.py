from dataclasses import replace

from rmq.broker.role import RoleHolder
from rmq.broker.tests.roles import A_MASTER, A_SLAVE, A_SYNC_MASTER


def test_all_but_slaves_are_masters():
    assert [role.is_master for role in (A_MASTER, A_SYNC_MASTER, A_SLAVE)] == [True, True, False]


def test_listeners_are_told_of_a_change_when_it_has_happened():
    holder = RoleHolder(A_MASTER)
    told = []
    holder.on_change(lambda before, after: told.append((before, after, holder.now)))

    holder.set(A_SLAVE)

    assert told == [(A_MASTER, A_SLAVE, A_SLAVE)]


def test_the_same_role_again_is_no_change():
    holder = RoleHolder(A_MASTER)
    told = []
    holder.on_change(lambda before, after: told.append((before, after)))

    holder.set(replace(A_MASTER))

    assert told == []
    assert holder.now == A_MASTER
