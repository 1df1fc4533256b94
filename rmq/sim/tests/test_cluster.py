from rmq.app.broker import Broker
from rmq.app.controller import ControllerServer
from rmq.app.namesrv import NameServer
from rmq.sim.cluster import DRIFT_PPM, SKEW_MS, Cluster
from rmq.sim.world import World


def test_a_cluster_starts_production_servers_that_find_each_other():
    cluster = Cluster(World(1))
    cluster.name_server("n1")
    cluster.controllers(1, {"failoverProfile": "fast"})
    cluster.broker("b1", {"brokerName": "a", "enableControllerMode": "true"})

    cluster.start()
    cluster.world.run_for(10_000)

    name_server, broker = cluster.running["n1"], cluster.running["b1"]
    assert isinstance(name_server, NameServer)
    assert isinstance(broker, Broker)
    assert isinstance(cluster.running["k0"], ControllerServer)
    assert cluster.name_servers == ["10.0.0.1:9876"]
    assert cluster.controller_addresses == ["10.0.0.2:9878"]
    known = name_server.role.tables.brokers
    assert known["a"].broker_addrs == {0: "10.0.0.3:10911"}


def test_clocks_are_a_little_wrong_each_in_its_own_way():
    cluster = Cluster(World(1))
    skews = {cluster.machine(f"m{number}", lambda _: None).clock.skew_ms for number in range(5)}

    assert len(skews) > 3
    assert all(-SKEW_MS <= skew <= SKEW_MS for skew in skews)
    assert DRIFT_PPM < 1_000


def test_a_client_runs_at_once_and_servers_when_the_cluster_starts():
    cluster, seen = Cluster(World(1)), []
    client = cluster.client("c", seen.append)
    cluster.servers.append(cluster.machine("s", seen.append))
    assert seen == [client.process]

    cluster.start()
    cluster.start()

    assert len(seen) == 2
