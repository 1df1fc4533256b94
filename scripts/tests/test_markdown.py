"""Tests of the pieces of Markdown."""

from scripts.markdown import code, table


def test_a_table_escapes_bars():
    assert table(("a", "b"), [("1|2", "")]) == ["| a | b |", "|---|---|", "| 1\\|2 |  |"]


def test_code_of_nothing_is_nothing():
    assert code("x") == "`x`"
    assert code("") == ""
