"""What members of a group say to each other, as values.

Requests carry the whole of DLedger's base: ``group``, ``sender`` (``localId``), ``target``
(``remoteId``), ``term``, ``leader_id``. Replies carry only what DLedger's replies carry; if
``echo`` is set, the reply on the wire repeats group, localId and remoteId of its request.
All are ``msgspec`` structs: built in a tenth of the time of a frozen dataclass, compared in C.
Codes are ``codec.codes.DLedgerResponseCode``.
"""

from enum import IntEnum, StrEnum

from msgspec import Struct

from codec.codes import DLedgerResponseCode

SUCCESS = int(DLedgerResponseCode.SUCCESS)
NO_TERM = -1
"""The term of a reply that does not tell one."""
NO_INDEX = -1
"""Before the first entry: where an empty log begins and ends, what is committed of it."""
ENTRY_HEADER_SIZE = 48
"""Bytes of an entry on disk before its body."""


class Role(IntEnum):
    """What a member is in its group."""

    UNKNOWN = 0
    CANDIDATE = 1
    LEADER = 2
    FOLLOWER = 3


class VoteResult(StrEnum):
    """What a voter says. Source: VoteResponse.java, RESULT, 0.3.1.2."""

    UNKNOWN = "UNKNOWN"
    ACCEPT = "ACCEPT"
    REJECT_UNKNOWN_LEADER = "REJECT_UNKNOWN_LEADER"
    REJECT_UNEXPECTED_LEADER = "REJECT_UNEXPECTED_LEADER"
    REJECT_EXPIRED_VOTE_TERM = "REJECT_EXPIRED_VOTE_TERM"
    REJECT_ALREADY_VOTED = "REJECT_ALREADY_VOTED"
    REJECT_ALREADY_HAS_LEADER = "REJECT_ALREADY_HAS_LEADER"
    REJECT_TERM_NOT_READY = "REJECT_TERM_NOT_READY"
    REJECT_TERM_SMALL_THAN_LEDGER = "REJECT_TERM_SMALL_THAN_LEDGER"
    REJECT_EXPIRED_LEDGER_TERM = "REJECT_EXPIRED_LEDGER_TERM"
    REJECT_SMALL_LEDGER_END_INDEX = "REJECT_SMALL_LEDGER_END_INDEX"
    REJECT_TAKING_LEADERSHIP = "REJECT_TAKING_LEADERSHIP"


class PushKind(StrEnum):
    """What a leader wants of a follower. Source: PushEntryRequest.java, Type, 0.3.1.2."""

    APPEND = "APPEND"
    COMMIT = "COMMIT"
    COMPARE = "COMPARE"
    TRUNCATE = "TRUNCATE"


class Entry(Struct, frozen=True, gc=False):
    """One entry of the log, as all members hold it to the byte.

    Two entries are the same if all fields are, as in Java, which leaves out the unused checksums.
    """

    index: int
    term: int
    body: bytes
    pos: int = 0
    """Where it begins in the log's data, bytes."""
    magic: int = 1
    channel: int = 0
    chain_crc: int = 0
    body_crc: int = 0

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return ENTRY_HEADER_SIZE + len(self.body)


class HeartBeat(Struct, frozen=True, kw_only=True, gc=False):
    """I lead this term."""

    group: str
    sender: str
    target: str
    term: int
    leader_id: str | None


class HeartBeatReply(Struct, frozen=True, kw_only=True, gc=False):
    """What a member thinks of the one that says it leads."""

    code: int = SUCCESS
    term: int = NO_TERM
    leader_id: str | None = None
    echo: bool = False


class Vote(Struct, frozen=True, kw_only=True, gc=False):
    """Vote for me (``leader_id``) in this term; my log ends so."""

    group: str
    sender: str
    target: str
    term: int
    leader_id: str | None
    end_index: int
    end_term: int


class VoteReply(Struct, frozen=True, gc=False):
    """A voter's answer; ``code`` is SUCCESS with every result.

    ``leader_id`` on the wire is the candidate's, repeated, unless told here.
    """

    result: VoteResult = VoteResult.UNKNOWN
    term: int = NO_TERM
    code: int = SUCCESS
    leader_id: str | None = None
    echo: bool = True


class Push(Struct, frozen=True, kw_only=True, gc=False):
    """Entries of the leader's log, or how far it is committed.

    COMPARE and TRUNCATE carry one entry, COMMIT none, APPEND one, or one and more if ``batch``
    (then ``batchEntry`` on the wire, else ``entry``).
    """

    group: str
    sender: str
    target: str
    term: int
    leader_id: str | None
    kind: PushKind
    entries: tuple[Entry, ...] = ()
    commit_index: int = NO_INDEX
    batch: bool = False

    @property
    def first_index(self) -> int:
        """The first entry's index, -1 if there is none."""
        return self.entries[0].index if self.entries else NO_INDEX

    @property
    def last_index(self) -> int:
        """The last entry's index, -1 if there is none."""
        return self.entries[-1].index if self.entries else NO_INDEX


class PushReply(Struct, frozen=True, kw_only=True, gc=False):
    """What a follower made of a push. ``group`` on the wire is the request's; no ids.

    Defaults are those of Java, which fills in no more when it refuses a request's base.
    """

    code: int = SUCCESS
    term: int = NO_TERM
    """The request's term, repeated."""
    index: int | None = None
    """First index of the request's entries; COMMIT: None, absent on the wire."""
    count: int = 0
    """Number of the request's entries."""
    begin_index: int = 0
    """First index of the follower's log."""
    end_index: int = 0
    """Last index of the follower's log."""
    leader_id: str | None = None
    echo: bool = False


class Transfer(Struct, frozen=True, kw_only=True, gc=False):
    """Give the leadership of ``transfer_id`` to ``transferee_id``.

    To the leader it is an administrator's wish; from the leader to the transferee it says: take
    it, once your log has ``take_index``.
    """

    group: str
    sender: str | None
    target: str
    term: int
    leader_id: str | None
    transfer_id: str | None
    transferee_id: str | None
    take_index: int = 0


class TransferReply(Struct, frozen=True, kw_only=True, gc=False):
    """How a transfer ended."""

    code: int = SUCCESS
    term: int = NO_TERM
    leader_id: str | None = None
    echo: bool = False


Request = HeartBeat | Vote | Push | Transfer
Reply = HeartBeatReply | VoteReply | PushReply | TransferReply
