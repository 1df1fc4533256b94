"""What a member of a DLedger group needs of the world, and what it gives to who proposes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred

from rmq.base.ports import Chance, Clock, Disk
from rmq.raft.messages import Entry
from rmq.remoting.calls import Caller


class Worker(Protocol):
    """Runs blocking calls beside the reactor."""

    def run(self, call: Callable[[], None]) -> Deferred[None]:
        """Run ``call`` in another thread; fires, or fails, in the reactor's."""
        ...


@dataclass(frozen=True, slots=True)
class MemberPorts:
    """What a member needs of the world."""

    disk: Disk
    clock: Clock
    chance: Chance
    caller: Caller
    worker: Worker


class Submitted(NamedTuple):
    """Entries that a leader has written, and what tells how it ends with them."""

    entries: tuple[Entry, ...]
    done: Deferred[list[Entry]]
