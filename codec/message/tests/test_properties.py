from hypothesis import given
from hypothesis import strategies as st

from codec.message import properties
from codec.message.properties import build, find, join, parse, put, remove
from codec.tests.golden_files import pairs, vectors

texts = st.lists(
    st.sampled_from([b"\x01", b"\x02", b"TAGS", b"TAG", b"A", b"\xe6\xb6\x88", b"\x01v\x02"])
).map(b"".join)


def test_properties_are_read_as_java_reads_them():
    for text, expected, *_ in vectors("properties"):
        read = {name.decode(): value.decode() for name, value in pairs(expected)}

        assert parse(bytes.fromhex(text)) == read


def test_properties_are_found_as_java_reads_them():
    for text, expected, *_ in vectors("properties"):
        read = dict(pairs(expected))

        for name in (b"TAGS", b"TAG", b"KEYS", b"A", b"k", b"WAIT"):
            assert find(bytes.fromhex(text), name) == read.get(name), text


def test_properties_are_removed_as_java_removes_them():
    for text, _, without_tags, _ in vectors("properties"):
        assert remove(bytes.fromhex(text), b"TAGS").hex() == without_tags


def test_properties_are_written_as_java_writes_them():
    for _, read, _, written in vectors("properties"):
        mapping = {name.decode(): value.decode() for name, value in pairs(read)}

        assert build(mapping).hex() == written


def test_broken_utf8_is_read_as_java_reads_it():
    for text, expected, _ in vectors("broken"):
        read = {name.decode(): value.decode() for name, value in pairs(expected)}

        assert parse(bytes.fromhex(text)) == read


def test_a_lone_surrogate_is_written_as_a_question_mark():
    assert build({"k": "a\ud800"}) == b"k\x01a?\x02"


@given(texts, st.sampled_from([b"TAGS", b"TAG", b"A"]))
def test_finding_agrees_with_reading_all(text, name):
    value = parse(text).get(name.decode())

    assert find(text, name) == (value.encode() if value else None)


@given(texts, st.sampled_from([b"TAGS", b"TAG", b"A"]))
def test_what_was_put_is_found_once_and_the_rest_stays(text, name):
    expected = parse(text) | {name.decode(): "new"}

    result = put(text, name, b"new")

    assert parse(result) == expected
    assert result.endswith(b"%b\x01new\x02" % name)
    assert find(remove(result, name), name) is None


def test_a_name_inside_another_is_left():
    text = b"XTAGS\x01a\x02TAGSX\x01b\x02"

    assert remove(text, b"TAGS") is text
    assert find(text, b"TAGS") is None


def test_texts_are_joined_with_one_separator():
    assert join(b"a\x01b", b"c\x01d\x02") == b"a\x01b\x02c\x01d\x02"
    assert join(b"a\x01b\x02", b"c\x01d\x02") == b"a\x01b\x02c\x01d\x02"
    assert join(b"", b"c\x01d\x02") == b"c\x01d\x02"


def test_names_are_distinct():
    names = [
        value
        for name, value in vars(properties).items()
        if name.isupper() and isinstance(value, bytes)
    ]

    assert len(names) == len(set(names)) > 60
