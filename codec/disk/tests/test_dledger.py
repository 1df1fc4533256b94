import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.disk.dledger import (
    BLANK,
    ENTRY,
    ENTRY_HEADER_SIZE,
    INDEX_UNIT,
    UNIT_SIZE,
    CurrentTerm,
    LedgerCheckpoint,
    is_blank,
    pack_blank,
    pack_entry,
    pack_ledger_checkpoint,
    pack_term,
    pack_unit,
    parse_entry_header,
    parse_ledger_checkpoint,
    parse_term,
    parse_unit,
)
from codec.errors import CodecError
from codec.tests.golden_files import GOLDEN

MEMBER = GOLDEN / "dledger-n0"
INT64 = st.integers(-(2**63), 2**63 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)


def test_entries_of_java_are_read_and_packed_again():
    data = (MEMBER / "data" / f"{0:020d}").read_bytes()
    index = (MEMBER / "index" / f"{0:020d}").read_bytes()
    position = 0
    for number in range(6):
        header = parse_entry_header(data, position)
        body = data[position + ENTRY_HEADER_SIZE : position + header.size]

        assert (header.index, header.pos) == (number, position)
        assert (
            pack_entry(header.index, header.term, header.pos, body)
            == (data[position : position + header.size])
        )
        unit = index[number * UNIT_SIZE : (number + 1) * UNIT_SIZE]
        assert unit == header.unit == pack_unit(position, header.size, number, header.term)
        assert parse_unit(index, number * UNIT_SIZE).pos == position
        position += header.size
    assert not data[position:].strip(b"\0")


def test_texts_of_java_are_read_and_written_again():
    term = (MEMBER / "currterm").read_bytes()
    checkpoint = (MEMBER / "checkpoint").read_bytes()

    assert parse_term(term) == CurrentTerm(0, "n0")
    assert pack_term(parse_term(term)) == term
    assert parse_ledger_checkpoint(checkpoint) == LedgerCheckpoint(5, 5)
    assert pack_ledger_checkpoint(parse_ledger_checkpoint(checkpoint)) == checkpoint


@given(INT64, INT64, INT64, st.tuples(INT32, INT32, INT32), st.binary(max_size=40))
def test_declaration_and_twin_agree_on_any_entry(index, term, pos, marks, body):
    channel, chain_crc, body_crc = marks
    built = ENTRY.build(
        {
            "index": index,
            "term": term,
            "pos": pos,
            "channel": channel,
            "chain_crc": chain_crc,
            "body_crc": body_crc,
            "body": body,
        }
    )

    header = parse_entry_header(b"before" + built, 6)

    assert pack_entry(index, term, pos, body, marks) == built
    assert (header.index, header.term, header.pos) == (index, term, pos)
    assert (header.channel, header.chain_crc, header.body_crc) == marks
    assert (header.size, header.body_length) == (48 + len(body), len(body))


@given(INT64, INT32, INT64, INT64)
def test_declaration_and_twin_agree_on_any_unit(pos, size, index, term):
    built = INDEX_UNIT.build({"pos": pos, "size": size, "index": index, "term": term})

    unit = parse_unit(b"before" + built, 6)

    assert pack_unit(pos, size, index, term) == built
    assert (unit.pos, unit.size, unit.index, unit.term) == (pos, size, index, term)


@given(st.binary(max_size=2 * ENTRY_HEADER_SIZE))
def test_other_bytes_are_no_entry(data):
    with pytest.raises(CodecError):
        parse_entry_header(data)


@given(st.binary(max_size=2 * UNIT_SIZE))
def test_other_bytes_are_no_unit(data):
    with pytest.raises(CodecError):
        parse_unit(data)


def test_sizes_of_an_entry_must_agree():
    entry = bytearray(pack_entry(0, 0, 0, b"body"))
    entry[7] += 1

    with pytest.raises(CodecError, match="do not agree"):
        parse_entry_header(entry)


def test_a_body_of_less_than_nothing_is_refused():
    entry = bytearray(pack_entry(0, 0, 0, b""))
    entry[4:8] = (44).to_bytes(4, "big")
    entry[44:48] = b"\xff\xff\xff\xfc"

    with pytest.raises(CodecError):
        parse_entry_header(entry)


def test_a_blank_tells_itself_from_an_entry():
    blank = pack_blank(20)

    assert blank == BLANK.build({"size": 20})
    assert is_blank(b"." + blank, 1)
    assert not is_blank(pack_entry(0, 0, 0, b""), 0)


@given(st.integers(0, 2**63 - 1), st.one_of(st.none(), st.from_regex(r"[a-z0-9]+", fullmatch=True)))
def test_the_term_survives(term, vote):
    assert parse_term(pack_term(CurrentTerm(term, vote))) == (term, vote)


def test_texts_are_read_as_java_reads_properties():
    assert parse_term(b"#Sun Nov 22\n! note\n\n currTerm : 4\nvoteLeader = n1 \n") == (4, "n1")
    assert parse_term(b"") == (0, None)
    assert parse_term(b"currTerm\n") == (0, None)
    assert parse_ledger_checkpoint(b"endIndex=3") == LedgerCheckpoint(3, -1)


@pytest.mark.parametrize("text", [b"currTerm=x", b"currTerm=9223372036854775808", b"\xff"])
def test_a_broken_term_is_refused(text):
    with pytest.raises(CodecError):
        parse_term(text)
