"""Commands in both encodings, beside what Java writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.codes import CURRENT_VERSION, LanguageCode, RequestCode, ResponseCode
from codec.command import (
    Command,
    decode_command,
    decode_text,
    encode_command,
    encode_response,
    typed_decoders,
)
from codec.command_binary import encode_binary
from codec.errors import CodecError, HeaderError
from codec.frame import JSON, ROCKETMQ, Frame, parse_frame
from codec.headers.offsets import QueryConsumerOffsetRequestHeader
from codec.tests.golden import GOLDEN

SEND = Command(
    RequestCode.SEND_MESSAGE_V2,
    77,
    0,
    479,
    LanguageCode.JAVA,
    None,
    {
        "a": "producer_group",
        "b": "topic-\u4e2d",
        "c": "TBW102",
        "d": "4",
        "e": "3",
        "f": "8",
        "g": "1732246245123",
        "h": "0",
        "i": "UNIQ_KEY\x017F0001\x02WAIT\x01true",
        "j": "0",
        "k": "false",
        "l": "16",
        "m": "true",
    },
    b"hello",
)
REFUSAL = Command(3, 5, 1, 0, LanguageCode.JAVA, " request type 9 not supported")
ONEWAY = Command(RequestCode.GET_BROKER_CLUSTER_INFO, -(2**31), 2, 317, LanguageCode.GO)
OFFSET = Command(0, 2**31 - 1, 1, 0, LanguageCode.JAVA, None, {"offset": str(2**63 - 1)})
ODD = Command(
    RequestCode.POP_MESSAGE,
    1,
    version=0,
    language=LanguageCode.JAVA,
    ext_fields={'q"uote\\': "tab\tnl\nctl\x01\x0b del\x7f \u2028 \U0001f600 /<>"},
)
NOTHING = Command(0, 9, 1, 0, LanguageCode.JAVA)
BEAT = Command(RequestCode.HEART_BEAT, 2, 0, 0, LanguageCode.JAVA, body=b"\x00\x01\xff")

COMMANDS = [SEND, REFUSAL, ONEWAY, OFFSET, ODD, NOTHING, BEAT]


@pytest.mark.parametrize("number", range(len(COMMANDS)))
@pytest.mark.parametrize("encoding", [JSON, ROCKETMQ])
def test_what_java_wrote_is_read(number, encoding):
    expected = Command(**{f: getattr(COMMANDS[number], f) for f in Command.__struct_fields__})
    expected.encoding = encoding
    if number == 5 and encoding == JSON:
        expected.remark = ""  # in binary an empty remark is none
    if number == 6 and encoding == JSON:
        expected.ext_fields = {"k": ""}  # in binary an empty value is none
    name = ("JSON", "ROCKETMQ")[encoding]

    assert decode_command(parse_frame(GOLDEN[f"c{number}_{name}"])) == expected


@pytest.mark.parametrize("name", ["c0_JSON", "c0_ROCKETMQ", "c1_JSON", "c1_ROCKETMQ"])
def test_what_java_wrote_is_written_alike(name):
    golden = GOLDEN[name]

    assert encode_command(decode_command(parse_frame(golden))) == golden


@pytest.mark.parametrize("name", ["c2_JSON", "c2_ROCKETMQ", "c3_JSON", "c3_ROCKETMQ"])
def test_javas_one_way_request_and_response_are_written_alike(name):
    golden = GOLDEN[name]

    assert encode_command(decode_command(parse_frame(golden))) == golden


def test_a_pop_request_is_cut_in_binary_as_java_cuts_it():
    golden = GOLDEN["c4_ROCKETMQ"]
    command = decode_command(parse_frame(golden))

    assert command.code == RequestCode.POP_MESSAGE
    assert encode_command(command) == golden


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
INT32 = st.integers(-(2**31), 2**31 - 1)
BUILT = st.builds(
    Command,
    code=st.integers(-1000, 3010),
    opaque=INT32,
    flag=INT32,
    version=st.integers(0, 32767),
    language=st.sampled_from([int(language) for language in LanguageCode]),
    remark=st.none() | TEXT.filter(bool),
    ext_fields=st.dictionaries(TEXT.filter(bool), TEXT.filter(bool)),
    body=st.binary(max_size=20),
    encoding=st.sampled_from([JSON, ROCKETMQ]),
)


@given(BUILT)
def test_what_is_written_is_read_back(command):
    assert decode_command(parse_frame(encode_command(command))) == command


def test_a_response_says_who_we_are():
    ext_fields = {"offset": "1"}
    for encoding in (JSON, ROCKETMQ):
        answer = encode_response(encoding, 7, ResponseCode.SUCCESS, "ok", ext_fields, b"b")

        command = decode_command(parse_frame(answer))

        assert command == Command(
            0, 7, 1, CURRENT_VERSION, LanguageCode.PYTHON, "ok", ext_fields, b"b", encoding
        )
        assert command.is_response
        assert not command.is_oneway


def test_a_one_way_request_is_seen():
    assert ONEWAY.is_oneway
    assert not ONEWAY.is_response


def test_an_unknown_language_number_is_written_as_other():
    command = Command(34, language=99)

    assert decode_command(parse_frame(encode_command(command))).language == LanguageCode.OTHER


def test_an_encoding_nobody_knows_is_refused():
    with pytest.raises(CodecError, match="encoding 7"):
        decode_text(Frame(7, b"{}"))


def test_typed_readers_read_both_encodings_alike():
    ext_fields = {"consumerGroup": "g", "topic": "t", "queueId": "3", "setZeroIfNotFound": "true"}
    expected = QueryConsumerOffsetRequestHeader(
        consumer_group="g", topic="t", queue_id=3, set_zero_if_not_found=True
    )
    from_json, from_frame = typed_decoders(QueryConsumerOffsetRequestHeader)

    for encoding in (JSON, ROCKETMQ):
        command = Command(14, 9, ext_fields=ext_fields, encoding=encoding)
        frame = parse_frame(encode_command(command))
        typed = from_frame(frame)
        assert (typed.ext_fields, typed.code, typed.opaque) == (expected, 14, 9)
        assert typed.language == "PYTHON"
        if encoding == JSON:
            assert from_json(frame.header) == typed


def test_a_wrong_field_names_the_command_to_answer():
    header = encode_binary(14, 9, 2, None, {"consumerGroup": "g", "topic": "t", "queueId": "x"})
    _, from_frame = typed_decoders(QueryConsumerOffsetRequestHeader)

    with pytest.raises(HeaderError, match="queueId") as refusal:
        from_frame(Frame(ROCKETMQ, header))

    error = refusal.value
    assert (error.field, error.code, error.opaque, error.flag) == ("queueId", 14, 9, 2)
