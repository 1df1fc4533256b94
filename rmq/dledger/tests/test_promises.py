from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from codec.codes import DLedgerResponseCode as Result
from rmq.dledger.errors import ProposalError
from rmq.dledger.promises import Promises
from rmq.raft.messages import Entry
from rmq.raft.ready import Ended, Proposal


def proposal(index: int) -> Proposal:
    return Proposal(Result.SUCCESS, 1, "n0", (Entry(index, 1, b"a"),), 0)


def outcome(promise: Deferred[Any]) -> list[object]:
    """What it fired with by now: the result, or the code of the failure."""
    seen: list[object] = []

    def failed(failure: Failure) -> None:
        assert isinstance(failure.value, ProposalError)
        seen.append((failure.value.code, str(failure.value)))

    promise.addCallbacks(seen.append, failed)
    return seen


def test_each_proposer_is_told_of_its_own_proposal():
    promises = Promises()
    first, second, third = (proposal(index) for index in range(3))
    kept, late, open_ = (outcome(promises.of_proposal(one)) for one in (first, second, third))

    promises.end_proposals(
        (Ended(first, Result.SUCCESS), Ended(second, Result.WAIT_QUORUM_ACK_TIMEOUT))
    )

    assert kept == [list(first.entries)]
    assert late == [(Result.WAIT_QUORUM_ACK_TIMEOUT, "WAIT_QUORUM_ACK_TIMEOUT: entries up to 1")]
    assert open_ == []


def test_who_waits_for_the_end_of_a_leadership_is_told_once():
    promises = Promises()
    assert not promises.is_transfer_awaited
    given = outcome(promises.of_transfer())
    assert promises.is_transfer_awaited

    promises.end_transfers(None)

    assert given == [None]
    assert not promises.is_transfer_awaited


def test_who_waits_for_the_end_of_a_leadership_hears_that_it_goes_on():
    promises = Promises()
    kept = outcome(promises.of_transfer())

    promises.end_transfers("n0")

    assert kept == [(Result.TAKE_LEADERSHIP_FAILED, "TAKE_LEADERSHIP_FAILED: n0 still leads")]


def test_all_who_wait_are_told_when_nothing_will_come_of_it():
    promises = Promises()
    waiting = [outcome(promises.of_proposal(proposal(0))), outcome(promises.of_transfer())]

    promises.fail(Result.TERM_CHANGED, "the member stops")
    promises.fail(Result.DISK_ERROR, "nobody waits")

    assert waiting == [[(Result.TERM_CHANGED, "TERM_CHANGED: the member stops")]] * 2
    assert not promises.is_transfer_awaited
