"""For how many slaves a SYNC_MASTER waits where slaves may act for it.

In sync are as many brokers as NameServers know to live and replication shows to be near, ourselves
included. ``inSyncReplicas`` of them must have a message. With ``enableAutoInSyncReplicas`` fewer
will do if there are not so many, but never fewer than ``minInSyncReplicas``. If not as many are in
sync as must be, nothing is stored.

Source: CommitLog.java, asyncPutMessage(), calcNeedAckNums(), 5.3.3.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred, succeed

from rmq.base.ports import Clock
from rmq.broker.replicas import Acks, Replicas
from rmq.broker.role import RoleHolder
from rmq.replication.mode import SlaveState
from rmq.store.messages import PutStatus


class Served(Acks, Protocol):
    """Replication as a master has it."""

    @property
    def slaves(self) -> list[SlaveState]:
        """Those that are connected."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumSettings:
    """inSyncReplicas, minInSyncReplicas, enableAutoInSyncReplicas, slaveTimeout."""

    wanted: int
    least: int
    adapts: bool
    timeout_ms: int

    @property
    def is_trivial(self) -> bool:
        """Whether a master alone is always enough."""
        return self.wanted <= 1 and not (self.adapts and self.least > 1)


class Quorum:
    """Waits for as many slaves as are needed when a message is stored."""

    def __init__(
        self,
        served: Served,
        clock: Clock,
        role: RoleHolder,
        alive: Callable[[], int],
        settings: QuorumSettings,
    ) -> None:
        """``alive``: brokers of the group that live, ourselves included."""
        self._served = served
        self._clock = clock
        self._role = role
        self._alive = alive
        self._settings = settings
        self._by_count: dict[int, Replicas] = {}

    @property
    def in_sync(self) -> int:
        """Brokers that live and are near, ourselves included."""
        near = 1 + sum(slave.in_sync for slave in self._served.slaves)
        return min(self._alive(), near)

    @property
    def needed(self) -> int:
        """Brokers that must have a message, ourselves included."""
        return self._needed(self.in_sync)

    def enough(self) -> bool:
        """Whether a message may be stored."""
        in_sync = self.in_sync
        return self._role.now.kind != "SYNC_MASTER" or self._needed(in_sync) <= in_sync

    def replicated(self, end: int) -> Deferred[PutStatus]:
        """Fires when as many as are needed now have all below ``end``, or will not in time."""
        count = self.needed - 1
        if count < 1:
            return succeed(PutStatus.PUT_OK)
        replicas = self._by_count.get(count)
        if replicas is None:
            replicas = self._by_count[count] = Replicas(
                self._served, self._clock, count=count, timeout_ms=self._settings.timeout_ms
            )
        return replicas.replicated(end)

    def refuse(self) -> None:
        """See ``Replicas.refuse``."""
        for replicas in self._by_count.values():
            replicas.refuse()

    def _needed(self, in_sync: int) -> int:
        settings = self._settings
        if not settings.adapts:
            return settings.wanted
        return max(min(settings.wanted, in_sync), settings.least)
