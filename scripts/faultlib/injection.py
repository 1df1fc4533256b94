"""Doing to a group what a fault says, and undoing it."""

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import servers

from scripts.failoverlib.network import Network
from scripts.faultlib.clocks import RIGHT, WrongClock
from scripts.faultlib.menu import Fault
from scripts.faultlib.slow_disk import SlowDisk

LOG_LINES = 12


class DiedError(Exception):
    """A broker ended that nobody killed."""


@dataclass
class Injection:
    """The brokers of a group, what is wrong with them now, and how to put it right."""

    brokers: Sequence[servers.Server]
    network: Network
    clocks: Sequence[WrongClock]
    """Of each broker; none if the fault ``clock`` is not asked for."""
    folder: Path
    slow_down: Callable[[int, int, Path], SlowDisk] = SlowDisk
    late_calls: int = 0
    """System calls that slow disks have held up so far."""
    _active: list[Fault] = field(default_factory=list)
    _disks: dict[int, SlowDisk] = field(default_factory=dict)

    def begin(self, fault: Fault) -> None:
        """Let it happen. A broker that another fault has killed is not killed again."""
        self._active.append(fault)
        if fault.kind.startswith("kill"):
            for number in fault.victims:
                self._kill(number)
        elif fault.kind.startswith("pause"):
            self._signal(fault.victims, signal.SIGSTOP)
        elif fault.kind == "slow-disk":
            self._slow_down(fault)
        elif fault.kind == "clock":
            self.clocks[fault.victims[0]].set(fault.clock)
        self._drop()

    def end(self, fault: Fault) -> None:
        """Repair it; what other faults do stays."""
        self._active.remove(fault)
        if fault.kind.startswith("kill"):
            for number in fault.victims:
                if not any(
                    one.kind.startswith("kill") and number in one.victims for one in self._active
                ):
                    self._launch(number)
        elif fault.kind.startswith("pause"):
            self._signal(fault.victims, signal.SIGCONT)
        elif fault.kind == "slow-disk":
            disk = self._disks.pop(id(fault), None)
            self.late_calls += 0 if disk is None else disk.stop()
        elif fault.kind == "clock":
            self.clocks[fault.victims[0]].set(RIGHT)
        self._drop()

    def close(self) -> None:
        """End what runs beside the brokers."""
        for disk in self._disks.values():
            disk.stop()
        self._disks.clear()

    def must_live(self) -> None:
        """Look whether all run that should.

        :raises DiedError: one ended by itself.
        """
        for number, one in enumerate(self.brokers):
            if one.process is not None and (code := one.process.poll()) is not None:
                said = "\n".join(one.log().strip().splitlines()[-LOG_LINES:])
                raise DiedError(f"n{number} ended with {code}, and nobody killed it:\n{said}")

    def _kill(self, number: int) -> None:
        self.must_live()
        self.brokers[number].end()

    def _launch(self, number: int) -> None:
        if self.brokers[number].process is None:
            self.brokers[number].launch()

    def _signal(self, numbers: Sequence[int], what: signal.Signals) -> None:
        for number in numbers:
            process = self.brokers[number].process
            if process is not None:
                process.send_signal(what)

    def _slow_down(self, fault: Fault) -> None:
        process = self.brokers[fault.victims[0]].process
        if process is None:
            return
        told = self.folder / f"strace-{time.monotonic_ns()}.txt"
        self._disks[id(fault)] = self.slow_down(process.pid, fault.delay_ms, told)

    def _drop(self) -> None:
        self.network.drop(pair for fault in self._active for pair in fault.drops)
