"""Bodies of DLedger against what the real jar, 0.3.1.2, wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.bodies import decode_body, encode_body
from codec.bodies.dledger import (
    AppendEntryRequest,
    AppendEntryResponse,
    DLedgerEntry,
    GetEntriesRequest,
    GetEntriesResponse,
    LeadershipTransferRequest,
    MemberRequest,
    MemberResponse,
    MetadataResponse,
    PushEntryRequest,
    PushEntryResponse,
    PushText,
    VoteRequest,
    VoteResponse,
    encode_entry,
    encode_push,
)
from codec.errors import CodecError

ENTRY = (
    b'{"body":"aGVsbG8=","bodyCrc":0,"chainCrc":0,"channel":0,"index":7,"magic":1,"pos":4096,'
    b'"size":53,"term":3}'
)
NEXT_ENTRY = (
    b'{"body":"aGk=","bodyCrc":0,"chainCrc":0,"channel":0,"index":8,"magic":1,"pos":4149,'
    b'"size":50,"term":3}'
)
APPEND = (
    b'{"batch":false,"batchEntry":[],"code":200,"commitIndex":6,"count":1,"entry":' + ENTRY + b","
    b'"firstEntryIndex":7,"group":"g","lastEntryIndex":7,"leaderId":"n0","localId":"n0",'
    b'"remoteId":"n1","term":3,"totalSize":0,"type":"APPEND"}'
)
COMMIT = (
    b'{"batch":false,"batchEntry":[],"code":200,"commitIndex":6,"count":0,"firstEntryIndex":-1,'
    b'"group":"g","lastEntryIndex":-1,"leaderId":"n0","localId":"n0","remoteId":"n1","term":3,'
    b'"totalSize":0,"type":"COMMIT"}'
)
BATCH = (
    b'{"batch":true,"batchEntry":[' + ENTRY + b"," + NEXT_ENTRY + b'],"code":200,"commitIndex":6,'
    b'"count":2,"firstEntryIndex":7,"group":"g","lastEntryIndex":8,"leaderId":"n0","localId":"n0",'
    b'"remoteId":"n1","term":3,"totalSize":103,"type":"APPEND"}'
)
WRITTEN_BY_JAVA = [
    (
        MemberRequest,
        b'{"code":200,"group":"g","leaderId":"n0","localId":"n0","remoteId":"n1","term":3}',
    ),
    (MemberResponse, b'{"code":200,"term":-1}'),
    (
        VoteRequest,
        (
            b'{"code":200,"group":"g","leaderId":"n0","ledgerEndIndex":9,"ledgerEndTerm":2,'
            b'"localId":"n0","remoteId":"n1","term":3}'
        ),
    ),
    (
        VoteResponse,
        (
            b'{"code":200,"group":"g","leaderId":"n0","localId":"n0","remoteId":"n1","term":3,'
            b'"voteResult":"ACCEPT"}'
        ),
    ),
    (VoteResponse, b'{"code":200,"term":-1,"voteResult":"UNKNOWN"}'),
    (PushEntryRequest, APPEND),
    (PushEntryRequest, COMMIT),
    (PushEntryRequest, BATCH),
    (
        PushEntryResponse,
        b'{"beginIndex":0,"code":200,"count":1,"endIndex":7,"group":"g","index":7,"term":3}',
    ),
    (
        LeadershipTransferRequest,
        (
            b'{"code":200,"group":"g","leaderId":"n0","localId":"n0","remoteId":"n1",'
            b'"takeLeadershipLedgerIndex":9,"term":3,"transferId":"n0","transfereeId":"n1"}'
        ),
    ),
    (
        MetadataResponse,
        b'{"code":200,"group":"g","leaderId":"n0","peers":{"n0":"127.0.0.1:40911"},"term":-1}',
    ),
    (
        AppendEntryRequest,
        b'{"body":"aGVsbG8=","code":200,"group":"g","remoteId":"n0","term":-1}',
    ),
    (
        AppendEntryResponse,
        b'{"code":200,"group":"g","index":7,"leaderId":"n0","pos":4096,"term":3}',
    ),
    (
        GetEntriesRequest,
        b'{"beginIndex":7,"code":200,"group":"g","maxSize":0,"remoteId":"n0","term":-1}',
    ),
    (GetEntriesResponse, b'{"code":200,"entries":[' + ENTRY + b'],"group":"g","term":-1}'),
]
TEXT = PushText("APPEND", "g", "n0", "n0", "n1", 3, 6)


@pytest.mark.parametrize(("kind", "body"), WRITTEN_BY_JAVA)
def test_what_java_wrote_is_read_and_written_again(kind, body):
    assert encode_body(decode_body(kind, body)) == body


@pytest.mark.parametrize(
    ("entries", "size", "body"),
    [
        ([ENTRY], 0, APPEND),
        ([], 0, COMMIT.replace(b'"COMMIT"', b'"APPEND"')),
        ([ENTRY, NEXT_ENTRY], 103, BATCH),
    ],
)
def test_a_push_is_put_together_from_encoded_entries(entries, size, body):
    assert encode_push(TEXT, b",".join(entries), 7, len(entries), size) == body


@given(st.integers(0, 2**63 - 1), st.binary(), st.tuples(*[st.integers(-9, 9)] * 3))
def test_an_entry_is_encoded_as_its_class_would_be(number, body, crcs):
    channel, chain_crc, body_crc = crcs
    entry = DLedgerEntry(
        body=body,
        body_crc=body_crc,
        chain_crc=chain_crc,
        channel=channel,
        index=number,
        magic=1,
        pos=number,
        size=48 + len(body),
        term=number,
    )

    assert encode_entry(number, number, number, body, crcs) == encode_body(entry)


def test_names_are_encoded_as_json():
    push = encode_push(TEXT._replace(group='a"b', type="COMMIT"), b"", -1, 0, 0)

    assert decode_body(PushEntryRequest, push).group == 'a"b'


def test_a_push_carries_its_entries_in_either_form():
    assert [entry.index for entry in decode_body(PushEntryRequest, APPEND).entries] == [7]
    assert [entry.body for entry in decode_body(PushEntryRequest, BATCH).entries] == [
        b"hello",
        b"hi",
    ]
    assert decode_body(PushEntryRequest, COMMIT).entries == ()


def test_what_was_left_out_has_javas_defaults():
    read = decode_body(PushEntryRequest, b"{}")

    assert (read.code, read.term, read.commit_index, read.type) == (200, -1, -1, "APPEND")
    assert (read.batch, read.count, read.group, read.entry) == (False, 0, None, None)


def test_a_body_that_is_none_is_refused():
    with pytest.raises(CodecError):
        decode_body(PushEntryRequest, b'{"entry":{"body":"not base64!"}}')
