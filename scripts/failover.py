"""How long a broker group is without a master when its processes fail, and what that loses.

Starts a NameServer, three Controllers and three brokers of one name, ours or Apache's, and a stock
Java producer that sends throughout; breaks and repairs the group again and again; holds what a
stock Java consumer finds against what was acknowledged, and the brokers' commit logs against each
other. Exit status 1: what the mode promises was broken; 2: the run could not be ended.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from scripts.benchlib.report import machine
from scripts.commandlib.frame import EXIT_BROKEN, Command
from scripts.commandlib.options import positive, some_of
from scripts.commandlib.waiting import until
from scripts.failoverlib import ROOT, checker, figures
from scripts.failoverlib.clients import Producer, Steady
from scripts.failoverlib.figures import Round
from scripts.failoverlib.network import Isolated, Loopback, can_isolate, is_isolated, isolate
from scripts.failoverlib.rounds import (
    FAULTS,
    MEANINGS,
    OF_CONTROLLERS,
    Rounds,
)

import artifacts  # isort: skip - found by way of scripts.failoverlib
import clusters  # isort: skip
import dledger_groups  # isort: skip

BROKERS = 3
START_MAX_S = 120
SETTLE_S = 6.0
"""Until slaves have the topic that the first message made; they ask each 5 s at the latest."""
LOGS_MAX_S = 60
SEND_TIMEOUT_MS = 1000
"""The client's own 3 s would hide what the servers do while it waits for one that hangs."""
ROUTE_POLL_MS = 100
"""The client's own 30 s would hide all."""

DLEDGER = "dledger"
"""The mode of a group that needs no Controllers."""
MODES: dict[str, dict[str, object]] = {
    "all": {"allAckInSyncStateSet": "true"},
    "two": {"inSyncReplicas": 2, "minInSyncReplicas": 2},
    "default": {},
    DLEDGER: {},
}
PROMISING = {"ours": ("all", "two", DLEDGER), "apache": ("all", DLEDGER)}
"""Modes in which nothing that was acknowledged may be lost. Apache's ``inSyncReplicas=2`` waits for
the quickest slave, while another of the set may become master."""


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    options = argparse.ArgumentParser(
        prog="scripts/failover",
        description=__doc__.split("\n", 1)[0],
        epilog="faults: " + "; ".join(f"{name}: {MEANINGS[name]}" for name in FAULTS),
    )
    options.add_argument(
        "--server", choices=("ours", "apache"), default="ours", help="whose servers (default ours)"
    )
    options.add_argument("--rounds", type=positive, default=30, metavar="N", help="of each fault")
    options.add_argument(
        "--faults",
        type=some_of(FAULTS),
        default=FAULTS,
        metavar="NAMES",
        help=f"of {','.join(FAULTS)}",
    )
    options.add_argument(
        "--mode",
        choices=MODES,
        default="all",
        help="under Controllers all: allAckInSyncStateSet=true; two: inSyncReplicas=2; default: "
        "nothing set; or dledger: a DLedger group, without Controllers and their faults",
    )
    options.add_argument(
        "--profile", choices=("default", "fast"), default="default", help="failoverProfile"
    )
    options.add_argument("--rate", type=positive, default=400, help="messages a second (400)")
    options.add_argument(
        "--minutes", type=positive, default=60, help="no round begins after these (60)"
    )
    options.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    options.add_argument("--work", type=Path, metavar="DIR", help="where the stores may lie")
    options.add_argument("--keep", action="store_true", help="leave stores and logs")
    return options


