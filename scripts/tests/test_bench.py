"""Tests of the bench's options."""

import io
import os
import signal

import pytest
from rich.console import Console

from scripts import bench
from scripts.benchlib.processes import Cores
from scripts.commandlib.frame import EXIT_FAILED


def test_options_change_the_plan_and_the_cores():
    options = bench.parser().parse_args(
        ["--quick", "--rounds", "7", "--server-core", "3", "--load-cores", "0,2"]
    )

    assert bench.plan_of(options).rounds == 7
    assert bench.plan_of(options).round_seconds == bench.QUICK.round_seconds
    assert bench.cores_of(options) == Cores((3,), (0, 2))


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--rounds", "x"]])
def test_rounds_are_counted_from_one(arguments, capsys):
    with pytest.raises(SystemExit):
        bench.parser().parse_args(arguments)

    assert "expected a number from 1" in capsys.readouterr().err


def test_wrong_choice_is_said_in_one_line():
    written = io.StringIO()

    code = bench.main(["--only", "nothing"], Console(file=written, width=100))

    assert code == EXIT_FAILED
    assert "there are" in written.getvalue()


def test_signal_ends_the_bench_by_way_of_its_cleanup(monkeypatch):
    monkeypatch.setattr(bench, "chosen", lambda _only: os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)

    with pytest.raises(SystemExit) as ended:
        bench.main([])

    assert ended.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before
