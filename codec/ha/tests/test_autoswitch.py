import pytest
from construct import ConstructError
from hypothesis import given
from hypothesis import strategies as st

from codec.disk.epoch import EpochStart
from codec.errors import CodecError
from codec.ha.autoswitch import (
    CHUNK_HEADER,
    EPOCHS,
    EPOCHS_HEADER,
    EPOCHS_MAX,
    GREETING,
    HANDSHAKE,
    REPORT,
    TRANSFER,
    ChunkHeader,
    EpochsHeader,
    Greeting,
    pack_chunk_header,
    pack_epochs,
    pack_greeting,
    pack_report,
    parse_chunk_header,
    parse_epochs,
    parse_epochs_header,
    parse_greeting,
    parse_report,
    parse_state,
)

INT64_MAX = 2**63 - 1
INT32_MAX = 2**31 - 1
POSITIONS = st.integers(0, INT64_MAX)
OR_NONE = st.integers(-1, INT64_MAX)
NUMBERS = st.integers(0, INT32_MAX)
GREETINGS = st.builds(Greeting, st.booleans(), st.booleans(), POSITIONS)
CHUNK_HEADERS = st.builds(ChunkHeader, NUMBERS, OR_NONE, NUMBERS, POSITIONS, OR_NONE)


def ascending(largest):
    return st.lists(st.integers(0, largest), max_size=20, unique=True).map(sorted)


EPOCH_LISTS = st.tuples(ascending(INT32_MAX), ascending(INT64_MAX)).map(
    lambda both: [EpochStart(*pair) for pair in zip(*both, strict=False)]
)


def framed(state, size):
    """Bytes of which some pass the first checks."""
    head = state.to_bytes(4, "big")
    rest = st.binary(min_size=size - 4, max_size=size - 4)
    small = st.lists(st.sampled_from([0, 0, 0, 1, 255]), min_size=size - 4, max_size=size - 4)
    return st.binary(max_size=size + 4) | (rest | small.map(bytes)).map(lambda data: head + data)


@given(GREETINGS)
def test_declaration_and_twin_agree_on_greetings(greeting):
    data = GREETING.build(greeting._asdict())

    assert pack_greeting(greeting) == data
    assert parse_greeting(data) == greeting
    assert GREETING.parse(data).broker_id == greeting.broker_id
    assert parse_state(data) == HANDSHAKE


@given(POSITIONS)
def test_declaration_and_twin_agree_on_reports(position):
    data = REPORT.build({"position": position})

    assert pack_report(position) == data
    assert parse_report(data) == REPORT.parse(data).position == position
    assert parse_state(data) == TRANSFER


@given(EPOCH_LISTS, POSITIONS)
def test_declaration_and_twin_agree_on_epochs(epochs, end):
    body = EPOCHS.build([epoch._asdict() for epoch in epochs])
    last_epoch = epochs[-1].epoch if epochs else -1
    header = EPOCHS_HEADER.build({"size": len(body), "end": end, "last_epoch": last_epoch})

    assert pack_epochs(epochs, end) == header + body
    assert parse_epochs_header(header) == EpochsHeader(len(body), end, last_epoch)
    assert parse_epochs(body) == epochs


@given(CHUNK_HEADERS)
def test_declaration_and_twin_agree_on_chunk_headers(header):
    data = CHUNK_HEADER.build(header._asdict())

    assert pack_chunk_header(header) == data
    assert parse_chunk_header(data) == header
    assert CHUNK_HEADER.parse(data).confirmed == header.confirmed


@given(framed(HANDSHAKE, 16))
def test_greetings_are_refused_exactly_where_the_declaration_does_not_build_them_back(data):
    assert _read(parse_greeting, data) == _declared(GREETING, data)


@given(framed(TRANSFER, 12))
def test_reports_are_refused_exactly_where_the_declaration_does_not_build_them_back(data):
    assert _read(parse_report, data) == _declared(REPORT, data)


@given(framed(TRANSFER, 36))
def test_chunk_headers_are_refused_exactly_where_the_declaration_does_not_build_them_back(data):
    assert _read(parse_chunk_header, data) == _declared(CHUNK_HEADER, data)


@given(framed(HANDSHAKE, 20))
def test_epoch_headers_are_refused_where_the_declaration_does_not_build_them_back(data):
    if _read(parse_epochs_header, data):
        assert _declared(EPOCHS_HEADER, data)


@given(st.binary(max_size=60))
def test_epochs_are_refused_where_the_declaration_does_not_build_them_back(data):
    if _read(parse_epochs, data):
        assert _declared(EPOCHS, data)


