import pytest
from construct import ConstructError
from hypothesis import given
from hypothesis import strategies as st

from codec.errors import CodecError
from codec.ha.default import (
    CHUNK_HEADER,
    REPORT,
    ChunkHeader,
    pack_chunk_header,
    pack_report,
    parse_chunk_header,
    parse_report,
)

POSITIONS = st.integers(0, 2**63 - 1)
SIZES = st.integers(0, 2**31 - 1)


@given(POSITIONS)
def test_declaration_and_twin_agree_on_reports(position):
    data = REPORT.build({"position": position})

    assert pack_report(position) == data
    assert parse_report(data) == REPORT.parse(data).position == position


@given(POSITIONS, SIZES)
def test_declaration_and_twin_agree_on_chunk_headers(position, size):
    data = CHUNK_HEADER.build({"position": position, "size": size})

    assert pack_chunk_header(position, size) == data
    assert parse_chunk_header(data) == ChunkHeader(position, size)
    assert CHUNK_HEADER.parse(data).size == size


@given(st.binary(max_size=16))
def test_reports_are_refused_exactly_where_the_declaration_does_not_build_them_back(data):
    assert _read(parse_report, data) == _declared(REPORT, data)


@given(st.binary(max_size=16) | st.binary(min_size=12, max_size=12))
def test_headers_are_refused_exactly_where_the_declaration_does_not_build_them_back(data):
    assert _read(parse_chunk_header, data) == _declared(CHUNK_HEADER, data)


def test_headers_of_java_are_read():
    assert parse_chunk_header(bytes.fromhex("0000000000001000 0000069e")) == (4096, 1694)
    assert parse_chunk_header(bytes.fromhex("000000000000169e 00000000")) == (5790, 0)
    assert parse_report(bytes.fromhex("000000000000006b")) == 107


@pytest.mark.parametrize("data", [b"", bytes(7), bytes(9), b"\xff" * 8])
def test_a_report_that_is_none_is_refused(data):
    with pytest.raises(CodecError):
        parse_report(data)


@pytest.mark.parametrize("data", [b"", bytes(11), bytes(13), b"\xff" * 12, bytes(8) + b"\xff" * 4])
def test_a_header_that_is_none_is_refused(data):
    with pytest.raises(CodecError):
        parse_chunk_header(data)


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
