"""Ending transactions, and taking up again what was given up."""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from twisted.internet.defer import Deferred

from codec.codes import RequestCode, ResponseCode
from codec.errors import CodecError
from codec.headers.transactions import (
    EndTransactionRequestHeader,
    ResumeCheckHalfMessageRequestHeader,
)
from codec.message import properties as props
from codec.message.ids import parse_offset_message_id
from codec.message.record import Record
from codec.message.sysflag import TRANSACTION_COMMIT, TRANSACTION_ROLLBACK
from rmq.base.errors import CommandError
from rmq.base.ports import Clock
from rmq.broker import names
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.role import RoleHolder
from rmq.broker.transactions.checks import at_once
from rmq.broker.transactions.endings import Endings, Place
from rmq.broker.transactions.half import (
    HALF_QUEUE,
    Known,
    again,
    final_message,
    half_at,
    identity_of,
    known_of,
    number_of,
    was_committed,
)
from rmq.broker.transactions.op_log import OpLog
from rmq.conf.broker import BrokerConfig
from rmq.remoting.handling import Answer, Request, Response, handles, handles_runs
from rmq.store.messages import PutMessage, PutStatus
from rmq.store.store import MessageStore

logger = logging.getLogger(__name__)

HALF_TOPIC = names.HALF_TOPIC.encode()

STORED = (
    PutStatus.PUT_OK,
    PutStatus.FLUSH_DISK_TIMEOUT,
    PutStatus.FLUSH_SLAVE_TIMEOUT,
    PutStatus.SLAVE_NOT_AVAILABLE,
)

CODES = {
    PutStatus.MESSAGE_ILLEGAL: ResponseCode.MESSAGE_ILLEGAL,
    PutStatus.PROPERTIES_SIZE_EXCEEDED: ResponseCode.MESSAGE_ILLEGAL,
    PutStatus.SERVICE_NOT_AVAILABLE: ResponseCode.SERVICE_NOT_AVAILABLE,
}
"""Source: EndTransactionProcessor.java, sendFinalMessage(), 5.3.3; any other is SYSTEM_ERROR."""

EndRequest: TypeAlias = Request[EndTransactionRequestHeader]


class _Commit(NamedTuple):
    """A commit about to be stored: the number of its request in the run, its message, and of what
    half message it is made.
    """

    number: int
    final: PutMessage
    half: Record
    known: Known


