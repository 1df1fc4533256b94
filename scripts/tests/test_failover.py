"""Tests of the options of the fail-over runs, and their verdict."""

import io

import pytest
from rich.console import Console

from scripts import failover
from scripts.commandlib.waiting import TooLateError
from scripts.failoverlib.checker import check
from scripts.failoverlib.figures import Round
from scripts.failoverlib.ledger import Ack
from scripts.failoverlib.rounds import FAULTS, MEANINGS


def test_thirty_of_each_are_usual():
    options = failover.parser().parse_args([])

    assert (options.rounds, options.faults) == (30, FAULTS)
    assert (options.server, options.mode, options.profile) == ("ours", "all", "default")
    assert set(MEANINGS) == set(FAULTS)


@pytest.mark.parametrize("option", ["--rounds", "--rate", "--minutes"])
@pytest.mark.parametrize("text", ["0", "-1", "x"])
def test_counts_are_above_nothing(option, text, capsys):
    with pytest.raises(SystemExit):
        failover.parser().parse_args([f"{option}={text}"])

    assert "expected a number from 1" in capsys.readouterr().err


def test_faults_are_chosen_by_name(capsys):
    assert failover.parser().parse_args(["--faults", "cut,kill"]).faults == ("cut", "kill")
    with pytest.raises(SystemExit):
        failover.parser().parse_args(["--faults", "fire"])

    assert "'fire', expected some of kill, hang" in capsys.readouterr().err


def lossy():
    return check([Ack(1.0, 0, 0, "a:1")], {0: []})


def test_a_loss_is_a_break_where_none_is_promised():
    outcome = failover.Outcome(verdict=lossy(), logs_equal=True)

    assert not outcome.is_good("ours", "all")
    assert not outcome.is_good("ours", "two")
    assert outcome.is_good("apache", "two")
    assert outcome.is_good("ours", "default")
    assert failover.Outcome(verdict=check([], {}), logs_equal=True).is_good("ours", "all")


def test_logs_are_equal_in_every_mode():
    assert not failover.Outcome(verdict=check([], {}), logs_equal=False).is_good("ours", "default")
    assert not failover.Outcome().is_good("ours", "default")


def test_the_verdict_is_shown():
    out = io.StringIO()
    options = failover.parser().parse_args([])
    rounds = [Round("kill", 2.0, registered_s=0.4, failure="it stopped")]
    outcome = failover.Outcome(rounds, {"RemotingTimeoutException": 3}, lossy(), logs_equal=False)

    failover.show(options, outcome, Console(file=out, width=120))
    failover.show(options, failover.Outcome(), Console(file=out, width=120))

    assert "1 messages were acknowledged: 1 lost" in out.getvalue()
    assert "kill: it stopped, 1 times" in out.getvalue()
    assert "commit logs DIFFER" in out.getvalue()
    assert "'RemotingTimeoutException': 3" in out.getvalue()


def test_cut_is_left_out_where_it_is_not_possible(monkeypatch):
    monkeypatch.setattr(failover.artifacts, "server_jars", lambda: None)
    monkeypatch.setattr(failover.artifacts, "failover_driver", lambda: None)
    monkeypatch.setattr(failover, "can_isolate", lambda: False)
    monkeypatch.setattr(failover, "is_isolated", lambda: False)
    out = io.StringIO()
    options = failover.parser().parse_args([])

    failover.prepare(options, [], Console(file=out))

    assert options.faults == ("kill", "hang", "controller", "both")
    assert "cut is left out" in out.getvalue()


@pytest.mark.parametrize(
    ("error", "status"),
    [(TooLateError("a group"), 2), (KeyboardInterrupt(), 130), (OSError("no"), 2)],
)
def test_a_run_that_breaks_off_leaves_nothing(monkeypatch, tmp_path, error, status):
    def judge(options, work, console):
        assert work.is_dir()
        raise error

    monkeypatch.setattr(failover, "prepare", lambda *_: None)
    monkeypatch.setattr(failover, "judge", judge)

    assert failover.main(["--work", str(tmp_path)], Console(file=io.StringIO())) == status
    assert not list(tmp_path.iterdir())
    kept = failover.main(["--work", str(tmp_path), "--keep"], Console(file=io.StringIO()))
    assert kept == status
    assert len(list(tmp_path.iterdir())) == 1
