import pytest

from codec.message.java_hash import java_hash
from rmq.broker.filters import compile_filter, is_tag_type, tag_codes
from rmq.store.sql92 import ExpressionError


@pytest.mark.parametrize("kind", [None, "", "TAG"])
def test_expression_without_another_kind_is_of_tags(kind):
    assert is_tag_type(kind)


@pytest.mark.parametrize("kind", ["SQL92", "tag"])
def test_any_other_kind_is_not_of_tags(kind):
    assert not is_tag_type(kind)


@pytest.mark.parametrize("expression", [None, "", "*"])
def test_all_messages_are_wanted_by_no_expression_and_by_the_star(expression):
    assert tag_codes(expression) is None


@pytest.mark.parametrize("expression", ["a||b", " a || b ", "a||||b||", "||b || a"])
def test_tags_are_told_apart_by_bars_and_trimmed(expression):
    assert tag_codes(expression) == {java_hash("a"), java_hash("b")}


def test_star_among_tags_is_a_tag():
    assert tag_codes("*||a") == {java_hash("*"), java_hash("a")}


def test_blank_tags_want_nothing():
    assert tag_codes(" || ") == frozenset()


def test_nothing_but_bars_is_refused():
    with pytest.raises(ValueError, match="names no tag"):
        tag_codes("||||")


def test_sql92_is_compiled():
    assert compile_filter("SQL92", "a > 5").matches(b"a\x016\x02")


@pytest.mark.parametrize(
    ("kind", "text", "cause"),
    [
        ("SQL93", "a > 5", "expression type 'SQL93', expected TAG or SQL92"),
        (None, "a > 5", "expression type None, expected TAG or SQL92"),
        ("SQL92", None, "found the end"),
        ("SQL92", "a >", "found the end"),
    ],
)
def test_what_cannot_be_compiled_is_refused(kind, text, cause):
    with pytest.raises(ExpressionError, match=cause):
        compile_filter(kind, text)
