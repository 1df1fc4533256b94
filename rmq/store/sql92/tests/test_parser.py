import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.store.sql92.lexer import EXPRESSION_MAX, KEYWORDS, ExpressionError
from rmq.store.sql92.parser import (
    DEPTH_MAX,
    NULL,
    Cast,
    Constant,
    Equal,
    In,
    Kind,
    Logic,
    Negated,
    Not,
    Ordered,
    Property,
    Text,
    parse,
)

A, B = Property("a"), Property("b")
FIVE = Constant(5, Kind.INTEGER)


def test_and_binds_tighter_than_or():
    assert parse("a OR b AND a = 5") == Logic(
        True, (Cast(A), Logic(False, (Cast(B), Equal(A, FIVE))))
    )


def test_a_chain_is_one_level():
    parse(" OR ".join(["a = 5"] * 900))


def test_not_binds_tighter_than_comparisons():
    assert parse("NOT a = b") == Equal(Not(Cast(A)), B)
    assert parse("NOT (a = b)") == Not(Equal(A, B))


def test_comparisons_are_taken_from_left_to_right():
    assert parse("a = b = 5") == Equal(Equal(A, B), FIVE)
    assert parse("a <> 5 IS NOT NULL") == Not(Equal(Not(Equal(A, FIVE)), NULL))


def test_order_binds_tighter_than_equality():
    assert parse("b = a > 5") == Equal(B, Ordered(">", A, FIVE))


def test_between_is_two_comparisons():
    five = Constant(5.0, Kind.DOUBLE)

    assert parse("a BETWEEN 5 AND 5.0") == Logic(
        False, (Ordered(">=", A, FIVE), Ordered("<=", A, five))
    )
    assert parse("a NOT BETWEEN 5 AND b") == Logic(
        True, (Ordered("<", A, FIVE), Ordered(">", A, B))
    )


def test_text_operators_and_in_take_strings():
    assert parse("a CONTAINS 'it''s'") == Text("CONTAINS", A, "it's", negated=False)
    assert parse("a NOT endswith ''") == Text("ENDSWITH", A, "", negated=True)
    assert parse("a IN ('x', 'y', 'x')") == In(A, frozenset({"x", "y"}), negated=False)
    assert parse("a NOT IN ('x')") == In(A, frozenset({"x"}), negated=True)


def test_a_sign_makes_numbers_negative_and_all_else_null():
    assert parse("a = -5") == Equal(A, Constant(-5, Kind.INTEGER, literal=False))
    assert parse("a = +5") == Equal(A, FIVE)
    assert parse("a = - -5") == Equal(A, Constant(5, Kind.INTEGER, literal=False))
    assert parse("a = -b") == Equal(A, Constant(None, Kind.NULL, literal=False))
    assert parse("a = -TRUE") == parse("a = -'x'") == parse("a = -NULL") == parse("a = -b")
    assert parse("a = -(a = b)") == Equal(A, Negated(Equal(A, B)))


def test_integers_beyond_32_bits_are_longs():
    assert parse("a = 2147483647") == Equal(A, Constant(2**31 - 1, Kind.INTEGER))
    assert parse("a = 2147483648L") == Equal(A, Constant(2**31, Kind.LONG))


def test_what_follows_the_expression_is_ignored():
    assert parse("a = b c = ###") == Equal(A, B)


