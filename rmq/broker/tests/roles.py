"""Roles for tests."""

from rmq.broker.role import Role, RoleHolder

A_MASTER = Role(kind="ASYNC_MASTER", broker_id=0)
A_SYNC_MASTER = Role(kind="SYNC_MASTER", broker_id=0)
A_SLAVE = Role(kind="SLAVE", broker_id=3)


def master():
    """The holder of a master's role."""
    return RoleHolder(A_MASTER)
