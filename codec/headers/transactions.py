"""Transactions: commit or roll back, ask the producer, ask again."""

from codec.headers.fields import Int32, Int64, RequestHeader, RpcRequestHeader


class EndTransactionRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks END_TRANSACTION (37). Source: EndTransactionRequestHeader.java, 5.3.3."""

    topic: str | None = None
    producer_group: str
    tran_state_table_offset: Int64
    commit_log_offset: Int64
    commit_or_rollback: Int32
    from_transaction_check: bool = False
    msg_id: str
    transaction_id: str | None = None


class CheckTransactionStateRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """Asks CHECK_TRANSACTION_STATE (39). Source: CheckTransactionStateRequestHeader.java, 5.3.3."""

    topic: str | None = None
    tran_state_table_offset: Int64
    commit_log_offset: Int64
    msg_id: str | None = None
    transaction_id: str | None = None
    offset_msg_id: str | None = None


class ResumeCheckHalfMessageRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks RESUME_CHECK_HALF_MESSAGE (323).

    Source: ResumeCheckHalfMessageRequestHeader.java, 5.3.3.
    """

    topic: str | None = None
    msg_id: str | None = None
