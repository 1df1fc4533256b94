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
