"""All kinds of messages against NameServer and Broker while the broker is killed again and again.

Then a checker holds what the broker has against what it promised; its rules stand in
``scripts/soaklib/checker.py``. Exit status 1: a promise was broken, each with its place and the
seed; 2: the soak could not run.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from scripts.commandlib.frame import EXIT_BROKEN, Command
from scripts.soaklib import checker, plan, reading, workers
from scripts.soaklib.ledger import Ledger, Stored, Violation

import servers  # isort: skip - found by way of scripts.soaklib

PROGRESS_S = 10
JITTER_S = 2.0
QUIET_S = max(plan.DELAYS_S) + 4
DRAIN_MAX_S = 180
SHOWN_MAX = 10
"""Violations of one rule that are shown."""

SETTINGS = {
    "brokerName": plan.BROKER,
    "brokerId": 0,
    "defaultTopicQueueNums": plan.QUEUES,
    "mappedFileSizeCommitLog": 4 << 20,
    "mappedFileSizeConsumeQueue": 20 * 3000,
    "messageDelayLevel": " ".join(f"{seconds}s" for seconds in plan.DELAYS_S),
    "flushConsumerOffsetInterval": 1000,
    "flushDelayOffsetInterval": 1000,
    "transactionTimeOut": 2000,
    "transactionCheckInterval": 1000,
    "transactionOpBatchInterval": 500,
    "maxTransferCountOnMessageInMemory": reading.COUNT,
    "maxTransferBytesOnMessageInMemory": 4 << 20,
    "maxTransferCountOnMessageInDisk": reading.COUNT,
    "maxTransferBytesOnMessageInDisk": 4 << 20,
}


@dataclass
class Soak:
    """One soak: its servers, its course, its chance."""

    broker: servers.Server
    namesrv: servers.Server
    course: workers.Course
    chance: random.Random
    console: Console
    started: float = 0.0

    def run(self, seconds: float, kill_every_s: float, crew: Sequence[workers.Worker]) -> None:
        """Start all, kill in time, drain; the broker runs afterwards."""
        self.namesrv.start()
        self.broker.start()
        self.started = time.monotonic()
        for worker in crew:
            worker.start()
        end = self.started + seconds
        while True:
            wait_s = kill_every_s + self.chance.uniform(-JITTER_S, JITTER_S)
            next_kill = time.monotonic() + max(wait_s, 1)
            if next_kill > end:
                self.watch(end)
                break
            self.watch(next_kill)
            self.kill()
        self.course.draining.set()
        self.drain()
        self.course.stopping.set()
        for worker in crew:
            worker.join(workers.ANSWER_MAX_S + 5)
            if worker.is_alive():
                self.course.ledger.violations.append(Violation("client hangs", worker.name))

    def watch(self, until: float) -> None:
        """Let it run; a line of progress each 10 s."""
        while (left := until - time.monotonic()) > 0:
            to_line = PROGRESS_S - (time.monotonic() - self.started) % PROGRESS_S
            time.sleep(min(left, to_line + 0.001))
            if to_line <= left:
                self.progress("running")

    def progress(self, state: str) -> None:
        """What was done so far, on one line."""
        ledger = self.course.ledger
        figures = {
            "sent": sum(ledger.sent.values()),
            "acknowledged": sum(map(len, ledger.acknowledged.values())),
            "seen": sum(map(len, ledger.seen.values())),
            "sent back": len(ledger.sent_back),
            "checks": ledger.checks_answered,
            "refused": ledger.refused.total(),
            "kills": len(ledger.kills_ms),
            "violations": len(ledger.violations),
        }
        text = ", ".join(f"{name} {value:,}" for name, value in figures.items())
        seconds = time.monotonic() - self.started
        self.console.print(f"{seconds:5.0f} s {state}: {text}", highlight=False, soft_wrap=True)

    def kill(self) -> None:
        """Kill the broker and start it again; every third time it is killed while it starts too."""
        self._end_now()
        if len(self.course.ledger.kills_ms) % 3 == 0:
            self.course.life += 1
            self.broker.launch()
            time.sleep(self.chance.uniform(0, 0.6))
            self._end_now()
        self.course.life += 1
        self.broker.start()

    def _end_now(self) -> None:
        self.course.ledger.kills_ms.append(int(time.time() * 1000))
        self.course.killed_at = time.monotonic()
        self.broker.kill()

    def drain(self) -> None:
        """Wait until nothing comes any more: longer than the longest delay."""
        topics = [plan.SCHEDULE, plan.DELAYED, plan.TRANSACTED, plan.RETRY, plan.DEAD]
        before: object = None
        quiet_since = time.monotonic()
        limit = quiet_since + DRAIN_MAX_S
        with self.broker.peer() as peer:
            while (now := time.monotonic()) - quiet_since < QUIET_S:
                if now > limit:
                    self.course.ledger.violations.append(
                        Violation("never quiet", f"still moving after {DRAIN_MAX_S} s")
                    )
                    return
                groups = {key: dict(queues) for key, queues in self.course.ledger.reached.items()}
                state = (reading.ends(peer, topics), groups)
                if state != before:
                    before, quiet_since = state, now
                self.watch(now + 1)

    def check(self) -> list[Violation]:
        """Stop the broker in peace, start it and read all that it has."""
        ledger = self.course.ledger
        if (code := self.broker.terminate()) != 0:
            ledger.violations.append(Violation("stop failed", f"exit status {code}"))
        self.broker.start()
        unreadable: list[Violation] = []
        counts: dict[str, str] = {}
        with self.broker.peer() as peer:

            def read(topic: str) -> list[Stored]:
                stored = reading.read_topic(peer, topic, unreadable)
                distinct = len({(one.key, one.reconsume_times) for one in stored})
                again = len(stored) - distinct
                counts[topic] = f"{distinct:,}" + (f" and {again:,} again" if again else "")
                return stored

            found = list(checker.check(ledger, read))
        counts["leases"], counts["resumed"] = str(len(ledger.leases)), str(len(ledger.resumed))
        text = "; ".join(f"{name} {count}" for name, count in counts.items())
        self.console.print(f"found: {text}", highlight=False, soft_wrap=True)
        if ledger.refused:
            self.console.print(f"refused: {dict(ledger.refused)}", soft_wrap=True)
        errors = [line for line in self.broker.log().splitlines() if " ERROR " in line]
        return found + unreadable + [Violation("error logged", line) for line in errors]


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    options = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.split("\n", 1)[0])
    options.add_argument("--minutes", type=_positive, default=10.0, help="of load (default 10)")
    options.add_argument(
        "--kill-every", type=_positive, default=30.0, metavar="S", help="seconds (default 30)"
    )
    options.add_argument("--seed", type=int, help="repeats instants of kills and pauses")
    options.add_argument(
        "--flush", choices=("ASYNC_FLUSH", "SYNC_FLUSH"), default="ASYNC_FLUSH", help="of the disk"
    )
    options.add_argument(
        "--rate", type=_positive, default=sum(workers.RATES.values()), help="messages a second"
    )
    options.add_argument("--work", type=Path, metavar="DIR", help="where the store may lie")
    options.add_argument("--keep", action="store_true", help="leave store and logs if it fails")
    return options


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r}, expected a number above 0")
    return number


def judge(options: argparse.Namespace, work: Path, console: Console) -> int:
    """Run the soak in a folder; the exit status."""
    namesrv = servers.Server(
        "namesrv", work / "namesrv", servers.namesrv_settings(work / "namesrv")
    )
    settings = servers.broker_settings(
        work / "broker",
        namesrvAddr=f"127.0.0.1:{namesrv.port}",
        flushDiskType=options.flush,
        **SETTINGS,
    )
    broker = servers.Server("broker", work / "broker", settings)
    course = workers.Course(namesrv.port, Ledger())
    seed = options.seed
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not kept secret
    soak = Soak(broker, namesrv, course, chance, console)
    share = options.rate / sum(workers.RATES.values())
    try:
        soak.run(options.minutes * 60, options.kill_every, list(workers.crew(course, seed, share)))
        soak.progress("checking")
        violations = soak.check()
    finally:
        course.draining.set()
        course.stopping.set()
        broker.end()
        namesrv.end()
    show(violations, console)
    verdict = f"{len(violations):,} violations" if violations else "every promise was kept"
    console.print(f"soak: {verdict}; --seed {seed} --flush {options.flush}", highlight=False)
    return EXIT_BROKEN if violations else 0


def show(violations: Sequence[Violation], console: Console) -> None:
    """The first of each rule, and how many there are."""
    counts: Counter[str] = Counter()
    for violation in violations:
        counts[violation.rule] += 1
        if counts[violation.rule] <= SHOWN_MAX:
            console.print(f"VIOLATION {violation}", markup=False, highlight=False, soft_wrap=True)
    for rule, count in counts.items():
        if count > SHOWN_MAX:
            console.print(f"{rule}: {count:,} in all", highlight=False)


def prepare(options: argparse.Namespace, _: Sequence[str], console: Console) -> None:
    """Draw a seed where none was given, and say it: what breaks is to be repeated."""
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    console.print(f"soak: --seed {options.seed} --flush {options.flush}", highlight=False)


def main(arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run a soak; gives the exit status."""
    return Command("soak", parser(), judge, prepare).run(arguments, console)


if __name__ == "__main__":
    sys.exit(main())
