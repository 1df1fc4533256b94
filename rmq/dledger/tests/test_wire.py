from typing import Any

import pytest

from codec.bodies import decode_body, encode_body
from codec.bodies.dledger import (
    DLedgerEntry,
    LeadershipTransferRequest,
    MemberRequest,
    PushEntryRequest,
    VoteRequest,
)
from codec.codes import DLedgerRequestCode as Code
from codec.errors import CodecError
from codec.tests.golden_files import GOLDEN
from rmq.dledger.wire import (
    RUN_SIZE_MAX,
    RUNS_MAX,
    Requests,
    decode_reply,
    encode_reply,
    entry_of,
    heart_beat_of,
    push_of,
    transfer_of,
    vote_of,
    wire_of,
)
from rmq.raft.messages import (
    Entry,
    HeartBeat,
    HeartBeatReply,
    Push,
    PushKind,
    PushReply,
    Transfer,
    TransferReply,
    Vote,
    VoteReply,
    VoteResult,
)

BASE: dict[str, Any] = {"group": "g", "sender": "n0", "target": "n1", "term": 3, "leader_id": "n0"}
ENTRY = Entry(7, 3, b"hello", 4096)
NEXT = Entry(8, 3, b"hi", 4149)
BEAT = HeartBeat(**BASE)
VOTE = Vote(**BASE, end_index=9, end_term=2)
APPEND = Push(**BASE, kind=PushKind.APPEND, entries=(ENTRY,), commit_index=6)
BATCH = Push(**BASE, kind=PushKind.APPEND, entries=(ENTRY, NEXT), commit_index=6, batch=True)
COMMIT = Push(**BASE, kind=PushKind.COMMIT, commit_index=6)
COMPARE = Push(**BASE, kind=PushKind.COMPARE, entries=(ENTRY,), commit_index=6)
TRANSFER = Transfer(**BASE, transfer_id="n0", transferee_id="n1", take_index=9)


@pytest.mark.parametrize(
    ("request_", "code", "kind", "back"),
    [
        (BEAT, Code.HEART_BEAT, MemberRequest, heart_beat_of),
        (VOTE, Code.VOTE, VoteRequest, vote_of),
        (APPEND, Code.PUSH, PushEntryRequest, push_of),
        (BATCH, Code.PUSH, PushEntryRequest, push_of),
        (COMMIT, Code.PUSH, PushEntryRequest, push_of),
        (COMPARE, Code.PUSH, PushEntryRequest, push_of),
        (TRANSFER, Code.LEADERSHIP_TRANSFER, LeadershipTransferRequest, transfer_of),
    ],
)
def test_a_request_survives_the_wire(request_, code, kind, back):
    sent_code, body = Requests().encode(request_)

    assert sent_code is code
    assert back(decode_body(kind, body)) == request_
    assert encode_body(decode_body(kind, body)) == body


@pytest.mark.parametrize(
    ("request_", "reply", "body"),
    [
        (BEAT, HeartBeatReply(), b'{"code":200,"term":-1}'),
        (BEAT, HeartBeatReply(code=403, term=4), b'{"code":403,"term":4}'),
        (
            BEAT,
            HeartBeatReply(code=400, term=3, leader_id="n2", echo=True),
            b'{"code":400,"group":"g","leaderId":"n2","localId":"n0","remoteId":"n1","term":3}',
        ),
        (
            VOTE,
            VoteReply(result=VoteResult.ACCEPT, term=3),
            (
                b'{"code":200,"group":"g","leaderId":"n0","localId":"n0","remoteId":"n1","term":3,'
                b'"voteResult":"ACCEPT"}'
            ),
        ),
        (
            VOTE,
            VoteReply(echo=False),
            b'{"code":200,"term":-1,"voteResult":"UNKNOWN"}',
        ),
        (
            APPEND,
            PushReply(term=3, index=7, count=1, begin_index=0, end_index=7),
            b'{"beginIndex":0,"code":200,"count":1,"endIndex":7,"group":"g","index":7,"term":3}',
        ),
        (
            COMMIT,
            PushReply(term=3, begin_index=0, end_index=7),
            b'{"beginIndex":0,"code":200,"count":0,"endIndex":7,"group":"g","term":3}',
        ),
        (
            APPEND,
            PushReply(code=401, term=3, leader_id="n2", echo=True),
            (
                b'{"beginIndex":0,"code":401,"count":0,"endIndex":0,"group":"g",'
                b'"leaderId":"n2","localId":"n0","remoteId":"n1","term":3}'
            ),
        ),
        (TRANSFER, TransferReply(term=4), b'{"code":200,"term":4}'),
    ],
)
def test_a_reply_is_what_java_would_write_and_is_read_back(request_, reply, body):
    assert encode_reply(request_, reply) == body

    read = decode_reply(request_, body)

    assert type(read) is type(reply)
    assert (read.code, read.term) == (reply.code, reply.term)
    if isinstance(reply, PushReply):
        assert isinstance(read, PushReply)
        assert (read.index, read.end_index) == (reply.index, reply.end_index)
    if isinstance(reply, VoteReply):
        assert isinstance(read, VoteReply)
        assert read.result is reply.result


