"""Tests of what frames a long command."""

import argparse
import io
import os
import signal

import pytest
from rich.console import Console

from scripts.commandlib.frame import Command, FailedError


def run(folder, judge, *words, prepare=None, keeps_good=True):
    out = io.StringIO()
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", action="store_true")
    parser.set_defaults(work=folder)
    before = signal.getsignal(signal.SIGTERM)
    trial = Command("trial", parser, judge, prepare, keeps_good)
    try:
        return trial.run(words, Console(file=out, width=400)), out.getvalue()
    finally:
        assert signal.getsignal(signal.SIGTERM) is before


def test_what_judges_gives_the_status_and_its_folder_goes_away(tmp_path):
    seen = []

    def judge(options, work, console):
        seen.append(work)
        (work / "store").write_text("x")
        return 1

    assert run(tmp_path, judge) == (1, "")
    assert seen[0].parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_left_to_who_wants_it(tmp_path):
    status, told = run(tmp_path, lambda *_: 0, "--keep")

    [left] = tmp_path.iterdir()
    assert (status, told) == (0, f"trial: stores and logs are in {left}\n")


@pytest.mark.parametrize("status", [0, 1])
def test_a_folder_may_be_left_of_what_was_bad_only(tmp_path, status):
    run(tmp_path, lambda *_: status, "--keep", keeps_good=False)

    assert len(list(tmp_path.iterdir())) == status


def test_nothing_is_judged_that_could_not_be_prepared(tmp_path):
    def prepare(options, arguments, console):
        assert options.keep
        assert arguments == ("--keep",)
        raise ValueError("no fault is left")

    assert run(tmp_path, pytest.fail, "--keep", prepare=prepare) == (
        2,
        "trial: no fault is left\n",
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [(FailedError("no jars"), "no jars"), (TimeoutError(), "TimeoutError()")],
)
def test_what_cannot_go_on_says_why_in_one_line(tmp_path, error, told):
    def judge(options, work, console):
        raise error

    assert run(tmp_path, judge) == (2, f"trial: {told}\n")
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing(tmp_path):
    def judge(options, work, console):
        raise KeyboardInterrupt

    assert run(tmp_path, judge) == (130, "trial: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_an_end_from_outside_leaves_nothing(tmp_path):
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, lambda *_: os.kill(os.getpid(), signal.SIGTERM))

    assert ended.value.code == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