class TransactionProcessor:
    """Commits and rolls back."""

    def __init__(
        self,
        config: BrokerConfig,
        clock: Clock,
        store: MessageStore,
        offsets: ConsumerOffsets,
        op_log: OpLog,
        endings: Endings,
        role: RoleHolder,
        settled: Callable[[], Deferred[None]] = at_once,
    ) -> None:
        """``config`` may be replaced while running: assign the attribute. ``settled``: as that of
        ``CheckTools``.
        """
        self.config = config
        self._clock = clock
        self._store = store
        self._offsets = offsets
        self._op_log = op_log
        self._endings = endings
        self._role = role
        self._settled = settled

    @handles(RequestCode.END_TRANSACTION, EndTransactionRequestHeader)
    def end(self, request: EndRequest) -> Answer:
        """Commit or roll back; "unknown" is not even answered: a check will come.

        Ended twice alike it is as if ended once, where Java delivers twice. So a commit that an
        earlier master may have stored waits until what that one left can be read.
        Source: EndTransactionProcessor.java, processRequest(), 5.3.3.

        :raises CommandError: SYSTEM_ERROR (no such half message, or not this group's, or it ended
            the other way), SLAVE_NOT_AVAILABLE (this is a slave), ILLEGAL_OPERATION (too late,
            wait for the check), or the store's.
        """
        [answer] = self.end_run([request])
        if isinstance(answer, Exception):
            raise answer
        return answer

    @handles_runs(RequestCode.END_TRANSACTION)
    def end_run(self, requests: Sequence[EndRequest]) -> list[Answer | Exception]:
        """End transactions that came together; what they commit is stored in one go."""
        answers: list[Answer | Exception] = [None] * len(requests)
        commits: dict[Place, _Commit] = {}
        for number, request in enumerate(requests):
            try:
                answers[number] = self._end(number, request, commits, answers)
            except Exception as error:  # noqa: BLE001 - it is this request's alone, and answered so
                answers[number] = error
        self._store_commits(commits, answers)
        return answers

    def _end(
        self,
        number: int,
        request: EndRequest,
        commits: dict[Place, _Commit],
        answers: list[Answer | Exception],
    ) -> Answer:
        """End a transaction, unless it is a commit to be stored: then it is added to ``commits``.

        :raises CommandError: as ``end``.
        """
        if not self._role.now.is_master:
            raise CommandError(
                ResponseCode.SLAVE_NOT_AVAILABLE,
                "this broker is a slave: transactions are ended at its master",
            )
        asked = request.header
        outcome = asked.commit_or_rollback
        if outcome not in (TRANSACTION_COMMIT, TRANSACTION_ROLLBACK):
            logger.debug("event=transaction_pending producer=%s", request.channel.remote_address)
            return None
        half, known = self._half(asked)
        queue_id = half.queue_id
        place = queue_id, self._endings.latest(queue_id, half.queue_offset)
        if place in commits:
            self._store_commits(commits, answers)
        ended = self._endings.outcome(*place)
        if ended is not None:
            if ended != outcome:
                name = "committed" if ended == TRANSACTION_COMMIT else "rolled back"
                raise CommandError(ResponseCode.SYSTEM_ERROR, f"the transaction was {name} before")
            return Response()
        self._op_log.check_room(queue_id)
        if outcome == TRANSACTION_COMMIT:
            looks = self._may_be_committed(asked, half)
            if looks and self._is_behind():
                return self._end_later(request)
            if looks and commits:  # what is looked for may be among them
                self._store_commits(commits, answers)
            if not looks or not was_committed(
                self._store, self._endings, half, identity_of(half, known)
            ):
                commits[place] = _Commit(number, final_message(half, known), half, known)
                return None
        self._note(place, outcome)
        return Response()

    def _is_behind(self) -> bool:
        """Whether what an earlier master left cannot be read yet."""
        return self._store.dispatched_position < self._endings.begun_at

    async def _end_later(self, request: EndRequest) -> Response:
        await self._settled()
        if self._is_behind():
            raise CommandError(
                ResponseCode.SYSTEM_BUSY,
                "not all of the log can be read yet: wait for the check",
            )
        answer = self.end(request)
        assert isinstance(answer, Response), "a commit that need not wait is answered at once"
        return answer

    def _store_commits(
        self, commits: dict[Place, _Commit], answers: list[Answer | Exception]
    ) -> None:
        """Store final messages, and fill in the answers to who committed them."""
        results = self._store.put_run([commit.final for commit in commits.values()])
        dispatched = self._store.dispatched_position
        for (place, commit), result in zip(commits.items(), results, strict=True):
            if result.status in STORED:
                self._note(place, TRANSACTION_COMMIT)
                answers[commit.number] = Response()
                if result.position >= dispatched:
                    self._endings.commit_unseen(identity_of(commit.half, commit.known))
            else:
                answers[commit.number] = CommandError(
                    CODES.get(result.status, ResponseCode.SYSTEM_ERROR),
                    result.remark or result.status.name,
                )
        commits.clear()

    def _note(self, place: Place, outcome: int) -> None:
        """A transaction has ended."""
        queue_id, offset = place
        self._endings.end(queue_id, offset, outcome)
        self._op_log.add(queue_id, offset)

    @handles(RequestCode.RESUME_CHECK_HALF_MESSAGE, ResumeCheckHalfMessageRequestHeader)
    def resume(self, request: Request[ResumeCheckHalfMessageRequestHeader]) -> Response:
        """Put a transaction that was given up back among the half messages, with no check counted.

        Java does so with whatever message the id names; here only with those that were given up.
        Source: AdminBrokerProcessor.java, resumeCheckHalfMessage(), 5.3.3.

        :raises CommandError: SYSTEM_ERROR.
        """
        text = request.header.msg_id or ""
        try:
            half = half_at(self._store, parse_offset_message_id(text).position)
        except CodecError as error:
            raise CommandError(ResponseCode.SYSTEM_ERROR, f"msgId: {error}") from error
        if half is None or half.topic.decode(errors="replace") != names.CHECK_MAX_TIME_TOPIC:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR, f"msgId {text} is none of {names.CHECK_MAX_TIME_TOPIC}"
            )
        properties = props.parse(half.properties)
        properties["TRANSACTION_CHECK_TIMES"] = "0"
        result = self._store.put(again(half, names.HALF_TOPIC, HALF_QUEUE, properties))
        if result.status is not PutStatus.PUT_OK:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR,
                f"Put message back to RMQ_SYS_TRANS_HALF_TOPIC failed. {result.remark}",
            )
        return Response()

    def _half(self, asked: EndTransactionRequestHeader) -> tuple[Record, Known]:
        """The half message that is meant, and what its properties say.

        Source: EndTransactionProcessor.java, checkPrepareMessage(), 5.3.3, which believes whatever
        lies at the offset to be a half message, and of whatever transaction is ended: after a
        change of master another one's may be where that was which is meant.
        """
        try:
            half = half_at(self._store, asked.commit_log_offset)
        except CodecError:
            half = None
        if half is None or half.topic != HALF_TOPIC:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR,
                "Find prepared transaction message failed: "
                f"no half message lies at {asked.commit_log_offset}",
            )
        known = known_of(half)
        self._refuse_late(asked, half, known)
        if known.get(props.PRODUCER_GROUP, b"").decode(errors="replace") != asked.producer_group:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR,
                f"The producer group wrong: the half message is not of {asked.producer_group}",
            )
        key = known.get(props.UNIQ_CLIENT_MESSAGE_ID_KEYIDX, b"").decode(errors="replace")
        if asked.transaction_id and key and key != asked.transaction_id:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR,
                f"The transaction wrong: the half message is of {key}, not {asked.transaction_id}",
            )
        if half.queue_offset != asked.tran_state_table_offset or half.position != (
            self._store.position_of(names.HALF_TOPIC, half.queue_id, half.queue_offset)
        ):
            raise CommandError(
                ResponseCode.SYSTEM_ERROR,
                "The transaction state table offset wrong: the half message is not number "
                f"{asked.tran_state_table_offset}",
            )
        return half, known

    def _refuse_late(self, asked: EndTransactionRequestHeader, half: Record, known: Known) -> None:
        """Source: EndTransactionProcessor.java, rejectCommitOrRollback(), 5.3.3."""
        if asked.from_transaction_check:
            return
        immunity = known.get(props.CHECK_IMMUNITY_TIME_IN_SECONDS)
        if immunity is None:
            return
        seconds = number_of(immunity.decode(errors="replace"), 0)
        limit_ms = max(seconds * 1000, self.config.transactionTimeOut)
        age_ms = self._clock.wall_ms() - half.born_timestamp
        if age_ms > limit_ms:
            raise CommandError(
                ResponseCode.ILLEGAL_OPERATION,
                f"ended {age_ms} ms after its birth, later than {limit_ms} ms: wait for the check",
            )

    def _may_be_committed(self, asked: EndTransactionRequestHeader, half: Record) -> bool:
        """Whether a commit may be there that the half message's place does not tell: of another
        copy of it, or of a master before this one.
        """
        return (
            asked.from_transaction_check
            or half.position < self._endings.begun_at
            or half.queue_offset
            < self._offsets.query(names.TRANSACTION_GROUP, names.HALF_TOPIC, half.queue_id)
        )
