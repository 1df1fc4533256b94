import argparse
import io
import os
import signal

import pytest
from rich.console import Console

from scripts.failoverlib.frame import framed


def run(folder, judge, *, keep=False, prepare=lambda: None):
    out = io.StringIO()
    options = argparse.Namespace(work=folder, keep=keep)
    before = signal.getsignal(signal.SIGTERM)
    try:
        return framed(
            "trial", options, Console(file=out, width=400), prepare, judge
        ), out.getvalue()
    finally:
        assert signal.getsignal(signal.SIGTERM) is before


def test_what_judges_gives_the_status_and_its_folder_goes_away(tmp_path):
    seen = []

    def judge(work):
        seen.append(work)
        (work / "store").write_text("x")
        return 1

    assert run(tmp_path, judge) == (1, "")
    assert seen[0].parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_left_to_who_wants_it(tmp_path):
    status, told = run(tmp_path, lambda _: 0, keep=True)

    [left] = tmp_path.iterdir()
    assert (status, told) == (0, f"trial: stores and logs are in {left}\n")


def test_nothing_is_judged_that_could_not_be_prepared(tmp_path):
    def prepare():
        raise ValueError("no fault is left")

    assert run(tmp_path, pytest.fail, prepare=prepare) == (2, "trial: no fault is left\n")


def test_an_end_from_outside_leaves_nothing(tmp_path):
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, lambda _: os.kill(os.getpid(), signal.SIGTERM))

    assert ended.value.code == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
