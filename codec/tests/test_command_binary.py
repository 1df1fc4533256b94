"""Binary headers: the declaration and its twins."""

import pytest
from construct import ConstructError
from hypothesis import given
from hypothesis import strategies as st

from codec.codes import LanguageCode, RequestCode
from codec.command_binary import (
    BINARY_HEADER,
    CUT_CODES,
    decode_binary,
    encode_binary,
)
from codec.errors import CodecError

INT16 = st.integers(-(2**15), 2**15 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ENTRY = st.fixed_dictionaries({"key": TEXT.map(str.encode), "value": TEXT.map(str.encode)})
DECLARED = st.fixed_dictionaries(
    {
        "code": INT16,
        "language": st.integers(-128, 127),
        "version": INT16,
        "opaque": INT32,
        "flag": INT32,
        "remark": TEXT.map(str.encode),
        "ext_fields": st.lists(ENTRY, max_size=4),
    }
)


def same(parsed, read):
    """Whether the declaration and the twin say the same."""
    entries = [(entry["key"].decode(), entry["value"].decode()) for entry in parsed["ext_fields"]]
    assert read.ext_fields == {key: value for key, value in entries if key and value}
    code = parsed["code"]
    assert read.code == (code if parsed["flag"] & 1 else CUT_CODES.get(code, code))
    known = {language.value: language.name for language in LanguageCode}
    assert read.language == known.get(parsed["language"], "OTHER")
    for name in ("version", "opaque", "flag"):
        assert getattr(read, name) == parsed[name]
    assert (read.remark or "") == parsed["remark"].decode()


@given(DECLARED)
def test_what_the_declaration_builds_both_read_alike(values):
    header = BINARY_HEADER.build(values)

    same(BINARY_HEADER.parse(header), decode_binary(header))


@given(
    st.integers(-1000, 3010),
    INT32,
    INT32,
    st.none() | TEXT,
    st.dictionaries(TEXT, TEXT, max_size=4),
    st.sampled_from(list(LanguageCode)),
    INT16,
)
def test_the_twin_writes_what_the_declaration_writes(
    code, opaque, flag, remark, ext_fields, language, version
):
    entries = [{"key": k.encode(), "value": v.encode()} for k, v in ext_fields.items()]
    values = {"code": code, "language": language, "version": version, "opaque": opaque}
    values |= {"flag": flag, "remark": (remark or "").encode(), "ext_fields": entries}

    written = encode_binary(code, opaque, flag, remark, ext_fields, language.name, version)

    assert written == BINARY_HEADER.build(values)


def mess(header, changes, cut):
    data = bytearray(header)
    for at, value in changes:
        data[at % len(data)] = value
    return bytes(data[: len(data) - cut])


MESSED = st.builds(
    mess,
    DECLARED.map(BINARY_HEADER.build),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=2),
    st.integers(0, 2),
)


@given(MESSED | st.binary(max_size=40))
def test_of_any_bytes_the_twin_takes_only_what_the_declaration_builds_back(header):
    try:
        read = decode_binary(header)
    except CodecError:
        return
    parsed = BINARY_HEADER.parse(header)
    assert BINARY_HEADER.build(parsed) == header
    same(parsed, read)


def fixed(remark_length=0):
    return bytes(13) + remark_length.to_bytes(4, signed=True)


def block(data, length=None):
    return (len(data) if length is None else length).to_bytes(4, signed=True) + data


@pytest.mark.parametrize(
    "header",
    [
        b"",
        bytes(16),
        fixed(),
        fixed(-1) + block(b""),
        fixed(9) + block(b""),
        fixed(1) + b"\xff" + block(b""),
        fixed() + block(b"", -1),
        fixed() + block(b"", 1),
        fixed() + block(b"x", 0),
        fixed() + block(b"\x00"),
        fixed() + block(b"\x00\x01k"),
        fixed() + block(b"\xff\xffk" + block(b"v")),
        fixed() + block(b"\x00\x01k" + block(b"v", -1)),
        fixed() + block(b"\x00\x01k" + block(b"v", 2)),
        fixed() + block(b"\x00\x09k" + block(b"v")),
        fixed() + block(b"\x00\x01\xff" + block(b"v")),
        fixed() + block(b"\x00\x01k" + block(b"\xff")),
    ],
)
def test_lengths_that_point_outside_and_broken_text_are_refused(header):
    with pytest.raises(CodecError):
        decode_binary(header)


def test_the_declaration_refuses_bad_lengths_too():
    for header in (fixed(-1) + block(b""), fixed() + block(b"\x00\x01k" + block(b"v", 2))):
        with pytest.raises(ConstructError):
            BINARY_HEADER.parse(header)


def test_an_empty_key_or_value_counts_as_absent():
    entries = b"\x00\x00" + block(b"v") + b"\x00\x01k" + block(b"")

    assert decode_binary(fixed() + block(entries)).ext_fields == {}


@pytest.mark.parametrize(
    ("cut", "code"),
    [(3442, 200050), (3443, 200051), (3448, 200056), (3543, 200151)],
)
def test_cut_pop_codes_are_understood_in_requests_only(cut, code):
    request = encode_binary(code, 0, 0)
    response = encode_binary(cut, 0, 1)

    assert int.from_bytes(request[:2]) == cut
    assert decode_binary(request).code == code
    assert decode_binary(response).code == cut


def test_no_code_shares_the_number_of_a_cut_one():
    assert not set(CUT_CODES) & set(RequestCode)


@pytest.mark.parametrize(
    "arguments",
    [
        {"code": 40_000},
        {"opaque": 2**31},
        {"version": 2**15},
        {"remark": "\ud800"},
        {"ext_fields": {"k" * 40_000: "v"}},
        {"ext_fields": {"k": "\udfff"}},
    ],
)
def test_what_does_not_fit_is_refused(arguments):
    with pytest.raises(CodecError):
        encode_binary(**({"code": 1, "opaque": 0, "flag": 0} | arguments))
