"""What a group refuses, or could not do."""

from codec.codes import DLedgerResponseCode
from rmq.base.errors import RmqError


class ProposalError(RmqError):
    """What was proposed, or a transfer that was asked for, did not come about as far as we know.

    ``code`` says why. TERM_CHANGED and WAIT_QUORUM_ACK_TIMEOUT leave open whether it will.
    """

    def __init__(self, code: int, text: str) -> None:
        self.code = DLedgerResponseCode(code)
        super().__init__(f"{self.code.name}: {text}")
