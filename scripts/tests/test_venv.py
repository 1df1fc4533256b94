"""Tests of choosing the interpreter of the virtual environment."""

import subprocess
import sys

import pytest

from scripts.sources import ROOT

FIND = '. scripts/lib/venv; candidates="$1"; _find_python && echo "$base"'
CURRENT = ". scripts/lib/venv; venv=$1; project=$2; _wanted"


def an_interpreter(folder, name, microseconds, *, is_recent=True):
    """A stand-in that says how long its work took, or fails if it has no venv."""
    path = folder / name
    answer = "exit 1" if microseconds is None else f"echo {microseconds}"
    recent = int(not is_recent)
    path.write_text(f"#!/bin/sh\ncase $2 in *ensurepip*) {answer};; *) exit {recent};; esac\n")
    path.chmod(0o755)
    return str(path)


def run(script, *arguments, **environment):
    return subprocess.run(
        ["sh", "-c", script, "sh", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("times", "chosen"),
    [
        ((100, 100), 0),
        ((100, 91), 0),
        ((100, 80), 1),
        ((None, 100), 1),
        ((100, 80, 70), 2),
        ((None, None), 0),
    ],
)
def test_the_first_is_taken_unless_a_later_one_is_clearly_faster(times, chosen, tmp_path):
    paths = [an_interpreter(tmp_path, f"python{n}", time) for n, time in enumerate(times)]

    assert run(FIND, " ".join(paths)).stdout.strip() == paths[chosen]


def test_the_one_that_is_asked_for_is_taken(tmp_path):
    asked = an_interpreter(tmp_path, "asked", None)
    fast = an_interpreter(tmp_path, "fast", 1)

    assert run(FIND, fast, RMQ_PYTHON=asked).stdout.strip() == asked


def test_too_old_ones_are_refused_with_what_to_do(tmp_path):
    old = an_interpreter(tmp_path, "old", None, is_recent=False)

    none = run(FIND, f"{old} absent")
    asked = run(FIND, "", RMQ_PYTHON=old)

    assert (none.returncode, asked.returncode) == (1, 1)
    assert "Python 3.11 or later is needed" in none.stderr
    assert f"RMQ_PYTHON is {old}" in asked.stderr


def test_the_work_that_is_timed_runs_here():
    found = run(FIND, sys.executable)

    assert found.stdout.strip() == sys.executable


def test_another_interpreter_makes_another_environment(tmp_path):
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    (tmp_path / "interpreter").write_text(sys.executable)
    asked = an_interpreter(tmp_path, "asked", 1)
    folders = (str(tmp_path), str(tmp_path))

    made = run(CURRENT, *folders).stdout

    assert made == run(CURRENT, *folders, RMQ_PYTHON=sys.executable).stdout
    assert made != run(CURRENT, *folders, RMQ_PYTHON=asked).stdout
