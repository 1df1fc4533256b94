from pathlib import Path

import pytest

from rmq.base.errors import ConfigError
from rmq.conf.controller_startup import controller_settings
from rmq.conf.properties import parse
from rmq.conf.settings import Machine
from rmq.conf.startup import namesrv_settings

SAMPLES = Path(__file__).parents[3] / "conf/controller"
HERE = Machine(home="/home/me")


@pytest.mark.parametrize(
    "sample", sorted(SAMPLES.rglob("controller-*.conf")), ids=lambda path: path.name
)
def test_each_sample_loads_without_a_warning(sample):
    settings = controller_settings(parse(sample.read_text(encoding="utf-8")), HERE)

    assert settings.warnings == ()
    assert settings.controller.controllerDLegerGroup == "group1"


def test_defaults_are_under_the_home_directory():
    settings = controller_settings({}, HERE)

    assert settings.controller.configStorePath == "/home/me/controller/controller.properties"
    assert settings.controller.controllerStorePath == "/home/me/DLedgerController"
    assert settings.server.listenPort == 19876


def test_changes_are_kept_in_the_file_of_the_start_unless_it_names_another():
    given = {"configStorePath": "/other"}

    assert controller_settings({}, HERE, config_path="/c").controller.configStorePath == "/c"
    other = controller_settings(given, HERE, config_path="/c")
    assert other.controller.configStorePath == "/other"


def test_jraft_is_refused_with_the_reason():
    with pytest.raises(ConfigError, match="expected DLedger; jRaft Controllers talk"):
        controller_settings({"controllerType": "jRaft"}, HERE)


def test_an_unknown_key_is_warned_of_with_the_nearest():
    settings = controller_settings({"controllerDLedgerPeers": "x"}, HERE)

    assert settings.warnings[0].startswith("unknown key 'controllerDLedgerPeers'")
    assert settings.warnings[0].endswith("did you mean 'controllerDLegerPeers'?")


def test_the_fast_profile_scans_oftener():
    fast = controller_settings({"failoverProfile": "fast"}, HERE).controller
    own = controller_settings(
        {"failoverProfile": "fast", "scanNotActiveBrokerInterval": "77"}, HERE
    ).controller

    assert fast.scanNotActiveBrokerInterval == 100
    assert own.scanNotActiveBrokerInterval == 77
    assert own.scanInactiveMasterInterval == 1000


def test_all_settings_are_printed():
    lines = controller_settings({"controllerDLegerGroup": "g"}, HERE).lines()

    assert "controllerDLegerGroup=g" in lines
    assert "failoverProfile=default" in lines


def test_a_name_server_has_a_controller_only_if_asked():
    values = {"enableControllerInNamesrv": "true", "controllerDLegerGroup": "g"}

    plain = namesrv_settings({"controllerDLegerGroup": "g"}, HERE)
    both = namesrv_settings(values, HERE, config_path="/n")

    assert plain.controller is None
    assert plain.warnings == ()
    assert both.controller.controller.controllerDLegerGroup == "g"
    assert both.controller.controller.configStorePath == "/home/me/controller/controller.properties"
    assert both.controller.server.listenPort == 9876
    assert "controllerDLegerGroup=g" in both.lines()
    assert "controllerDLegerGroup=g" not in plain.lines()
