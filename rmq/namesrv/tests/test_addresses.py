from codec.bodies.route import BrokerData, ClusterInfo, TopicRouteData
from rmq.namesrv.addresses import (
    AutomaticAddresses,
    cluster_as_seen,
    host_of,
    route_as_seen,
    seen_from,
)

VIEW = AutomaticAddresses({"0.0.0.0:10911"})


def broker(*addresses: str) -> BrokerData:
    return BrokerData(broker_name="b", broker_addrs=dict(enumerate(addresses)))


def test_only_automatic_addresses_take_the_clients_host_and_keep_their_port() -> None:
    shown = seen_from("192.0.2.7", VIEW)

    assert shown("0.0.0.0:10911") == "192.0.2.7:10911"
    assert shown("0.0.0.0:10921") == "0.0.0.0:10921"
    assert shown("10.1.1.1:10911") == "10.1.1.1:10911"


def test_a_host_is_what_stands_before_the_port() -> None:
    assert host_of("192.0.2.7:9876") == "192.0.2.7"
    assert host_of("[::1]:9876") == "[::1]"


def test_a_route_shows_brokers_and_filter_servers_alike() -> None:
    route = TopicRouteData(
        broker_datas=[broker("0.0.0.0:10911", "10.1.1.1:10911")],
        filter_server_table={"0.0.0.0:10911": ["x"]},
    )

    seen = route_as_seen(route, seen_from("h", VIEW))

    assert seen.broker_datas == [broker("h:10911", "10.1.1.1:10911")]
    assert seen.filter_server_table == {"h:10911": ["x"]}
    assert route.broker_datas == [broker("0.0.0.0:10911", "10.1.1.1:10911")]


def test_a_cluster_shows_every_broker() -> None:
    info = ClusterInfo(
        broker_addr_table={"b": broker("0.0.0.0:10911")}, cluster_addr_table={"c": ["b"]}
    )

    seen = cluster_as_seen(info, seen_from("h", VIEW))

    assert seen.broker_addr_table == {"b": broker("h:10911")}
    assert seen.cluster_addr_table == {"c": ["b"]}
