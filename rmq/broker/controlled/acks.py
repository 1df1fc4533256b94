"""When a master under Controllers acknowledges what its configuration promises to replicate.

Promised are ``inSyncReplicas`` brokers, or, with allAckInSyncStateSet, the whole SyncStateSet. In
both cases the whole set must have a record: any of its members may be the next master, not only
those that were quick. Only Controllers change the set; so a master that they do not hear, and whose
slaves left it for another, waits in vain, and acknowledges nothing.

Source: CommitLog.java, asyncPutMessage(); GroupTransferService.java, doWaitTransfer(), 5.3.3. On
purpose different: there, without allAckInSyncStateSet, the quick ones are enough.
"""

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred, succeed

from rmq.broker.replicas import Replicas
from rmq.store.messages import PutStatus


class Confirming(Protocol):
    """Replication that knows the SyncStateSet."""

    @property
    def confirm_position(self) -> int:
        """All below is in the logs of the whole set."""
        ...

    def acked_by(self, count: int) -> int:
        """All below is in the logs of at least ``count`` slaves."""
        ...

    def on_ack(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when a slave has more."""
        ...

    def on_confirm(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when more is confirmed."""
        ...


class SetAcks:
    """The :class:`rmq.broker.replicas.Acks` of a set of which ``acked_by`` more must have all."""

    def __init__(self, replication: Confirming, *, all_ack: bool) -> None:
        """``all_ack`` is allAckInSyncStateSet: then the set is enough, be it only ourselves."""
        self._replication = replication
        self._all_ack = all_ack

    def acked_by(self, count: int) -> int:
        """All below is safe: in the set, and, unless that is enough, at ``count`` slaves."""
        confirmed = self._replication.confirm_position
        return confirmed if self._all_ack else min(confirmed, self._replication.acked_by(count))

    def on_ack(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when more may be safe."""
        self._replication.on_confirm(listener)
        if not self._all_ack:
            self._replication.on_ack(listener)


class SetReplicas(Replicas):
    """Waits for the set; a set of ourselves alone confirms without saying so."""

    def replicated(self, end: int) -> Deferred[PutStatus]:
        """Fires when all below ``end`` is safe, or will not be in time."""
        if self._acks.acked_by(self._count) >= end:
            return succeed(PutStatus.PUT_OK)
        return super().replicated(end)
