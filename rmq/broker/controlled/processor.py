"""What Controllers tell a broker, and what an operator asks about its reigns."""

from collections.abc import Callable, Sequence
from typing import Protocol

from codec.bodies import decode_body, encode_body
from codec.bodies.controller import EpochEntry, EpochEntryCache, SyncStateSet
from codec.codes import RequestCode
from codec.disk.epoch import EpochStart
from codec.headers.controller import NotifyBrokerRoleChangedRequestHeader
from codec.headers.fields import RequestHeader
from rmq.broker.controlled.requests import Verdict
from rmq.broker.role import RoleHolder
from rmq.remoting.handling import Request, Response, handles

ENDLESS = 0x7FFFFFFFFFFFFFFF
"""Where the present reign ends. Source: EpochEntry.java, 5.3.3."""


class Reigns(Protocol):
    """What the log tells of its masters."""

    @property
    def epochs(self) -> Sequence[EpochStart]:
        """Where each one's records begin, oldest first."""
        ...

    @property
    def end_position(self) -> int:
        """The end of the log."""
        ...


class ControlledProcessor:
    """Source: AdminBrokerProcessor.java, 5.3.3."""

    def __init__(
        self,
        names: tuple[str, str],
        role: RoleHolder,
        reigns: Reigns,
        learn: Callable[[Verdict], None],
    ) -> None:
        """``names`` are those of cluster and broker; ``learn`` takes what Controllers decided."""
        self._names = names
        self._role = role
        self._reigns = reigns
        self._learn = learn

    @handles(RequestCode.GET_BROKER_EPOCH_CACHE)
    def epoch_cache(self, _request: Request[RequestHeader]) -> Response:
        """Say where in the commit log each master's reign began. Source: getBrokerEpochCache()."""
        epochs = self._reigns.epochs
        ends = [entry.start_position for entry in epochs[1:]] + [ENDLESS]
        cluster_name, broker_name = self._names
        cache = EpochEntryCache(
            cluster_name=cluster_name,
            broker_name=broker_name,
            broker_id=self._role.now.broker_id,
            epoch_list=[
                EpochEntry(epoch=entry.epoch, start_offset=entry.start_position, end_offset=end)
                for entry, end in zip(epochs, ends, strict=False)
            ],
            max_offset=self._reigns.end_position,
        )
        return Response(body=encode_body(cache))

    @handles(RequestCode.NOTIFY_BROKER_ROLE_CHANGED, NotifyBrokerRoleChangedRequestHeader)
    def role_changed(self, request: Request[NotifyBrokerRoleChangedRequestHeader]) -> Response:
        """Take note of what the Controllers decided; it is carried out after the answer.

        Source: notifyBrokerRoleChanged().

        :raises CodecError: the body is broken.
        """
        told = request.header
        in_sync = decode_body(SyncStateSet, request.body) if request.body else SyncStateSet()
        self._learn(
            Verdict(
                master_id=told.master_broker_id,
                master_address=told.master_address,
                epoch=told.master_epoch or 0,
                in_sync=frozenset(in_sync.sync_state_set or ()),
                in_sync_epoch=told.sync_state_set_epoch or in_sync.sync_state_set_epoch,
            )
        )
        return Response()
