import pytest

from codec.bodies.route import BrokerData, QueueData, TopicRouteData
from rmq.namesrv.zones import within_zone


def route() -> TopicRouteData:
    return TopicRouteData(
        broker_datas=[
            BrokerData(broker_name="near", broker_addrs={0: "n:1"}, zone_name="Zone1"),
            BrokerData(broker_name="far", broker_addrs={0: "f:1", 1: "f:2"}, zone_name="zone2"),
            BrokerData(broker_name="nowhere", broker_addrs={0: "w:1"}),
            BrokerData(broker_name="lost", broker_addrs={1: "l:1"}, zone_name="zone2"),
        ],
        queue_datas=[QueueData(broker_name=n) for n in ("near", "far", "nowhere", "lost")],
        filter_server_table={"n:1": ["x"], "f:2": ["y"]},
    )


@pytest.mark.parametrize("zone", ["zone1", "ZONE1"])
def test_only_brokers_of_the_zone_and_those_without_a_master_remain(zone: str) -> None:
    kept = within_zone(route(), zone)

    assert [each.broker_name for each in kept.broker_datas] == ["near", "lost"]
    assert [each.broker_name for each in kept.queue_datas] == ["near", "lost"]
    assert kept.filter_server_table == {"n:1": ["x"]}


def test_the_whole_route_stays_as_it_was() -> None:
    whole = route()

    within_zone(whole, "zone1")

    assert whole == route()
