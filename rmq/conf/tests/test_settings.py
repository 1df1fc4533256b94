"""Tests of declarations, checks and printing."""

from dataclasses import dataclass

import pytest

from rmq.base.errors import ConfigError
from rmq.conf.settings import LONG_MAX, Machine, accepted, lines, setting, settings_of, show


@dataclass(frozen=True, slots=True)
class Sample:
    """One setting of each type."""

    port: int = setting(10, "a port", minimum=1, maximum=20, live=True, important=True)
    size: int = accepted(5, "a size", maximum=LONG_MAX)
    ratio: float = setting(0.5, "a share")
    on: bool = setting(False, "a switch")
    role: str = setting("A", "a choice", choices=("A", "B"))
    name: str = setting("", "a name", machine=("host", lambda machine: machine.host_name))


KNOWN = {known.key: known for known in settings_of(Sample)}


def test_settings_are_those_declared_in_their_order():
    assert [known.key for known in settings_of(Sample())] == [
        "port",
        "size",
        "ratio",
        "on",
        "role",
        "name",
    ]
    assert [KNOWN[key].kind for key in KNOWN] == [
        "int",
        "long",
        "double",
        "boolean",
        "String",
        "String",
    ]


def test_defaults_are_the_declared_ones():
    assert Sample() == Sample(port=10, size=5, ratio=0.5, on=False, role="A", name="")


def test_declared_facts_are_kept():
    assert KNOWN["port"].live
    assert KNOWN["port"].honoured
    assert KNOWN["port"].important
    assert not KNOWN["size"].honoured
    assert KNOWN["name"].machine_text == "host"
    rule = KNOWN["name"].machine_rule
    assert rule is not None
    assert rule(Machine(host_name="here")) == "here"


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("port", " 20 ", 20),
        ("port", "+1", 1),
        ("size", str(LONG_MAX), LONG_MAX),
        ("size", "-3", -3),
        ("ratio", "0.25", 0.25),
        ("ratio", "1e-2", 0.01),
        ("on", "TRUE", True),
        ("on", "false", False),
        ("role", "B", "B"),
        ("name", "  broker a ", "broker a"),
    ],
)
def test_a_good_text_is_read(key, text, value):
    assert KNOWN[key].read(text) == value


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("port", "0", "a whole number from 1 to 20"),
        ("port", "21", "a whole number from 1 to 20"),
        ("port", "1_0", "a whole number from 1 to 20"),
        ("port", "٣", "a whole number from 1 to 20"),
        ("size", "9" * 19, f"a whole number from -2147483648 to {LONG_MAX}"),
        ("size", "9" * 5000, "a whole number"),
        ("ratio", "half", "a number"),
        ("on", "yes", "true or false"),
        ("role", "a", "one of A, B"),
    ],
)
def test_a_wrong_text_is_refused_with_key_value_and_cure(key, text, expected):
    with pytest.raises(ConfigError) as refused:
        KNOWN[key].read(text)

    assert str(refused.value).startswith(f"{key}={text!r}: expected {expected}")
    assert "default" in str(refused.value)


def test_text_expects_text():
    assert KNOWN["name"].expected == "text"


def test_values_are_shown_as_java_shows_them():
    assert [show(value) for value in (True, False, 5, 0.5, "x")] == [
        "true",
        "false",
        "5",
        "0.5",
        "x",
    ]


def test_all_settings_print_as_lines():
    assert lines(Sample(on=True)) == [
        "port=10",
        "size=5",
        "ratio=0.5",
        "on=true",
        "role=A",
        "name=",
    ]


def test_important_settings_print_alone_if_asked():
    assert lines(Sample(), important_only=True) == ["port=10"]
