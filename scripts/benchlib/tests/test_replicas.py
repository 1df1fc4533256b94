"""Tests of what is made of a slave's figures."""

import pytest

from scripts.benchlib import replicas, report
from scripts.benchlib.rounds import Round, Side


def side(cost):
    return Side([Round(cost, 1e6 / cost, 1.0, 2.0)], 3, steady=True)


def pace(lag_seconds=0.1, is_equal=True):
    return replicas.Pace(128, 20_000.0, 20.0, 4_096, lag_seconds, is_equal)


def test_extra_is_a_share_of_the_cost_without_a_slave():
    found = replicas.Replicas(side(20.0), side(22.0), [])

    assert found.extra == pytest.approx(0.1)


def test_cost_pace_and_content_have_bars():
    good = replicas.Replicas(side(20.0), side(22.0), [pace()])
    bad = replicas.Replicas(side(20.0), side(24.0), [pace(2.0), pace(is_equal=False)])

    assert [(bar.name, bar.met) for bar in report.bars([], None, good)] == [
        ("slave-cpu", True),
        ("slave-lag-128", True),
    ]
    missed = list(report.bars([], None, bad))
    assert not any(bar.met for bar in missed)
    assert "DIFFER" in missed[2].measured


def test_json_has_all_of_it():
    found = replicas.Replicas(side(20.0), side(22.0), [pace()])

    figures = report.as_json({}, [], None, [], found)

    assert figures["slave"]["paces"][0]["lag_bytes"] == 4_096
    assert figures["slave"]["alone"]["rounds"][0]["cpu_us"] == 20.0


def test_a_log_is_summed_up_to_its_end_file_by_file(tmp_path):
    one, other, shorter = tmp_path / "one", tmp_path / "other", tmp_path / "shorter"
    for folder, tail in ((one, b"left over"), (other, b"otherwise"), (shorter, b"x")):
        folder.mkdir()
        (folder / f"{10:020}").write_bytes(b"0123456789")
        (folder / f"{20:020}").write_bytes(b"abc"[: 3 if folder is not shorter else 2] + tail)

    digest = replicas.clusters.files_digest(one, 23)

    assert digest.startswith("10:")
    assert digest == replicas.clusters.files_digest(other, 23)
    assert digest != replicas.clusters.files_digest(shorter, 23)
    assert replicas.clusters.files_digest(one, 15) == replicas.clusters.files_digest(shorter, 15)
