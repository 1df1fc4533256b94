"""Answers what peers and clients of a DLedger group ask, codes 50000 to 51005.

Header codes of answers are always SUCCESS, what came of a request is the body's ``code``. A body
that cannot be read is refused by the dispatcher. Source: DLedgerServer.java, 0.3.1.2.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from codec.bodies import decode_body, encode_body
from codec.bodies.dledger import (
    AppendEntryRequest,
    AppendEntryResponse,
    GetEntriesRequest,
    GetEntriesResponse,
    LeadershipTransferRequest,
    MemberRequest,
    MetadataResponse,
    PushEntryRequest,
    VoteRequest,
)
from codec.codes import DLedgerRequestCode as Code
from codec.codes import DLedgerResponseCode as Result
from codec.headers.fields import RequestHeader
from rmq.dledger.errors import ProposalError
from rmq.dledger.wire import (
    encode_reply,
    heart_beat_of,
    push_of,
    transfer_of,
    vote_of,
    wire_of,
)
from rmq.raft.log import Log
from rmq.raft.messages import Entry, Reply
from rmq.raft.messages import Request as RaftRequest
from rmq.remoting.channel import Channel
from rmq.remoting.handling import Request, Response, handles

BareRequest = Request[RequestHeader]
"""A request without ext fields."""


class Asked(Protocol):
    """What all requests say of themselves."""

    group: str | None
    local_id: str | None
    remote_id: str | None
    term: int


class Group(Protocol):
    """The member that answers, see ``rmq.dledger.member.Member``."""

    @property
    def group(self) -> str:
        """The group's name."""
        ...

    @property
    def self_id(self) -> str:
        """The member's own id."""
        ...

    @property
    def leader_id(self) -> str | None:
        """Who leads."""
        ...

    @property
    def is_leader(self) -> bool:
        """Whether it leads."""
        ...

    @property
    def peers(self) -> dict[str, str]:
        """Addresses by id."""
        ...

    @property
    def log(self) -> Log:
        """Its entries."""
        ...

    def asked(self, request: RaftRequest, channel: Channel) -> Deferred[Reply]:
        """Take a peer's request, which came over ``channel``."""
        ...

    def propose(self, bodies: Sequence[bytes]) -> Deferred[list[Entry]]:
        """Have the group agree."""
        ...


class DLedgerProcessor:
    """Answers for one member."""

    def __init__(self, member: Group) -> None:
        self._member = member

    @handles(Code.VOTE)
    def vote(self, request: BareRequest) -> Deferred[Response]:
        """Answer a candidate."""
        return self._step(vote_of(decode_body(VoteRequest, request.body)), request.channel)

    @handles(Code.HEART_BEAT)
    def heart_beat(self, request: BareRequest) -> Deferred[Response]:
        """Answer a leader's sign of life."""
        return self._step(heart_beat_of(decode_body(MemberRequest, request.body)), request.channel)

    @handles(Code.PUSH)
    def push(self, request: BareRequest) -> Deferred[Response]:
        """Answer a leader's push, when it is carried out."""
        return self._step(push_of(decode_body(PushEntryRequest, request.body)), request.channel)

    @handles(Code.LEADERSHIP_TRANSFER)
    def leadership_transfer(self, request: BareRequest) -> Deferred[Response]:
        """Give leadership away, or take it; answered when that is done, or failed."""
        asked = decode_body(LeadershipTransferRequest, request.body)
        return self._step(transfer_of(asked), request.channel)

    @handles(Code.PULL)
    def pull(self, request: BareRequest) -> Response:
        """Refuse: nobody pulls, as in Java, which does not even answer."""
        asked = decode_body(MemberRequest, request.body)
        return self._refused(GetEntriesResponse, asked, Result.UNSUPPORTED)

    @handles(Code.METADATA)
    def metadata(self, request: BareRequest) -> Response:
        """Say who is in the group and who leads."""
        asked = decode_body(MemberRequest, request.body)
        refusal = self._refusal(asked)
        if refusal is not None:
            return self._refused(MetadataResponse, asked, refusal)
        member = self._member
        return _answer(
            MetadataResponse(group=member.group, leader_id=member.leader_id, peers=member.peers)
        )

    @handles(Code.GET)
    def get(self, request: BareRequest) -> Response:
        """Give one committed entry; only the leader does.

        Java gives entries that are not committed as well, which may vanish again.
        """
        asked = decode_body(GetEntriesRequest, request.body)
        refusal = self._refusal(asked)
        log = self._member.log
        index = -1 if asked.begin_index is None else asked.begin_index
        if refusal is None and not self._member.is_leader:
            refusal = Result.NOT_LEADER
        if refusal is None and not 0 <= index <= log.committed_index:
            refusal = Result.INDEX_OUT_OF_RANGE
        if refusal is None and index < log.begin_index:
            refusal = Result.INDEX_LESS_THAN_LOCAL_BEGIN
        entry = None if refusal is not None else log.entry(index)
        if refusal is not None or entry is None:
            return self._refused(GetEntriesResponse, asked, refusal or Result.DISK_ERROR)
        return _answer(GetEntriesResponse(entries=[wire_of(entry)], group=self._member.group))

    @handles(Code.APPEND)
    def append(self, request: BareRequest) -> Response | Deferred[Response]:
        """Have the group agree on what a client wants appended."""
        asked = decode_body(AppendEntryRequest, request.body)
        refusal = self._refusal(asked)
        if refusal is not None:
            return self._refused(AppendEntryResponse, asked, refusal)
        single = [] if asked.body is None else [asked.body]
        bodies = single if asked.batch_msgs is None else asked.batch_msgs

        def appended(entries: list[Entry]) -> Response:
            last = entries[-1]
            return _answer(
                AppendEntryResponse(
                    group=self._member.group,
                    index=last.index,
                    leader_id=self._member.self_id,
                    pos=last.pos,
                    term=last.term,
                )
            )

        def not_appended(failure: Failure) -> Response:
            if not isinstance(failure.value, ProposalError):
                failure.raiseException()
            return self._refused(AppendEntryResponse, asked, failure.value.code)

        return self._member.propose(bodies).addCallbacks(appended, not_appended)

    def _refusal(self, asked: Asked) -> Result | None:
        if asked.remote_id != self._member.self_id:
            return Result.UNKNOWN_MEMBER
        if asked.group != self._member.group:
            return Result.UNKNOWN_GROUP
        return None

    def _refused(self, kind: type[Any], asked: Asked, code: Result) -> Response:
        """The question's own words with another code. Source: copyBaseInfo(), 0.3.1.2."""
        return _answer(
            kind(
                code=code,
                group=asked.group,
                leader_id=self._member.leader_id,
                local_id=asked.local_id,
                remote_id=asked.remote_id,
                term=asked.term,
            )
        )

    def _step(self, request: RaftRequest, channel: Channel) -> Deferred[Response]:
        answer = self._member.asked(request, channel)
        return answer.addCallback(
            lambda reply: Response(code=Result.SUCCESS, body=encode_reply(request, reply))
        )


def _answer(body: Any) -> Response:
    return Response(code=Result.SUCCESS, body=encode_body(body))
