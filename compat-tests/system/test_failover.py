"""A master dies under load: another takes over, and what was acknowledged is there."""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import artifacts
import clusters
import servers
import wire
from clusters import Group, Producer, wait_for

TAKE_OVER_MAX_S = 5
FAST_TAKE_OVER_MAX_S = 4
LOAD_S = 1.0
FLUSH_SLAVE_TIMEOUT = 12


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Callable[..., Group]]:
    """Make and start a group: group(brokers=2, jars=None, **settings of brokers)."""
    groups: list[Group] = []

    def make(**settings: object) -> Group:
        groups.append(Group(tmp_path, **settings))
        return groups[-1].start()

    yield make
    for one in groups:
        one.end()


def producers(group: Group, count: int = 4) -> list[Producer]:
    """Producers that have sent for a while."""
    made = [Producer(group, f"p{number}") for number in range(count)]
    wait_for("a first message", lambda: all(one.acked for one in made), 10)
    time.sleep(LOAD_S)
    return made


def stopped(sending: list[Producer]) -> set[bytes]:
    """What was acknowledged to producers that are stopped now."""
    for one in sending:
        one.stop()
    return {body for one in sending for _, _, body in one.acked}


def in_charge(group: Group, old: servers.Server) -> servers.Server:
    """The broker that has taken over from ``old``."""
    return wait_for("a new master", lambda: (now := group.master()) is not old and now, 30, 0.002)


def fail_over(group: Group, record: Callable[[str, object], None]) -> None:
    """Kill the master under load, let it come back, and see that nothing acknowledged is lost."""
    sending = producers(group)
    old = group.master()

    killed = time.monotonic()
    old.kill()
    new = in_charge(group, old)
    registered_s = time.monotonic() - killed
    first = wait_for(
        "an acknowledgement of the new master",
        lambda: min(filter(None, (one.acked_by(new, killed) for one in sending)), default=None),
        30,
    )
    record("registered_s", registered_s)
    record("acknowledged_s", first - killed)
    old.start()
    wait_for("the old master to follow", group.is_whole, 60)
    time.sleep(LOAD_S)
    acked = stopped(sending)
    wait_for("the slave to have all", group.is_whole, 30)

    all_kept_once(group, new, acked)
    assert group.master() is new
    same_logs(new, old)
    assert registered_s < TAKE_OVER_MAX_S


def all_kept_once(group: Group, master, acked: set[bytes]) -> None:
    """A master has all that was acknowledged, and nothing twice."""
    kept = group.kept(master)
    assert not acked - set(kept), f"{len(acked - set(kept))} of {len(acked)} acknowledged are lost"
    assert len(kept) == len(set(kept)), "something is there twice"


def same_logs(one, other) -> None:
    """Both have the same bytes, from where both begin."""
    with one.peer() as peer:
        end = int(_master_end(peer))
    assert clusters.log_bytes(one, end) == clusters.log_bytes(other, end)


def _master_end(peer) -> int:
    return json.loads(peer.call(wire.HA_STATUS).body)["masterCommitLogMaxOffset"]


def test_a_killed_master_is_replaced_and_follows_when_it_comes_back(group, record_property):
    fail_over(group(allAckInSyncStateSet="true"), record_property)


def test_a_master_that_hangs_is_replaced_and_acknowledges_nothing_when_it_wakes(
    group, record_property
):
    cluster = group(allAckInSyncStateSet="true", profile="fast")
    old = cluster.master()
    with old.peer() as stale:
        sent = stale.call(wire.SEND, wire.send_fields(clusters.TOPIC, 0, {}), b"before")
        assert sent.code == wire.SUCCESS
        sending = producers(cluster)

        stopped_at = time.monotonic()
        old.process.send_signal(signal.SIGSTOP)
        new = in_charge(cluster, old)
        taken_s = time.monotonic() - stopped_at
        record_property("registered_s", taken_s)
        opaque = stale.post(wire.SEND, wire.send_fields(clusters.TOPIC, 0, {}), b"late")
        old.process.send_signal(signal.SIGCONT)
        late = stale.read()
        assert late.opaque == opaque
        assert late.code != wire.SUCCESS
    wait_for("the old master to follow", cluster.is_whole, 60)
    acked = stopped(sending)
    wait_for("the slave to have all", cluster.is_whole, 30)

    kept = cluster.kept(new)
    assert not (acked | {b"before"}) - set(kept)
    assert b"late" not in kept
    same_logs(new, old)
    assert taken_s < FAST_TAKE_OVER_MAX_S


