"""Bodies of DLedger's own protocol, codes 50000 to 51005.

All have the same six fields about who asks whom; they are written wherever they are not null. An
answer has ``code`` to say what came of the request, while its header says SUCCESS of any. Which
class belongs to which code is in ``rmq.dledger``. Bytes are base64.
Source: RequestOrResponse.java and its children, 0.3.1.2.

The push of entries is hot: ``encode_push`` is the twin of ``encode_body`` for it, and takes entries
that were encoded before, because a leader sends each to all its peers.
"""

from binascii import b2a_base64
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from codec import fastjson
from codec.bodies.body import Body, kept, kept_list
from codec.headers.fields import Int32, Int64

ENTRY_HEADER_SIZE: Final = 48
"""Bytes on disk before an entry's body."""

_SUCCESS = 200
"""``DLedgerResponseCode.SUCCESS``, which requests carry as well."""


class DLedgerEntry(Body, kw_only=True):
    """One entry of the log. Source: DLedgerEntry.java, 0.3.1.2."""

    body: bytes | None = None
    body_crc: Int32 = kept(0)
    """Not computed by 0.3.1.2."""
    chain_crc: Int32 = kept(0)
    channel: Int32 = kept(0)
    index: Int64 = kept(0)
    """Counts entries, from 0."""
    magic: Int32 = kept(0)
    pos: Int64 = kept(0)
    """Where it begins, bytes from the begin of the log."""
    size: Int32 = kept(0)
    """Bytes on disk: 48 and those of the body."""
    term: Int64 = kept(0)


class MemberRequest(Body, kw_only=True):
    """What has nothing but the common fields: HeartBeatRequest, MetadataRequest.

    Source: RequestOrResponse.java, 0.3.1.2.
    """

    code: Int32 = kept(_SUCCESS)
    group: str | None = None
    leader_id: str | None = None
    """The leader whom the sender knows; in a vote the candidate."""
    local_id: str | None = None
    """The sender."""
    remote_id: str | None = None
    """Whom it is for."""
    term: Int64 = kept(-1)


class MemberResponse(MemberRequest, kw_only=True):
    """An answer of nothing but the common fields: HeartBeatResponse, LeadershipTransferResponse."""


class MetadataResponse(Body, kw_only=True):
    """Who is in the group. Source: MetadataResponse.java, 0.3.1.2."""

    code: Int32 = kept(_SUCCESS)
    group: str | None = None
    leader_id: str | None = None
    local_id: str | None = None
    peers: dict[str, str] | None = None
    """``host:port`` by id."""
    remote_id: str | None = None
    term: Int64 = kept(-1)


class AppendEntryRequest(Body, kw_only=True):
    """Have the leader append. Source: AppendEntryRequest, BatchAppendEntryRequest.java, 0.3.1.2."""

    batch_msgs: list[bytes] | None = None
    """Several bodies; if there are any, ``body`` does not count."""
    body: bytes | None = None
    code: Int32 = kept(_SUCCESS)
    group: str | None = None
    leader_id: str | None = None
    local_id: str | None = None
    remote_id: str | None = None
    term: Int64 = kept(-1)


class AppendEntryResponse(Body, kw_only=True):
    """Where the entry, of several the last, lies. Source: AppendEntryResponse.java, 0.3.1.2."""

    code: Int32 = kept(_SUCCESS)
    group: str | None = None
    index: Int64 = kept(-1)
    leader_id: str | None = None
    local_id: str | None = None
    pos: Int64 = kept(-1)
    remote_id: str | None = None
    term: Int64 = kept(-1)


class GetEntriesRequest(Body, kw_only=True):
    """Ask for one entry. Source: GetEntriesRequest.java, 0.3.1.2."""

    begin_index: Int64 | None = None
    code: Int32 = kept(_SUCCESS)
    group: str | None = None
    index_list: list[Int64] | None = None
    leader_id: str | None = None
    local_id: str | None = None
    max_size: Int32 = kept(0)
    remote_id: str | None = None
    term: Int64 = kept(-1)


class GetEntriesResponse(Body, kw_only=True):
    """The entry. Source: GetEntriesResponse.java, PullEntriesResponse.java, 0.3.1.2."""

    code: Int32 = kept(_SUCCESS)
    entries: list[DLedgerEntry] = kept_list()
    group: str | None = None
    leader_id: str | None = None
    local_id: str | None = None
    remote_id: str | None = None
    term: Int64 = kept(-1)


class VoteRequest(Body, kw_only=True):
    """A candidate asks for a vote. Source: VoteRequest.java, 0.3.1.2."""

    code: Int32 = kept(_SUCCESS)
    group: str | None = None
    leader_id: str | None = None
    ledger_end_index: Int64 = kept(-1)
    ledger_end_term: Int64 = kept(-1)
    local_id: str | None = None
    remote_id: str | None = None
    term: Int64 = kept(-1)


