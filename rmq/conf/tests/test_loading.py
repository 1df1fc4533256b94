"""Tests of defaults, checks and warnings of a load."""

from dataclasses import dataclass

import pytest

from rmq.base.errors import ConfigError
from rmq.conf.loading import build, load, unknown_key_warnings
from rmq.conf.settings import Machine, setting


@dataclass(frozen=True, slots=True)
class Host:
    """Settings with a default of the machine's."""

    brokerName: str = setting("", "a name", machine=("host", lambda machine: machine.host_name))
    listenPort: int = setting(1, "a port")


@dataclass(frozen=True, slots=True)
class Other:
    """Settings that share a key with the others."""

    listenPort: int = setting(2, "a port")


HERE = Machine(host_name="here")


def test_the_machine_beats_the_declared_default():
    assert build(Host, {}, HERE) == Host("here", 1)


def test_the_role_beats_the_machine():
    assert build(Host, {}, HERE, {"brokerName": "role", "listenPort": 5}) == Host("role", 5)


def test_the_file_beats_the_role():
    assert build(Host, {"brokerName": "file"}, HERE, {"brokerName": "role"}) == Host("file", 1)


def test_the_command_line_beats_the_file():
    loaded = load([Host, Other], {"listenPort": "7", "x": "y"}, {"listenPort": "8"}, HERE, {})

    assert loaded.of(Host) == Host("here", 8)
    assert loaded.of(Other) == Other(8)
    assert loaded.values == {"listenPort": "8", "x": "y"}
    assert loaded.warnings == ("unknown key 'x' in the configuration has no effect",)


def test_each_class_has_its_role_defaults():
    loaded = load([Host, Other], {}, {}, HERE, {Other: {"listenPort": 9}})

    assert loaded.of(Host).listenPort == 1
    assert loaded.of(Other).listenPort == 9
    assert loaded.warnings == ()


def test_a_wrong_value_stops_the_load():
    with pytest.raises(ConfigError, match="listenPort='high'"):
        load([Host], {"listenPort": "high"}, {}, HERE, {})


def test_an_unknown_key_suggests_the_nearest():
    assert unknown_key_warnings(["brokrname", "listenPort"], [Host], "a.conf") == [
        "unknown key 'brokrname' in a.conf has no effect; did you mean 'brokerName'?"
    ]


def test_a_key_of_another_part_of_rocketmq_is_no_mistake():
    assert unknown_key_warnings(["authenticationEnabled"], [Host]) == []
