"""What an acknowledged message costs the brokers of a DLedger group: ours beside Apache's.

    .venv/bin/python -m scripts.benchlib.groups [--rounds N] [--no-java] [--json FILE]

A group of three of each maker, all of it on the same cores, is loaded in turn, pipelined.
The load finds no fault with an answer only if a majority has the message. Exit status 1: ours cost
more than half of Apache's.
"""

import argparse
import json
import re
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from scripts.benchlib.cases import QUEUES, SEND_TOPIC
from scripts.benchlib.load import Load
from scripts.benchlib.processes import BenchError, Server, available_cores, free_ports, share_out
from scripts.benchlib.rounds import Plan, warmed
from scripts.benchlib.rounds import Round as LeaderRound
from scripts.benchlib.servers import (
    BROKER_NAME,
    ROOT,
    Commands,
    jars,
    java_commands,
    rmq_commands,
    started,
    write_broker_settings,
    write_namesrv_settings,
)
from scripts.commandlib.frame import Command

import wire  # isort: skip - found by way of scripts.benchlib

EXIT_DEARER = 1
BROKERS = 3
LED_MAX_S = 120.0
LOOK_S = 0.2
SIZES = (128, 1024)
SHARE_MAX = 0.5
"""Of Apache's CPU for a message, in all brokers of the group together."""
ROUNDS = 5
PLAN_SECONDS = 3.0
WARM_SECONDS_MAX = 40.0
_BARE_KEY = re.compile(rb"([{,])(\d+):")
"""A number as a key, which Apache's servers do not quote."""
SETTINGS = {"topic": SEND_TOPIC, "conns": 4, "depth": 16, "queues": QUEUES}


@dataclass(frozen=True, slots=True)
class Cost:
    """One round of load; CPU in microseconds for each acknowledged message."""

    maker: str
    size: int
    leader_us: float
    follower_us: float
    """The mean of the followers'."""
    messages_per_second: float
    p50_us: float
    p99_us: float

    @property
    def group_us(self) -> float:
        """Of all three."""
        return self.leader_us + (BROKERS - 1) * self.follower_us


class Group:
    """A NameServer and three brokers of one maker, started on fresh stores."""

    def __init__(
        self, commands: Commands, work: Path, cores: Sequence[int], **settings: object
    ) -> None:
        """Starts them; ``settings`` are the brokers'."""
        self.maker = commands.maker
        self.servers: list[Server] = []
        self._ports: list[int] = []
        self._namesrv_port = free_ports()
        self._cores = cores
        self._stack = ExitStack()
        (work / "conf").mkdir(parents=True)
        write_namesrv_settings(work, self._namesrv_port)
        self._start("namesrv", commands.namesrv, work / "namesrv.conf", commands)
        members = [free_ports() for _ in range(BROKERS)]
        peers = ";".join(f"n{one}-127.0.0.1:{port}" for one, port in enumerate(members))
        for number in range(BROKERS):
            port = free_ports(-2, 1)
            self._ports.append(port)
            config = work / f"broker{number}.conf"
            write_broker_settings(
                config,
                work / f"store{number}",
                port,
                f"127.0.0.1:{self._namesrv_port}",
                brokerFastFailureEnable="false",
                enableDLegerCommitLog="true",
                dLegerGroup=BROKER_NAME,
                dLegerPeers=peers,
                dLegerSelfId=f"n{number}",
                **settings,
            )
            self._start(f"broker{number}", commands.broker, config, commands)

    def _start(self, name: str, command: Sequence[str], config: Path, commands: Commands) -> None:
        server = started(f"{self.maker} {name}", command, config, commands, self._cores)
        self._stack.callback(server.stop)
        self.servers.append(server)

    def stop(self) -> None:
        """Stop all, the brokers first."""
        self._stack.close()

    def leader(self) -> int:
        """Which broker leads, as soon as all are registered.

        :raises BenchError: none does in time.
        """
        end = time.monotonic() + LED_MAX_S
        while time.monotonic() < end:
            for server in self.servers:
                server.must_run()
            addresses = self._addresses()
            if len(addresses) == BROKERS and addresses.get("0") in self.addresses:
                return self.addresses.index(addresses["0"])
            time.sleep(LOOK_S)
        raise BenchError(f"{self.maker}: nobody leads the group")

    @property
    def addresses(self) -> list[str]:
        """Where the brokers are."""
        return [f"127.0.0.1:{port}" for port in self._ports]

    def _addresses(self) -> dict[str, str]:
        try:
            with wire.Peer(self._namesrv_port) as peer:
                body = peer.call(wire.CLUSTER).body
        except OSError:
            return {}
        table = json.loads(_BARE_KEY.sub(rb'\1"\2":', body)).get("brokerAddrTable") or {}
        found: dict[str, str] = table.get(BROKER_NAME, {}).get("brokerAddrs", {})
        return found

    def cpu_seconds(self) -> list[float]:
        """User and system time of each broker until now."""
        return [server.cpu_seconds() for server in self.servers[1:]]


