"""Where a master's log comes from: its slaves ask it."""

from typing import Protocol

from codec.codes import RequestCode
from codec.headers.ha import ExchangeHAInfoRequestHeader, ExchangeHAInfoResponseHeader
from rmq.broker.role import RoleHolder
from rmq.remoting.handling import Request, Response, handles


class FlushedLog(Protocol):
    """How far a log is on disk."""

    @property
    def flushed_position(self) -> int:
        """All below is."""
        ...


class HaAddressProcessor:
    """Source: AdminBrokerProcessor.java, 5.3.3."""

    def __init__(
        self, role: RoleHolder, address: str, ha_address: str, flushed: FlushedLog
    ) -> None:
        """Our own addresses: for requests, and for slaves."""
        self._role = role
        self._address = address
        self._ha_address = ha_address
        self._flushed = flushed

    @handles(RequestCode.EXCHANGE_BROKER_HA_INFO, ExchangeHAInfoRequestHeader)
    def exchange(self, _request: Request[ExchangeHAInfoRequestHeader]) -> Response:
        """Tell our HA address; nothing unless we are master. Source: exchangeHAInfo()."""
        if not self._role.now.is_master:
            return Response(ExchangeHAInfoResponseHeader())
        return Response(
            ExchangeHAInfoResponseHeader(
                master_ha_address=self._ha_address,
                master_flush_offset=self._flushed.flushed_position,
                master_address=self._address,
            )
        )
