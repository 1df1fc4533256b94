"""Processes that this one starts and ends."""

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure


class Child(Protocol):
    """A process that runs, or did."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    def stop(self) -> None:
        """Ask it to end, as SIGTERM does; harmless when it has ended."""
        ...


Spawn = Callable[[Sequence[str], str, Callable[[str], None]], Child]
"""Start a process by its words, with a file for what it logs; the callable is told how it ended, in
words, once. Raises OSError: it cannot be started."""


class ReactorChild(ProcessProtocol):
    """A child of the reactor, with our standard output; the end of a ``Spawn``."""

    def __init__(
        self, reactor: Any, words: Sequence[str], log_path: str, ended: Callable[[str], None]
    ) -> None:
        """Starts it; its standard error is added to the file ``log_path``.

        :raises OSError: it cannot be started.
        """
        self._ended = ended
        with Path(log_path).open("ab") as log:
            self._process = reactor.spawnProcess(
                self, words[0], list(words), env=os.environ, childFDs={1: 1, 2: log.fileno()}
            )
        self.pid: int = self._process.pid

    def stop(self) -> None:
        """Ask it to end."""
        try:
            self._process.signalProcess(signal.SIGTERM)
        except ProcessExitedAlready:
            return

    def processEnded(self, reason: Failure) -> None:
        """Tell how."""
        number = getattr(reason.value, "signal", None)
        code = getattr(reason.value, "exitCode", 0)
        self._ended(f"status {code}" if number is None else signal.Signals(number).name)