def test_what_java_sent_is_read():
    assert parse_epochs_header(bytes.fromhex("00000001 00000018 0000000000001700 00000002")) == (
        24,
        5888,
        2,
    )
    assert parse_epochs(bytes.fromhex("00000001 0000000000000000 00000002 000000000000169e")) == [
        (1, 0),
        (2, 5790),
    ]
    # the last chunk of an epoch, with the number of the next one
    header = "00000002 0000069e 0000000000001000 00000002 000000000000169e 0000000000001700"
    assert parse_chunk_header(bytes.fromhex(header)) == (1694, 4096, 2, 5790, 5888)
    # the heartbeat of a master without a log
    header = "00000002 00000000 ffffffffffffffff 00000001 0000000000000000 ffffffffffffffff"
    assert parse_chunk_header(bytes.fromhex(header)) == (0, -1, 1, 0, -1)
    assert parse_greeting(bytes.fromhex("00000001 0000 0001 0000000000000002")) == (
        False,
        True,
        2,
    )


def test_of_too_many_epochs_the_last_are_told():
    epochs = [EpochStart(n, n * 10) for n in range(1, EPOCHS_MAX + 6)]

    data = pack_epochs(epochs, 99_999)

    assert parse_epochs_header(data[:20]) == (12 * EPOCHS_MAX, 99_999, EPOCHS_MAX + 5)
    assert parse_epochs(data[20:]) == epochs[5:]


@pytest.mark.parametrize("data", [b"", bytes(3), bytes(4), b"\0\0\0\3", b"\0\0\0\4" + bytes(12)])
def test_a_state_that_nobody_sends_is_refused(data):
    with pytest.raises(CodecError):
        parse_state(data)


@pytest.mark.parametrize(
    "text",
    [
        "00000002 0000 0000 0000000000000002",
        "00000001 0002 0000 0000000000000002",
        "00000001 0000 ffff 0000000000000002",
        "00000001 0000 0000 ffffffffffffffff",
        "00000001 0000 0000",
    ],
)
def test_a_greeting_that_is_none_is_refused(text):
    with pytest.raises(CodecError):
        parse_greeting(bytes.fromhex(text))


@pytest.mark.parametrize("text", ["00000002 ffffffffffffffff", "00000001 0000000000000000", "00"])
def test_a_report_that_is_none_is_refused(text):
    with pytest.raises(CodecError):
        parse_report(bytes.fromhex(text))


@pytest.mark.parametrize(
    "text",
    [
        "00000002 0000000c 0000000000000000 00000001",
        "00000001 0000000d 0000000000000000 00000001",
        "00000001 fffffff4 0000000000000000 00000001",
        "00000001 00002eec 0000000000000000 00000001",  # 1001 epochs
        "00000001 0000000c ffffffffffffffff 00000001",
        "00000001 0000000c 0000000000000000 fffffffe",
        "00000001",
    ],
)
def test_a_header_of_epochs_that_is_none_is_refused(text):
    with pytest.raises(CodecError):
        parse_epochs_header(bytes.fromhex(text))


@pytest.mark.parametrize(
    "text",
    [
        "00000001 00000000000000",
        "ffffffff 0000000000000000",
        "00000001 ffffffffffffffff",
        "00000001 0000000000000000 00000001 0000000000000001",
        "00000001 0000000000000001 00000002 0000000000000000",
    ],
)
def test_epochs_that_are_none_are_refused(text):
    with pytest.raises(CodecError):
        parse_epochs(bytes.fromhex(text))


@pytest.mark.parametrize(
    "text",
    [
        "00000001 00000000 0000000000000000 00000001 0000000000000000 0000000000000000",
        "00000002 ffffffff 0000000000000000 00000001 0000000000000000 0000000000000000",
        "00000002 00000000 fffffffffffffffe 00000001 0000000000000000 0000000000000000",
        "00000002 00000000 0000000000000000 ffffffff 0000000000000000 0000000000000000",
        "00000002 00000000 0000000000000000 00000001 ffffffffffffffff 0000000000000000",
        "00000002 00000000 0000000000000000 00000001 0000000000000000 fffffffffffffffe",
        "00000002",
    ],
)
def test_a_chunk_header_that_is_none_is_refused(text):
    with pytest.raises(CodecError):
        parse_chunk_header(bytes.fromhex(text))


def _read(parse, data):
    try:
        parse(data)
    except CodecError:
        return False
    return True


def _declared(declaration, data):
    try:
        return declaration.build(declaration.parse(data)) == data
    except ConstructError:
        return False
