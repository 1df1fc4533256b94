import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.bodies import decode_body, encode_body
from codec.bodies.body import Body, kept, kept_dict, kept_list, kept_new, kept_set
from codec.bodies.clients import ConsumerRunningInfo
from codec.bodies.data_version import DataVersion
from codec.bodies.heartbeat import ConsumeFromWhere, ConsumeType, HeartbeatData, MessageModel
from codec.bodies.kv import KVTable
from codec.bodies.message_queue import MessageQueue
from codec.bodies.offsets import ConsumerOffsetSerializeWrapper, ResetOffsetBody
from codec.bodies.register import RegisterBrokerBody
from codec.bodies.route import TopicRouteData
from codec.errors import CodecError
from codec.fastjson import dumps

QUEUE = MessageQueue(topic="t", broker_name="b", queue_id=1)


class Sample(Body, kw_only=True):
    a_list: list[int] = kept_list()
    a_set: set[int] = kept_set()
    count: int = kept(0)
    none: str | None = None
    table: dict[str, str] = kept_dict()
    version: DataVersion = kept_new(DataVersion)


def heartbeat(**consumer: Any) -> Any:
    body = {"clientID": "c", "consumerDataSet": [{"groupName": "g"} | consumer]}
    return decode_body(HeartbeatData, dumps(body)).consumer_data_set[0]


def test_only_none_is_left_out() -> None:
    assert encode_body(Sample()) == (
        b'{"aList":[],"aSet":[],"count":0,"table":{},'
        b'"version":{"counter":0,"stateVersion":0,"timestamp":0}}'
    )


def test_defaults_are_not_shared() -> None:
    Sample().a_list.append(1)
    Sample().table["a"] = "b"
    Sample().a_set.add(1)

    assert Sample() == Sample(a_list=[], table={}, a_set=set())


def test_unknown_keys_are_ignored() -> None:
    assert decode_body(KVTable, b'{"table":{"a":"b"},"more":[1]}').table == {"a": "b"}


def test_null_is_as_absent() -> None:
    body = b'{"aList":null,"count":null,"none":null,"table":{"a":null,"b":"c"},"version":null}'

    assert decode_body(Sample, body) == Sample(table={"b": "c"})
    assert decode_body(Sample, b'{"aList":[1,null]}').a_list == [1]


def test_empty_text_for_a_number_is_as_absent() -> None:
    assert decode_body(Sample, b'{"count":"","version":{"counter":"null"}}') == Sample()


def test_numbers_may_be_text_and_text_numbers() -> None:
    assert decode_body(Sample, b'{"count":"7"}').count == 7
    assert decode_body(Sample, b'{"table":{"a":1,"b":true,"c":false,5:0.5}}').table == {
        "a": "1",
        "b": "true",
        "c": "false",
        "5": "0.5",
    }


def test_enums_are_read_by_name_and_by_number() -> None:
    named = heartbeat(consumeType="CONSUME_POP", messageModel="BROADCASTING")
    numbered = heartbeat(consumeType=1, messageModel=1, consumeFromWhere=4)

    assert named.consume_type is ConsumeType.CONSUME_POP
    assert named.message_model is MessageModel.BROADCASTING
    assert numbered.consume_type is ConsumeType.CONSUME_PASSIVELY
    assert numbered.message_model is MessageModel.CLUSTERING
    assert numbered.consume_from_where is ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET


def test_an_unknown_enum_is_as_absent() -> None:
    assert heartbeat(consumeType="CONSUME_BY_MAGIC").consume_type is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"offsetTable":{{"brokerName":"b","queueId":1,"topic":"t"}:5}}',
        b'{"offsetTable":{ { "queueId":"1", "topic":"t", "brokerName":"b" } : "5" } }',
        b'{"offsetTable":{"{\\"brokerName\\":\\"b\\",\\"queueId\\":1,\\"topic\\":\\"t\\"}":5}}',
    ],
)
def test_objects_as_keys_become_queues(body: Any) -> None:
    assert decode_body(ResetOffsetBody, body).offset_table == {QUEUE: 5}


def test_queues_as_keys_are_written_as_objects_without_blanks() -> None:
    assert encode_body(ResetOffsetBody(offset_table={QUEUE: 5})) == (
        b'{"offsetTable":{{"brokerName":"b","queueId":1,"topic":"t"}:5}}'
    )


@pytest.mark.parametrize("body", [b'{"offsetTable":{"t@g":{0:5}}}', b'{offsetTable:{t@g:{"0":5}}}'])
def test_numbers_as_keys_are_read_bare_and_quoted(body: Any) -> None:
    body = body.replace(b"{t@g", b"{'t@g'")

    assert decode_body(ConsumerOffsetSerializeWrapper, body).offset_table == {"t@g": {0: 5}}


@pytest.mark.parametrize(
    ("cls", "body", "place"),
    [
        (ResetOffsetBody, b'{"offsetTable":{"x":1}}', "JSON at character 0"),
        (ResetOffsetBody, b'{"offsetTable":{{"topic":"t"}:1}}', "object as key: .*brokerName"),
        (ResetOffsetBody, b'{"offsetTable":{7:1}}', "object as key"),
        (ResetOffsetBody, b'{"offsetTable":[]}', r"\$.offsetTable"),
        (KVTable, b'{"table":{{"a":1}:"x"}}', "an object where"),
        (KVTable, b'{"table":{"a":[]}}', r"KVTable: .*\$.table"),
        (KVTable, b"[]", "KVTable"),
        (KVTable, b"null", "KVTable"),
        (KVTable, b"\xff", "UTF-8"),
        (HeartbeatData, b"{}", "clientID"),
        (
            HeartbeatData,
            b'{"clientID":"c","consumerDataSet":[{"groupName":"g","consumeType":9}]}',
            "consumeType",
        ),
        (HeartbeatData, b'{"clientID":"c","heartbeatFingerprint":2147483648}', "2147483647"),
        (ConsumerOffsetSerializeWrapper, b'{"offsetTable":{"a":{"b":1}}}', r"\$.offsetTable"),
    ],
)
def test_a_refusal_names_the_place(cls: Any, body: Any, place: Any) -> None:
    with pytest.raises(CodecError, match=place):
        decode_body(cls, body)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(CodecError):
        decode_body(KVTable, b'{"table":' * 100_000)


KEYS = [
    "clientID",
    "consumerDataSet",
    "groupName",
    "table",
    "offsetTable",
    "mqTable",
    "brokerDatas",
    "brokerAddrs",
    "0",
    "consumeType",
    "dataVersion",
    "counter",
    "topicConfigSerializeWrapper",
    "topicConfigTable",
    "attributes",
    "properties",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS) | st.integers(0, 3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(
    st.sampled_from(
        [HeartbeatData, ConsumerRunningInfo, RegisterBrokerBody, TopicRouteData, KVTable, Sample]
    ),
    JSON.map(msgspec.json.encode) | st.binary(),
)
def test_any_body_is_read_or_refused(cls: Any, body: Any) -> None:
    with contextlib.suppress(CodecError):
        assert isinstance(decode_body(cls, body), cls)
