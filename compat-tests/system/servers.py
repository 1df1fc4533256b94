"""Server processes of this machine: started, watched, ended by their ids."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import wire

ROOT = Path(__file__).parents[2]
BOOT_MAX_S = 60
_GIVEN: set[int] = set()


def free_port() -> int:
    """A port of loopback that is free, as are that for slaves and the fast one beside it.

    Not one that clients get, nor one of those given before: several servers are chosen ports for
    before the first of them starts.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        if not _GIVEN.isdisjoint((port, port + 1, port - 2)):
            continue
        try:
            for one in (port, port + 1, port - 2):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", one))
        except OSError:
            continue
        _GIVEN.update((port, port + 1, port - 2))
        return port


class Server:
    """One process, ``role`` broker, namesrv or dev; ``settings`` make its configuration file."""

    def __init__(self, role: str, folder: Path, settings: dict[str, object], *options: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = int(settings["listenPort"])
        self.host = str(settings.get("brokerIP1", "127.0.0.1"))
        self.prefix: tuple[str, ...] = ()
        """What starts the process, such as ``nsenter`` with its options."""
        self._said = folder / f"{role}.out"
        self._log = folder / f"{role}.log"
        config = folder / f"{role}.conf"
        config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        self._command = [sys.executable, "-m", "rmq", role, "-c", str(config), *options]
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self) -> "Server":
        """Start the process, wait for nothing."""
        assert self.process is None
        with self._said.open("wb") as said, self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, *self._command], stdout=said, stderr=log, cwd=ROOT
            )
        return self

    def start(self) -> "Server":
        """Start the process and wait until it serves."""
        return self.launch().booted()

    def booted(self) -> "Server":
        """Wait until it serves."""
        end = time.monotonic() + BOOT_MAX_S
        while b"boot success" not in self._said.read_bytes():
            code = self.process.poll()
            assert code is None, f"ended with {code}: {self.log()[-2000:]}"
            assert time.monotonic() < end, f"not up in {BOOT_MAX_S} s: {self.log()[-2000:]}"
            time.sleep(0.005)
        return self

    def wait(self, seconds: float) -> int:
        """The exit code of a process that ends in time."""
        code = self.process.wait(seconds)
        self.process = None
        return code

    def kill(self) -> None:
        """End it now, without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.wait(10)

    def terminate(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(20)

    def end(self) -> None:
        """End it, whatever its state."""
        if self.process is not None:
            self.kill()

    def peer(self, timeout_s: float = 10) -> wire.Peer:
        """A connection to it."""
        return wire.Peer(self.port, timeout_s, host=self.host)

    @property
    def address(self) -> str:
        """Where others find it."""
        return f"{self.host}:{self.port}"

    def log(self) -> str:
        """What it logged, over all its starts."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def rss(self) -> int:
        """Private bytes in memory: mapped files are the store's, and the system's to drop."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no RssAnon")

    @property
    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def broker_settings(folder: Path, **more: object) -> dict[str, object]:
    """A broker on loopback with its store below ``folder``."""
    return {
        "brokerIP1": "127.0.0.1",
        "brokerIP2": "127.0.0.1",
        "bindAddress": "127.0.0.1",
        "listenPort": free_port(),
        "storePathRootDir": folder / "store",
        **more,
    }


def namesrv_settings(folder: Path, **more: object) -> dict[str, object]:
    """A NameServer on loopback."""
    return {
        "bindAddress": "127.0.0.1",
        "listenPort": free_port(),
        "kvConfigPath": folder / "kv.json",
        **more,
    }
