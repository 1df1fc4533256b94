"""A short run of ``scripts/failover`` keeps every promise; the long one is ``sh scripts/failover``."""

import json

import pytest

import clusters
import commands


pytestmark = pytest.mark.skipif(not clusters.java_is_there(), reason="needs Java")

MEDIAN_MAX_S = {"default": 6.0, "fast": 2.0}
"""Wanted of a DLedger group: half of 30 killed leaders have a successor that acknowledges so soon."""


def ran(folder, seconds, *options):
    """What a run told, after it said that every promise was kept."""
    figures, work = folder / "figures.json", folder / "work"
    work.mkdir()
    said = commands.ran("failover", work, seconds, *options, f"--json={figures}")
    told = json.loads(figures.read_text())
    assert told["check"]["lost"] == 0
    assert told["check"]["acknowledged"] > 100
    assert told["logs_equal"]
    assert all(one["failure"] is None for one in told["rounds"]), said
    return told


@pytest.mark.max_s(240)
def test_a_short_run_loses_nothing_and_ends_with_equal_logs(tmp_path, record_property):
    told = ran(tmp_path, 220, "--profile=fast", "--rounds=1")

    record_property("faults", told["faults"])
    assert {"kill", "hang", "controller", "both"} <= told["faults"].keys()


@pytest.mark.long
@pytest.mark.max_s(1200)
@pytest.mark.parametrize("profile", ["default", "fast"])
def test_half_of_thirty_killed_leaders_are_replaced_in_seconds(profile, tmp_path, record_property):
    options = ["--mode=dledger", "--faults=kill", "--rounds=30", f"--profile={profile}"]

    told = ran(tmp_path, 1180, *options)

    record_property("faults", told["faults"])
    acknowledged = told["faults"]["kill"]["acknowledged_s"]
    assert acknowledged["count"] == 30
    assert acknowledged["median"] <= MEDIAN_MAX_S[profile]
