"""Bodies of DLedger and the values of consensus: one becomes the other.

What a peer says is checked here as far as it can be without knowing the group's state: sizes fit,
indexes count up, kinds are known. Source: DLedgerRpcNettyService.java, 0.3.1.2.
"""

from collections.abc import Callable, Sequence
from typing import Final

from codec.bodies import decode_body, encode_body
from codec.bodies.dledger import (
    DLedgerEntry,
    LeadershipTransferRequest,
    MemberRequest,
    MemberResponse,
    PushEntryRequest,
    PushEntryResponse,
    PushText,
    VoteRequest,
    VoteResponse,
    encode_entry,
    encode_push,
)
from codec.codes import DLedgerRequestCode
from codec.disk.dledger import ENTRY_HEADER_SIZE, MAGIC
from codec.errors import CodecError
from rmq.raft.messages import (
    NO_INDEX,
    Entry,
    HeartBeat,
    HeartBeatReply,
    Push,
    PushKind,
    PushReply,
    Reply,
    Request,
    Transfer,
    TransferReply,
    Vote,
    VoteReply,
    VoteResult,
)

RUNS_MAX: Final = 64
"""Encoded runs of entries that are kept, for the other peers to whom they go."""
RUN_SIZE_MAX: Final = 128 << 10
"""Bytes of an encoded run that is kept."""

_KINDS: Final = {kind.value: kind for kind in PushKind}
_RESULTS: Final = {result.value: result for result in VoteResult}


def entry_of(wire: DLedgerEntry) -> Entry:
    """An entry as a peer sent it.

    :raises CodecError: it contradicts itself.
    """
    body = wire.body
    if body is None or wire.size != ENTRY_HEADER_SIZE + len(body) or wire.magic != MAGIC:
        length = None if body is None else len(body)
        raise CodecError(f"entry of magic {wire.magic}, size {wire.size}, body of {length} bytes")
    if wire.index < 0 or wire.pos < 0 or wire.term < 0:
        raise CodecError(f"entry with index {wire.index}, pos {wire.pos}, term {wire.term}")
    return Entry(
        wire.index,
        wire.term,
        body,
        wire.pos,
        MAGIC,
        wire.channel,
        wire.chain_crc,
        wire.body_crc,
    )


def wire_of(entry: Entry) -> DLedgerEntry:
    """An entry as it is sent."""
    return DLedgerEntry(
        body=entry.body,
        body_crc=entry.body_crc,
        chain_crc=entry.chain_crc,
        channel=entry.channel,
        index=entry.index,
        magic=entry.magic,
        pos=entry.pos,
        size=entry.size,
        term=entry.term,
    )


def vote_of(body: VoteRequest) -> Vote:
    """A candidate's request."""
    return Vote(
        group=body.group or "",
        sender=body.local_id or "",
        target=body.remote_id or "",
        term=body.term,
        leader_id=body.leader_id,
        end_index=body.ledger_end_index,
        end_term=body.ledger_end_term,
    )


def heart_beat_of(body: MemberRequest) -> HeartBeat:
    """A leader's sign of life."""
    return HeartBeat(
        group=body.group or "",
        sender=body.local_id or "",
        target=body.remote_id or "",
        term=body.term,
        leader_id=body.leader_id,
    )


def push_of(body: PushEntryRequest) -> Push:
    """A leader's push.

    :raises CodecError: its entries do not follow each other, or are not as many as its kind has.
    """
    kind = _KINDS.get(body.type)
    if kind is None:
        raise CodecError(f"push of type {body.type[:40]!r}")
    entries = tuple([entry_of(entry) for entry in body.entries])
    count = len(entries)
    if kind is not PushKind.APPEND and count != (kind is not PushKind.COMMIT):
        raise CodecError(f"{kind} with {count} entries")
    if count != 1:
        _check_run(kind, entries)
    return Push(
        group=body.group or "",
        sender=body.local_id or "",
        target=body.remote_id or "",
        term=body.term,
        leader_id=body.leader_id,
        kind=kind,
        entries=entries,
        commit_index=body.commit_index,
        batch=bool(body.batch_entry),
    )


def _check_run(kind: PushKind, entries: Sequence[Entry]) -> None:
    if not entries and kind is PushKind.APPEND:
        raise CodecError("APPEND without entries")
    for number, entry in enumerate(entries):
        if entry.index != entries[0].index + number:
            raise CodecError(f"entry {entry.index} comes as number {number} of a batch")


def transfer_of(body: LeadershipTransferRequest) -> Transfer:
    """The wish to have another leader, or the order to be it."""
    return Transfer(
        group=body.group or "",
        sender=body.local_id,
        target=body.remote_id or "",
        term=body.term,
        leader_id=body.leader_id,
        transfer_id=body.transfer_id,
        transferee_id=body.transferee_id,
        take_index=body.take_leadership_ledger_index,
    )


