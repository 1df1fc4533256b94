"""Tests of the soak's options and its verdict."""

import io
import signal
import subprocess

import pytest
from rich.console import Console

from scripts import soak
from scripts.commandlib.frame import EXIT_FAILED
from scripts.soaklib import plan
from scripts.soaklib.ledger import Ledger, Violation
from scripts.soaklib.workers import Course


def test_ten_minutes_with_a_kill_every_half_are_usual():
    options = soak.parser().parse_args([])

    assert (options.minutes, options.kill_every, options.flush) == (10, 30, "ASYNC_FLUSH")
    assert options.rate == 2000


@pytest.mark.parametrize("text", ["0", "-1", "x", "nan", "inf"])
def test_times_are_above_nothing(text, capsys):
    with pytest.raises(SystemExit):
        soak.parser().parse_args(["--minutes", text])

    assert "expected a number above 0" in capsys.readouterr().err


def test_the_drain_is_longer_than_the_longest_delay():
    assert max(plan.DELAYS_S) < soak.QUIET_S
    assert soak.SETTINGS["messageDelayLevel"] == "1s 2s 5s 2s 3s"


class Process:
    """A broker that was told what to say when it stops."""

    def __init__(self, code, log):
        self.code, self.said = code, log

    def terminate(self):
        return self.code

    def start(self):
        pass

    def log(self):
        return self.said

    def peer(self):
        return io.BytesIO()


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=200)


def verdict(monkeypatch, console, broker):
    monkeypatch.setattr(soak.reading, "read_topic", lambda *_: [])
    course = Course(1, Ledger())
    course.ledger.refused["T", 2] = 1
    return soak.Soak(broker, broker, course, None, console).check()


def test_a_sound_broker_has_no_violation(monkeypatch, console):
    assert verdict(monkeypatch, console, Process(0, "an INFO line\n")) == []
    assert "refused: {('T', 2): 1}" in console.file.getvalue()


def test_a_bad_stop_and_logged_errors_are_violations(monkeypatch, console):
    found = verdict(monkeypatch, console, Process(1, "0 INFO fine\n0 ERROR bad\n"))

    assert found == [
        Violation("stop failed", "exit status 1"),
        Violation("error logged", "0 ERROR bad"),
    ]


def test_each_rule_has_its_first_violations_shown(console):
    many = [Violation("lost", f"K-{number}") for number in range(soak.SHOWN_MAX + 2)]

    soak.show([*many, Violation("early", "K-0", detail="by 1 ms")], console)

    lines = console.file.getvalue().splitlines()
    assert lines[soak.SHOWN_MAX - 1 :] == [
        f"VIOLATION lost: K-{soak.SHOWN_MAX - 1}",
        "VIOLATION early: K-0 by 1 ms",
        f"lost: {len(many)} in all",
    ]


def test_progress_is_one_line(console):
    course = Course(1, Ledger())
    course.ledger.sent["T"] = 1234

    soak.Soak(None, None, course, None, console).progress("running")

    assert "sent 1,234, acknowledged 0" in console.file.getvalue()
    assert console.file.getvalue().count("\n") == 1


@pytest.mark.parametrize("keep", [True, False])
def test_a_soak_that_cannot_run_says_so_and_leaves_what_is_kept(
    monkeypatch, console, tmp_path, keep
):
    def failing(*_):
        raise AssertionError("not up in 20 s")

    monkeypatch.setattr(soak, "judge", failing)
    before = signal.getsignal(signal.SIGTERM)
    options = ["--seed", "7", "--work", str(tmp_path), *(["--keep"] if keep else [])]

    assert soak.main(options, console) == EXIT_FAILED

    assert "soak: --seed 7" in console.file.getvalue()
    assert "not up in 20 s" in console.file.getvalue()
    assert len(list(tmp_path.iterdir())) == keep
    assert signal.getsignal(signal.SIGTERM) == before


def test_its_wrapper_shows_the_options():
    shown = subprocess.run(
        ["sh", "scripts/soak", "--help"], cwd=soak.servers.ROOT, capture_output=True, check=True
    )

    assert b"--kill-every" in shown.stdout
