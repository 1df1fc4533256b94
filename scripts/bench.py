"""Ours beside Apache RocketMQ 5.3.3: CPU for one request, start, memory, connections.

Both makers' servers run on the same core and are loaded in turn by the same generator, which checks
every answer. Exit status 1: a bar was missed; 2: something failed, or an answer was wrong.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from scripts.benchlib import replicas, report
from scripts.benchlib.cases import Case, chosen
from scripts.benchlib.footprint import Footprint, measure, raise_descriptor_limit
from scripts.benchlib.load import Load
from scripts.benchlib.processes import BenchError, Cores, available_cores, share_out
from scripts.benchlib.rounds import Plan, compare
from scripts.benchlib.servers import (
    ROOT,
    Pair,
    free_bytes,
    jars,
    java_commands,
    rmq_commands,
    start_pair,
)
from scripts.commandlib.frame import Command
from scripts.commandlib.options import positive

EXIT_MISSED = 1
STORE_BYTES_MIN = 12 * 1024**3
FULL = Plan(round_seconds=3.0, warm_seconds_max=40.0, rounds=5)
QUICK = Plan(round_seconds=1.2, warm_seconds_max=7.0, rounds=3)
FULL_STARTS = 5
QUICK_STARTS = 3
FULL_PACE_S = 20.0
QUICK_PACE_S = 5.0


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    options = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.split("\n", 1)[0])
    options.add_argument("--quick", action="store_true", help="under 3 minutes, and less exact")
    options.add_argument(
        "--only", metavar="NAMES", help="beginnings of names, commas between: send, route, foot"
    )
    options.add_argument("--rounds", type=positive, metavar="N", help="of each case and server")
    options.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    options.add_argument(
        "--bare",
        action="store_true",
        help="no property but WAIT, the subscription in each pull, no heartbeats",
    )
    options.add_argument("--no-bars", action="store_true", help="exit status 0 if one is missed")
    options.add_argument("--no-java", action="store_true", help="measure ours only; no ratios")
    options.add_argument("--server-core", type=int, metavar="N", help="core of the servers")
    options.add_argument("--load-cores", type=_cores, metavar="N,N", help="cores of the load")
    options.add_argument("--work", type=Path, metavar="DIR", help="where the stores may lie")
    options.set_defaults(keep=False)
    return options


def _cores(text: str) -> tuple[int, ...]:
    return tuple(int(core) for core in text.split(","))


def plan_of(options: argparse.Namespace) -> Plan:
    """How long the rounds are and how many."""
    plan = QUICK if options.quick else FULL
    return Plan(plan.round_seconds, plan.warm_seconds_max, options.rounds or plan.rounds)


def cores_of(options: argparse.Namespace) -> Cores:
    """Cores as asked for, else shared out among those that there are."""
    cores = share_out(available_cores())
    server = cores.server if options.server_core is None else (options.server_core,)
    return Cores(server, options.load_cores or cores.load)


def judge(options: argparse.Namespace, work: Path, console: Console) -> int:
    """Measure in a folder, show, write; the exit status."""
    choice = chosen(options.only)
    cases = choice.cases
    cores = cores_of(options)
    if not cores.pinned:
        console.print("nothing is pinned to a core: compare with care", style="yellow")
    raise_descriptor_limit()
    build = ROOT / ".build" / "bench"
    load = Load.build(ROOT / "scripts" / "load", build, cores.load, bare=options.bare)
    lib = None if options.no_java or not cases else jars(build)
    if free_bytes(work) < STORE_BYTES_MIN:
        raise BenchError(f"{work}: less than {STORE_BYTES_MIN >> 30} GiB free; use --work")
    footprint: Footprint | None = None
    if choice.with_footprint:
        console.print("start, memory and connections of rmq dev", style="dim")
        starts = QUICK_STARTS if options.quick else FULL_STARTS
        footprint = measure(work, cores.server, load, starts)
    slave: replicas.Replicas | None = None
    if choice.with_slave:
        console.print("a slave of ours", style="dim")
        rest = [core for core in available_cores() if core not in (*cores.server, *cores.load)]
        pace_s = QUICK_PACE_S if options.quick else FULL_PACE_S
        slave = replicas.measure(work, cores.server, rest, load, plan_of(options), pace_s)
    rows = _rows(cases, work, lib, cores, load, plan_of(options), console)
    verdicts = list(report.bars(rows, footprint, slave))
    report.show(console, rows, verdicts)
    if options.json:
        machine = {**report.machine(ROOT), "bare": options.bare, "quick": options.quick}
        figures = report.as_json(machine, rows, footprint, verdicts, slave)
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    missed = not all(bar.met for bar in verdicts)
    return EXIT_MISSED if missed and not options.no_bars else 0


def _rows(
    cases: Sequence[Case],
    work: Path,
    lib: Path | None,
    cores: Cores,
    load: Load,
    plan: Plan,
    console: Console,
) -> list[report.Row]:
    if not cases:
        return []
    pairs: list[Pair] = []
    rows = []
    try:
        makers = [rmq_commands(work / "rmq")]
        if lib is not None:
            makers.append(java_commands(lib, work / "java"))
        for commands in makers:
            console.print(f"starting {commands.maker}", style="dim")
            pairs.append(start_pair(commands, work / commands.maker, cores.server, load))
        for case in cases:
            row = report.Row(case, compare(case, pairs, load, plan))
            rows.append(row)
            costs = ", ".join(f"{maker} {side.cpu_us:.1f}" for maker, side in row.sides.items())
            console.print(f"{case.name}: {costs} us", style="dim", highlight=False)
    finally:
        for pair in pairs:
            pair.stop()
    return rows


def main(arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run the bench; gives the exit status."""
    return Command("bench", parser(), judge).run(arguments, console)


if __name__ == "__main__":
    sys.exit(main())
