"""Tests of starting, pinning and measuring programs."""

import os
import sys

import pytest

from scripts.benchlib import processes
from scripts.benchlib.processes import BenchError, Cores


def test_server_gets_a_core_of_its_own():
    shared = [processes.share_out(range(count)) for count in (4, 3, 2)]

    assert shared == [Cores((2,), (0, 1)), Cores((2,), (0, 1)), Cores((1,), (0,))]


def test_one_core_is_not_shared_out():
    assert not processes.share_out([0]).pinned
    assert not processes.share_out([]).pinned


def test_pinning_ends_with_its_block():
    before = processes.available_cores()

    with processes.pinned_to(before[:1]):
        inside = processes.available_cores()

    assert inside == before[:1]
    assert processes.available_cores() == before


def test_ticks_are_found_behind_a_name_with_brackets():
    stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 17 0 0 20 0 1 0 99 1000 50"

    assert processes.ticks_of_stat(stat) == 267


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0:01.23", 1.23), ("12:05", 725.0), ("01:02:03", 3723.0), ("2-00:00:01", 172801.0)],
)
def test_time_of_ps_is_read(text, seconds):
    assert processes.seconds_of_ps(text) == pytest.approx(seconds)


def test_free_ports_can_be_bound_together():
    base = processes.free_ports(-2, 1)

    assert base in processes.PORTS


def test_server_is_measured_and_stopped(tmp_path):
    server = processes.Server.start(
        "sleeper",
        [sys.executable, "-c", "print('up', flush=True); import time; time.sleep(60)"],
        cores=(),
        folder=tmp_path,
        environment={},
        log=tmp_path / "log",
    )

    server.must_run()
    measured = server.resident_bytes(), server.cpu_seconds()
    server.stop()
    server.stop()

    assert measured[0] > 0
    assert measured[1] >= 0
    with pytest.raises(BenchError, match="sleeper ended with status"):
        server.must_run()


def test_family_is_a_process_and_its_children():
    assert os.getpid() in processes.family(os.getpid())
