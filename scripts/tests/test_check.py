"""Tests of running the gates."""

import io
import sys

import pytest
from rich.console import Console

from scripts import check
from scripts.check import Gate


def gate(name, source, *, fast=True):
    return Gate(name, (sys.executable, "-c", source), "a test", fast)


GOOD = gate("good", "print('fine')")
BAD = gate("bad", "print('what is wrong'); raise SystemExit(3)")
SLOW = gate("slow", "", fast=False)


def run_main(arguments, monkeypatch, gates):
    monkeypatch.setattr(check, "gates", lambda _least, _jobs: gates)
    written = io.StringIO()
    code = check.main(arguments, Console(file=written, width=120))
    return code, written.getvalue()


def test_every_gate_has_a_name_of_its_own():
    names = [gate.name for gate in check.gates(95.0, "auto")]

    assert len(set(names)) == len(names)
    assert {"lint", "types", "tests", "own-coverage"} <= set(names)


def test_all_gates_run_if_none_is_named():
    assert check.chosen([GOOD, SLOW], [], fast=False) == [GOOD, SLOW]


def test_fast_leaves_out_the_slow_ones():
    assert check.chosen([GOOD, SLOW], [], fast=True) == [GOOD]


def test_names_choose_gates():
    assert check.chosen([GOOD, BAD, SLOW], ["slow"], fast=True) == [SLOW]


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="no gate 'best'; there are good, slow"):
        check.chosen([GOOD, SLOW], ["best"], fast=False)


def test_a_gate_passes_if_its_program_succeeds():
    outcome = check.run(GOOD)

    assert outcome.passed
    assert outcome.output == "fine\n"


def test_a_missing_program_fails_with_its_cure():
    outcome = check.run(Gate("none", ("no-such-program",), "a test"))

    assert not outcome.passed
    assert "pip install" in outcome.output


def test_long_output_keeps_its_end():
    assert check.last_lines("1\n2\n3\n", limit=3) == "1\n2\n3"
    assert check.last_lines("1\n2\n3\n", limit=2) == "... 1 lines before\n2\n3"


def test_a_failure_does_not_stop_the_others(monkeypatch):
    code, written = run_main([], monkeypatch, [BAD, GOOD])

    assert code == 1
    assert "what is wrong" in written
    assert "passed  good" in written


def test_success_of_all_is_success(monkeypatch):
    assert run_main(["good"], monkeypatch, [BAD, GOOD])[0] == 0


def test_a_wrong_name_is_a_wrong_command_line(monkeypatch):
    code, written = run_main(["best"], monkeypatch, [GOOD])

    assert code == 2
    assert "no gate 'best'" in written
