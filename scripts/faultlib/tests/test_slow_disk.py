"""Tests of a disk that is slow, with a tracer that is none."""

import os
import subprocess
import sys

import pytest

from scripts.faultlib import slow_disk
from scripts.faultlib.slow_disk import SlowDisk


@pytest.fixture
def tracer(tmp_path, monkeypatch):
    """Makes the tracer that is started; its words are in ``arguments`` beside it."""

    def make(script):
        path = tmp_path / "tracer"
        path.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {tmp_path}/arguments\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(slow_disk, "STRACE", str(path))

    return make


def test_it_is_there_or_not(tracer, monkeypatch):
    tracer("exit 0")
    assert slow_disk.is_there()
    monkeypatch.setattr(slow_disk, "STRACE", "no-such-program")
    assert not slow_disk.is_there()


def test_calls_are_late_until_it_is_let_go(tracer, tmp_path):
    told = tmp_path / "told"
    tracer(f"trap 'exit 0' TERM; printf 'fsync\\nfsync\\n' > {told}; while :; do sleep 0.01; done")

    disk = SlowDisk(os.getpid(), 50, told)

    assert disk.stop() == 2
    words = (tmp_path / "arguments").read_text().split("\n")
    assert words[words.index("-p") + 1] == str(os.getpid())
    assert f"inject={slow_disk.CALLS}:delay_enter=50000" in words


def test_one_that_does_not_let_go_is_killed(tracer, tmp_path, monkeypatch):
    monkeypatch.setattr(slow_disk, "DETACHED_MAX_S", 0.05)
    tracer("trap '' TERM; while :; do sleep 0.01; done")

    assert SlowDisk(os.getpid(), 50, tmp_path / "none").stop() == 0


def test_who_cannot_be_traced_is_told(tracer, tmp_path, monkeypatch):
    monkeypatch.setattr(slow_disk, "ATTACHED_S", 30)
    tracer("echo 'not permitted' >&2; exit 1")

    with pytest.raises(OSError, match="strace ended: not permitted"):
        SlowDisk(os.getpid(), 50, tmp_path / "told")


def test_who_has_ended_meanwhile_is_let_go(tracer, tmp_path, monkeypatch):
    monkeypatch.setattr(slow_disk, "ATTACHED_S", 30)
    tracer("exit 1")
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)

    assert SlowDisk(dead.pid, 50, tmp_path / "told").stop() == 0
    dead.wait()
    assert SlowDisk(dead.pid, 50, tmp_path / "told").stop() == 0
