"""The stock Java producer and consumer, as processes; their program is ``Steady.java``."""

import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Self, TypeVar

import clusters

from scripts.failoverlib.heard import Heard
from scripts.failoverlib.ledger import Ledger

HEAP = "-Xmx128m"
STOP_MAX_S = 30
READ_MAX_S = 300


@dataclass(frozen=True, slots=True)
class Steady:
    """How the program is started."""

    jars: Path
    driver: Path
    folder: Path
    """Where it logs."""
    namesrv: str
    topic: str
    broker: str
    queues: int

    @classmethod
    def of(cls, group: clusters.Group, jars: Path, driver: Path, folder: Path) -> Self:
        """The clients of a group's own topic."""
        return cls(
            jars=jars,
            driver=driver,
            folder=folder,
            namesrv=group.namesrv.address,
            topic=clusters.TOPIC,
            broker=clusters.GROUP,
            queues=clusters.QUEUES,
        )

    def command(self, what: str, *more: object) -> list[str]:
        """Its whole command line."""
        return [
            *("java", HEAP, f"-Duser.home={self.folder}", "-cp", f"{self.jars}/*:{self.driver}"),
            *("Steady", what, self.namesrv, self.topic, self.broker, str(self.queues)),
            *map(str, more),
        ]

    def read(self) -> Sequence[str]:
        """All that a consumer says of what is there."""
        with (self.folder / "consumer.err").open("wb") as errors:
            done = subprocess.run(
                self.command("read"),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                timeout=READ_MAX_S,
                check=True,
            )
        return done.stdout.splitlines()


H = TypeVar("H", bound=Heard)


class Running(Generic[H]):
    """The program, from ``with`` to :meth:`stop`, at the latest to the end of its block."""

    def __init__(self, command: Sequence[str], errors: Path, heard: H) -> None:
        """``heard`` gets each line it says; what else it says is written to ``errors``."""
        self.heard = heard
        self._command = command
        self._errors = errors

    def __enter__(self) -> Self:
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                text=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()
            self._reader.join(STOP_MAX_S)

    def stop(self) -> None:
        """Have it end, and wait for its last words.

        :raises OSError: it did not end as it should.
        """
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(STOP_MAX_S)
        self._reader.join(STOP_MAX_S)
        if not self.heard.has_ended:
            raise OSError(f"a client broke off; see {self._errors}")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.heard.take(line)


class Producer(Running[Ledger]):
    """Sends until it is stopped, and then waits for the last answers."""

    def __init__(
        self, steady: Steady, *, pause_ms: int, timeout_ms: int, poll_ms: int, how: str = "send"
    ) -> None:
        """``how``: ``send`` to the master whatever the route is, or ``select`` writable queues."""
        command = steady.command(how, pause_ms, timeout_ms, poll_ms)
        super().__init__(command, steady.folder / "producer.err", Ledger())

    @property
    def ledger(self) -> Ledger:
        """What it sent, and what came of it."""
        return self.heard
