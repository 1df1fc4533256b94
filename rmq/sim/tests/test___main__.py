import os
import subprocess
import sys

import pytest

from rmq.sim import __main__ as command
from rmq.sim import scenarios
from rmq.sim.scenarios import SCENARIOS
from rmq.sim.world import SimulationError


@pytest.fixture(autouse=True)
def fixed(monkeypatch):
    for name, value in command.FIXED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(command, "_begin", lambda log: None)


def broken(world):
    world.note("it begins")
    raise SimulationError("lost: a message")


def test_seeds_are_run_and_summed_up(capsys):
    assert command.main(["--seeds", "1-2", "--scenario", "single"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["single", "seed=1"], ["single", "seed=2"]]
    assert lines[2].startswith("2 runs, 0 failed, commit=")


def test_a_failure_says_how_to_see_it_again(monkeypatch, capsys):
    monkeypatch.setitem(SCENARIOS, "broken", broken)

    assert command.main(["--seed", "7", "--scenario", "broken", "--trace"]) == 1

    told = capsys.readouterr().out
    assert "FAILED broken seed=7 commit=" in told
    assert "0 it begins" in told
    assert "lost: a message" in told
    assert "python -m rmq.sim --scenario broken --seed 7 --trace" in told


def test_a_seed_has_its_scenario_and_may_be_run_in_every_one(monkeypatch, capsys):
    for name in list(SCENARIOS):
        monkeypatch.setitem(SCENARIOS, name, broken)
    names = list(SCENARIOS)

    assert command.main(["--seeds", "1-3", "--quiet"]) == 1
    told = capsys.readouterr().out
    assert [f"FAILED {names[seed]} seed={seed}" in told for seed in (1, 2, 3)] == [True] * 3

    assert command.main(["--seed", "1", "--every", "--quiet"]) == 1
    assert capsys.readouterr().out.count("FAILED") == len(SCENARIOS)


def test_processes_share_the_runs(capsys):
    assert command.main(["--seeds", "1-4", "--scenario", "single", "--jobs", "2", "--quiet"]) == 0

    assert capsys.readouterr().out.startswith("4 runs, 0 failed")


def test_it_starts_again_with_what_a_run_depends_on_fixed(monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "5")
    started = []

    def execve(path, arguments, environment):
        started.append((arguments, environment["PYTHONHASHSEED"], environment["TZ"]))
        raise SystemExit

    monkeypatch.setattr(os, "execve", execve)

    with pytest.raises(SystemExit):
        command.main(["--seed", "1"])

    assert started == [((sys.executable, "-m", "rmq.sim", "--seed", "1"), "0", "UTC")]


def test_without_git_the_commit_is_unknown(monkeypatch):
    def run(*_, **__):
        raise OSError("no git")

    monkeypatch.setattr(subprocess, "run", run)

    assert command._commit() == "unknown"


def test_the_same_seed_is_the_same_in_another_process():
    run = (sys.executable, "-m", "rmq.sim", "--scenario", "controller-fast", "--seed", "5")
    told = [
        subprocess.run(
            run,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert told[0] == told[1]
    assert scenarios.simulate("controller-fast", 5).digest in told[0]