class VoteResponse(Body, kw_only=True):
    """The vote. Source: VoteResponse.java, 0.3.1.2."""

    code: Int32 = kept(_SUCCESS)
    group: str | None = None
    leader_id: str | None = None
    local_id: str | None = None
    remote_id: str | None = None
    term: Int64 = kept(-1)
    vote_result: str = kept("UNKNOWN")


class PushEntryRequest(Body, kw_only=True):
    """A leader hands entries on, compares, truncates, or tells what is committed.

    ``batch``, ``count``, ``first_entry_index``, ``last_entry_index`` and ``total_size`` follow from
    the entries; Java writes and never reads them. ``total_size`` counts only ``batch_entry``.
    Source: PushEntryRequest.java, 0.3.1.2.
    """

    batch: bool = kept(False)
    batch_entry: list[DLedgerEntry] = kept_list()
    code: Int32 = kept(_SUCCESS)
    commit_index: Int64 = kept(-1)
    count: Int32 = kept(0)
    entry: DLedgerEntry | None = None
    first_entry_index: Int64 = kept(-1)
    group: str | None = None
    last_entry_index: Int64 = kept(-1)
    leader_id: str | None = None
    local_id: str | None = None
    remote_id: str | None = None
    term: Int64 = kept(-1)
    total_size: Int64 = kept(0)
    type: str = kept("APPEND")
    """APPEND, COMMIT, COMPARE or TRUNCATE."""

    @property
    def entries(self) -> Sequence[DLedgerEntry]:
        """What it carries, of either form."""
        if self.batch_entry:
            return self.batch_entry
        return () if self.entry is None else (self.entry,)


class PushEntryResponse(Body, kw_only=True):
    """What the follower has now. Source: PushEntryResponse.java, 0.3.1.2."""

    begin_index: Int64 = kept(0)
    code: Int32 = kept(_SUCCESS)
    count: Int32 = kept(0)
    end_index: Int64 = kept(0)
    group: str | None = None
    index: Int64 | None = None
    leader_id: str | None = None
    local_id: str | None = None
    remote_id: str | None = None
    term: Int64 = kept(-1)


class LeadershipTransferRequest(Body, kw_only=True):
    """Have ``transfer_id`` give leadership to ``transferee_id``.

    Source: LeadershipTransferRequest.java, 0.3.1.2.
    """

    code: Int32 = kept(_SUCCESS)
    group: str | None = None
    leader_id: str | None = None
    local_id: str | None = None
    remote_id: str | None = None
    take_leadership_ledger_index: Int64 = kept(0)
    term: Int64 = kept(-1)
    transfer_id: str | None = None
    transferee_id: str | None = None


class PushText(NamedTuple):
    """What a push says besides its entries."""

    type: str
    """APPEND, COMMIT, COMPARE or TRUNCATE."""
    group: str
    leader_id: str
    local_id: str
    remote_id: str
    term: int
    commit_index: int


def encode_entry(
    index: int, term: int, pos: int, body: bytes, crcs: tuple[int, int, int] = (0, 0, 0)
) -> bytes:
    """An entry of magic 1 as it stands in a push. ``crcs``: channel, chain and body checksum."""
    channel, chain_crc, body_crc = crcs
    return _ENTRY % (
        b2a_base64(body, newline=False),
        body_crc,
        chain_crc,
        channel,
        index,
        pos,
        ENTRY_HEADER_SIZE + len(body),
        term,
    )


def encode_push(
    push: PushText, entries: bytes, first_index: int, count: int, batch_size: int
) -> bytes:
    """A push with ``count`` entries that ``encode_entry`` made; twin of ``encode_body``.

    ``entries`` are separated by commas: one for ``entry``, none for COMMIT. ``batch_size`` is 0
    then; else what all take on disk, bytes, and they are sent as a batch, even if there is but one.
    """
    batch = batch_size > 0
    return _PUSH % (
        b"true" if batch else b"false",
        entries if batch else b"",
        push.commit_index,
        count,
        b'"entry":%b,' % entries if count and not batch else b"",
        first_index if count else -1,
        _quoted(push.group),
        first_index + count - 1 if count else -1,
        _quoted(push.leader_id),
        _quoted(push.local_id),
        _quoted(push.remote_id),
        push.term,
        batch_size,
        _quoted(push.type),
    )


_ENTRY: Final = (
    b'{"body":"%b","bodyCrc":%d,"chainCrc":%d,"channel":%d,"index":%d,"magic":1,"pos":%d,'
    b'"size":%d,"term":%d}'
)
_PUSH: Final = (
    b'{"batch":%b,"batchEntry":[%b],"code":200,"commitIndex":%d,"count":%d,%b"firstEntryIndex":%d,'
    b'"group":%b,"lastEntryIndex":%d,"leaderId":%b,"localId":%b,"remoteId":%b,"term":%d,'
    b'"totalSize":%d,"type":%b}'
)


@lru_cache(maxsize=256)
def _quoted(text: str) -> bytes:
    """A name as JSON; a process knows few."""
    return fastjson.dumps(text)