def one_round(group: Group, load: Load, size: int, seconds: float) -> Cost:
    """Load the leader for some seconds."""
    leader = group.leader()
    before = group.cpu_seconds()
    figures, _ = load.measure(
        "send",
        {"addr": group.addresses[leader], "seconds": seconds, "size": size, **SETTINGS},
        time.monotonic,
    )
    spent = [after - first for after, first in zip(group.cpu_seconds(), before, strict=True)]
    messages = figures["requests"]
    followers = [one for number, one in enumerate(spent) if number != leader]
    return Cost(
        group.maker,
        size,
        spent[leader] * 1e6 / messages,
        sum(followers) / len(followers) * 1e6 / messages,
        messages / figures["seconds"],
        figures["p50_us"],
        figures["p99_us"],
    )


def measure(
    work: Path, makers: Sequence[Commands], cores: Sequence[int], load: Load, plan: Plan
) -> list[Cost]:
    """Start a group of each maker, and load them in turn; all rounds."""
    costs: list[Cost] = []
    with ExitStack() as stack:
        groups = []
        for commands in makers:
            group = Group(commands, work / f"dledger-{commands.maker}", cores)
            stack.callback(group.stop)
            groups.append(group)
        for group in groups:
            leader = group.addresses[group.leader()]
            load.once("topic", addr=leader, topic=SEND_TOPIC, queues=QUEUES)
        for size in SIZES:
            for group in groups:
                warmed(
                    lambda group=group, size=size: _as_round(  # type: ignore[misc]  # bound now
                        one_round(group, load, size, plan.round_seconds)
                    ),
                    plan.warm_seconds_of(group.maker),
                )
            for _ in range(plan.rounds):
                costs += [one_round(group, load, size, plan.round_seconds) for group in groups]
    return costs


def _as_round(cost: Cost) -> LeaderRound:
    return LeaderRound(cost.leader_us, cost.messages_per_second, cost.p50_us, cost.p99_us)


def medians(costs: Sequence[Cost]) -> list[Cost]:
    """One line for each maker and size: the medians of its rounds."""
    kinds = dict.fromkeys((one.size, one.maker) for one in costs)
    lines = []
    for size, maker in kinds:
        own = [one for one in costs if (one.size, one.maker) == (size, maker)]
        figures = (
            statistics.median(getattr(one, name) for one in own)
            for name in ("leader_us", "follower_us", "messages_per_second", "p50_us", "p99_us")
        )
        lines.append(Cost(maker, size, *figures))
    return lines


def shares(lines: Sequence[Cost]) -> dict[int, float]:
    """Our CPU as a share of Apache's, by size; of what both were measured for."""
    by_kind = {(one.maker, one.size): one.group_us for one in lines}
    return {
        size: by_kind["rmq", size] / by_kind["java", size]
        for size in SIZES
        if ("rmq", size) in by_kind and ("java", size) in by_kind
    }


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    options = argparse.ArgumentParser(
        prog="scripts.benchlib.groups", description=__doc__.split("\n", 1)[0]
    )
    options.add_argument("--rounds", type=int, default=ROUNDS, metavar="N")
    options.add_argument("--no-java", action="store_true", help="ours only")
    options.add_argument("--json", type=Path, metavar="FILE", help="write all rounds there")
    options.set_defaults(work=None, keep=False)
    return options


def judge(options: argparse.Namespace, work: Path, console: Console) -> int:
    """Measure in a folder, show, write; the exit status."""
    available = available_cores()
    cores = share_out(available)
    build = ROOT / ".build" / "bench"
    load = Load.build(ROOT / "scripts" / "load", build, cores.load, bare=False)
    makers = [rmq_commands(work / "rmq")]
    if not options.no_java:
        makers.append(java_commands(jars(build), work / "java"))
    rest = [core for core in available if core not in cores.load]
    plan = Plan(PLAN_SECONDS, WARM_SECONDS_MAX, options.rounds)
    costs = measure(work, makers, rest, load, plan)
    lines = medians(costs)
    told = ["maker  bytes  leader us  follower us  messages/s  p99 us"]
    told += [
        f"{one.maker:5} {one.size:6} {one.leader_us:10.1f} {one.follower_us:12.1f} "
        f"{one.messages_per_second:11.0f} {one.p99_us:7.0f}"
        for one in lines
    ]
    found = shares(lines)
    told += [
        f"{size} bytes: {share:.2f} of Apache's, wanted at most {SHARE_MAX:g}"
        for size, share in found.items()
    ]
    console.print("\n".join(told), markup=False, highlight=False, soft_wrap=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in costs], indent=1) + "\n")
    return EXIT_DEARER if any(share > SHARE_MAX for share in found.values()) else 0


def main(arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Measure and print; gives the exit status."""
    return Command("groups", parser(), judge).run(arguments, console)


if __name__ == "__main__":
    sys.exit(main())