class Requests:
    """Encodes what a member asks its peers; entries once for all who keep pace."""

    def __init__(self) -> None:
        self._runs: dict[int, tuple[tuple[Entry, ...], bytes, int]] = {}
        """The last runs of entries, by their first index, as they stand in a push."""

    def encode(self, request: Request) -> tuple[DLedgerRequestCode, bytes]:
        """The code and the body of a request."""
        if isinstance(request, Push):
            return DLedgerRequestCode.PUSH, self._push(request)
        if isinstance(request, HeartBeat):
            return DLedgerRequestCode.HEART_BEAT, encode_body(_member_request(request))
        if isinstance(request, Vote):
            return DLedgerRequestCode.VOTE, encode_body(_vote_request(request))
        return DLedgerRequestCode.LEADERSHIP_TRANSFER, encode_body(_transfer_request(request))

    def _push(self, push: Push) -> bytes:
        entries = push.entries
        text = PushText(
            push.kind.value,
            push.group,
            push.leader_id or "",
            push.sender,
            push.target,
            push.term,
            push.commit_index,
        )
        count = len(entries)
        if not count:
            return encode_push(text, b"", NO_INDEX, 0, 0)
        run, size = self._run(entries)
        return encode_push(text, run, entries[0].index, count, size if push.batch else 0)

    def _run(self, entries: tuple[Entry, ...]) -> tuple[bytes, int]:
        """The entries' text, and their bytes on disk."""
        index = entries[0].index
        runs = self._runs
        known = runs.get(index)
        if known is not None and known[0] is entries:
            return known[1:]
        size = sum([entry.size for entry in entries])
        text = b",".join(
            [
                encode_entry(e.index, e.term, e.pos, e.body, (e.channel, e.chain_crc, e.body_crc))
                for e in entries
            ]
        )
        if len(text) <= RUN_SIZE_MAX:
            runs[index] = (entries, text, size)
            if len(runs) > RUNS_MAX:
                del runs[next(iter(runs))]
        return text, size


def _member_request(beat: HeartBeat) -> MemberRequest:
    return MemberRequest(
        group=beat.group,
        leader_id=beat.leader_id,
        local_id=beat.sender,
        remote_id=beat.target,
        term=beat.term,
    )


def _vote_request(vote: Vote) -> VoteRequest:
    return VoteRequest(
        group=vote.group,
        leader_id=vote.leader_id,
        ledger_end_index=vote.end_index,
        ledger_end_term=vote.end_term,
        local_id=vote.sender,
        remote_id=vote.target,
        term=vote.term,
    )


def _transfer_request(transfer: Transfer) -> LeadershipTransferRequest:
    return LeadershipTransferRequest(
        group=transfer.group,
        leader_id=transfer.leader_id,
        local_id=transfer.sender,
        remote_id=transfer.target,
        take_leadership_ledger_index=transfer.take_index,
        term=transfer.term,
        transfer_id=transfer.transfer_id,
        transferee_id=transfer.transferee_id,
    )


def decode_reply(request: Request, body: bytes) -> Reply:
    """What a peer answered to ``request``.

    :raises CodecError: it is no answer to that.
    """
    return _READERS[type(request)](body)


def _heart_beat_reply(body: bytes) -> HeartBeatReply:
    read = decode_body(MemberResponse, body)
    return HeartBeatReply(code=read.code, term=read.term, leader_id=read.leader_id)


def _vote_reply(body: bytes) -> VoteReply:
    read = decode_body(VoteResponse, body)
    result = _RESULTS.get(read.vote_result, VoteResult.UNKNOWN)
    return VoteReply(result=result, term=read.term, code=read.code, leader_id=read.leader_id)


def _push_reply(body: bytes) -> PushReply:
    read = decode_body(PushEntryResponse, body)
    return PushReply(
        code=read.code,
        term=read.term,
        index=read.index,
        count=read.count,
        begin_index=read.begin_index,
        end_index=read.end_index,
        leader_id=read.leader_id,
    )


def _transfer_reply(body: bytes) -> TransferReply:
    read = decode_body(MemberResponse, body)
    return TransferReply(code=read.code, term=read.term, leader_id=read.leader_id)


_READERS: Final[dict[type, Callable[[bytes], Reply]]] = {
    HeartBeat: _heart_beat_reply,
    Vote: _vote_reply,
    Push: _push_reply,
    Transfer: _transfer_reply,
}


def encode_reply(request: Request, reply: Reply) -> bytes:
    """The body of an answer."""
    if isinstance(reply, PushReply):
        assert isinstance(request, Push), request
        return _encode_push_reply(request, reply)
    group, local_id, remote_id = (
        (request.group, request.sender, request.target) if reply.echo else (None, None, None)
    )
    if isinstance(reply, VoteReply):
        candidate = request.leader_id if reply.echo else None
        return encode_body(
            VoteResponse(
                code=reply.code,
                group=group,
                leader_id=reply.leader_id or candidate,
                local_id=local_id,
                remote_id=remote_id,
                term=reply.term,
                vote_result=reply.result.value,
            )
        )
    return encode_body(
        MemberResponse(
            code=reply.code,
            group=group,
            leader_id=reply.leader_id,
            local_id=local_id,
            remote_id=remote_id,
            term=reply.term,
        )
    )


def _encode_push_reply(request: Push, reply: PushReply) -> bytes:
    return encode_body(
        PushEntryResponse(
            begin_index=reply.begin_index,
            code=reply.code,
            count=reply.count,
            end_index=reply.end_index,
            group=request.group,
            index=reply.index,
            leader_id=reply.leader_id,
            local_id=request.sender if reply.echo else None,
            remote_id=request.target if reply.echo else None,
            term=reply.term,
        )
    )
