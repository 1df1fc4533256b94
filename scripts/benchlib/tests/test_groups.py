"""Tests of what is made of a group's figures."""

import io

import pytest
from rich.console import Console

from scripts.benchlib import groups
from scripts.benchlib.groups import Cost
from scripts.benchlib.processes import BenchError
from scripts.commandlib.frame import EXIT_FAILED


def cost(maker, size, leader_us, follower_us=10.0):
    return Cost(maker, size, leader_us, follower_us, 1e3, 1.0, 2.0)


def test_rounds_become_a_line_for_each_maker_and_size():
    rounds = [cost("rmq", 128, us) for us in (30.0, 20.0, 22.0)] + [cost("java", 128, 90.0)]

    lines = groups.medians(rounds)

    assert [(one.maker, one.leader_us) for one in lines] == [("rmq", 22.0), ("java", 90.0)]
    assert lines[0].group_us == 42.0


def test_ours_is_a_share_of_apaches_where_both_were_measured():
    lines = [cost("rmq", 128, 22.0), cost("java", 128, 64.0), cost("rmq", 1024, 1.0)]

    assert groups.shares(lines) == {128: pytest.approx(0.5)}


def test_what_cannot_be_measured_is_said_and_leaves_nothing(monkeypatch, tmp_path):
    def build(*_, bare):
        raise BenchError("no Go")

    monkeypatch.setattr(groups.Load, "build", build)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    out = io.StringIO()

    assert groups.main([], Console(file=out, width=100)) == EXIT_FAILED

    assert out.getvalue() == "groups: no Go\n"
    assert not list(tmp_path.iterdir())
