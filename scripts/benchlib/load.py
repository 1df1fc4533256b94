"""The load generator, ``scripts/load`` in Go: built once, run many times."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn, Self

from scripts.benchlib.processes import BenchError, pinned_to

END_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Load:
    """The built generator, and the cores it may use."""

    program: Path
    cores: Sequence[int]
    bare: bool = False

    @classmethod
    def build(cls, source: Path, target: Path, cores: Sequence[int], *, bare: bool) -> "Load":
        """Compile it.

        :raises BenchError: there is no Go, or it does not compile.
        """
        target.mkdir(parents=True, exist_ok=True)
        program = target / "load"
        try:
            subprocess.run(["go", "build", "-o", str(program), "."], cwd=source, check=True)
        except FileNotFoundError as error:
            raise BenchError("go is not on PATH; install Go 1.21 or later") from error
        except subprocess.CalledProcessError as error:
            raise BenchError(f"the load generator does not compile: {error}") from error
        return cls(program, cores, bare)

    def start(self, mode: str, **settings: object) -> "Run":
        """Start it; it waits for :meth:`Run.go`."""
        command = [str(self.program), mode, *arguments(settings)]
        if self.bare:
            command.append("-bare")
        with pinned_to(self.cores):
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        return Run(command, process)

    def measure(
        self, mode: str, settings: Mapping[str, object], clock: Callable[[], float]
    ) -> tuple[dict[str, float], float]:
        """Run it once; its figures, and how much ``clock`` went on from first request to last."""
        with self.start(mode, **settings) as run:
            run.until_ready()
            before = clock()
            run.go()
            result = run.result()
            return result, clock() - before

    def once(self, mode: str, **settings: object) -> None:
        """Run it for its effect.

        :raises BenchError: it failed.
        """
        with self.start(mode, **settings) as run:
            run.go()
            run.finish()


def arguments(settings: Mapping[str, object]) -> list[str]:
    """Settings as its command line: ``broker_name="a"`` becomes ``-broker-name=a``."""
    return [f"-{name.replace('_', '-')}={value}" for name, value in settings.items()]


class Run:
    """One run of the generator; leaving its ``with`` block ends it."""

    def __init__(self, command: Sequence[str], process: "subprocess.Popen[bytes]") -> None:
        self._command = command
        self._process = process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def until_ready(self) -> None:
        """Wait until it is connected.

        :raises BenchError: it failed before.
        """
        self._line("ready")

    def go(self) -> None:
        """Let it go on."""
        told = self._pipe(self._process.stdin)
        try:
            told.write(b"\n")
            told.flush()
        except BrokenPipeError:
            self._fail()

    def result(self) -> dict[str, float]:
        """The next figures that it prints.

        :raises BenchError: it failed.
        """
        answer: dict[str, float] = json.loads(self._line("{"))
        return answer

    def finish(self) -> None:
        """Wait for its end.

        :raises BenchError: it failed or did not end.
        """
        try:
            code = self._process.wait(END_WAIT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise BenchError(f"{' '.join(self._command)} does not end") from error
        if code:
            self._fail()

    def _line(self, start: str) -> str:
        line = self._pipe(self._process.stdout).readline().decode()
        if not line.startswith(start):
            self._fail(line)
        return line

    def _fail(self, line: str = "") -> NoReturn:
        self._process.kill()
        _, said = self._process.communicate()
        told = line + said.decode(errors="replace")
        raise BenchError(f"{' '.join(self._command)}: {told.strip() or 'ended'}")

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe
