"""Faults by the hundred on a DLedger group of ours under load, and whether it kept all.

Starts a NameServer and three or five brokers, each in a network of its own, producers that send
pipelined, a stock Java producer, and clients that use the log as a register; breaks and repairs
the group, drawn by a seed; then holds the queues of every member against what was acknowledged, the
logs of all members against each other, and looks for an order of all that was done with the
registers. Exit status 1: a promise was broken, also that the group serves again soon after a
repair; 2: the run could not be ended.
"""

import argparse
import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from scripts.benchlib.report import machine
from scripts.commandlib.frame import EXIT_BROKEN, Command
from scripts.commandlib.options import positive, some_of
from scripts.commandlib.waiting import TooLateError, until
from scripts.failoverlib import ROOT, checker
from scripts.failoverlib.clients import Producer as StockProducer
from scripts.failoverlib.clients import Steady
from scripts.failoverlib.network import Isolated, Loopback, can_isolate, is_isolated, isolate
from scripts.faultlib import attempts, clocks, reading, register, slow_disk, totals, verdict
from scripts.faultlib.injection import DiedError, Injection
from scripts.faultlib.load import Producer, all_acked_since
from scripts.faultlib.menu import KINDS, MEANINGS, OF_NETWORK, Menu
from scripts.faultlib.repeating import Repeating
from scripts.faultlib.storm import Storm
from scripts.faultlib.verdict import Outcome

import artifacts  # isort: skip - found by way of scripts.failoverlib
import clusters  # isort: skip
import dledger_groups  # isort: skip

FAULTS = 24
RATE = 4000
PRODUCERS = 4
REGISTER_CLIENTS = 5
TOPIC, REGISTERS = "Faults", "Registers"
START_MAX_S = 120
STOCK_PAUSE_MS = 40
STOCK_TIMEOUT_MS = 1000
STOCK_POLL_MS = 100


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    options = argparse.ArgumentParser(
        prog="scripts/faults",
        description=__doc__.split("\n", 1)[0],
        epilog="kinds: " + "; ".join(f"{name}: {MEANINGS[name]}" for name in KINDS),
    )
    options.add_argument(
        "--count", type=positive, default=FAULTS, metavar="N", help=f"faults ({FAULTS})"
    )
    options.add_argument(
        "--messages",
        type=positive,
        default=1,
        metavar="N",
        help="go on with faults until so many are acknowledged, too",
    )
    options.add_argument(
        "--kinds", type=some_of(KINDS), default=KINDS, metavar="NAMES", help="of faults; see below"
    )
    options.add_argument("--seed", type=positive, help="repeats the draws of another run")
    options.add_argument("--brokers", type=int, choices=(3, 5), default=3, help="of the group (3)")
    options.add_argument(
        "--profile", choices=("default", "fast"), default="fast", help="failoverProfile (fast)"
    )
    options.add_argument(
        "--flush",
        choices=("SYNC_FLUSH", "ASYNC_FLUSH"),
        default="SYNC_FLUSH",
        help="flushDiskType (SYNC_FLUSH, which has a slow disk felt)",
    )
    options.add_argument(
        "--rate", type=positive, default=RATE, help=f"messages a second at most ({RATE})"
    )
    options.add_argument(
        "--minutes", type=positive, default=30, help="no fault begins after these (30)"
    )
    options.add_argument("--no-java", action="store_true", help="without stock clients")
    options.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    options.add_argument("--work", type=Path, metavar="DIR", help="where the stores may lie")
    options.add_argument("--keep", action="store_true", help="leave stores and logs")
    return options


