"""What a server gets from the machine beside sockets and disk: time, chance, threads, numbers.

The servers take it as one value, so that the simulator can put them into a machine that it made
up; whoever names none gets the true one.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred

from rmq.app.store import memory_size
from rmq.base.ports import Chance, Clock
from rmq.net.clock import ReactorClock, SystemChance
from rmq.net.twisted_ports import Reactor
from rmq.net.worker import ThreadWorker


class Worker(Protocol):
    """Runs blocking calls beside the reactor."""

    def start(self) -> None:
        """Be ready."""
        ...

    def stop(self) -> None:
        """Wait for what runs, then end."""
        ...

    def run(self, call: Callable[[], None]) -> Deferred[None]:
        """Run ``call`` in another thread; fires, or fails, in the reactor's."""
        ...


@dataclass(frozen=True, slots=True)
class Outside:
    """One machine and process; ``memory_size`` in bytes."""

    clock: Clock
    chance: Chance
    worker: Worker
    process_id: int
    memory_size: int


def true_outside(reactor: Reactor) -> Outside:
    """The machine and process that this runs in."""
    return Outside(
        clock=ReactorClock(reactor),
        chance=SystemChance(),
        worker=ThreadWorker(reactor),
        process_id=os.getpid(),
        memory_size=memory_size(),
    )
