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
from rmq.raft.messages import Entry
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


def status_of(error: ProposalError) -> PutStatus:
    """What a sender is told of a proposal that failed."""
    return STATUSES.get(error.code, PutStatus.UNKNOWN_ERROR)


class Proposed:
    """Records of one proposal: they lie above ``begin``, up to ``end``; None: undecided."""

    __slots__ = ("begin", "end", "status", "waiting")

    def __init__(self, begin: int) -> None:
        self.begin = self.end = begin
        self.status: PutStatus | None = None
        self.waiting: list[Deferred[PutStatus]] = []

    def decided(self, _: object) -> None:
        """The group agreed."""
        self._tell(PutStatus.PUT_OK)

    def failed(self, failure: Failure) -> None:
        """It did not, or nobody knows."""
        error = failure.value
        assert isinstance(error, ProposalError), failure
        self.refused(error)

    def refused(self, error: ProposalError) -> None:
        """The same, known at once."""
        self._tell(status_of(error))

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
        entries: Sequence[Entry]
        try:
            entries, done = self._member.submit(records)
        except ProposalError as error:
            proposed.refused(error)
            entries = self._written_after(before)
            if not entries:
                raise LedgerRefusedError(status_of(error), str(error)) from error
        else:
            done.addCallbacks(proposed.decided, proposed.failed)
        last = entries[-1]
        proposed.end = last.pos + last.size
        while self._proposed and self._proposed[0].status is not None:
            self._proposed.popleft()
        self._proposed.append(proposed)
        return [entry.pos + ENTRY_HEADER_SIZE for entry in entries]

    def _written_after(self, index: int) -> list[Entry]:
        """What was written of a proposal that was refused: the disk failed within it."""
        log = self._member.log
        found = [log.entry(number) for number in range(index + 1, log.end_index + 1)]
        return [entry for entry in found if entry is not None]

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
