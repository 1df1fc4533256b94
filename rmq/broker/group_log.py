"""The log of a DLedger group as the ledger of a broker's store: what is put is proposed.

A put has its place in the log at once, and its answer when the group agreed: ``agreed`` is what the
sender waits for. Source: DLedgerCommitLog.java, asyncPutMessage(), 5.3.3.
"""

from collections import deque
from collections.abc import Sequence

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from codec.codes import DLedgerResponseCode as Code
from codec.disk.dledger import ENTRY_HEADER_SIZE
from rmq.dledger.errors import ProposalError
from rmq.dledger.member import Member
from rmq.store.ledger import LedgerRefusedError
from rmq.store.messages import PutStatus

STATUSES = {
    Code.NOT_LEADER: PutStatus.SERVICE_NOT_AVAILABLE,
    Code.INCONSISTENT_LEADER: PutStatus.SERVICE_NOT_AVAILABLE,
    Code.LEADER_NOT_READY: PutStatus.SERVICE_NOT_AVAILABLE,
    Code.LEADER_TRANSFERRING: PutStatus.SERVICE_NOT_AVAILABLE,
    Code.DISK_FULL: PutStatus.SERVICE_NOT_AVAILABLE,
    Code.DISK_ERROR: PutStatus.SERVICE_NOT_AVAILABLE,
    Code.WAIT_QUORUM_ACK_TIMEOUT: PutStatus.IN_SYNC_REPLICAS_NOT_ENOUGH,
    Code.LEADER_PENDING_FULL: PutStatus.OS_PAGE_CACHE_BUSY,
}
"""What a sender is told; UNKNOWN_ERROR where nothing else is said, as when the term changed.

Different on purpose: Java says UNKNOWN_ERROR while leadership is given away, and when the disk
fails.
"""


class Proposed:
    """Records of one proposal: they lie above ``begin``, up to ``end``; None: undecided."""

    __slots__ = ("begin", "end", "error", "status", "waiting")

    def __init__(self, begin: int) -> None:
        self.begin = self.end = begin
        self.status: PutStatus | None = None
        self.error = ""
        self.waiting: list[Deferred[PutStatus]] = []

    def decided(self, _: object) -> None:
        """The group agreed."""
        self._tell(PutStatus.PUT_OK)

    def failed(self, failure: Failure) -> None:
        """It did not, or nobody knows."""
        error = failure.value
        assert isinstance(error, ProposalError), failure
        self.error = str(error)
        self._tell(STATUSES.get(error.code, PutStatus.UNKNOWN_ERROR))

    def _tell(self, status: PutStatus) -> None:
        self.status = status
        waiting, self.waiting = self.waiting, []
        for done in waiting:
            done.callback(status)


class GroupLog:
    """A ``rmq.store.ledger.Ledger`` over a member, whose ledger's ``place`` is 28.

    Tell the store ``show_committed`` when the member commits, and when its role changes.
    """

    def __init__(self, member: Member) -> None:
        self._member = member
        self._proposed: deque[Proposed] = deque()
        self.open = member.open
        """See ``Ledger.open``."""

    @property
    def begin_position(self) -> int:
        """Where the first file begins."""
        return self._member.log.begin_position

    @property
    def committed_position(self) -> int:
        """Where the last committed entry ends; 0 if none is."""
        return self._member.committed_position

    @property
    def cuts(self) -> int:
        """How often entries were cut off or replaced."""
        return self._member.log.cuts

    @property
    def is_agreed(self) -> bool:
        """Whether all that is in the log is committed: only then may a store begin to lead."""
        return self._member.log.end_index == self._member.committed_index

    def append(self, records: Sequence[bytes]) -> list[int]:
        """Propose records; where each lies in the log, see ``Ledger.append``.

        :raises LedgerRefusedError: the group takes none of them from this member now.
        """
        log = self._member.log
        before = log.end_index
        proposed = Proposed(log.end_position)
        self._member.propose(records).addCallbacks(proposed.decided, proposed.failed)
        positions: list[int] = []
        for index in range(before + 1, log.end_index + 1):
            entry = log.entry(index)
            assert entry is not None, f"entry {index} was just written"
            positions.append(entry.pos + ENTRY_HEADER_SIZE)
            proposed.end = entry.pos + entry.size
        if not positions:
            assert proposed.status is not None, "what is proposed is written, or refused"
            raise LedgerRefusedError(proposed.status, proposed.error)
        while self._proposed and self._proposed[0].status is not None:
            self._proposed.popleft()
        self._proposed.append(proposed)
        return positions

    def agreed(self, end: int) -> Deferred[PutStatus]:
        """Fires when the group agreed on the put that ends at ``end``, or will not in time.

        To be asked in the turn of the put. After UNKNOWN_ERROR and IN_SYNC_REPLICAS_NOT_ENOUGH it
        may be there all the same.
        """
        for proposed in reversed(self._proposed):
            if proposed.begin < end <= proposed.end:
                if proposed.status is not None:
                    return succeed(proposed.status)
                done: Deferred[PutStatus] = Deferred()
                proposed.waiting.append(done)
                return done
        raise AssertionError(f"nothing was put that ends at {end}")
