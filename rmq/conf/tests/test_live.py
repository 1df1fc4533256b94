"""Tests of changing settings while running."""

from dataclasses import dataclass

import pytest

from rmq.base.errors import ConfigError
from rmq.conf.live import changed, fate, forbidden, unknown
from rmq.conf.settings import accepted, setting


@dataclass(frozen=True, slots=True)
class Sample:
    """A live setting, one for the next start, one that nothing obeys."""

    traceOn: bool = setting(True, "a switch", live=True)
    listenPort: int = setting(1, "a port")
    threads: int = accepted(1, "threads")


@dataclass(frozen=True, slots=True)
class Other:
    """The same key, not live here."""

    traceOn: bool = setting(True, "a switch")


def test_a_live_setting_changes_at_once():
    assert changed(Sample(), {"traceOn": "false", "x": "y"}) == Sample(traceOn=False)


def test_another_setting_waits_for_the_next_start():
    before = Sample()

    assert changed(before, {"listenPort": "5"}) is before


def test_one_wrong_value_refuses_all():
    with pytest.raises(ConfigError, match="listenPort='five'"):
        changed(Sample(), {"traceOn": "false", "listenPort": "five"})


def test_each_key_of_an_update_has_a_fate():
    told = fate([Sample(), Other], ["traceOn", "listenPort", "threads", "authenticationEnabled"])

    assert told.at_once == ("traceOn",)
    assert told.after_restart == ("listenPort",)
    assert told.without_effect == ("threads", "authenticationEnabled")


def test_only_keys_that_nobody_knows_are_unknown():
    assert unknown([Sample], ["traceOn", "authenticationEnabled", "traceOf"]) == ["traceOf"]


def test_the_black_list_protects_its_keys_and_itself():
    keys = ["traceOn", "brokerConfigPath", "configBlackList"]

    assert forbidden("a; brokerConfigPath", keys) == ["brokerConfigPath", "configBlackList"]
