"""A few seeds of each scenario; compat-tests run 200, ``python -m rmq.sim`` as many as you like."""

import subprocess
import sys
from dataclasses import replace

import pytest
from msgspec.structs import replace as replace_fields

from codec.message.sysflag import TRANSACTION_COMMIT
from rmq.broker.controlled.acks import SetAcks
from rmq.broker.processors.transactions import TransactionProcessor
from rmq.broker.transactions import checks
from rmq.broker.transactions.checks import PASS_COST, QueueRound
from rmq.broker.transactions.endings import Endings
from rmq.sim import scenarios
from rmq.sim.cluster import Cluster
from rmq.sim.history import Promises
from rmq.sim.scenarios import SCENARIOS, simulate
from rmq.sim.world import SimulationError, World

SEEDS = {
    "single": 10,
    "single-async": 10,
    "classic": 5,
    "controller": 1,
    "controller-fast": 3,
    "dledger": 3,
    "raft": 3,
    "raft-fast": 1,
    "raft-lax": 2,
}


def test_every_scenario_is_run_here():
    assert set(SEEDS) == set(SCENARIOS)


@pytest.mark.parametrize(
    ("scenario", "seed"),
    [(scenario, seed) for scenario, count in SEEDS.items() for seed in range(1, count + 1)],
)
def test_nothing_is_lost_invented_doubled_or_reordered(scenario, seed):
    result = simulate(scenario, seed)

    assert result.acked > 0
    assert result.faults > 0
    assert f"{scenario} seed={seed} trace={result.digest}" in result.line


@pytest.mark.parametrize("scenario", ["single", "controller-fast"])
def test_a_seed_replays_identically(scenario):
    assert simulate(scenario, 101) == simulate(scenario, 101) != simulate(scenario, 102)


OWN_PROCESS = """
import gc, sys, weakref
from rmq.sim.__main__ import _begin
from rmq.sim.scenarios import simulate
from rmq.sim.world import World

_begin(log=False)
for scenario in sys.argv[1:]:
    world = World(7)
    gone = weakref.ref(world)
    simulate(scenario, 7, world)
    del world
    gc.collect()
    assert gone() is None, scenario
"""
"""Not in this one: pytest, and Twisted's log before it begins, keep all that anybody logs of."""


def test_nothing_of_a_world_stays_behind():
    subprocess.run((sys.executable, "-c", OWN_PROCESS, "single", "controller-fast"), check=True)


def first_finding(scenario, seeds):
    for seed in range(1, seeds + 1):
        try:
            simulate(scenario, seed)
        except SimulationError as error:
            return str(error)
    return "nothing"


def test_a_broker_that_does_not_flush_is_found_out(monkeypatch):
    broker = Cluster.broker

    def lax(self, name, values):
        return broker(self, name, dict(values) | {"flushDiskType": "ASYNC_FLUSH"})

    monkeypatch.setattr(Cluster, "broker", lax)

    assert first_finding("single", 40).startswith(("lost", "moved"))


def test_a_master_that_waits_for_nobody_is_found_out(monkeypatch):
    monkeypatch.setattr(SetAcks, "acked_by", lambda self, count: 1 << 60)

    assert first_finding("controller-fast", 40).startswith(("lost", "moved"))


def test_a_broker_that_commits_what_was_rolled_back_is_found_out(monkeypatch):
    end = TransactionProcessor._end

    def commits(self, number, request, *rest):
        request.header = replace_fields(request.header, commit_or_rollback=TRANSACTION_COMMIT)
        return end(self, number, request, *rest)

    monkeypatch.setattr(TransactionProcessor, "_end", commits)

    assert first_finding("single", 5).startswith("shown")


def test_a_broker_that_never_asks_is_found_out(monkeypatch):
    def passes(self, half):
        self._offset += 1
        return PASS_COST

    monkeypatch.setattr(QueueRound, "_decide", passes)

    assert "', committed" in first_finding("single", 5)


def test_a_broker_that_drops_what_it_gives_up_is_found_out(monkeypatch):
    def drops(self, half, properties, identity):
        self._offset += 1
        return PASS_COST

    monkeypatch.setattr(QueueRound, "_give_up", drops)

    assert first_finding("single", 5).startswith("lost")


def test_a_broker_that_forgets_what_it_committed_is_found_out(monkeypatch):
    monkeypatch.setattr(Endings, "has_committed", lambda self, transaction: False)
    monkeypatch.setattr(checks, "MERGED_MAX", 0)  # half messages keep their copies

    assert first_finding("dledger", 10).startswith("doubled")


def test_a_cluster_that_never_serves_again_is_found(monkeypatch):
    def deaf(world):
        menu = scenarios.Menu()
        return scenarios._broker_run(world, menu, Promises(), build)

    def build(cluster):
        cluster.name_server("n1")
        return "a"

    monkeypatch.setitem(SCENARIOS, "deaf", deaf)
    monkeypatch.setattr(scenarios, "CALM_MS", 3_000)

    with pytest.raises(SimulationError, match="nothing was acknowledged within 3000 ms"):
        simulate("deaf", 1)


def test_a_group_that_never_agrees_is_found(monkeypatch):
    shape = scenarios.GroupShape(members=3, fast=True, durable=False, propose_ms=(2, 60))

    def silent(world):
        return scenarios._raft_run(world, shape, replace(scenarios.QUICK, power=0), 100)

    monkeypatch.setitem(SCENARIOS, "silent", silent)
    monkeypatch.setattr(scenarios, "CALM_MS", 0)

    with pytest.raises(SimulationError, match="nothing was agreed on within 0 ms"):
        simulate("silent", 1, World(1))
