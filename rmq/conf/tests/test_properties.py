"""Tests of reading properties and YAML text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.base.errors import ConfigError
from rmq.conf.properties import build_properties, parse, parse_properties, parse_yaml


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a = 1\r\nb:2\rc 3\n", {"a": "1", "b": "2", "c": "3"}),
        ("# no\n  ! neither\n\n \t\na=1", {"a": "1"}),
        ("  a\t=\f 1 ", {"a": "1 "}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("=1", {"": "1"}),
        ("a==1", {"a": "=1"}),
        ("a : = 1", {"a": "= 1"}),
        ("a=1\na=2", {"a": "2"}),
        ("a=1,\\\n    2,\\\r\n  3", {"a": "1,2,3"}),
        ("a=1\\\n# part of it", {"a": "1# part of it"}),
        ("a=1\\", {"a": "1"}),
        ("\\", {}),
        ("\\\n\\\n", {}),
        ("a=1\\\\\nb=2", {"a": "1\\", "b": "2"}),
        ("a\\=b\\:c\\ d=1", {"a=b:c d": "1"}),
        ("a=\\t\\n\\r\\f\\q\\u00e9x", {"a": "\t\n\r\féx".replace("éx", "qéx")}),
    ],
)
def test_properties_are_read_as_java_reads_them(text, expected):
    assert parse_properties(text) == expected


@pytest.mark.parametrize("text", ["a=\\u12", "a=\\uwxyz", "a=\\u"])
def test_a_broken_escape_is_refused(text):
    with pytest.raises(ConfigError, match="four hexadecimal digits"):
        parse_properties(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("''", {}),
        ("brokerName: broker-a\nbrokerId: 0\n", {"brokerName": "broker-a", "brokerId": "0"}),
        ("deleteWhen: 04\ntraceOn: true\n", {"deleteWhen": "04", "traceOn": "true"}),
        ("namesrvAddr:\n  - a:9876\n  - b:9876\n", {"namesrvAddr": "a:9876;b:9876"}),
        ("namesrvAddr:\n", {"namesrvAddr": ""}),
    ],
)
def test_yaml_values_are_taken_as_written(text, expected):
    assert parse_yaml(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not YAML"),
        ("a: 1\n--- \nb: 2", "not YAML"),
        ("- a\n", "expected a YAML mapping"),
        ("word", "expected a YAML mapping"),
        ("broker:\n  name: x\n", "broker: expected a plain value, found dict"),
        ("a:\n - [b]\n", "an item of a: expected a plain value, found list"),
        ("? [a]\n: 1\n", "(a key: expected a plain value|not YAML)"),
    ],
)
def test_yaml_that_is_no_flat_mapping_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_yaml(text)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.yaml", {"a": "1"}),
        ("A.YML", {"a": "1"}),
        ("a.conf", {"{a": "1}"}),
        ("", {"{a": "1}"}),
    ],
)
def test_the_name_of_the_file_chooses_the_format(name, expected):
    assert parse("{a: 1}", name) == expected


@given(st.dictionaries(st.text(), st.text()))
def test_what_is_built_reads_back(values):
    assert parse_properties(build_properties(values)) == values
