"""Whole groups under trouble: whatever happens, the invariants hold and, healed, it goes on."""

import pytest

from rmq.raft.tests.cluster import Cluster


def live_through(seed: int, size: int, ms: int, **settings: object) -> Cluster:
    cluster = Cluster(seed, size, **settings)
    dice = cluster.dice
    cluster.twice_share = dice.choice((0.0, 0.1))
    cluster.crash_share = dice.choice((0.0, 0.0, 0.002, 0.01))
    cluster.slow_disk_share = dice.choice((0.0, 0.3))
    number = 0
    while cluster.now_ms < ms:
        cluster.run(cluster.now_ms + dice.below(30) + 1)
        if dice.happens(0.25):
            cluster.trouble()
        for _ in range(dice.below(3)):
            cluster.propose(*[b"%d" % (number + one) for one in range(dice.below(3) + 1)])
            number += 3
    return cluster


def goes_on(cluster: Cluster) -> None:
    cluster.heal()
    last = b"last"
    for _ in range(400):
        cluster.run(cluster.now_ms + 25)
        if cluster.leader and last not in cluster.acknowledged:
            cluster.propose(last)
        if last in cluster.acknowledged and len(set(cluster.logs)) == 1:
            break
    logs = cluster.logs
    assert len(set(logs)) == 1, [
        (h.self_id, h.role, h.term, len(h.memory.entries)) for h in cluster.hosts
    ]
    if not cluster.cleans:
        bodies = {entry.body for entry in logs[0]}
        assert bodies.issuperset(cluster.acknowledged)


@pytest.mark.parametrize("first_seed", range(0, 150, 25))
def test_three_members_keep_all_promises_in_any_trouble(first_seed):
    for seed in range(first_seed, first_seed + 25):
        goes_on(live_through(seed, 3, 1500))


@pytest.mark.parametrize("first_seed", range(1000, 1050, 10))
def test_five_members_keep_all_promises_in_any_trouble(first_seed):
    for seed in range(first_seed, first_seed + 10):
        goes_on(live_through(seed, 5, 1500))


def led(seed: int, size: int, **settings: object) -> Cluster:
    """A group in health whose leader all follow."""
    cluster = Cluster(seed, size, **settings)
    while not (cluster.leader and followed(cluster)):
        cluster.run(cluster.now_ms + 5)
    return cluster


def followed(cluster: Cluster) -> bool:
    leader = cluster.leader
    assert leader is not None
    return all(host.node and host.node.leader_id == leader.self_id for host in cluster.hosts)


def until_led(cluster: Cluster, old: str) -> int:
    """Let time go on until another leads, that all who live know; how long that took, ms."""
    began_ms = cluster.now_ms
    while (leader := cluster.leader) is None or leader.self_id == old:
        cluster.run(cluster.now_ms + 1)
        assert cluster.now_ms < began_ms + 60_000
    return cluster.now_ms - began_ms


SLOW = {
    "heart_beat_interval_ms": 2000,
    "min_vote_interval_ms": 300,
    "max_vote_interval_ms": 1000,
    "vote_wait_ms": 2000,
    "min_lost_vote_interval_ms": 10,
    "max_lost_vote_interval_ms": 150,
    "pace_ms": 10,
}
"""DLedger's timing of elections."""


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("settings", [{}, SLOW])
def test_broken_connections_cost_no_leadership(size, settings):
    for seed in range(4):
        cluster = led(seed, size, **settings)
        leader = cluster.leader
        term = leader.term
        for number in range(20):
            one = cluster.dice.choice(cluster.hosts).self_id
            others = [cluster.dice.choice(cluster.hosts).self_id] * cluster.dice.below(2)
            cluster.hang_up(one, *others)
            cluster.propose(b"%d" % number)
            cluster.run(cluster.now_ms + cluster.dice.below(300))
        cluster.hang_up(leader.self_id)
        cluster.run(cluster.now_ms + 300)

        assert (cluster.leader, leader.term) == (leader, term)
        assert followed(cluster)
        goes_on(cluster)


def test_a_leader_that_one_member_has_lost_for_good_goes_on_leading():
    for seed in range(5):
        cluster = led(seed, 3, **SLOW)
        leader = cluster.leader
        term = leader.term
        lonely = next(host for host in cluster.hosts if host is not leader)

        cluster.hang_up(leader.self_id, lonely.self_id)
        cluster.run(cluster.now_ms + 6)
        cluster.cut = {frozenset((leader.self_id, lonely.self_id))}
        cluster.run(cluster.now_ms + 30_000)

        assert (cluster.leader, leader.term) == (leader, term)


def test_a_killed_leader_is_replaced_long_before_its_silence_is_noticed():
    taken_ms = []
    for seed in range(20):
        cluster = led(seed, 3 + seed % 2 * 2, **SLOW)
        old = cluster.leader
        old.crash()
        taken_ms.append(until_led(cluster, old.self_id))

    assert sorted(taken_ms)[10] < 400  # of which 120 are for votes asked of the dead
    assert max(taken_ms) < 2500


def test_members_that_learn_nothing_from_connections_are_waited_for_no_longer_than_before():
    for seed in range(10):
        cluster = led(seed, 3, **SLOW)
        old = cluster.leader
        cluster.deaf = {next(host.self_id for host in cluster.hosts if host is not old)}
        old.crash()

        assert until_led(cluster, old.self_id) < 15_000
