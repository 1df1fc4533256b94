import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.message.properties import build
from rmq.store.sql92 import Expression, ExpressionError, compile_expression
from rmq.store.sql92.evaluator import EvaluationError

ANSWERS = [
    json.loads(line)
    for line in Path(__file__).with_name("java_answers.jsonl").read_text().splitlines()
]
"""Expression, properties, and what org.apache.rocketmq:rocketmq-filter:5.3.3 answered."""

NAMES = {True: "TRUE", False: "FALSE", None: "NULL"}


def answer(text: str, properties: dict[str, str]) -> str:
    try:
        expression = Expression(text)
    except ExpressionError:
        return "REFUSED"
    try:
        value = expression.evaluate(build(properties))
    except EvaluationError:
        return "FAILS"
    assert isinstance(value, bool) or value is None
    return NAMES[value]


def test_java_answered_many_times_and_in_all_ways():
    assert len(ANSWERS) >= 500
    assert {one[2] for one in ANSWERS} == {"TRUE", "FALSE", "NULL", "FAILS", "REFUSED"}


@pytest.mark.parametrize(("text", "properties", "expected"), ANSWERS)
def test_answers_are_those_of_java(text, properties, expected):
    assert answer(text, properties) == expected


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("a > 5", "6", "TRUE"),
        ("a > 5", "5.5", "FAILS"),
        ("a > 5", "3000000000", "FAILS"),
        ("a < 3000000000", "2999999999", "TRUE"),
        ("a > 5", "\u0665", "FALSE"),
        ("a = 5", "\u0665", "TRUE"),
        ("a = 5", "\U0001d7d3", "FAILS"),
        ("a = 5", "-" + "0" * 5000 + "5", "FALSE"),
        ("a = 5", "9" * 5000, "FAILS"),
        ("a > 5.0", "5.5", "TRUE"),
        ("5.0 > a", "4.5f", "TRUE"),
        ("a > 5.0", "NaN", "TRUE"),
        ("a > 5.0", "Infinity", "TRUE"),
        ("a > 5.0", "0x1.8p3", "TRUE"),
        ("a > 5.0", "0x1p99999", "TRUE"),
        ("a < 5.0", "-0x1p99999", "TRUE"),
        ("a > 5.0", "\x01 6d ", "TRUE"),
        ("a > 5.0", "1_0", "FAILS"),
        ("a >= a", "x", "FAILS"),
        ("a >= a", "-0.0", "TRUE"),
        ("a = TRUE", "tRuE", "TRUE"),
        ("a = FALSE", "no", "TRUE"),
        ("TRUE = a", "true", "FAILS"),
        ("(a = 'x') = 5", "x", "FALSE"),
        ("5 = 5.0", "", "TRUE"),
        ("5 = 2147483648", "", "FALSE"),
        ("'x' = FALSE", "", "TRUE"),
        ("a = b", "", "TRUE"),
        ("a = b", "x", "FALSE"),
        ("b = a", "x", "NULL"),
        ("a", "x", "FALSE"),
        ("NOT a", "x", "TRUE"),
        ("NOT a", "", "NULL"),
        ("-(a > 5) IS NULL", "x", "FAILS"),
        ("-(a > 5) IS NULL", "6", "TRUE"),
        ("b > a", "5", "NULL"),
        ("a > b", "5", "NULL"),
        ("a NOT CONTAINS ''", "x", "FALSE"),
        ("b NOT CONTAINS 'x'", "x", "FALSE"),
        ("a > 5 OR TRUE", "x", "FAILS"),
        ("TRUE OR a > 5", "x", "TRUE"),
        ("b OR FALSE", "x", "NULL"),
        ("FALSE AND a > 5", "x", "FALSE"),
    ],
)
def test_corners_are_those_of_java(text, value, expected):
    assert answer(text, {"a": value} if value else {}) == expected


def test_only_true_matches():
    properties = build({"a": "x"})

    assert Expression("a = 'x'").matches(properties)
    assert not Expression("a = 'y'").matches(properties)
    assert not Expression("b = 'y'").matches(properties)
    assert not Expression("a > 5").matches(properties)


def test_broken_text_is_read_as_java_reads_it():
    assert Expression("a = '\ufffd'").matches(b"a\x01\xff\x02")


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("TRUE", 1),
        ("a > 5", 1),
        ("a > 5 AND b = 'x' OR c IN ('y')", 3),
        ("a BETWEEN 1 AND 5", 2),
        ("NOT (a = 1 OR -(b = 2) IS NULL OR c)", 3),
        ("(a = 1 OR a = 2) = (b = 3)", 2),
        ("(a = 1 OR a = 2) CONTAINS 'x'", 2),
    ],
)
def test_cost_counts_comparisons(text, cost):
    assert Expression(text).cost == cost


def test_the_same_text_is_compiled_once():
    assert compile_expression("a = 1") is compile_expression("a = 1")


TEXTS = st.sampled_from([one[0] for one in ANSWERS if one[2] != "REFUSED"])


@given(TEXTS, st.dictionaries(st.sampled_from(["a", "b", "c", "_x", "Tag1"]), st.text()))
def test_no_value_makes_an_expression_fail_otherwise(text, properties):
    compile_expression(text).matches(build(properties))


@given(TEXTS, st.binary())
def test_no_bytes_make_an_expression_fail_otherwise(text, properties):
    compile_expression(text).matches(properties)
