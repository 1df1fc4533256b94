"""Which addresses of brokers a client is told: as registered, or as the client reached us.

A server that runs in a container or behind a port mapping may not know the address by which its
clients reach it, but each client's connection does: its own end is that address. So a broker whose
address is *automatic* is shown to each client under the host by which that client came. Ports
stay: a mapping must keep them.
"""

from collections.abc import Callable, Container, Mapping
from typing import Protocol

from msgspec.structs import replace

from codec.bodies.route import BrokerData, ClusterInfo, TopicRouteData


class AddressView(Protocol):
    """How broker addresses are shown."""

    def is_automatic(self, address: str) -> bool:
        """Whether an address stands for whatever the client used."""
        ...


class AutomaticAddresses:
    """An ``AddressView`` of a known set of addresses, such as those of brokers in this process."""

    def __init__(self, addresses: Container[str]) -> None:
        self._addresses = addresses

    def is_automatic(self, address: str) -> bool:
        """Whether it is in the set."""
        return address in self._addresses


def host_of(address: str) -> str:
    """The host in ``host:port``."""
    return address.rpartition(":")[0]


def seen_from(host: str, view: AddressView) -> Callable[[str], str]:
    """What each address is to a client that came by ``host``."""

    def shown(address: str) -> str:
        if not view.is_automatic(address):
            return address
        return f"{host}:{address.rpartition(':')[2]}"

    return shown


def route_as_seen(route: TopicRouteData, shown: Callable[[str], str]) -> TopicRouteData:
    """A route with every broker address put as ``shown`` says."""
    return replace(
        route,
        broker_datas=[_broker_as_seen(each, shown) for each in route.broker_datas],
        filter_server_table={
            shown(address): servers for address, servers in route.filter_server_table.items()
        },
    )


def cluster_as_seen(info: ClusterInfo, shown: Callable[[str], str]) -> ClusterInfo:
    """All brokers with every address put as ``shown`` says."""
    brokers: Mapping[str, BrokerData] = info.broker_addr_table
    return replace(
        info,
        broker_addr_table={name: _broker_as_seen(each, shown) for name, each in brokers.items()},
    )


def _broker_as_seen(broker: BrokerData, shown: Callable[[str], str]) -> BrokerData:
    return replace(
        broker,
        broker_addrs={i: shown(address) for i, address in broker.broker_addrs.items()},
    )