@dataclass
class Outcome:
    """What a run found; None: it did not get there."""

    rounds: list[Round] = field(default_factory=list)
    failed_sends: dict[str, int] = field(default_factory=dict)
    verdict: checker.Verdict | None = None
    logs_equal: bool | None = None

    def is_good(self, server: str, mode: str) -> bool:
        """Whether what the mode of a maker's servers promises was kept."""
        if self.verdict is None or not self.logs_equal:
            return False
        return self.verdict.is_kept or mode not in PROMISING[server]


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
        group = self._group()
        try:
            group.namesrv.start()
            for server in (*group.controllers, *group.brokers):
                server.launch()
            steady = self._steady(group)
            until("a group", group.is_whole, START_MAX_S)
            with self._producer(steady) as producer:
                self._rounds(group, producer)
                producer.stop()
                self._check(group, steady, producer)
        finally:
            group.end()

    def _group(self) -> clusters.Group:
        group = self._dledger_group() if self._is_dledger else self._controlled_group()
        for number, broker in enumerate(group.brokers):
            broker.prefix = self.network.prefix(number)
        return group

    def _controlled_group(self) -> clusters.Group:
        is_apache = self.options.server == "apache"
        return clusters.Group(
            self.work,
            brokers=BROKERS,
            jars=artifacts.server_jars() if is_apache else None,
            java_brokers=BROKERS if is_apache else 0,
            java_controllers=is_apache,
            java_namesrv=is_apache,
            profile=self.options.profile,
            hub=self.network.hub,
            hosts=self.network.hosts,
            **MODES[self.options.mode],
        )

    @property
    def _is_dledger(self) -> bool:
        return bool(self.options.mode == DLEDGER)

    def _dledger_group(self) -> clusters.Group:
        is_apache = self.options.server == "apache"
        return dledger_groups.DLedgerGroup(
            self.work,
            ("j" if is_apache else "o") * BROKERS,
            jars=artifacts.server_jars() if is_apache else None,
            java_namesrv=is_apache,
            profile=self.options.profile,
            hub=self.network.hub,
            hosts=self.network.hosts,
        )

    def _steady(self, group: clusters.Group) -> Steady:
        driver = Path(shutil.copytree(artifacts.failover_driver(), self.work / "driver"))
        return Steady.of(group, artifacts.server_jars(), driver, self.work)

    def _producer(self, steady: Steady) -> Producer:
        return Producer(
            steady,
            pause_ms=max(1, 1000 * clusters.QUEUES // self.options.rate),
            timeout_ms=SEND_TIMEOUT_MS,
            poll_ms=ROUTE_POLL_MS,
        )

    def _rounds(self, group: clusters.Group, producer: Producer) -> None:
        ledger = producer.ledger
        until("a first message", lambda: ledger.acks, START_MAX_S)
        time.sleep(SETTLE_S)
        rounds = Rounds(group, self.network, producer)
        end = time.monotonic() + 60 * self.options.minutes
        for fault in self.options.faults:
            for number in range(1, self.options.rounds + 1):
                if time.monotonic() > end:
                    self._say(f"{self.options.minutes} minutes are over")
                    break
                one = rounds.once(fault)
                self.outcome.rounds.append(one)
                times = {name: getattr(one, name) for name in figures.TIMES}
                told = ", ".join(
                    f"{name} {value:.3f}" for name, value in times.items() if value is not None
                )
                failure = "" if one.failure is None else f" FAILED {one.failure}"
                self._say(f"{fault} {number}: {told}; {len(ledger.acks):,} sent{failure}")
        self.outcome.failed_sends = dict(ledger.failures)

    def _check(self, group: clusters.Group, steady: Steady, producer: Producer) -> None:
        until("slaves to have all", group.is_whole, LOGS_MAX_S)
        found = checker.found(steady.read())
        self.outcome.verdict = checker.check(producer.ledger.acks, *found)
        until("slaves to have all", group.is_whole, LOGS_MAX_S)
        digest = dledger_groups.log_digest if self._is_dledger else clusters.log_digest
        digests = {one.address: digest(one, group.log_end()) for one in group.brokers}
        self.outcome.logs_equal = len(set(digests.values())) == 1
        if not self.outcome.logs_equal:
            self._say(f"commit logs differ: {digests}")

    def _say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


def show(options: argparse.Namespace, outcome: Outcome, console: Console) -> None:
    """The table and the verdict."""
    title = f"{options.server}, mode {options.mode}, profile {options.profile}"
    console.print(figures.table(title, outcome.rounds, outcome.verdict))
    for failure, count in figures.failures(outcome.rounds).items():
        console.print(f"{failure}, {count} times", markup=False, highlight=False)
    if (verdict := outcome.verdict) is not None:
        console.print(
            f"{verdict.acknowledged:,} messages were acknowledged: {verdict.in_words()}; "
            f"commit logs {'are equal' if outcome.logs_equal else 'DIFFER'}",
            highlight=False,
            soft_wrap=True,
        )
        for jump in verdict.jumps:
            console.print(jump, markup=False, highlight=False)
    if outcome.failed_sends:
        console.print(f"sends that failed: {outcome.failed_sends}", highlight=False)


def judge(options: argparse.Namespace, work: Path, console: Console) -> int:
    """Run in a folder; the exit status."""
    network = Isolated(BROKERS) if is_isolated() else Loopback(BROKERS)
    load = os.getloadavg()[0]
    with network:
        run = Run(options, work, network, console)
        try:
            run.go()
        finally:
            outcome = run.outcome
            show(options, outcome, console)
            if options.json:
                about = {**machine(ROOT), "load": [load, os.getloadavg()[0]]}
                asked = {
                    name: getattr(options, name)
                    for name in ("server", "mode", "profile", "rounds", "rate", "faults")
                }
                report = figures.as_json(
                    about,
                    asked,
                    outcome.rounds,
                    outcome.verdict,
                    outcome.logs_equal,
                    outcome.failed_sends,
                )
                options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if outcome.is_good(options.server, options.mode) else EXIT_BROKEN


def prepare(options: argparse.Namespace, arguments: Sequence[str], console: Console) -> None:
    """Get jars while there is a network; begin anew in one of our own if that is needed."""
    if options.mode == DLEDGER:
        options.faults = tuple(name for name in options.faults if name not in OF_CONTROLLERS)
    artifacts.server_jars()
    artifacts.failover_driver()
    if "cut" not in options.faults or is_isolated():
        return
    if can_isolate():
        isolate("scripts.failover", arguments)
    console.print(
        "failover: cut is left out: it needs unshare, nsenter and ip (util-linux, iproute2), "
        "and root or user namespaces",
        highlight=False,
        soft_wrap=True,
    )
    options.faults = tuple(name for name in options.faults if name != "cut")


def main(arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run; gives the exit status."""
    return Command("failover", parser(), judge, prepare, keeps_good=True).run(arguments, console)


if __name__ == "__main__":
    sys.exit(main())
