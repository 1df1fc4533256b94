"""One of Apache's brokers takes over from one of ours under load, then ours from Apache's.

Starts a NameServer and two brokers of one name, ours as master and Apache's 5.3.3 as slave, a stock
Java producer and a stock Java consumer that go on throughout, and exchanges the roles twice: by
changed files and restarts (``classic``), and by ``mqadmin electMaster`` under three Controllers of
ours with no restart (``controller``). Then holds what was stored and what was consumed against what
was acknowledged, and the commit logs against each other. Exit status 1: something was lost, out of
order or different; 2: a change could not be made.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from scripts.commandlib.frame import EXIT_BROKEN, Command
from scripts.commandlib.options import positive, some_of
from scripts.commandlib.waiting import until
from scripts.failoverlib import checker
from scripts.failoverlib.clients import Producer, Steady
from scripts.takeoverlib.changes import (
    Admin,
    BrokenError,
    Elections,
    Pair,
    Restarts,
    Roles,
    equal_logs,
    log_end,
)
from scripts.takeoverlib.listener import Listener

import artifacts  # isort: skip - found by way of scripts.failoverlib
import clusters  # isort: skip
import servers  # isort: skip

KINDS = ("classic", "controller")
FIRST_MAX_S = 120
CONSUMED_MAX_S = 120
SEND_TIMEOUT_MS = 3000
ROUTE_POLL_MS = 100
"""How soon clients look for the new master; the client's own 30 s work, too."""


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    options = argparse.ArgumentParser(
        prog="scripts/takeover", description=__doc__.split("\n", 1)[0]
    )
    options.add_argument(
        "--kinds", type=some_of(KINDS), default=KINDS, metavar="NAMES", help=f"of {','.join(KINDS)}"
    )
    options.add_argument(
        "--seconds", type=positive, default=20, metavar="N", help="of load around each change (20)"
    )
    options.add_argument("--rate", type=positive, default=400, help="messages a second (400)")
    options.add_argument("--work", type=Path, metavar="DIR", help="where the stores may lie")
    options.add_argument("--keep", action="store_true", help="leave stores and logs if it fails")
    return options


@dataclass
class Run:
    """One kind of change, there and back, in a folder of its own."""

    kind: str
    options: argparse.Namespace
    work: Path
    console: Console

    def __post_init__(self) -> None:
        self._began = time.monotonic()

    def go(self) -> bool:
        """Start, change twice, check; whether all was kept.

        :raises BrokenError: a step did not do what it should.
        :raises TooLateError: or did not in time.
        """
        pair = self._pair()
        try:
            pair.start()
            jars, driver = artifacts.server_jars(), artifacts.failover_driver()
            steady = Steady.of(pair.group, jars, driver, self.work)
            with self._producer(steady) as producer:
                until("a first message", lambda: producer.ledger.acks, FIRST_MAX_S)
                with Listener(steady, poll_ms=ROUTE_POLL_MS) as listener:
                    self._there_and_back(pair, producer, listener)
                    producer.stop()
                    return self._check(pair, steady, producer, listener)
        finally:
            pair.group.end()

    def _producer(self, steady: Steady) -> Producer:
        return Producer(
            steady,
            pause_ms=max(1, 1000 * clusters.QUEUES // self.options.rate),
            timeout_ms=SEND_TIMEOUT_MS,
            poll_ms=ROUTE_POLL_MS,
            how="select",
        )

    def _there_and_back(self, pair: Pair, producer: Producer, listener: Listener) -> None:
        ours, apache = pair.group.brokers
        self._load(pair, producer, listener, ours)
        for old, new in ((ours, apache), (apache, ours)):
            began = time.monotonic()
            pair.change(old, new)
            self._load(pair, producer, listener, new)
            pause_s = producer.ledger.longest_pause_s(began, time.monotonic())
            self._say(f"clients moved; the longest time without an answer: {pause_s:.2f} s")

    def _pair(self) -> Pair:
        jars = artifacts.server_jars()
        admin = Admin(jars, self.work, self._say)
        if self.kind == "classic":
            return Restarts(Roles(self.work, jars), admin, self._say)
        group = clusters.Group(
            self.work, brokers=2, jars=jars, java_brokers=1, allAckInSyncStateSet="true"
        )
        return Elections(group, admin, self._say)

    def _load(
        self, pair: Pair, producer: Producer, listener: Listener, master: servers.Server
    ) -> None:
        """Let clients work with a master for a while."""
        now = time.monotonic()
        until(
            f"an answer of {master.address}",
            lambda: producer.ledger.first_by(master.address, now),
            FIRST_MAX_S,
        )
        before = _count_of(listener)
        until("messages to the consumer", lambda: _count_of(listener) > before, FIRST_MAX_S)
        time.sleep(self.options.seconds)
        end = log_end(pair.group)
        self._say(f"{len(producer.ledger.acks):,} messages acknowledged, a log of {end:,} bytes")

    def _check(self, pair: Pair, steady: Steady, producer: Producer, listener: Listener) -> bool:
        acks = producer.ledger.acks
        until("the slave to have all", pair.group.is_whole, CONSUMED_MAX_S)
        stored, jumps = checker.found(steady.read())
        ends = {queue: len(numbers) - 1 for queue, numbers in stored.items()}
        until("the consumer to have all", lambda: listener.consumed.offsets == ends, CONSUMED_MAX_S)
        listener.stop()
        until("the slave to have all", pair.group.is_whole, CONSUMED_MAX_S)
        end = log_end(pair.group)
        digest = equal_logs(pair.group, end)
        kept = True
        for what, numbers in (("stored", stored), ("consumed", listener.consumed.numbers)):
            verdict = checker.check(acks, numbers, jumps)
            kept = kept and verdict.is_kept
            self._say(f"{what}: {verdict.acknowledged:,} were acknowledged, {verdict.in_words()}")
        self._say(f"both commit logs have {end:,} bytes, SHA-256 {digest}")
        return kept

    def _say(self, text: str) -> None:
        line = f"{self.kind:10} {time.monotonic() - self._began:6.1f} s  {text}"
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


def _count_of(listener: Listener) -> int:
    return sum(map(len, list(listener.consumed.numbers.values())))


def judge(options: argparse.Namespace, work: Path, console: Console) -> int:
    """All kinds, each in a folder of its own; the exit status."""
    try:
        kept = True
        for kind in options.kinds:
            folder = work / kind
            folder.mkdir()
            kept = Run(kind, options, folder, console).go() and kept
    except BrokenError as error:
        console.print(f"takeover: {error}", markup=False, highlight=False, soft_wrap=True)
        return EXIT_BROKEN
    console.print("every promise was kept" if kept else "BROKEN", highlight=False)
    return 0 if kept else EXIT_BROKEN


def main(arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run; gives the exit status."""
    return Command("takeover", parser(), judge).run(arguments, console)


if __name__ == "__main__":
    sys.exit(main())
