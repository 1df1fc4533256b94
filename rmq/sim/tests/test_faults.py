from dataclasses import replace

import pytest

from rmq.sim.cluster import Cluster
from rmq.sim.faults import Faults, Menu
from rmq.sim.network import Weather
from rmq.sim.world import World

NAMES = (
    "kill",
    "power",
    "disk",
    "pause",
    "isolate",
    "one_way",
    "break_connection",
    "storm",
    "clock",
)


@pytest.fixture
def cluster():
    cluster = Cluster(World(1))
    for number in range(3):
        cluster.servers.append(cluster.machine(f"s{number}", lambda process: process))
    cluster.start()
    return cluster


def faults_of(cluster, **menu):
    faults = Faults(cluster, Menu(pause_between_ms=(10, 100), **menu), {"s": cluster.servers})
    faults.start()
    return faults


def down(cluster):
    return sum(one.process is None for one in cluster.servers)


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_happens_and_is_healed(cluster, name):
    faults = faults_of(cluster, **{name: 1}, lasts_ms=(10, 300))
    cluster.world.run_for(3_000)
    struck = [line for line in cluster.world.trace.tail(4_000) if f"fault {name}" in line]

    faults.stop()
    cluster.world.run_for(1_000)

    assert len(struck) > 5
    assert faults.count >= len(struck)
    assert cluster.network.weather == Weather()
    for one in cluster.servers:
        assert one.process is not None
        assert not one.process.paused
        assert one.disk.fail_sync is None
        for other in cluster.servers:
            assert cluster.network.reaches(one, other)


def test_no_more_machines_are_down_than_the_menu_says(cluster):
    most = []
    cluster.world.after_each_event(lambda: most.append(down(cluster)))

    faults_of(cluster, kill=1, power=1, down_max=2, lasts_ms=(500, 900))
    cluster.world.run_for(5_000)

    assert max(most) == 2


def test_a_menu_without_dishes_does_nothing(cluster):
    faults = faults_of(cluster)

    cluster.world.run_for(5_000)
    faults.stop()

    assert faults.count == 0


def test_a_machine_that_is_started_meanwhile_is_not_started_again(cluster):
    faults_of(cluster, kill=1, lasts_ms=(100, 100))
    cluster.world.run(10_000_000, done=lambda: down(cluster) == 1)
    cluster.start()

    cluster.world.run_for(50)

    assert cluster.world.now_us > 0


def test_schedules_follow_from_the_seed():
    def lines(seed):
        cluster = Cluster(World(seed))
        cluster.servers.append(cluster.machine("s", lambda process: process))
        cluster.start()
        menu = replace(Menu(), kill=1, pause=1, isolate=1)
        Faults(cluster, menu, {"s": cluster.servers}).start()
        cluster.world.run_for(60_000)
        return cluster.world.trace.digest

    assert lines(1) == lines(1) != lines(2)
