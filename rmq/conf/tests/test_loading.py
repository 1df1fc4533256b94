"""Tests of defaults, checks and warnings of a load."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from rmq.base.errors import ConfigError
from rmq.conf.controller import ControllerConfig
from rmq.conf.loading import build, load, unknown_key_warnings
from rmq.conf.settings import Machine, setting, settings_of, show
from rmq.conf.startup import BROKER_CONFIGS, NAMESRV_CONFIGS


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


RECORDED = Path(__file__).with_name("java_defaults.tsv").read_text(encoding="utf-8")
EFFECTIVE_AT_A_START = {
    ("BrokerConfig", "listenPort"): "10911",
    ("MessageStoreConfig", "haListenPort"): "0",
}


def test_every_key_has_the_default_that_java_has():
    rows = [line.split("\t") for line in RECORDED.splitlines()[1:]]
    theirs = {(name, key): value for name, key, value in rows} | EFFECTIVE_AT_A_START
    recorded = Machine(host_name="HOST", address="ADDRESS", home="HOME", processors=4)

    ours = {
        (config.__name__, known.key): show(getattr(build(config, {}, recorded), known.key))
        for config in {*BROKER_CONFIGS[:-1], *NAMESRV_CONFIGS[:-1], ControllerConfig}
        for known in settings_of(config)
    }

    assert ours == theirs
