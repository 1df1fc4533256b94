"""What frames a long command: its options, a folder that goes away, signals, the exit status."""

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import SubprocessError

from rich.console import Console

EXIT_BROKEN = 1
"""It ran to its end, and what was asked of the servers was not kept."""
EXIT_FAILED = 2
"""It did not run to its end."""
EXIT_SIGNAL = 128


class FailedError(Exception):
    """A command cannot go on; its user is told why, without a traceback."""


@dataclass(frozen=True, slots=True)
class Command:
    """A long command: what may be asked of it, and what it does.

    Its options have ``work``, the folder that may hold its own (None: the system chooses), and
    ``keep``, whether that is left; a parser that offers one of them not has a default for it.
    """

    name: str
    parser: argparse.ArgumentParser
    judge: Callable[[argparse.Namespace, Path, Console], int]
    """Runs in the folder, ends what it started, and gives the exit status."""
    prepare: Callable[[argparse.Namespace, Sequence[str], Console], None] | None = None
    """What comes before there is a folder; it has the command line, too."""
    keeps_good: bool = False
    """Whether ``keep`` leaves the folder of a run with exit status 0, too."""

    def run(self, arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
        """Prepare, then judge in a new folder; gives the exit status.

        The folder goes away, unless it is to be kept; also after SIGTERM and an interruption.
        """
        arguments = sys.argv[1:] if arguments is None else arguments
        options = self.parser.parse_args(arguments)
        console = console or Console()
        before = signal.signal(signal.SIGTERM, _end)
        status = EXIT_FAILED
        work: Path | None = None
        try:
            if self.prepare is not None:
                self.prepare(options, arguments, console)
            work = Path(tempfile.mkdtemp(prefix=f"rmq-{self.name}-", dir=options.work))
            status = self.judge(options, work, console)
        except (
            FailedError,
            AssertionError,
            OSError,
            RuntimeError,
            ValueError,
            SubprocessError,
        ) as error:
            why = str(error) or repr(error)
            console.print(f"{self.name}: {why}", markup=False, highlight=False, soft_wrap=True)
        except KeyboardInterrupt:
            console.print(f"{self.name}: interrupted")
            status = EXIT_SIGNAL + signal.SIGINT
        finally:
            signal.signal(signal.SIGTERM, before)
            if work is not None and options.keep and (status or self.keeps_good):
                console.print(f"{self.name}: stores and logs are in {work}", highlight=False)
            elif work is not None:
                shutil.rmtree(work, ignore_errors=True)
        return status


def _end(number: int, _frame: object) -> None:
    """Leave by way of every ``finally``: processes are ended and stores removed."""
    raise SystemExit(EXIT_SIGNAL + number)
