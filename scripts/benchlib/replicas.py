"""What a slave costs its master, and whether it keeps pace: ours following ours, the classic way.

Two masters on one core are loaded in turn, one of them with a slave, which has a core of its own;
then the slave's lag is read at the end of a long load, and the logs are compared.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.benchlib.cases import FOLLOWED_SIZES, QUEUES, SEND_TOPIC, send_case
from scripts.benchlib.load import Load
from scripts.benchlib.processes import Server, free_ports
from scripts.benchlib.rounds import Plan, Side, compare
from scripts.benchlib.servers import Pair, rmq_commands, start_pair, started, write_broker_settings
from scripts.commandlib.waiting import until

import clusters  # isort: skip - found by way of scripts.benchlib
import wire  # isort: skip

ALONE = "rmq"
FOLLOWED = "rmq with a slave"
CATCH_UP_MAX_S = 60.0


@dataclass(frozen=True, slots=True)
class Pace:
    """A slave at the end of a load."""

    size: int
    """Of a message's body, bytes."""
    messages_per_second: float
    seconds: float
    """How long the load was."""
    lag_bytes: int
    """What the slave had not acknowledged when the last send was answered."""
    lag_seconds: float
    """How long it took to get that."""
    is_equal: bool
    """Whether both logs have the same bytes."""


@dataclass(frozen=True, slots=True)
class Replicas:
    """The master's CPU with and without a slave, and the slave's pace."""

    alone: Side
    followed: Side
    paces: Sequence[Pace]

    @property
    def extra(self) -> float:
        """How much more CPU a message costs the master that has a slave, as a share."""
        return self.followed.cpu_us / self.alone.cpu_us - 1


def measure(
    work: Path,
    cores: Sequence[int],
    slave_cores: Sequence[int],
    load: Load,
    plan: Plan,
    pace_s: float,
) -> Replicas:
    """Start two masters and a slave, and load them."""
    pairs: list[Pair] = []
    slave: Server | None = None
    try:
        for maker in (ALONE, FOLLOWED):
            commands = rmq_commands(work / maker, maker)
            pairs.append(start_pair(commands, work / maker, cores, load))
        folder = work / FOLLOWED / "slave"
        slave = start_slave(pairs[1], folder, slave_cores)
        until("a slave that follows", lambda: len(_slaves(pairs[1])) == 1, CATCH_UP_MAX_S)
        sides = compare(send_case(128, "128", 4, 16, None), pairs, load, plan)
        paces = [_pace(pairs[1], folder, load, size, pace_s) for size in FOLLOWED_SIZES]
        slave.must_run()
        return Replicas(sides[ALONE], sides[FOLLOWED], paces)
    finally:
        if slave is not None:
            slave.stop()
        for pair in pairs:
            pair.stop()


def start_slave(master: Pair, folder: Path, cores: Sequence[int]) -> Server:
    """Start a broker that follows ``master``; its store is below ``folder``."""
    folder.mkdir(parents=True)
    config = folder / "broker.conf"
    write_broker_settings(
        config,
        folder / "store",
        free_ports(-2, 1),
        master.addresses["namesrv"],
        brokerId=1,
        brokerRole="SLAVE",
    )
    commands = rmq_commands(folder)
    return started("rmq slave", commands.broker, config, commands, cores)


def _pace(master: Pair, slave_folder: Path, load: Load, size: int, seconds: float) -> Pace:
    settings = {"topic": SEND_TOPIC, "conns": 4, "depth": 16, "size": size, "queues": QUEUES}
    address = master.addresses["broker"]
    figures, _ = load.measure(
        "send", {"addr": address, "seconds": seconds, **settings}, time.monotonic
    )
    lag = sum(int(slave["diff"]) for slave in _slaves(master))
    begin = time.monotonic()
    until(
        "a slave with all",
        lambda: all(slave["diff"] == 0 for slave in _slaves(master)),
        CATCH_UP_MAX_S,
    )
    took = time.monotonic() - begin
    end = int(_ha_status(master)["masterCommitLogMaxOffset"])
    logs = (slave_folder.parent / "store" / "commitlog", slave_folder / "store" / "commitlog")
    ours, theirs = (clusters.files_digest(log, end) for log in logs)
    return Pace(
        size,
        figures["requests"] / figures["seconds"],
        figures["seconds"],
        lag,
        took,
        ours == theirs,
    )


def _slaves(master: Pair) -> list[dict[str, int]]:
    slaves: list[dict[str, int]] = _ha_status(master).get("haConnectionInfo", [])
    return slaves


def _ha_status(master: Pair) -> dict[str, list[dict[str, int]]]:
    with wire.Peer(int(master.addresses["broker"].rpartition(":")[2])) as peer:
        status: dict[str, list[dict[str, int]]] = json.loads(peer.call(wire.HA_STATUS).body)
    return status
