"""Telling the brokers of one name that their smallest live id has changed.

The smallest id is the master, or the slave that acts as one: the others must know at once.
Source: RouteInfoManager.java, notifyMinBrokerIdChanged(), 5.3.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from codec.codes import RequestCode
from codec.command import Command
from codec.headers.fields import ext_fields_of
from codec.headers.ha import NotifyMinBrokerIdChangeRequestHeader
from rmq.remoting.calls import Caller


@dataclass(frozen=True, slots=True)
class MinBrokerIdNotice:
    """What is to be said, and to whom."""

    min_broker_id: int
    min_broker_address: str
    offline_address: str | None
    ha_address: str | None
    receivers: tuple[str, ...]

    @classmethod
    def after_arrival(cls, addresses: Mapping[int, str], ha_address: str | None) -> Self:
        """A broker came whose id is the smallest: tell those that were there before."""
        smallest = min(addresses)
        return cls(
            smallest,
            addresses[smallest],
            None,
            ha_address,
            tuple(addr for broker_id, addr in addresses.items() if broker_id != smallest)
            or (addresses[smallest],),
        )

    @classmethod
    def after_departure(cls, addresses: Mapping[int, str], offline_address: str) -> Self:
        """The broker with the smallest id left: tell those that remain, one at least."""
        smallest = min(addresses)
        return cls(smallest, addresses[smallest], offline_address, None, tuple(addresses.values()))


class Notices:
    """Sends notices one way; a broker that misses one learns the same by asking, every second."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def send(self, notice: MinBrokerIdNotice) -> None:
        """Send to all receivers."""
        header = NotifyMinBrokerIdChangeRequestHeader(
            min_broker_id=notice.min_broker_id,
            min_broker_addr=notice.min_broker_address,
            offline_broker_addr=notice.offline_address,
            ha_broker_addr=notice.ha_address,
        )
        for address in notice.receivers:
            self._caller.send(
                address,
                Command(
                    code=RequestCode.NOTIFY_MIN_BROKER_ID_CHANGE,
                    ext_fields=ext_fields_of(header),
                ),
            )
