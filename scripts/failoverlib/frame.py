"""What frames a long command of the house: a folder that goes away, signals, the exit status."""

import argparse
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from subprocess import SubprocessError

from rich.console import Console

from scripts.failoverlib.rounds import TooLateError

EXIT_FAILED = 2
EXIT_SIGNAL = 128


def framed(
    name: str,
    options: argparse.Namespace,
    console: Console,
    prepare: Callable[[], None],
    judge: Callable[[Path], int],
) -> int:
    """Prepare, then judge in a new folder below ``options.work``; gives the exit status.

    The folder goes away, unless ``options.keep``; also after SIGTERM and an interruption.
    """
    before = signal.signal(signal.SIGTERM, _end)
    status = EXIT_FAILED
    work: Path | None = None
    try:
        prepare()
        work = Path(tempfile.mkdtemp(prefix=f"rmq-{name}-", dir=options.work))
        status = judge(work)
    except (
        TooLateError,
        AssertionError,
        OSError,
        RuntimeError,
        ValueError,
        SubprocessError,
    ) as error:
        console.print(f"{name}: {error}", markup=False, highlight=False, soft_wrap=True)
    except KeyboardInterrupt:
        console.print(f"{name}: interrupted")
        status = EXIT_SIGNAL + signal.SIGINT
    finally:
        signal.signal(signal.SIGTERM, before)
        if work is not None and options.keep:
            console.print(f"{name}: stores and logs are in {work}", highlight=False)
        elif work is not None:
            shutil.rmtree(work, ignore_errors=True)
    return status


def _end(number: int, _frame: object) -> None:
    """Leave by way of every ``finally``: processes are ended and stores removed."""
    raise SystemExit(EXIT_SIGNAL + number)
