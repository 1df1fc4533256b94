"""JSON headers: what fastjson takes, what we refuse, and the typed reader beside the judge."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.codes import LanguageCode
from codec.command_json import (
    TypedCommand,
    decode_json,
    encode_json,
    language_code,
    typed_json_decoder,
)
from codec.errors import CodecError, HeaderError
from codec.headers.fields import RequestHeader
from codec.headers.namesrv import GetRouteInfoRequestHeader
from codec.headers.offsets import QueryConsumerOffsetRequestHeader
from codec.headers.send import SendMessageRequestHeaderV2

ROUTE = typed_json_decoder(GetRouteInfoRequestHeader)
NONE = typed_json_decoder(RequestHeader)


def command(**values):
    return TypedCommand(**({"ext_fields": {}} | values))


# Recorded: RemotingCommand.decode() of Java 5.3.3 gives just these values.
TAKEN = {
    "{}": command(),
    '{"code":null,"opaque":7}': command(opaque=7),
    '{"code":"310"}': command(code=310),
    '{"code":310.0}': command(code=310),
    '{"code":1e2}': command(code=100),
    '{"remark":5,"code":1}': command(code=1, remark="5"),
    '{"remark":null,"extFields":null}': command(),
    '{"extFields":{}}': command(),
    '{"extFields":{"a":1,"b":true,"c":1.50,"d":null,"h":"s"}}': command(
        ext_fields={"a": "1", "b": "true", "c": "1.50", "h": "s"}
    ),
    '{"extFields":{"f":{"x":1},"g":[1,2]}}': command(ext_fields={"f": '{"x":1}', "g": "[1,2]"}),
    '{"extFields":{"a":12345678901234567890}}': command(ext_fields={"a": "12345678901234567890"}),
    '{"language":3}': command(language="PYTHON"),
    '{"code":1,"code":2}': command(code=2),
    '{"zzz":[[[]]],"code":5}': command(code=5),
    ' { "version" : 9 , "flag" : 1 } ': command(version=9, flag=1),
}

# Java's null for a language is OTHER here.
OTHERS = ['{"language":null}', '{"language":99}', '{"language":14}']

REFUSED = [
    b"",
    b"[]",
    b"1",
    b'"x"',
    b"null",
    b'{"code":4294967296}',
    b'{"code":"x"}',
    b'{"code":true}',
    b'{"code":1.5}',
    b'{"code":{}}',
    b'{"opaque":-2147483649}',
    b'{"extFields":[]}',
    b'{"extFields":""}',
    b'{"code":5} tail',
    b'{"code":5',
    b"{'code':5}",
    b"{code:5}",
    b'\xef\xbb\xbf{"code":5}',
    b'{"remark":"\xff"}',
    b'{"unknown":"\xff"}',
    b'{"extFields":{"topic":"\xc3"}}',
    b'{"remark":"\\ud800"}',
    b'{"extFields":{"a":"\\ud800","b":1}}',
    b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"extFields":{"x":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}}",
    b"[" * 1_000_000,
]


@pytest.mark.parametrize(("header", "expected"), TAKEN.items())
def test_what_java_takes_is_taken(header, expected):
    assert decode_json(header.encode()) == expected


@pytest.mark.parametrize("header", OTHERS)
def test_a_language_nobody_knows_is_other(header):
    assert language_code(decode_json(header.encode()).language) == LanguageCode.OTHER


def test_languages_are_known_by_name():
    assert language_code("GO") == LanguageCode.GO
    assert language_code("KLINGON") == LanguageCode.OTHER


@pytest.mark.parametrize("header", REFUSED, ids=lambda header: repr(header[:24]))
def test_what_is_broken_is_refused_by_both_readers(header):
    with pytest.raises(CodecError) as generic:
        decode_json(header)
    with pytest.raises(CodecError) as typed:
        NONE(header)

    assert not isinstance(generic.value, HeaderError)
    assert not isinstance(typed.value, HeaderError)


def test_the_typed_reader_gives_the_header_class():
    header = b'{"extFields":{"topic":"t","x":"y"},"code":105,"opaque":4,"language":"GO","flag":2}'

    typed = ROUTE(header)

    assert typed.ext_fields == GetRouteInfoRequestHeader(topic="t")
    assert (typed.code, typed.opaque, typed.flag, typed.version) == (105, 4, 2, 0)
    assert (typed.language, typed.remark) == ("GO", None)


def test_the_typed_reader_coerces_as_the_judge_does():
    header = '{"extFields":{"topic":5,"acceptStandardJsonOnly":"1","lo":1},"language":"ü"}'

    typed = ROUTE(header.encode())

    assert typed.ext_fields == GetRouteInfoRequestHeader(
        topic="5", accept_standard_json_only=False, lo=False
    )
    assert typed.language == "ü"


def test_true_needs_its_word_even_without_other_coercion():
    assert ROUTE(b'{"extFields":{"topic":"t","lo":"1"}}').ext_fields.lo is False
    assert ROUTE(b'{"extFields":{"topic":"t","lo":"TRUE"}}').ext_fields.lo is True


@pytest.mark.parametrize("ext_fields", ["{}", "null", '{"topic":null}'])
def test_a_missing_field_names_the_command_to_answer(ext_fields):
    header = f'{{"code":105,"opaque":4,"flag":2,"extFields":{ext_fields}}}'

    with pytest.raises(HeaderError, match="topic is missing") as refusal:
        ROUTE(header.encode())

    error = refusal.value
    assert (error.field, error.code, error.opaque, error.flag) == ("topic", 105, 4, 2)


def test_no_ext_fields_are_enough_for_a_header_without_required_ones():
    assert NONE(b'{"code":106}').ext_fields == RequestHeader()


def test_keys_are_written_in_javas_order_and_null_left_out():
    assert encode_json(0, 5, 1, None, None, "JAVA", 0) == (
        b'{"code":0,"flag":1,"language":"JAVA","opaque":5,'
        b'"serializeTypeCurrentRPC":"JSON","version":0}'
    )
    assert encode_json(1, 2, 3, "", {"b": "x", "a": "y"}, "GO", 4) == (
        b'{"code":1,"extFields":{"b":"x","a":"y"},"flag":3,"language":"GO","opaque":2,'
        b'"remark":"","serializeTypeCurrentRPC":"JSON","version":4}'
    )


def test_half_a_surrogate_pair_cannot_be_written():
    with pytest.raises(CodecError):
        encode_json(0, 0, 1, "\ud800")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.one_of(
    SCALARS,
    st.sampled_from(["true", "1", "null", "1.0", "+7", "310", 1, 1.0, 2**31]),
    st.dictionaries(st.text(max_size=3), SCALARS, max_size=3),
)
KEYS = ["code", "opaque", "flag", "version", "language", "remark", "unknown"]
HEADERS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(KEYS, VALUES)
    | {
        "extFields": st.dictionaries(
            st.sampled_from(["topic", "consumerGroup", "queueId", "setZeroIfNotFound", "lo", "x"]),
            VALUES,
        )
    },
)


def _outcome(read, header):
    try:
        return read(header)
    except CodecError as error:
        return type(error)


@pytest.mark.parametrize("header_class", [QueryConsumerOffsetRequestHeader, RequestHeader])
@given(values=HEADERS, ascii_only=st.booleans())
def test_the_typed_reader_takes_what_the_judge_takes_and_reads_it_alike(
    header_class, values, ascii_only
):
    header = json.dumps(values, ensure_ascii=ascii_only).encode()

    typed = _outcome(typed_json_decoder(header_class), header)
    generic = _outcome(decode_json, header)

    if generic is CodecError:
        assert typed is CodecError
    elif typed is not HeaderError:
        for field in ("code", "opaque", "flag", "version", "language", "remark"):
            assert getattr(typed, field) == getattr(generic, field)


def test_a_send_is_read_in_any_order_of_keys():
    ext_fields = dict(zip("abcdefgh", ["g", "t", "d", "4", "1", "0", "5", "0"], strict=True))
    values = {"version": 1, "extFields": ext_fields, "code": 310}

    typed = typed_json_decoder(SendMessageRequestHeaderV2)(json.dumps(values).encode())

    assert (typed.code, typed.ext_fields.topic, typed.ext_fields.born_timestamp) == (310, "t", 5)


@pytest.mark.parametrize(
    "header",
    [
        b'{"code":200,"flag":1,"language":"GO","opaque":7,"remark":"r","version":3}',
        b'{"code":200,"flag":1,"language":"GO","opaque":7,"remark":"r","version":3,"extFields":{}}',
        b'{"co\\u0064e":200,"flag":1,"language":"GO","opaque":7,"remark":"r","version":3}',
        b'{"code":"200","flag":"1","language":9,"opaque":7,"remark":"r","version":3}',
        (
            b'{"code":200,"flag":1,"language":"GO","opaque":7,"remark":"r","version":3,'
            b'"ext\\u0046ields":{}}'
        ),
    ],
)
def test_a_header_without_ext_fields_is_read_alike_in_every_spelling(header):
    read = decode_json(header)

    assert (read.code, read.flag, read.opaque, read.version) == (200, 1, 7, 3)
    assert (language_code(read.language), read.remark) == (LanguageCode.GO, "r")
    assert read.ext_fields == {}
