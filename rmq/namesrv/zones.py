"""Routes within one zone: a client that says where it is need not cross zones for its messages.

Source: ZoneRouteRPCHook.java, filterByZoneName(), 5.3.3.
"""

from msgspec.structs import replace

from codec.bodies.route import MASTER_ID, BrokerData, TopicRouteData

ZONE_NAME = "__ZONE_NAME"
"""Ext field: the zone of a client, or of a registering broker."""
ZONE_MODE = "__ZONE_MODE"
"""Ext field: ``true`` if a client wants only its own zone's brokers."""


def within_zone(route: TopicRouteData, zone: str) -> TopicRouteData:
    """The part of a route that lies in ``zone`` (in any case), or whose master is lost.

    Without a master there is nothing to write to, and reading from afar beats not reading.
    """
    removed = [each for each in route.broker_datas if not _is_kept(each, zone)]
    names = {each.broker_name for each in removed}
    addresses = {address for each in removed for address in each.broker_addrs.values()}
    return replace(
        route,
        broker_datas=[each for each in route.broker_datas if each.broker_name not in names],
        queue_datas=[each for each in route.queue_datas if each.broker_name not in names],
        filter_server_table={
            address: servers
            for address, servers in route.filter_server_table.items()
            if address not in addresses
        },
    )


def _is_kept(broker: BrokerData, zone: str) -> bool:
    if MASTER_ID not in broker.broker_addrs:
        return True
    return broker.zone_name is not None and broker.zone_name.lower() == zone.lower()
