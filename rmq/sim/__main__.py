"""``python -m rmq.sim``: runs seeds; of a failure it prints all that is needed to see it again.

The order of a set of strings depends on PYTHONHASHSEED, and local time on TZ; so that a seed is the
same everywhere, the command starts itself again with both fixed.
"""

import argparse
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from traceback import format_exception

from twisted.logger import globalLogBeginner

from rmq.sim.scenarios import SCENARIOS, scenario_of, simulate
from rmq.sim.world import World

FIXED = {"PYTHONHASHSEED": "0", "TZ": "UTC"}
TAIL_LINES = 60
"""Lines of the trace that a report shows."""


def main(arguments: Sequence[str]) -> int:
    """Run what the command line says; 1 if a run found something."""
    options = _options(arguments)
    if any(os.environ.get(name) != value for name, value in FIXED.items()):
        command = (sys.executable, "-m", "rmq.sim", *arguments)
        os.execve(sys.executable, command, os.environ | FIXED)  # noqa: S606 - ourselves again
    _begin(log=options.log)
    runs = [
        (scenario, seed)
        for seed in options.seeds
        for scenario in (SCENARIOS if options.every else [options.scenario or scenario_of(seed)])
    ]
    failed = 0
    for scenario, seed, line, report in _results(runs, options):
        if report:
            failed += 1
            _say(f"FAILED {scenario} seed={seed} commit={_commit()}\n{report}")
            _say(f"see it again: python -m rmq.sim --scenario {scenario} --seed {seed} --trace\n")
        elif not options.quiet:
            _say(line)
    _say(f"{len(runs)} runs, {failed} failed, commit={_commit()}")
    return 1 if failed else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rmq.sim", description="simulate clusters")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seed", dest="seeds", type=_seeds, help="one seed")
    which.add_argument("--seeds", type=_seeds, help="seeds A-B, both included")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--scenario", choices=sorted(SCENARIOS), help="else it follows from the seed")
    how.add_argument("--every", action="store_true", help="every scenario for each seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--trace", action="store_true", help="print everything that happens")
    parser.add_argument("--log", action="store_true", help="print what the servers log")
    parser.add_argument("--quiet", action="store_true", help="print failures and the sum only")
    return parser.parse_args(arguments)


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


Run = tuple[str, int]
Outcome = tuple[str, int, str, str]
"""Scenario, seed, the line of a good run, the report of a bad one."""


def _results(runs: list[Run], options: argparse.Namespace) -> Iterator[Outcome]:
    if options.jobs == 1:
        for run in runs:
            yield _run(run, trace=options.trace)
        return
    begin = partial(_begin, log=options.log)
    with ProcessPoolExecutor(options.jobs, initializer=begin) as pool:
        yield from pool.map(_run, runs, chunksize=4)


def _begin(*, log: bool) -> None:
    """Once in each process; Twisted would keep its first lines, and all they speak of, for ever."""
    logging.basicConfig(level=logging.INFO if log else logging.CRITICAL)
    globalLogBeginner.beginLoggingTo([], discardBuffer=True, redirectStandardIO=False)


def _run(run: Run, *, trace: bool = False) -> Outcome:
    scenario, seed = run
    world = World(seed)
    if trace:
        world.trace.show = _say
    try:
        return scenario, seed, simulate(scenario, seed, world).line, ""
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told with its seed
        lines = [*world.trace.tail(TAIL_LINES), *format_exception(error)]
        return scenario, seed, "", f"trace={world.trace.digest}\n" + "\n".join(lines)


def _commit() -> str:
    """What is tested: the commit, with a plus if something is changed since."""
    folder = Path(__file__).parent
    try:
        told = subprocess.run(
            ("git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"),  # noqa: S607
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return told.stdout.strip()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
