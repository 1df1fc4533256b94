"""A short run of ``scripts/failover`` keeps every promise; the long one is ``sh scripts/failover``."""

import json
import subprocess
import sys

import pytest

import clusters
import servers


@pytest.mark.max_s(240)
@pytest.mark.skipif(not clusters.java_is_there(), reason="needs Java")
def test_a_short_run_loses_nothing_and_ends_with_equal_logs(tmp_path, record_property):
    figures = tmp_path / "figures.json"
    work = tmp_path / "work"
    work.mkdir()
    options = ["--profile", "fast", "--rounds", "1", "--json", str(figures), "--work", str(work)]

    ran = subprocess.run(
        [sys.executable, "-m", "scripts.failover", *options],
        cwd=servers.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=220,
    )

    assert ran.returncode == 0, ran.stdout
    told = json.loads(figures.read_text())
    record_property("faults", told["faults"])
    assert {"kill", "hang", "controller", "both"} <= told["faults"].keys()
    assert told["check"]["lost"] == 0
    assert told["check"]["acknowledged"] > 100
    assert told["logs_equal"]
    assert all(one["failure"] is None for one in told["rounds"]), ran.stdout
    assert not list(work.iterdir())
