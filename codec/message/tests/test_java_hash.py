import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.message import java_hash as module
from codec.message.java_hash import extend_hash, java_hash, tags_code
from codec.tests.golden_files import vectors


def as_defined(text):
    units = text.encode("utf-16-be", "surrogatepass")
    value = 0
    for at in range(0, len(units), 2):
        value = (value * 31 + int.from_bytes(units[at : at + 2], "big")) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(module, "_tags_known", {})
    monkeypatch.setattr(module, "_prefixes_known", {})


def test_hashes_are_those_that_java_prints():
    for text, expected in vectors("hash"):
        data = bytes.fromhex(text)

        assert java_hash(data) == int(expected), text
        assert java_hash(data.decode()) == int(expected), text
        assert java_hash(data) == int(expected), text  # now with what is known


def test_broken_utf8_is_hashed_as_java_reads_it():
    for data, _, expected in vectors("broken"):
        assert java_hash(bytes.fromhex(data)) == int(expected)


@given(st.text(st.characters(exclude_categories=()), max_size=600))
def test_any_string_is_hashed_as_defined(text):
    assert java_hash(text) == as_defined(text)


@given(
    st.text(max_size=60), st.one_of(st.text(max_size=60), st.text("0123", min_size=32, max_size=32))
)
def test_a_known_prefix_need_not_be_hashed_again(prefix, text):
    assert extend_hash(java_hash(prefix), text) == as_defined(prefix + text)
    assert extend_hash(java_hash(prefix), text.encode()) == as_defined(prefix + text)


def test_no_tags_have_code_0():
    assert tags_code(None) == 0
    assert tags_code(b"") == 0


def test_the_code_of_tags_is_their_hash_at_first_and_later():
    assert [tags_code(b"TagA"), tags_code(b"TagA")] == [java_hash(b"TagA")] * 2


def test_tags_without_end_are_not_all_remembered():
    for number in range(module.TAGS_KNOWN_MAX + 2):
        assert tags_code(b"%d" % number) == java_hash(b"%d" % number)

    assert len(module._tags_known) == 2


def test_keys_without_end_are_not_all_remembered():
    for number in range(module.PREFIXES_KNOWN_MAX + 2):
        java_hash(b"%020d%012d" % (number, 0))

    assert len(module._prefixes_known) == 2
