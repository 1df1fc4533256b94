"""What a member owes to those who asked it to propose, or to give leadership away."""

from collections.abc import Sequence

from twisted.internet.defer import Deferred

from codec.codes import DLedgerResponseCode
from rmq.dledger.errors import ProposalError
from rmq.raft.messages import Entry
from rmq.raft.ready import Ended, Proposal


class Promises:
    """Who waits for what became of their proposals, and for the end of a leadership.

    Whoever is told may ask for more at once: it waits for that anew.
    """

    __slots__ = ("_proposed", "_transfers")

    def __init__(self) -> None:
        self._proposed: dict[Proposal, Deferred[list[Entry]]] = {}
        self._transfers: list[Deferred[None]] = []

    def of_proposal(self, proposal: Proposal) -> Deferred[list[Entry]]:
        """Fires with its entries when it is named to ``end_proposals`` as committed."""
        done: Deferred[list[Entry]] = Deferred()
        self._proposed[proposal] = done
        return done

    def of_transfer(self) -> Deferred[None]:
        """Fires when leadership was given away."""
        done: Deferred[None] = Deferred()
        self._transfers.append(done)
        return done

    @property
    def is_transfer_awaited(self) -> bool:
        """Whether somebody waits for the end of a leadership."""
        return bool(self._transfers)

    def end_proposals(self, ended: Sequence[Ended]) -> None:
        """Tell who proposed: the entries, or a ProposalError with the code."""
        for one in ended:
            done = self._proposed.pop(one.proposal)
            if one.code == DLedgerResponseCode.SUCCESS:
                done.callback(list(one.proposal.entries))
            else:
                text = f"entries up to {one.proposal.last_index}"
                done.errback(ProposalError(one.code, text))

    def end_transfers(self, still_leads: str | None) -> None:
        """Tell who waits for it that leadership was given away; or who leads as before."""
        transfers, self._transfers = self._transfers, []
        for done in transfers:
            if still_leads is None:
                done.callback(None)
            else:
                code = DLedgerResponseCode.TAKE_LEADERSHIP_FAILED
                done.errback(ProposalError(code, f"{still_leads} still leads"))

    def fail(self, code: DLedgerResponseCode, reason: str) -> None:
        """Tell all who wait that nothing will come of it here."""
        proposed, self._proposed = self._proposed, {}
        transfers, self._transfers = self._transfers, []
        for done in proposed.values():
            done.errback(ProposalError(code, reason))
        for given in transfers:
            given.errback(ProposalError(code, reason))
