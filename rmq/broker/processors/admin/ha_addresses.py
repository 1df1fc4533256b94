"""Where a master's log comes from, and where it ended: its slaves ask it, or it tells them."""

from collections.abc import Callable
from typing import Protocol

from codec.codes import RequestCode
from codec.headers.ha import (
    ExchangeHAInfoRequestHeader,
    ExchangeHAInfoResponseHeader,
    NotifyMinBrokerIdChangeRequestHeader,
    ResetMasterFlushOffsetHeader,
)
from rmq.broker.role import RoleHolder
from rmq.remoting.handling import Request, Response, handles


class SlaveLog(Protocol):
    """What a slave knows of its master's log."""

    master_flushed_position: int
    """Where it ended when the master started; 0: unknown."""


class Group(Protocol):
    """A slave that may act as master, and hears of masters that come and go."""

    def notified(self, told: NotifyMinBrokerIdChangeRequestHeader) -> None:
        """A NameServer says who has the smallest brokerId."""
        ...

    def master_calls(self, told: ExchangeHAInfoRequestHeader) -> None:
        """A master wants to be followed."""
        ...


class HaAddressProcessor:
    """Source: AdminBrokerProcessor.java, 5.3.3."""

    def __init__(
        self,
        role: RoleHolder,
        address: str,
        ha_address: str,
        end_position: Callable[[], int],
        log: SlaveLog,
        group: Group | None = None,
    ) -> None:
        """Our own addresses: for requests, and for slaves; what a master says of its log's end.

        ``group`` is None where slaves do not act as master.
        """
        self._role = role
        self._address = address
        self._ha_address = ha_address
        self._end_position = end_position
        self._log = log
        self._group = group

    @handles(RequestCode.EXCHANGE_BROKER_HA_INFO, ExchangeHAInfoRequestHeader)
    def exchange(self, request: Request[ExchangeHAInfoRequestHeader]) -> Response:
        """Tell our HA address; nothing unless we are master. Or a slave is told its master's.

        Source: updateBrokerHaInfo().
        """
        if request.header.master_ha_address and self._group is not None:
            self._group.master_calls(request.header)
            return Response(ExchangeHAInfoResponseHeader())
        if not self._role.now.is_master:
            return Response(ExchangeHAInfoResponseHeader())
        return Response(
            ExchangeHAInfoResponseHeader(
                master_ha_address=self._ha_address,
                master_flush_offset=self._end_position(),
                master_address=self._address,
            )
        )

    @handles(RequestCode.NOTIFY_MIN_BROKER_ID_CHANGE, NotifyMinBrokerIdChangeRequestHeader)
    def smallest_id(self, request: Request[NotifyMinBrokerIdChangeRequestHeader]) -> Response:
        """Take note of who has the smallest brokerId. Source: notifyMinBrokerIdChange()."""
        if self._group is not None:
            self._group.notified(request.header)
        return Response()

    @handles(RequestCode.RESET_MASTER_FLUSH_OFFSET, ResetMasterFlushOffsetHeader)
    def reset(self, request: Request[ResetMasterFlushOffsetHeader]) -> Response:
        """Change what a slave knows of its master's log; a master has none.

        Source: resetMasterFlushOffset().
        """
        if not self._role.now.is_master:
            self._log.master_flushed_position = request.header.master_flush_offset
        return Response()