def test_what_a_leader_of_java_said_we_would_say_alike():
    kinds = {
        Code.VOTE: (VoteRequest, vote_of),
        Code.HEART_BEAT: (MemberRequest, heart_beat_of),
        Code.PUSH: (PushEntryRequest, push_of),
    }
    for line in (GOLDEN / "dledger-wire.txt").read_bytes().splitlines():
        code, _, body = line.partition(b" ")
        kind, read = kinds[Code(int(code))]

        assert Requests().encode(read(decode_body(kind, body))) == (int(code), body)


def test_a_vote_that_nobody_knows_is_unknown():
    reply = decode_reply(VOTE, b'{"code":200,"voteResult":"MAYBE"}')

    assert isinstance(reply, VoteReply)
    assert reply.result is VoteResult.UNKNOWN


def test_entries_are_encoded_once_for_all_peers():
    requests = Requests()
    entries = (ENTRY,)
    requests.encode(Push(**BASE, kind=PushKind.APPEND, entries=entries))
    known = requests._runs[7]

    requests.encode(Push(**{**BASE, "target": "n2"}, kind=PushKind.APPEND, entries=entries))
    assert requests._runs[7] is known

    other = Entry(7, 4, b"another", 4096)
    _, body = requests.encode(Push(**BASE, kind=PushKind.APPEND, entries=(other,)))
    assert push_of(decode_body(PushEntryRequest, body)).entries == (other,)


def test_a_batch_says_how_many_bytes_its_entries_have_on_disk():
    entries = (Entry(7, 3, b"end of a file", 100), Entry(8, 3, b"begins the next", 4096))

    _, body = Requests().encode(Push(**BASE, kind=PushKind.APPEND, entries=entries, batch=True))

    read = decode_body(PushEntryRequest, body)
    assert (read.total_size, read.count) == (sum(entry.size for entry in entries), 2)
    assert push_of(read).entries == entries


def test_encoded_runs_are_few_and_small():
    requests = Requests()
    for index in range(RUNS_MAX + 5):
        entry = Entry(index, 1, b"x")
        requests.encode(Push(**BASE, kind=PushKind.APPEND, entries=(entry,)))
    assert len(requests._runs) == RUNS_MAX
    assert 4 not in requests._runs

    large = Entry(9999, 1, bytes(RUN_SIZE_MAX))
    requests.encode(Push(**BASE, kind=PushKind.APPEND, entries=(large,)))
    assert 9999 not in requests._runs


def test_all_fields_of_an_entry_are_kept():
    entry = Entry(1, 2, b"b", 3, 1, 4, 5, 6)

    assert entry_of(wire_of(entry)) == entry


@pytest.mark.parametrize(
    "changes",
    [
        {"magic": 2},
        {"size": 52},
        {"body": None},
        {"index": -1},
        {"pos": -1},
        {"term": -1},
    ],
)
def test_an_entry_that_contradicts_itself_is_refused(changes):
    entry = wire_of(ENTRY)
    for name, value in changes.items():
        setattr(entry, name, value)

    with pytest.raises(CodecError):
        entry_of(entry)


@pytest.mark.parametrize(
    ("kind", "entries"),
    [
        ("NONSENSE", [ENTRY]),
        ("APPEND", []),
        ("COMPARE", []),
        ("TRUNCATE", [ENTRY, NEXT]),
        ("COMMIT", [ENTRY]),
        ("APPEND", [ENTRY, ENTRY]),
        ("APPEND", [NEXT, ENTRY]),
    ],
)
def test_a_push_with_other_entries_than_its_kind_has_is_refused(kind, entries):
    wired: list[DLedgerEntry] = [wire_of(entry) for entry in entries]

    with pytest.raises(CodecError):
        push_of(PushEntryRequest(type=kind, batch_entry=wired))


@pytest.mark.parametrize("request_", [BEAT, VOTE, APPEND, TRANSFER])
def test_a_reply_that_is_none_is_refused(request_):
    with pytest.raises(CodecError):
        decode_reply(request_, b"\x00\x01")
