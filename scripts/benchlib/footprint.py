"""What ``rmq dev`` needs to come up, to idle and to hold connections."""

import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.benchlib.load import Load
from scripts.benchlib.processes import BenchError, Server, free_ports
from scripts.benchlib.servers import ROOT

IDLE_SECONDS = 3.0
SETTLE_SECONDS = 1.0
CONNECTIONS_MEASURED = 5_000
CONNECTIONS_HELD = 10_000
DESCRIPTORS_SPARE = 500
PROBE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Footprint:
    """Seconds from exec to the first accepted message; memory; connections."""

    start_seconds: Sequence[float]
    idle_bytes: int
    connection_bytes: float
    connections_held: int
    heartbeat_seconds: float
    """How long the held connections took to be answered once more, all of them."""

    @property
    def start(self) -> float:
        """The median."""
        return statistics.median(self.start_seconds)


def measure(work: Path, cores: Sequence[int], load: Load, starts: int) -> Footprint:
    """Start ``rmq dev`` some times on fresh stores; the last one is kept for the rest."""
    seconds = []
    for number in range(starts):
        server, address, took = _started(work / f"dev-{number}", cores, load)
        seconds.append(took)
        try:
            if number == starts - 1:
                return _measured(server, address, seconds, load)
        finally:
            server.stop()
    raise BenchError(f"{starts} starts, expected one at least")


def _started(folder: Path, cores: Sequence[int], load: Load) -> tuple[Server, str, float]:
    folder.mkdir(parents=True)
    port = free_ports(-2, 1)
    address = f"127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "rmq", "dev", "--store", str(folder / "store")),
        *("--namesrv-port", str(free_ports()), "--broker-port", str(port)),
    ]
    with load.start("probe", addr=address, seconds=PROBE_SECONDS, topic="BenchProbe") as probe:
        probe.until_ready()
        probe.go()
        begun_ns = time.time_ns()
        server = Server.start(
            "rmq dev", command, cores=cores, folder=ROOT, environment={}, log=folder / "log"
        )
        try:
            accepted_ns = probe.result()["accepted_at_ns"]
        except BenchError as error:
            server.stop()
            raise BenchError(f"{error}\n{server.log_end()}") from error
    return server, address, (accepted_ns - begun_ns) / 1e9


def _measured(server: Server, address: str, seconds: Sequence[float], load: Load) -> Footprint:
    time.sleep(IDLE_SECONDS)
    idle_bytes = server.resident_bytes()
    held = min(CONNECTIONS_HELD, _connections_max())
    measured = min(CONNECTIONS_MEASURED, held)
    with load.start("idle", addr=address, conns=f"{measured},{held}") as idle:
        idle.until_ready()
        idle.go()
        idle.result()
        time.sleep(SETTLE_SECONDS)
        grown_bytes = server.resident_bytes() - idle_bytes
        idle.go()
        idle.result()
        idle.go()
        last: Mapping[str, float] = idle.result()
    server.must_run()
    return Footprint(
        start_seconds=seconds,
        idle_bytes=idle_bytes,
        connection_bytes=grown_bytes / measured,
        connections_held=int(last["held"]),
        heartbeat_seconds=last["seconds"],
    )


def _connections_max() -> int:
    """How many connections the limit of open files lets a process have."""
    import resource  # noqa: PLC0415 - not on every system

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most - DESCRIPTORS_SPARE if most != resource.RLIM_INFINITY else CONNECTIONS_HELD


def raise_descriptor_limit() -> None:
    """Let this process and what it starts open as many files as the system allows."""
    import resource  # noqa: PLC0415 - not on every system

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_HELD + DESCRIPTORS_SPARE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
