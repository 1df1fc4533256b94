"""A stock push consumer that goes on through every change; its program is ``Steady.java``."""

import subprocess
import threading
from typing import Self

from scripts.failoverlib.clients import STOP_MAX_S, Steady


class Consumed:
    """All that ``Steady consume`` said."""

    def __init__(self) -> None:
        self.numbers: dict[int, list[int]] = {}
        """Of each queue, in the order in which the consumer got them."""
        self.offsets: dict[int, int] = {}
        """The last one of each queue."""
        self.has_ended = False

    def take(self, line: str) -> None:
        """One line of the consumer.

        :raises ValueError: none that it says.
        """
        words = line.split()
        if words == ["end"]:
            self.has_ended = True
            return
        what, *values = words
        if what != "consumed":
            raise ValueError(f"{line!r}, expected consumed or end")
        queue, offset, number = map(int, values)
        self.numbers.setdefault(queue, []).append(number)
        self.offsets[queue] = offset


class Listener:
    """Consumes from ``with`` to :meth:`stop`, at the latest to the end of its block."""

    def __init__(self, steady: Steady, *, poll_ms: int) -> None:
        self.consumed = Consumed()
        self._command = steady.command("consume", poll_ms)
        self._errors = steady.folder / "listener.err"

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
        self._process.kill()
        self._process.wait()
        self._reader.join(STOP_MAX_S)

    def stop(self) -> None:
        """Consume no more.

        :raises OSError: it did not end as it should.
        """
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(STOP_MAX_S)
        self._reader.join(STOP_MAX_S)
        if not self.consumed.has_ended:
            raise OSError(f"the consumer broke off; see {self._errors}")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.consumed.take(line)
