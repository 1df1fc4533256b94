import pytest
from twisted.internet.defer import Deferred, fail

from codec.command import Command
from rmq.base.errors import CallError
from rmq.sim.client import Client
from rmq.sim.cluster import Cluster
from rmq.sim.world import SimulationError, World


class Asker(Client):
    """A client that keeps what it is answered."""

    def __init__(self, *args):
        super().__init__(*args)
        self.got = []

    def wants(self, done):
        done.addBoth(self.got.append)


@pytest.fixture
def cluster():
    cluster = Cluster(World(1))
    cluster.name_server("n1")
    cluster.broker("b1", {"brokerName": "a"})
    cluster.client("c", lambda process: Asker(cluster.network, process, cluster.name_servers))
    cluster.start()
    return cluster


@pytest.fixture
def client(cluster):
    cluster.world.run_for(5_000)
    return cluster.running["c"]


def test_a_master_is_found_by_its_name(cluster, client):
    client.wants(client.master("a"))
    client.wants(client.addresses("a"))

    cluster.world.run_for(1_000)

    master, addresses = client.got
    assert addresses == {0: master}
    assert ":" in master


def test_a_broker_that_is_not_there_has_no_address(cluster, client):
    client.wants(client.master("other"))

    cluster.world.run_for(1_000)

    assert client.got == [""]


def test_who_has_no_route_knows_nobody(cluster, client, monkeypatch):
    answers = [fail(CallError("nobody there")), Command(code=17)]
    monkeypatch.setattr(client, "ask", lambda *_: answers.pop(0))

    client.wants(client.addresses("a"))
    client.wants(client.addresses("a"))

    assert client.got == [{}, {}]


def test_a_pause_takes_its_time(cluster, client):
    client.wants(client.pause(300))

    cluster.world.run_for(299)
    assert client.got == []
    cluster.world.run_for(1)
    assert client.got == [None]


@pytest.mark.parametrize(
    ("fault", "found"), [(SimulationError("a loss"), "a loss"), (ValueError("a bug"), "Traceback")]
)
def test_what_a_client_s_work_raises_is_found(cluster, client, fault, found):
    work = Deferred()
    client.work(work)

    work.errback(fault)

    with pytest.raises(SimulationError, match=found):
        cluster.world.run_for(1)