@pytest.mark.parametrize(
    "text", ["TRUE", "null", "NULL IS NULL", "TRUE = FALSE", "5 = 5", "'x' = TRUE"]
)
def test_literals_may_be_conditions(text):
    parse(text)


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 1, "expected a name, a value, or '(', found the end"),
        ("a > ", 5, "expected a name, a value, or '(', found the end"),
        ("a >> 5", 4, "expected a name, a value, or '(', found '>'"),
        ("(a = 5", 7, "expected ')', found the end"),
        ("a IN 'x'", 6, "expected '(' after IN, found 'x'"),
        ("a IN (5)", 7, "expected a string, found '5'"),
        ("a IN ('x' 'y')", 11, "expected ',' or ')', found \"'y'\""),
        ("'a' IN ('x')", 1, "expected the name of a property before IN"),
        ("a IS 5", 6, "expected NULL or NOT NULL, found '5'"),
        ("a IS NOT 5", 10, "expected NULL, found '5'"),
        ("a NOT = 5", 7, "expected CONTAINS, STARTSWITH, ENDSWITH, BETWEEN or IN after NOT"),
        ("a CONTAINS b", 12, "expected a string, found 'b'"),
        ("a BETWEEN 1 OR 5", 13, "expected AND between the limits of BETWEEN, found 'OR'"),
        ("a BETWEEN 5 AND 1", 11, "the limits of BETWEEN are in wrong order"),
        ("a BETWEEN 5.5 AND 5", 11, "the limits of BETWEEN are in wrong order"),
        ("a BETWEEN 'x' AND 'y'", 11, "expected a number or a name to compare by order"),
        ("a > 'x'", 5, "expected a number or a name to compare by order, found what"),
        ("a > b > 5", 1, "expected a number or a name to compare by order"),
        ("a = NULL", 5, "nothing equals NULL; say IS NULL or IS NOT NULL"),
        ("TRUE = 5", 1, "'TRUE' cannot equal '5'"),
        ("5", 1, "expected a condition, but '5' begins a value"),
        ("a AND 'x'", 7, "expected a condition, but \"'x'\" begins a value"),
        ("NOT -a", 5, "expected a condition, but '-' begins a value"),
        ("a = 9223372036854775808", 5, "expected an integer of 9223372036854775807 at most"),
        ("a = " + "9" * 5000, 5, "expected an integer of 9223372036854775807 at most"),
        ("a > 0.0", 5, "expected a decimal that is finite and greater than 0 as a double"),
        ("a > 1e400", 5, "expected a decimal that is finite and greater than 0 as a double"),
    ],
)
def test_what_is_wrong_is_refused_with_place_and_reason(text, position, reason):
    with pytest.raises(ExpressionError) as raised:
        parse(text)

    assert raised.value.position == position
    assert reason.replace("found 'x'", "found \"'x'\"") in raised.value.reason


@pytest.mark.parametrize(
    ("one", "rest"),
    [("(", "a" + ")" * DEPTH_MAX), ("NOT ", "a"), ("- ", "a"), ("+", "a")],
)
def test_nesting_has_a_limit(one, rest):
    text = f"b = {one * (DEPTH_MAX - 3)}{rest}"
    parse(text)

    deeper = f"b = {one * (DEPTH_MAX + 1)}{rest})"
    with pytest.raises(ExpressionError, match="nested deeper than 64 levels") as raised:
        parse(deeper)
    assert raised.value.position == len("b = ") + DEPTH_MAX * len(one) + 1


@pytest.mark.parametrize("one", [" = b", " <> b", " IS NULL", " CONTAINS 'x'", " NOT CONTAINS 'x'"])
def test_chains_of_comparisons_have_the_same_limit(one):
    parse("a" + one * (DEPTH_MAX // 2))

    for tail in (one * (DEPTH_MAX + 1), f"{one * DEPTH_MAX}) = (b{one * DEPTH_MAX}"):
        with pytest.raises(ExpressionError, match="nested deeper than 64 levels"):
            parse(f"(a{tail})")


def test_the_deepest_leaves_most_of_the_stack_free():
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(DEPTH_MAX * 7 + 200)
    try:
        parse("(" * DEPTH_MAX + "a" + ")" * DEPTH_MAX)
    finally:
        sys.setrecursionlimit(before)


PIECES = st.sampled_from(
    [
        *KEYWORDS,
        "a",
        "5",
        "5.5",
        "'x'",
        "(",
        ")",
        "=",
        "<>",
        "<",
        ">=",
        "+",
        "-",
        ",",
        "--",
        "/*",
        "\n",
    ]
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=80).map(" ".join)))
def test_any_text_is_read_or_refused_in_its_place(text):
    position = 1
    try:
        parse(text)
    except ExpressionError as error:
        position = error.position
    assert 1 <= position <= len(text) + 1


def test_the_longest_expression_is_read():
    parse("a" * EXPRESSION_MAX)