@dataclass
class Run:
    """One run, in a folder of its own."""

    options: argparse.Namespace
    work: Path
    network: Loopback | Isolated
    console: Console
    outcome: Outcome = field(default_factory=Outcome)

    def go(self) -> None:
        """Start, break and repair, check."""
        self._chance = random.Random(self.options.seed)  # noqa: S311 - to be repeated
        group = self._group()
        wrong_clocks = self._clocks()
        for number, broker in enumerate(group.brokers):
            faked = wrong_clocks[number].prefix() if wrong_clocks else ()
            broker.prefix = (*self.network.prefix(number), *faked)
        injection = Injection(group.brokers, self.network, wrong_clocks, self.work)
        try:
            group.start()
            self._storm(group, injection)
        except DiedError as error:
            self.outcome.died = str(error)
        finally:
            injection.close()
            group.end()

    def _group(self) -> dledger_groups.DLedgerGroup:
        settings: Any = {"flushDiskType": self.options.flush, **reading.SETTINGS}
        return dledger_groups.DLedgerGroup(
            self.work,
            "o" * self.options.brokers,
            profile=self.options.profile,
            hub=self.network.hub,
            hosts=self.network.hosts,
            **settings,
        )

    def _clocks(self) -> list[clocks.WrongClock]:
        preload = clocks.library()
        if "clock" not in self.options.kinds or preload is None:
            return []
        made = [
            clocks.WrongClock(preload, self.work / f"clock{number}.txt")
            for number in range(self.options.brokers)
        ]
        if not made[0].works():
            raise OSError(f"{preload} does not change what time.time() says")
        return made

    def _storm(self, group: dledger_groups.DLedgerGroup, injection: Injection) -> None:
        board = register.Board()
        with ExitStack() as stack:
            stock = None if self.options.no_java else stack.enter_context(self._stock(group))
            producers = self._producers(group)
            clients = self._register_clients(group, board)
            storm = Storm(
                group,
                injection,
                producers,
                board,
                Menu(self.options.kinds, self._chance),
                self._chance,
                self._say,
                self.outcome.suffered,
            )
            with _running((*producers, *clients)):
                began = time.monotonic()
                until("first answers", lambda: all_acked_since(producers, began), START_MAX_S)
                if stock is not None:
                    until("a stock client", lambda: stock.producer.ledger.acks, START_MAX_S)
                with self._in_time():
                    storm.go(self.options.count, self.options.messages, 60 * self.options.minutes)
            self.outcome.late_calls = injection.late_calls
            if stock is not None:
                stock.producer.stop()
            with self._in_time():
                storm.until_whole()
            self._check(group, producers, board)
            if stock is not None and self.outcome.stuck is None:
                found = checker.found(stock.steady.read())
                self.outcome.java = checker.check(stock.producer.ledger.acks, *found)
            with self._in_time():
                storm.until_whole()
                self._compare(group)

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """Note what takes too long, and go on."""
        try:
            yield
        except TooLateError as error:
            self.outcome.stuck = self.outcome.stuck or str(error)

    def _producers(self, group: clusters.Group) -> list[Producer]:
        return [
            Producer(name, TOPIC, lambda: reading.master_of(group), self.options.rate / PRODUCERS)
            for name in range(PRODUCERS)
        ]

    def _register_clients(
        self, group: clusters.Group, board: register.Board
    ) -> list[register.Client]:
        return [
            register.Client(
                f"c{number}",
                REGISTERS,
                board,
                lambda: reading.master_of(group),
                group.brokers,
                random.Random(f"{self.options.seed} {number}"),  # noqa: S311 - to be repeated
            )
            for number in range(REGISTER_CLIENTS)
        ]

    @contextmanager
    def _stock(self, group: clusters.Group) -> Iterator["Stock"]:
        driver = Path(shutil.copytree(artifacts.failover_driver(), self.work / "driver"))
        steady = Steady.of(group, artifacts.server_jars(), driver, self.work)
        with StockProducer(
            steady, pause_ms=STOCK_PAUSE_MS, timeout_ms=STOCK_TIMEOUT_MS, poll_ms=STOCK_POLL_MS
        ) as producer:
            yield Stock(steady, producer)

    def _check(
        self,
        group: dledger_groups.DLedgerGroup,
        producers: Sequence[Producer],
        board: register.Board,
    ) -> None:
        self._say("reading all members")
        outcome = self.outcome
        every = [one.attempts for one in producers]
        outcome.failures = dict(sum((one.failures for one in every), Counter()))
        for number, member in enumerate(group.brokers):
            name = f"n{number}"
            stored = {
                queue: reading.bodies(member, TOPIC, queue) for queue in range(attempts.QUEUES)
            }
            try:
                outcome.totals[name] = totals.check(every, stored)
                of_registers = {
                    queue: list(reading.bodies(member, REGISTERS, queue))
                    for queue in range(register.QUEUES)
                }
            except (reading.GapError, OSError) as error:
                outcome.unread[name] = str(error)
                continue
            outcome.misplaced[name] = len(verdict.misplaced(board.placed, of_registers))
        outcome.registers = verdict.registers(board.operations)

    def _compare(self, group: dledger_groups.DLedgerGroup) -> None:
        end = group.log_end()
        for number, member in enumerate(group.brokers):
            self.outcome.logs[f"n{number}"] = dledger_groups.log_digest(member, end)

    def _say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Stock:
    """The stock clients."""

    steady: Steady
    producer: StockProducer


