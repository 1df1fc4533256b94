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
