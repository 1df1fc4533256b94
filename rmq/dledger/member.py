"""A member of a DLedger group: runs the Raft node over connections, time and disk.

Nothing is sent before what it says is persisted, nothing applied before that: for each ``Ready``
of the node this module does what ``rmq.raft.ready`` lays down.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred

from codec.codes import DLedgerResponseCode
from rmq.base.errors import RmqError
from rmq.base.ports import Chance, Clock, Disk
from rmq.dledger.settings import MemberSettings
from rmq.raft.log import Log
from rmq.raft.messages import Entry, Role
from rmq.remoting.calls import Caller


class Worker(Protocol):
    """Runs blocking calls beside the reactor."""

    def run(self, call: Callable[[], None]) -> Deferred[None]:
        """Run ``call`` in another thread; fires, or fails, in the reactor's."""
        ...


class ProposalError(RmqError):
    """What was proposed, or a transfer that was asked for, did not come about (as far as we know).

    ``code`` says why. TERM_CHANGED and WAIT_QUORUM_ACK_TIMEOUT leave open whether it will.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{DLedgerResponseCode(code).name}: {text}")
        self.code = DLedgerResponseCode(code)


@dataclass(frozen=True, slots=True)
class MemberPorts:
    """What a member needs of the world."""

    disk: Disk
    clock: Clock
    chance: Chance
    caller: Caller
    worker: Worker


class Member:
    """One member. ``start`` it once; what it answers is in ``processors``.

    The reactor's thread calls it. Listeners are called in it too, and must be added before
    ``start``.
    """

    def __init__(self, settings: MemberSettings, ports: MemberPorts) -> None: ...

    log: Log
    """Its entries on disk: positions, ranges; only to read."""
    processors: tuple[object, ...]
    """What answers codes 50000 to 51005."""

    @property
    def self_id(self) -> str:
        """This member's id, as ``n0``."""

    @property
    def peers(self) -> dict[str, str]:
        """``host:port`` of all members by id, this one's among them."""

    @property
    def role(self) -> Role: ...
    @property
    def is_leader(self) -> bool: ...
    @property
    def leader_id(self) -> str | None: ...
    @property
    def term(self) -> int: ...
    @property
    def committed_index(self) -> int:
        """The last entry known to be committed, -1 if none is."""

    @property
    def committed_position(self) -> int:
        """Where the last committed entry ends, bytes; 0 if none is."""

    @property
    def applied_index(self) -> int:
        """The last entry given to what ``on_apply`` named; -1 if none was."""

    def on_apply(self, apply: Callable[[Entry], None]) -> None:
        """Have ``apply`` called with each committed entry, in order, once in the life of this
        object: with what is known to be committed during ``start``, with more as it is committed.
        Entries with an empty body (a leader's first) are among them. Without such a listener no
        entry is read back.
        """

    def on_commit(self, listener: Callable[[int], None]) -> None:
        """Tell ``listener`` the committed index whenever it has grown, after applying."""

    def on_role(self, listener: Callable[[Role, int], None]) -> None:
        """Tell ``listener`` role and term whenever they, or the leader, are others.

        What was committed before is applied by then; who leads is in ``leader_id``.
        """

    def start(self) -> None:
        """Read the files, apply what is committed, begin to take part.

        :raises StoreError: the files cannot be used.
        """

    def stop(self) -> Deferred[None]:
        """Take part no more; fires when all is synced and the files are closed.

        What was proposed and is undecided fails with TERM_CHANGED.
        """

    def propose(self, bodies: Sequence[bytes]) -> Deferred[list[Entry]]:
        """Have the group agree on ``bodies``, one entry each, all or (by a refusal) none.

        Fires with the entries when they are committed and were applied here. Fails with
        ProposalError: NOT_LEADER, LEADER_TRANSFERRING, LEADER_PENDING_FULL, DISK_FULL, DISK_ERROR,
        REQUEST_WITH_EMPTY_BODYS at once; TERM_CHANGED, WAIT_QUORUM_ACK_TIMEOUT later.
        """

    def transfer(self, transferee: str) -> Deferred[None]:
        """Give leadership to a peer; fires when this member has seen another leader.

        Fails with ProposalError: NOT_LEADER, UNKNOWN_MEMBER, FALL_BEHIND_TOO_MUCH,
        LEADER_TRANSFERRING, UNEXPECTED_ARGUMENT, TAKE_LEADERSHIP_FAILED.
        """
