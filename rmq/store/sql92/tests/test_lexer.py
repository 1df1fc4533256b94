import pytest

from rmq.store.sql92.lexer import EXPRESSION_MAX, KEYWORDS, ExpressionError, Words


def kinds(text: str) -> list[str]:
    words = Words(text)
    found = []
    while (word := words.take()).kind != "end":
        found.append(f"{word.kind}:{word.text}" if word.kind != word.text else word.kind)
    return found


def refusal(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as raised:
        kinds(text)
    return raised.value


def test_keywords_are_known_in_any_case_and_names_keep_theirs():
    assert kinds("not Between aBc $x _1") == [
        "NOT:not",
        "BETWEEN:Between",
        "name:aBc",
        "name:$x",
        "name:_1",
    ]
    assert len(KEYWORDS) == 12


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5 5L 0", ["integer:5", "integer:5L", "integer:0"]),
        ("007", ["integer:0", "integer:0", "integer:7"]),
        ("0x1F", ["integer:0", "name:x1F"]),
        ("5. .5 5E3 5.e-1", ["decimal:5.", "decimal:.5", "decimal:5E3", "decimal:5.e-1"]),
        ("5E", ["integer:5", "name:E"]),
    ],
)
def test_the_longest_number_wins(text, words):
    assert kinds(text) == words


def test_a_quote_in_a_string_is_written_twice():
    assert kinds("'it''s' ''") == ["string:'it''s'", "string:''"]


@pytest.mark.parametrize(
    "text", ["a/* > ** */b", "a -- all of it\nb", "a--\rb", "a\t\f\r\nb", "a/***/b"]
)
def test_blanks_and_comments_are_nothing(text):
    assert kinds(text) == ["name:a", "name:b"]


def test_a_line_comment_needs_the_end_of_its_line():
    assert kinds("--5") == ["-", "-", "integer:5"]


def test_operators_of_two_characters_are_one_word():
    assert kinds("<=<>>==<") == ["<=", "<>", ">=", "=", "<"]


def test_a_string_without_end_is_refused_where_it_begins():
    error = refusal("a = 'x")

    assert error.position == 5
    assert error.reason == "a string begins here and does not end"
    assert str(error) == "character 5: a string begins here and does not end"


@pytest.mark.parametrize("character", ["#", "!", "/", "é", "\u00a0", '"', "\\", "\0"])
def test_other_characters_are_refused(character):
    error = refusal(f"a {character}")

    assert error.position == 3
    assert repr(character) in error.reason


def test_words_are_read_only_when_asked_for():
    words = Words("a #")

    assert words.take().text == "a"
    with pytest.raises(ExpressionError):
        words.peek()


def test_the_end_is_given_again_and_again():
    words = Words(" ")

    assert [words.take().shown, words.take().shown] == ["the end", "the end"]


def test_a_text_that_is_too_long_is_refused_unread():
    with pytest.raises(ExpressionError, match="8193 characters, expected 8192 at most"):
        Words("#" * (EXPRESSION_MAX + 1))


def test_errors_name_a_word_as_it_was_written():
    words = Words("And 'x'")

    assert [words.take().shown, words.take().shown] == ["'And'", "\"'x'\""]
