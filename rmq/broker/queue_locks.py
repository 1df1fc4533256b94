"""Which member of a group may consume a queue in order: leases of 60 s, renewed by who has them.

Source: RebalanceLockManager.java, 5.3.3.
"""

import logging
from collections.abc import Iterable

from codec.bodies.message_queue import MessageQueue
from rmq.base.ports import Clock

logger = logging.getLogger(__name__)

LEASE_MS = 60_000
"""How long a lock lives without renewal. Source: rocketmq.broker.rebalance.lockMaxLiveTime."""


class QueueLocks:
    """The leases of all groups. Time is monotonic: a corrected system clock breaks no order."""

    def __init__(self, clock: Clock, lease_ms: int = LEASE_MS) -> None:
        self._clock = clock
        self._lease_ms = lease_ms
        self._groups: dict[str, dict[MessageQueue, tuple[str, int]]] = {}

    def lock(self, group: str, queues: Iterable[MessageQueue], client_id: str) -> set[MessageQueue]:
        """Which of the queues ``client_id`` now has: free ones, its own, and those run out.

        Source: RebalanceLockManager.java, tryLockBatch(), 5.3.3.
        """
        now_ms = self._clock.monotonic_ms()
        leases = self._groups.setdefault(group, {})
        got = set()
        for queue in queues:
            holder, since_ms = leases.get(queue, (client_id, now_ms))
            if holder != client_id and now_ms - since_ms <= self._lease_ms:
                continue
            if holder != client_id:
                logger.warning(
                    "event=queue_lock_taken_over group=%s queue=%s old=%s new=%s",
                    group,
                    queue,
                    holder,
                    client_id,
                )
            leases[queue] = (client_id, now_ms)
            got.add(queue)
        if not leases:
            del self._groups[group]
        return got

    def unlock(self, group: str, queues: Iterable[MessageQueue], client_id: str) -> None:
        """Give back those of the queues that ``client_id`` has."""
        leases = self._groups.get(group)
        if leases is None:
            return
        for queue in queues:
            holder, _ = leases.get(queue, ("", 0))
            if holder == client_id:
                del leases[queue]
        if not leases:
            del self._groups[group]

    def is_lock_all_expired(self, group: str) -> bool:
        """Whether nobody in a group holds any queue (any more)."""
        now_ms = self._clock.monotonic_ms()
        leases = self._groups.get(group, {})
        return all(now_ms - since_ms > self._lease_ms for _, since_ms in leases.values())

    def remove_expired(self) -> None:
        """Forget leases that ran out, so that groups that are gone cost nothing."""
        now_ms = self._clock.monotonic_ms()
        for group, leases in list(self._groups.items()):
            for queue, (_, since_ms) in list(leases.items()):
                if now_ms - since_ms > self._lease_ms:
                    del leases[queue]
            if not leases:
                del self._groups[group]
