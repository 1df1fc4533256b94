"""Faults on a DLedger group lose nothing; the run itself is ``sh scripts/faults``."""

import json

import pytest

import clusters
import commands
from scripts.failoverlib.network import can_isolate
from scripts.faultlib.menu import KINDS, OF_NETWORK

QUICK = ("kill-leader", "kill-majority", "pause-leader", *OF_NETWORK)
"""These need nothing installed but Java."""
SEED = 6
LONG_FAULTS, LONG_MESSAGES, LONG_MINUTES = 300, 1_000_000, 30


def ran(folder, seconds, *options):
    """What a run told, after it said that every promise was kept."""
    figures, work = folder / "figures.json", folder / "work"
    work.mkdir()
    commands.ran("faults", work, seconds, *options, f"--json={figures}")
    told = json.loads(figures.read_text())
    for member in told["members"].values():
        assert not any(member[name] for name in ("lost", "moved", "disordered", "invented"))
    assert told["logs_equal"]
    assert not any(told["misplaced"].values())
    assert told["registers"]["wrong"] == []
    assert told["registers"]["undecided"] == 0
    assert told["java"]["lost"] == told["java"]["disordered"] == told["java"]["invented"] == 0
    return told


def acknowledged(told):
    return min(member["acknowledged"] for member in told["members"].values())


@pytest.mark.max_s(150)
@pytest.mark.skipif(not clusters.java_is_there(), reason="needs Java")
def test_faults_of_several_kinds_lose_nothing(tmp_path, record_property):
    options = [f"--seed={SEED}", "--count=8", "--minutes=1", f"--kinds={','.join(QUICK)}"]

    told = ran(tmp_path, 140, *options)

    record_property("faults", told["by_kind"])
    wanted = set(QUICK) if can_isolate() else set(QUICK) - set(OF_NETWORK)
    assert told["by_kind"].keys() == wanted
    assert len(told["faults"]) >= 8
    assert len(told["members"]) == 3
    assert acknowledged(told) > 1000
    assert told["registers"]["reads"] > 20
    assert told["java"]["acknowledged"] > 50


@pytest.mark.long
@pytest.mark.max_s(60 * LONG_MINUTES + 900)
def test_hundreds_of_faults_and_a_million_messages(tmp_path, record_property):
    options = [f"--count={LONG_FAULTS}", f"--messages={LONG_MESSAGES}", f"--minutes={LONG_MINUTES}"]

    told = ran(tmp_path, 60 * LONG_MINUTES + 840, *options)

    record_property("faults", told["by_kind"])
    assert len(told["faults"]) >= LONG_FAULTS
    assert acknowledged(told) >= LONG_MESSAGES
    assert told["by_kind"].keys() == set(KINDS)
    assert told["registers"]["reads"] > 1000
    assert told["java"]["acknowledged"] > 1000