@contextmanager
def _running(clients: Sequence[Repeating]) -> Iterator[None]:
    """Clients that work, and are stopped whatever happens."""
    for one in clients:
        one.start()
    try:
        yield
    finally:
        for one in clients:
            one.stop()


def show(outcome: Outcome, console: Console) -> None:
    """Kinds of faults and what came of them, then the verdict."""
    for kind, one in outcome.by_kind().items():
        console.print(
            f"{kind:14} {one['count']:4.0f} times, served again after "
            f"{one['again_median_s']:.2f} s (median), {one['again_max_s']:.2f} s (longest); "
            f"without an answer {one['pause_median_s']:.2f} s, {one['pause_max_s']:.2f} s",
            highlight=False,
            soft_wrap=True,
        )
    for sentence in outcome.sentences():
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def judge(options: argparse.Namespace, work: Path, console: Console) -> int:
    """Run in a folder; the exit status."""
    network = Isolated(options.brokers) if is_isolated() else Loopback(options.brokers)
    load = os.getloadavg()[0]
    console.print(f"seed {options.seed}", highlight=False)
    began = time.monotonic()
    with network:
        run = Run(options, work, network, console)
        try:
            run.go()
        finally:
            show(run.outcome, console)
            if options.json:
                asked = (
                    "seed",
                    "brokers",
                    "profile",
                    "flush",
                    "rate",
                    "count",
                    "messages",
                    "kinds",
                )
                report = {
                    "machine": {**machine(ROOT), "load": [load, os.getloadavg()[0]]},
                    "options": {name: getattr(options, name) for name in asked},
                    "seconds": round(time.monotonic() - began, 1),
                    **run.outcome.as_json(),
                }
                options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if run.outcome.is_kept(java=not options.no_java) else EXIT_BROKEN


def prepare(options: argparse.Namespace, arguments: Sequence[str], console: Console) -> None:
    """Get jars while there is a network; begin anew in one of our own if that is needed."""
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1, 1 << 31)
    if not options.no_java:
        artifacts.server_jars()
        artifacts.failover_driver()
    lacking = {
        "slow-disk": None if slow_disk.is_there() else "strace",
        "clock": None if clocks.library() else "libfaketime (Debian: faketime)",
    }
    if set(options.kinds) & set(OF_NETWORK) and not is_isolated():
        if can_isolate():
            isolate("scripts.faults", [*arguments, f"--seed={options.seed}"])
        needs = "unshare, nsenter and ip (util-linux, iproute2), and root or user namespaces"
        lacking.update(dict.fromkeys(OF_NETWORK, needs))
    for kind in options.kinds:
        if lacking.get(kind):
            console.print(
                f"faults: {kind} is left out: it needs {lacking[kind]}",
                highlight=False,
                soft_wrap=True,
            )
    options.kinds = tuple(kind for kind in options.kinds if not lacking.get(kind))
    if not options.kinds:
        raise ValueError("no fault is left")


def main(arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run; gives the exit status."""
    return Command("faults", parser(), judge, prepare, keeps_good=True).run(arguments, console)


if __name__ == "__main__":
    sys.exit(main())
