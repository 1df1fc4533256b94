from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.errors import CodecError
from codec.fastjson_reader import ObjectKey, read


@given(st.binary() | st.text(alphabet="{}[]:,'\"\\$refa01-.eEu@ \n").map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(CodecError):
        read(body)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{0:1,-7:2}", {0: 1, -7: 2}),
        ("{a:1,$b_2:2}", {"a": 1, "$b_2": 2}),
        ("{null:1,true:2}", {"null": 1, "true": 2}),
        ("{'a':'x\\'\"y'}", {"a": "x'\"y"}),
        ("{,a:1,,b:2,}", {"a": 1, "b": 2}),
        ("[1,,2,]", [1, 2]),
        ("[NaN,undefined,null,true,false]", [None, None, None, True, False]),
        ("['\\x41\\0\\7\\v\\b\\f\\n\\r\\t\\/\\\\']", ["A\0\7\v\b\f\n\r\t/\\"]),
        ("['\\u00e9\\ud83d\\ude00']", ["é😀"]),
        ("['\\ud83d!']", ["\ufffd!"]),
        ("[1.5,-2e3,1E+2,01,1.,]", [1.5, -2000.0, 100.0, 1, 1.0]),
        (" {'a' : [ 1 , { } ] } \n", {"a": [1, {}]}),
        ("{'a':'b\nc'}", {"a": "b\nc"}),
    ],
)
def test_the_dialect_is_read_as_java_reads_it(text: Any, value: Any) -> None:
    assert read(text.encode()) == value


def test_objects_as_keys_are_hashable_objects() -> None:
    value = read(b'{{"topic":"t","queueId":1}:{0:"a"},{}:2}')

    assert value == {
        ObjectKey((("topic", "t"), ("queueId", 1))): {0: "a"},
        ObjectKey(()): 2,
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":{"b":1},"c":{"$ref":"$.a"}}', {"a": {"b": 1}, "c": {"b": 1}}),
        ('{"a":{"b":[1]},"c":{"$ref":"$.a.b"}}', {"a": {"b": [1]}, "c": [1]}),
        ('{"a":[{"b":1}],"c":{"$ref":"$.a[0]"}}', {"a": [{"b": 1}], "c": {"b": 1}}),
        ('{"c":{"$ref":"$.a[0].b"},"a":[{"b":1}]}', {"a": [{"b": 1}], "c": 1}),
        ('{"a.b":{"x":1},"c":{"$ref":"$.a\\\\.b"}}', {"a.b": {"x": 1}, "c": {"x": 1}}),
        ('{"m":{0:{"x":1},1:{"$ref":"$.m.0"}}}', {"m": {0: {"x": 1}, 1: {"x": 1}}}),
        ('{"a":{"$ref":"$"}}', {"a": None}),
        ('{"a":{"$ref":"@"}}', {"a": None}),
        ('{"a":[{"$ref":".."}]}', {"a": [None]}),
        ('{"a":{"b":{"$ref":"$.a"}}}', {"a": {"b": None}}),
        ('{"a":[1],"c":{"$ref":"$.a[1]"}}', {"a": [1], "c": None}),
        ('{"a":[1],"c":{"$ref":"$.a.b"}}', {"a": [1], "c": None}),
        ('{"a":1,"c":{"$ref":"$.a[0]"}}', {"a": 1, "c": None}),
        ('{"a":1,"c":{"$ref":"$zz"}}', {"a": 1, "c": None}),
        ('{"a":1,"c":{"$ref":"$.b"}}', {"a": 1, "c": None}),
        ('{"a":{"$ref":"$.c"},"c":{"$ref":"$.a"}}', {"a": None, "c": None}),
        ('{"$ref":"$"}', None),
        ('{"a":{"$ref":"$","b":1}}', {"a": {"$ref": "$", "b": 1}}),
    ],
)
def test_references_become_what_they_mean_or_none(text: Any, value: Any) -> None:
    assert read(text.encode()) == value


def test_a_reference_to_the_value_of_a_queue_is_resolved() -> None:
    body = (
        b'{"offsetTable":{{"brokerName":"b","queueId":1,"topic":"t"}:{"brokerOffset":5},'
        b'{"brokerName":"b-a","queueId":0,"topic":"t.x"}:{"$ref":"$.offsetTable.MessageQueue\\\\ '
        b"\\\\[topic\\\\=t\\\\,\\\\ brokerName\\\\=b\\\\,\\\\ queueId\\\\=1\\\\]"
        b'"}}}'
    )

    value: Any = read(body)

    assert list(value["offsetTable"].values()) == [{"brokerOffset": 5}] * 2


def test_references_cannot_blow_a_value_up() -> None:
    levels = [f'"a{n}":[' + ",".join([f'{{"$ref":"$.a{n - 1}"}}'] * 9) + "]" for n in range(1, 15)]
    body = '{"a0":[1],' + ",".join(levels) + "}"

    with pytest.raises(CodecError, match="grow"):
        read(body.encode())


def test_references_cannot_nest_a_value_without_end() -> None:
    levels = [f'"a{n}":[{{"$ref":"$.a{n + 1}"}}]' for n in range(300)]
    body = "{" + ",".join(levels) + "}"

    root: Any = read((body[:-1] + ',"long":"' + "x" * 100_000 + '"}').encode())
    value = root["a0"]
    depth = 0
    while value:
        value, depth = value[0], depth + 1
    assert depth < 110


@pytest.mark.parametrize("opening", ["[", '{"a":', "{a:", "{{", "[{'a':["])
def test_depth_is_bounded(opening: Any) -> None:
    with pytest.raises(CodecError, match="levels"):
        read(opening.encode() * 100_000)


def test_a_hundred_levels_are_read() -> None:
    assert read(b"[" * 100 + b",]" + b"]" * 99)
    with pytest.raises(CodecError, match="at most 100 levels"):
        read(b"[" * 101 + b",]" + b"]" * 100)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "a value, not ''"),
        (b"{", "a key"),
        (b"[", "a value"),
        (b"[1", "a comma"),
        (b"[1 2]", "a comma"),
        (b"{a}", "a colon"),
        (b"{a:1", "a comma or }"),
        (b"{a:1]", "a comma or }"),
        (b"{a:1}}", "the end"),
        (b"{a:tru}", "a value"),
        (b"{a:'b}", "the rest of a string"),
        (b"{a:'\\q'}", "the rest of a string"),
        (b"{a:'\\u12", "the rest of a string"),
        (b"{a:'\\u12g4'}", "the rest of a string"),
        (b"{a:'\\", "the rest of a string"),
        (b"[" + b"1" * 41 + b",]", "at most 40 characters"),
        (b"{" + b"1" * 41 + b":1}", "at most 40 characters"),
        (b"{{'a':[1]}:1}", "plain members"),
        (b"{{'$ref':'$'}:1}", "plain members"),
        (b"{{0:1}:1}", "plain members"),
        (b"{[1]:2}", "a key"),
        (b"'\xff'", "UTF-8"),
    ],
)
def test_a_refusal_says_what_was_expected(body: Any, expected: Any) -> None:
    with pytest.raises(CodecError) as refusal:
        read(body)

    assert expected in str(refusal.value)
