import math
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codec import fastjson
from codec.errors import CodecError
from codec.fastjson import ObjectKey, dumps, dumps_bare, dumps_pretty, loads

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text()
VALUES = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
).filter(lambda value: '"$ref"' not in dumps(value).decode())
KEYS = (
    st.text()
    | st.integers(-(2**63), 2**63 - 1)
    | st.builds(
        ObjectKey,
        st.dictionaries(st.text(), SCALARS, max_size=3).map(lambda parts: tuple(parts.items())),
    )
)


class Point(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    far_x: int
    name: str | None = None


class Table(msgspec.Struct):
    points: dict[Point, list[float]]


@given(VALUES)
def test_standard_json_goes_there_and_back(value: Any) -> None:
    assert loads(dumps(value)) == value


@given(st.dictionaries(KEYS, SCALARS, max_size=5).filter(lambda value: "$ref" not in value))
def test_the_dialect_goes_there_and_back(value: Any) -> None:
    assert loads(dumps_bare(value)) == value
    assert loads(dumps_pretty(value).encode()) == value


@settings(max_examples=300)
@given(st.binary() | st.text(alphabet="{}[]:,'\"\\$refa01-.eEu@ \n").map(str.encode))
def test_any_bytes_are_read_or_refused(body: Any) -> None:
    try:
        value = loads(body)
    except CodecError:
        return
    assert loads(dumps_bare(value)) == value or b"$ref" in body or b"NaN" in body


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
    assert loads(text.encode()) == value


def test_objects_as_keys_are_hashable_objects() -> None:
    value = loads(b'{{"topic":"t","queueId":1}:{0:"a"},{}:2}')

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
    assert loads(text.encode()) == value


def test_a_reference_to_the_value_of_a_queue_is_resolved() -> None:
    body = (
        b'{"offsetTable":{{"brokerName":"b","queueId":1,"topic":"t"}:{"brokerOffset":5},'
        b'{"brokerName":"b-a","queueId":0,"topic":"t.x"}:{"$ref":"$.offsetTable.MessageQueue\\\\ '
        b"\\\\[topic\\\\=t\\\\,\\\\ brokerName\\\\=b\\\\,\\\\ queueId\\\\=1\\\\]"
        b'"}}}'
    )

    assert list(loads(body)["offsetTable"].values()) == [{"brokerOffset": 5}] * 2


def test_references_cannot_blow_a_value_up() -> None:
    levels = [f'"a{n}":[' + ",".join([f'{{"$ref":"$.a{n - 1}"}}'] * 9) + "]" for n in range(1, 15)]
    body = '{"a0":[1],' + ",".join(levels) + "}"

    with pytest.raises(CodecError, match="grow"):
        loads(body.encode())


def test_references_cannot_nest_a_value_without_end() -> None:
    levels = [f'"a{n}":[{{"$ref":"$.a{n + 1}"}}]' for n in range(300)]
    body = "{" + ",".join(levels) + "}"

    value = loads((body[:-1] + ',"long":"' + "x" * 100_000 + '"}').encode())["a0"]
    depth = 0
    while value:
        value, depth = value[0], depth + 1
    assert depth < 110


@pytest.mark.parametrize("opening", ["[", '{"a":', "{a:", "{{", "[{'a':["])
def test_depth_is_bounded(opening: Any) -> None:
    with pytest.raises(CodecError, match="levels"):
        loads(opening.encode() * 100_000)


def test_a_hundred_levels_are_read() -> None:
    assert loads(b"[" * 100 + b",]" + b"]" * 99)
    with pytest.raises(CodecError, match="at most 100 levels"):
        loads(b"[" * 101 + b",]" + b"]" * 100)


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
        loads(body)

    assert expected in str(refusal.value)


def test_numbers_as_keys_are_quoted_and_bare_where_asked() -> None:
    value = {"m": {0: "a", 2: "b"}}

    assert dumps(value) == b'{"m":{"0":"a","2":"b"}}'
    assert dumps_bare(value) == b'{"m":{0:"a",2:"b"}}'
    assert dumps_pretty(value) == '{\n\t"m":{0:"a",2:"b"\n\t}\n}'


def test_structs_as_keys_are_written_as_objects() -> None:
    table = Table({Point(1): [math.nan], Point(2, "b"): [math.inf, 0.5]})

    text = b'{"points":{{"farX":1}:[null],{"farX":2,"name":"b"}:[null,0.5]}}'
    assert dumps(table) == text
    assert dumps_bare(table) == text


def test_beside_an_object_as_key_numbers_are_still_quoted() -> None:
    assert dumps([{Point(1): {5: 1}}, {2: 3}]) == b'[{{"farX":1}:{"5":1}},{"2":3}]'


def test_object_keys_are_written_as_objects() -> None:
    assert dumps({ObjectKey((("a", 1),)): "x"}) == b'{{"a":1}:"x"}'


def test_a_none_field_is_left_out_and_false_is_not() -> None:
    assert dumps(Point(0)) == dumps_bare(Point(0)) == b'{"farX":0}'


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        dumps(object())
    with pytest.raises(TypeError, match="cannot be a key"):
        dumps({(1, 2): 3})


def test_pretty_lists_take_a_line_an_item_and_arrays_take_one() -> None:
    value = {"l": [1, [], {}], "t": (1, 2), "s": {3}, "e": (), "p": Point(1)}

    assert dumps_pretty(value) == (
        '{\n\t"l":[\n\t\t1,\n\t\t[],\n\t\t{}\n\t],\n\t"t":[1,2],\n\t"s":[3],\n\t"e":[],'
        '\n\t"p":{\n\t\t"farX":1\n\t}\n}'
    )


def test_a_view_is_read_like_bytes() -> None:
    assert loads(memoryview(b"{0:1}")) == {0: 1}
    assert loads(memoryview(b'{"a":1}')) == {"a": 1}
    assert fastjson.ObjectKey is ObjectKey
