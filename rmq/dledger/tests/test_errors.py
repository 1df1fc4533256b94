from codec.codes import DLedgerResponseCode
from rmq.dledger.errors import ProposalError


def test_an_error_says_its_code_by_name():
    error = ProposalError(404, "leader is n1")

    assert error.code is DLedgerResponseCode.NOT_LEADER
    assert str(error) == "NOT_LEADER: leader is n1"