def test_a_master_cut_off_from_all_controllers_does_not_acknowledge_what_only_it_has(group):
    cluster = group(allAckInSyncStateSet="true", slaveTimeout=500, profile="fast")
    master = cluster.master()
    slave = next(one for one in cluster.brokers if one is not master)
    with master.peer() as peer:

        def send() -> int:
            return peer.call(wire.SEND, wire.send_fields(clusters.TOPIC, 0, {}), b"x").code

        assert send() == wire.SUCCESS
        for one in cluster.controllers:
            one.kill()
        assert send() == wire.SUCCESS  # every member of the set still has it
        slave.kill()
        end = time.monotonic() + 3
        while time.monotonic() < end:
            assert send() == FLUSH_SLAVE_TIMEOUT

        for one in cluster.controllers:
            one.launch()
        wait_for("a set without the dead slave", lambda: send() == wire.SUCCESS, 30)


def test_controllers_and_master_may_die_at_once(group, record_property):
    cluster = group(allAckInSyncStateSet="true")
    sending = producers(cluster)
    old = cluster.master()
    leader = cluster.leader()

    killed = time.monotonic()
    leader.kill()
    old.kill()
    new = in_charge(cluster, old)
    registered_s = time.monotonic() - killed
    record_property("registered_s", registered_s)
    leader.launch()
    old.start()
    wait_for("the old master to follow", cluster.is_whole, 60)
    acked = stopped(sending)

    assert not acked - set(cluster.kept(new))
    assert registered_s < TAKE_OVER_MAX_S


def test_an_operator_chooses_another_master_under_load(group):
    cluster = group(brokers=3, allAckInSyncStateSet="true")
    sending = producers(cluster)

    for _ in range(3):
        old, chosen = cluster.master(), max(cluster.addresses())
        with cluster.leader().peer() as peer:
            fields = {
                "clusterName": clusters.CLUSTER_NAME,
                "brokerName": clusters.GROUP,
                "brokerId": chosen,
                "designateElect": "true",
            }
            assert peer.call(wire.ELECT_MASTER, fields).code == wire.SUCCESS
        in_charge(cluster, old)
        wait_for("all to follow", cluster.is_whole, 60)
        time.sleep(LOAD_S)
    acked = stopped(sending)
    wait_for("the slaves to have all", cluster.is_whole, 30)

    all_kept_once(cluster, cluster.master(), acked)


@pytest.mark.skipif(not clusters.java_is_there(), reason="needs Java")
def test_so_it_is_under_apache_s_controllers(group, record_property):
    jars = artifacts.server_jars()

    cluster = group(allAckInSyncStateSet="true", jars=jars, java_controllers=True)

    fail_over(cluster, record_property)


@pytest.mark.skipif(not clusters.java_is_there(), reason="needs Java")
def test_one_of_apache_s_brokers_takes_over_from_ours_and_ours_from_it(group, record_property):
    jars = artifacts.server_jars()
    cluster = group(allAckInSyncStateSet="true", jars=jars, java_brokers=1)
    ours, apache = cluster.brokers
    sending = producers(cluster)
    gone = cluster.master()

    for _ in range(2):
        taken_from, killed = gone, time.monotonic()
        taken_from.kill()
        gone = in_charge(cluster, taken_from)
        record_property("registered_s", time.monotonic() - killed)
        time.sleep(LOAD_S)
        taken_from.launch()
        wait_for("the old master to follow", cluster.is_whole, 90)
        time.sleep(LOAD_S)
    acked = stopped(sending)
    wait_for("the slave to have all", cluster.is_whole, 30)

    all_kept_once(cluster, gone, acked)
    same_logs(ours, apache) if gone is ours else same_logs(apache, ours)
