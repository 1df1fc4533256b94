"""All gates in one command, as they run everywhere.

``python scripts/check.py`` runs all of them, does not stop at the first that fails, shows how long
each took, and fails if one did. ``--fast`` leaves out those that run tests; names choose gates.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
OUTPUT_LINES_MAX = 60


@dataclass(frozen=True, slots=True)
class Gate:
    """A program that must succeed."""

    name: str
    command: tuple[str, ...]
    meaning: str
    fast: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a gate."""

    gate: Gate
    passed: bool
    seconds: float
    output: str


def gates(least_percent: float, jobs: str) -> list[Gate]:
    """Every gate, the quick ones first."""
    python = sys.executable
    scripts = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("scripts/*.py"))
    typed_scripts = ("mypy", "--explicit-package-bases", *scripts)
    return [
        Gate("lint", ("ruff", "check", "."), "ruff's rules, with a reason for each left out"),
        Gate("format", ("ruff", "format", "--check", "."), "one format"),
        Gate("types", ("mypy",), "strict types of codec and rmq"),
        Gate("script-types", typed_scripts, "strict types of the house's tools"),
        Gate("layers", ("lint-imports",), "imports point downwards, cores do no I/O"),
        Gate("tidy", (python, "-m", "scripts.tidy"), "style that no other tool sees"),
        Gate("docs", (python, "-m", "scripts.generate_docs", "--check"), "docs are up to date"),
        Gate("tests", (python, "-m", "pytest", "-q", "-n", jobs), "tests beside the code", False),
        Gate(
            "own-coverage",
            (python, "-m", "scripts.own_coverage", "--least", f"{least_percent:g}"),
            "each module of a core reached by its own test",
            fast=False,
        ),
    ]


def chosen(all_gates: Sequence[Gate], names: Sequence[str], *, fast: bool) -> list[Gate]:
    """The gates called by ``names``, or all, or all that are fast.

    :raises ValueError: a name that no gate has.
    """
    known = {gate.name for gate in all_gates}
    for name in names:
        if name not in known:
            raise ValueError(f"no gate {name!r}; there are {', '.join(sorted(known))}")
    if names:
        return [gate for gate in all_gates if gate.name in names]
    return [gate for gate in all_gates if gate.fast or not fast]


def run(gate: Gate) -> Outcome:
    """Run one gate in the project's folder, with the tools of this Python first."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    begun = time.monotonic()
    try:
        done = subprocess.run(
            gate.command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        cure = "install the tools: pip install -c constraints.txt '.[dev]'"
        return Outcome(gate, False, time.monotonic() - begun, f"{error}; {cure}")
    return Outcome(gate, done.returncode == 0, time.monotonic() - begun, done.stdout)


def last_lines(text: str, limit: int = OUTPUT_LINES_MAX) -> str:
    """The end of a long text, and how much was left out before it."""
    lines = text.rstrip().splitlines()
    if len(lines) <= limit:
        return "\n".join(lines)
    return "\n".join([f"... {len(lines) - limit} lines before", *lines[-limit:]])


def summary(outcomes: Sequence[Outcome]) -> Table:
    """The gates, their verdicts and times."""
    table = Table(title="gates")
    table.add_column("gate")
    table.add_column("verdict")
    table.add_column("seconds", justify="right")
    table.add_column("meaning")
    for outcome in outcomes:
        verdict = "[green]passed[/]" if outcome.passed else "[bold red]failed[/]"
        table.add_row(outcome.gate.name, verdict, f"{outcome.seconds:.1f}", outcome.gate.meaning)
    return table


def main(arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run the gates; 1 if one failed, 2 if the command line is wrong."""
    parser = argparse.ArgumentParser(description="Run the project's gates.")
    parser.add_argument("names", nargs="*", help="gates to run (all)")
    parser.add_argument("--fast", action="store_true", help="leave out gates that run tests")
    parser.add_argument("--coverage", type=float, default=95.0, help="least per cent (95)")
    parser.add_argument("--jobs", default="auto", help="processes for tests (auto)")
    options = parser.parse_args(arguments)
    console = console or Console()
    try:
        todo = chosen(gates(options.coverage, options.jobs), options.names, fast=options.fast)
    except ValueError as error:
        console.print(str(error), markup=False)
        return 2
    outcomes: list[Outcome] = []
    for gate in todo:
        outcome = run(gate)
        outcomes.append(outcome)
        verdict = "passed" if outcome.passed else "FAILED"
        console.print(f"{verdict}  {gate.name}  {outcome.seconds:.1f} s", highlight=False)
        if not outcome.passed:
            console.print(last_lines(outcome.output), markup=False, highlight=False, soft_wrap=True)
    console.print(summary(outcomes))
    return int(not all(outcome.passed for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
