"""Programs that the bench starts, pins to cores, measures and stops again."""

import contextlib
import os
import platform
import secrets
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.commandlib.frame import FailedError

PROC = Path("/proc")
IS_LINUX: bool = platform.system() == "Linux"
PORTS = range(12_000, 32_000)
STOP_WAIT_SECONDS = 15.0
LOG_TAIL_BYTES = 3000
PORTS_TRIED_MAX = 200


class BenchError(FailedError):
    """The bench could not measure: a program failed, or an answer was wrong."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Which cores do what; empty: the system decides."""

    server: tuple[int, ...]
    load: tuple[int, ...]

    @property
    def pinned(self) -> bool:
        """Whether anything is bound to a core."""
        return bool(self.server)


def share_out(available: Sequence[int]) -> Cores:
    """One core for the server, the first two others for the load.

    With two cores the load has one; with one core nothing is pinned.
    """
    cores = sorted(available)
    if len(cores) < 2:
        return Cores((), ())
    server = cores[min(2, len(cores) - 1)]
    return Cores((server,), tuple(core for core in cores if core != server)[:2])


def available_cores() -> list[int]:
    """The cores that this process may use; none where the system cannot pin."""
    return sorted(os.sched_getaffinity(0)) if IS_LINUX else []


@contextlib.contextmanager
def pinned_to(cores: Sequence[int]) -> Iterator[None]:
    """Let what is started inside run on these cores only."""
    if not (cores and IS_LINUX):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Server:
    """One server process; its output goes to a file."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name = name
        self._process = process
        self._log = log

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        cores: Sequence[int],
        folder: Path,
        environment: Mapping[str, str],
        log: Path,
    ) -> "Server":
        """Start ``command`` in ``folder`` on ``cores``."""
        with pinned_to(cores), log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def must_run(self) -> None:
        """Make sure that it still runs.

        :raises BenchError: it ended; with the end of what it wrote.
        """
        code = self._process.poll()
        if code is not None:
            raise BenchError(f"{self.name} ended with status {code}:\n{self.log_end()}")

    def log_end(self) -> str:
        """The last of what it wrote."""
        return self._log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")

    def stop(self) -> None:
        """Ask it to end; kill it if it does not in time."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def cpu_seconds(self) -> float:
        """User and system time of it and its children until now."""
        if IS_LINUX:
            ticks = sum(_ticks(pid) for pid in family(self.pid))
            return ticks / os.sysconf("SC_CLK_TCK")
        return seconds_of_ps(_ps(self.pid, "time"))

    def resident_bytes(self) -> int:
        """Memory of it and its children that is in RAM, mapped files included."""
        if IS_LINUX:
            pages = sum(_resident_pages(pid) for pid in family(self.pid))
            return pages * os.sysconf("SC_PAGE_SIZE")
        return int(_ps(self.pid, "rss")) * 1024


def family(pid: int) -> list[int]:
    """A process and all its descendants, as far as the kernel tells."""
    found = [pid]
    for member in found:  # grows while it is walked
        for listed in (PROC / str(member) / "task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(child) for child in listed.read_text().split()]
    return found


def _ticks(pid: int) -> int:
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return 0
    return ticks_of_stat(stat)


def ticks_of_stat(stat: str) -> int:
    """User and system ticks in the text of ``/proc/PID/stat``; its name may hold anything."""
    fields = stat[stat.rindex(")") + 2 :].split()
    return int(fields[11]) + int(fields[12])


def _resident_pages(pid: int) -> int:
    try:
        return int((PROC / str(pid) / "statm").read_text().split()[1])
    except OSError:
        return 0


def _ps(pid: int, column: str) -> str:
    return subprocess.run(
        ["ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=True
    ).stdout.strip()


def seconds_of_ps(text: str) -> float:
    """Seconds in what ``ps`` calls time: ``[[days-]hours:]minutes:seconds[.hundredths]``."""
    days, _, clock = text.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + 86400 * int(days or 0)


def free_ports(*distances: int) -> int:
    """A port that is free together with those at the given distances from it.

    It lies below those that systems give to outgoing connections, of which the bench makes many.

    :raises BenchError: none was found.
    """
    for _ in range(PORTS_TRIED_MAX):
        base = secrets.choice(PORTS)
        with contextlib.ExitStack() as held:
            try:
                for distance in (0, *distances):
                    held.enter_context(_bound(base + distance))
            except OSError:
                continue
            return base
    raise BenchError(f"no free port in {PORTS_TRIED_MAX} tries")


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    try:
        bound.bind(("", port))
    except OSError:
        bound.close()
        raise
    return bound
