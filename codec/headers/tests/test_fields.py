"""What text means in a header: the fast reader and the judge agree, and both agree with Java."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.command_json import decode_json, typed_json_decoder
from codec.errors import CodecError, HeaderError
from codec.headers.fields import (
    Int32,
    Int64,
    RequestHeader,
    ResponseHeader,
    TopicRequestHeader,
    decode_header,
    ext_fields_of,
    flags_of,
    java_text,
    judge_fields,
    plan_of,
)


class Sample(RequestHeader, frozen=True, kw_only=True):
    """One field of each kind."""

    name: str
    queue_id: Int32
    offset: Int64 | None = None
    ordered: bool = False
    forced: bool | None = None
    remark: str | None = None


class Flags(RequestHeader, frozen=True, kw_only=True):
    one: bool = False


class Empty(ResponseHeader, frozen=True, kw_only=True):
    pass


class Single(ResponseHeader, frozen=True, kw_only=True):
    offset: Int64 | None = None


class Two(ResponseHeader, frozen=True, kw_only=True):
    offset: Int64
    note: str | None = None


def read(**texts):
    return decode_header(Sample, {"name": "n", "queueId": "0"} | texts)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        ("+5", 5),
        ("-5", -5),
        ("007", 7),
        ("-0", 0),
        ("2147483647", 2**31 - 1),
        ("-2147483648", -(2**31)),
    ],
)
def test_numbers_are_read_as_java_does(text, number):
    assert read(queueId=text).queue_id == number


@pytest.mark.parametrize(
    "text",
    ["", "-", "+", " 5", "5 ", "1_0", "0x1", "2147483648", "1.5", "null", "\u0663", "9" * 5000],
)
def test_what_is_no_number_names_its_field(text):
    with pytest.raises(HeaderError, match="field queueId") as refusal:
        read(queueId=text)

    assert refusal.value.field == "queueId"
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(("text", "number"), [("1.0", 1), ("1e3", 1000)])
def test_whole_numbers_in_other_forms_are_taken_though_java_refuses(text, number):
    assert read(queueId=text).queue_id == number


@pytest.mark.parametrize(
    ("text", "truth"),
    [("true", True), ("TRUE", True), ("tRue", True)]
    + [(text, False) for text in ("false", "1", "0", "yes", "", "true ", "trueish")],
)
def test_only_the_word_true_is_true(text, truth):
    header = read(ordered=text, forced=text)

    assert (header.ordered, header.forced) == (truth, truth)


def test_null_is_absent_where_a_field_may_be():
    header = read(offset="null", forced="NULL", ordered="null", remark="null")

    assert (header.offset, header.forced, header.ordered) == (None, None, False)
    assert header.remark == "null"


def test_a_missing_field_is_named():
    with pytest.raises(HeaderError, match="field queueId is missing"):
        decode_header(Sample, {"name": "n"})
    with pytest.raises(HeaderError, match="field name is missing"):
        decode_header(Sample, None)


def test_fields_nobody_declared_are_ignored():
    assert read(other="x") == read()


def test_a_header_is_written_as_java_writes_it():
    header = Sample(name="n", queue_id=-1, offset=2**63 - 1, ordered=True, forced=False)

    expected = {"name": "n", "queueId": "-1", "offset": "9223372036854775807"}
    assert ext_fields_of(header) == expected | {"ordered": "true", "forced": "false"}


def test_what_is_none_is_left_out():
    assert ext_fields_of(Empty()) == {}
    assert ext_fields_of(Single()) == {}
    assert ext_fields_of(Single(offset=0)) == {"offset": "0"}
    assert ext_fields_of(Two(offset=1)) == {"offset": "1"}
    assert ext_fields_of(Two(offset=1, note="x")) == {"offset": "1", "note": "x"}


def test_flags_are_listed_whatever_their_number():
    assert True in flags_of(Flags)(Flags(one=True))
    assert True not in flags_of(Flags)(Flags())
    assert flags_of(Single)(Single(offset=1)) == ()
    assert True in flags_of(TopicRequestHeader)(TopicRequestHeader(lo=True))
    assert True not in flags_of(TopicRequestHeader)(TopicRequestHeader(nsd=False))


def test_java_writes_truth_in_lower_case():
    assert [java_text(value) for value in (True, False, 1, "x")] == ["true", "false", "1", "x"]


def test_a_field_of_another_kind_is_a_mistake_in_the_declaration():
    class Wrong(RequestHeader, frozen=True, kw_only=True):
        rate: float

    with pytest.raises(TypeError, match="rate"):
        plan_of(Wrong)


WORDS = st.one_of(
    st.sampled_from(["true", "TRUE", "false", "1", "0", "null", "NULL", "-1", "+1", "1.0", "1e3"]),
    st.sampled_from(["", " 1", "1 ", "1_0", "01", "-0", "1.5", "1e400", "nan", "inf", "\u0663"]),
    st.integers().map(str),
    st.floats().map(str),
    st.text(max_size=4),
)
NAMES = ["name", "queueId", "offset", "ordered", "forced", "remark", "other"]


def outcome(read_it):
    try:
        return read_it()
    except CodecError as error:
        return type(error)


@given(st.dictionaries(st.sampled_from(NAMES), WORDS))
def test_the_fast_reader_and_the_judge_agree_on_text(texts):
    fast = outcome(lambda: decode_header(Sample, texts))

    assert fast == outcome(lambda: judge_fields(Sample, texts))


@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        WORDS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False).map(abs),
    )
)
def test_the_typed_reader_and_the_judge_agree_on_json(values):
    header = json.dumps({"code": 1, "opaque": 5, "extFields": values}).encode()

    exact = outcome(lambda: judge_fields(Sample, decode_json(header).ext_fields))

    assert outcome(lambda: typed_json_decoder(Sample)(header).ext_fields) == exact


@given(
    st.builds(
        Sample,
        name=st.text(),
        queue_id=st.integers(-(2**31), 2**31 - 1),
        offset=st.none() | st.integers(-(2**63), 2**63 - 1),
        ordered=st.booleans(),
        forced=st.none() | st.booleans(),
        remark=st.none() | st.text(),
    )
)
def test_what_is_written_is_read_back(header):
    assert decode_header(Sample, ext_fields_of(header)) == header
    assert judge_fields(Sample, ext_fields_of(header)) == header


def test_struct_config_is_inherited():
    config = Sample.__struct_config__

    assert isinstance(config, msgspec.structs.StructConfig)
    assert (config.frozen, config.gc) == (True, False)
