"""Tests of running the load generator, with a shell script for it."""

import pytest

from scripts.benchlib import load
from scripts.benchlib.processes import BenchError


def test_settings_become_flags():
    flags = load.arguments({"broker_name": "a", "conns": 4})

    assert flags == ["-broker-name=a", "-conns=4"]


def generator(tmp_path, script):
    program = tmp_path / "load"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return load.Load(program, ())


def test_load_is_measured_between_ready_and_its_figures(tmp_path):
    fake = generator(tmp_path, """echo ready; read -r go; echo '{"requests": 5}'""")
    clock = iter([1.0, 3.5])

    figures, took = fake.measure("send", {}, lambda: next(clock))

    assert figures == {"requests": 5}
    assert took == 2.5


def test_failed_load_says_why(tmp_path):
    fake = generator(tmp_path, "read -r go; echo wrong answer >&2; exit 1")

    with pytest.raises(BenchError, match="wrong answer"):
        fake.once("send")


def test_load_that_does_not_get_ready_says_why(tmp_path):
    fake = generator(tmp_path, "echo no connection >&2; exit 1")

    with pytest.raises(BenchError, match="no connection"):
        fake.measure("send", {}, lambda: 0.0)


def test_source_that_does_not_compile_is_refused(tmp_path):
    with pytest.raises(BenchError):
        load.Load.build(tmp_path, tmp_path / "built", (), bare=False)
