"""Tests of the rules of a start."""

from pathlib import Path

import pytest

from rmq.base.errors import ConfigError
from rmq.conf.properties import parse
from rmq.conf.settings import Machine
from rmq.conf.startup import UNDECIDED_ID, broker_settings, check_addresses, namesrv_settings

HERE = Machine(
    host_name="node-7",
    address="10.0.0.7",
    home="/home/rmq",
    processors=4,
    environment={"NAMESRV_ADDR": "env:9876"},
)
SAMPLES = Path(__file__).resolve().parents[3] / "conf"


def test_a_broker_without_a_file_has_rocketmqs_defaults():
    settings = broker_settings({}, HERE)

    assert settings.broker.brokerName == "node-7"
    assert settings.broker.brokerIP1 == settings.broker.brokerIP2 == "10.0.0.7"
    assert settings.broker.namesrvAddr == "env:9876"
    assert settings.broker.brokerConfigPath == ""
    assert settings.server.listenPort == settings.broker.listenPort == 10911
    assert settings.store.haListenPort == 10912
    assert settings.store.storePathRootDir == "/home/rmq/store"
    assert settings.store.storePathCommitLog == "/home/rmq/store/commitlog"
    assert settings.store.accessMessageInMemoryMaxRatio == 40
    assert settings.rmq.advertise == ""
    assert settings.client.connectTimeoutMillis == 3000


def test_a_name_server_without_a_file_has_rocketmqs_defaults():
    settings = namesrv_settings({}, HERE)

    assert settings.server.listenPort == 9876
    assert settings.namesrv.kvConfigPath == "/home/rmq/namesrv/kvConfig.json"
    assert settings.namesrv.configStorePath == "/home/rmq/namesrv/namesrv.properties"
    assert settings.client.connectTimeoutMillis == 3000
    assert not settings.rmq.inMemory


def test_the_file_is_where_changes_are_kept():
    assert namesrv_settings({}, HERE, config_path="/n.conf").namesrv.configStorePath == "/n.conf"
    assert broker_settings({}, HERE, config_path="/b.conf").broker.brokerConfigPath == "/b.conf"


def test_the_command_line_names_the_name_servers():
    settings = broker_settings(
        {"namesrvAddr": "file:9876"}, HERE, overrides={"namesrvAddr": "a:1;b:2"}
    )

    assert settings.broker.namesrvAddr == "a:1;b:2"
    assert settings.values == {"namesrvAddr": "a:1;b:2"}


def test_the_port_for_slaves_follows_the_port_for_clients():
    assert broker_settings({"listenPort": "20911"}, HERE).store.haListenPort == 20912
    assert broker_settings({"haListenPort": "-1"}, HERE).store.haListenPort == 10912
    assert broker_settings({"haListenPort": "7"}, HERE).store.haListenPort == 7


def test_a_given_commit_log_path_stays():
    settings = broker_settings({"storePathCommitLog": "/fast/log"}, HERE)

    assert settings.store.storePathCommitLog == "/fast/log"


@pytest.mark.parametrize("role", ["ASYNC_MASTER", "SYNC_MASTER"])
def test_a_master_is_number_0_whatever_the_file_says(role):
    settings = broker_settings({"brokerRole": role, "brokerId": "3"}, HERE)

    assert settings.broker.brokerId == 0


def test_a_slave_keeps_its_number_and_counts_less_memory():
    settings = broker_settings({"brokerRole": "SLAVE", "brokerId": "3"}, HERE)

    assert settings.broker.brokerId == 3
    assert settings.store.accessMessageInMemoryMaxRatio == 30


def test_a_slave_without_a_number_is_refused():
    with pytest.raises(ConfigError, match=r"Slave.s brokerId must be > 0"):
        broker_settings({"brokerRole": "SLAVE"}, HERE)


CONTROLLED = {"enableControllerMode": "true", "controllerAddr": "h:9877;h:9878"}


def test_under_controllers_nobody_is_told_what_it_is():
    settings = broker_settings({**CONTROLLED, "brokerRole": "SLAVE", "brokerId": "3"}, HERE)

    assert settings.broker.brokerId == UNDECIDED_ID
    assert [warning.split(" has")[0] for warning in settings.warnings] == [
        "brokerRole=SLAVE",
        "brokerId=3",
    ]


def test_under_controllers_a_plain_file_has_no_warning():
    assert broker_settings(CONTROLLED, HERE).warnings == ()


def test_under_controllers_their_addresses_are_needed():
    with pytest.raises(ConfigError, match="controllerAddr is empty"):
        broker_settings({"enableControllerMode": "true"}, HERE)
    with pytest.raises(ConfigError, match="controllerAddr='h': expected host:port"):
        broker_settings({"enableControllerMode": "true", "controllerAddr": "h"}, HERE)
    with pytest.raises(ConfigError, match="fetchControllerAddrByDnsLookup=true: expected false"):
        broker_settings({**CONTROLLED, "fetchControllerAddrByDnsLookup": "true"}, HERE)


GROUPED = {"enableDLegerCommitLog": "true", "dLegerSelfId": "n4"}


def test_in_a_dledger_group_a_broker_is_known_by_its_number_there():
    settings = broker_settings(GROUPED, HERE)

    assert settings.broker.brokerId == 5
    assert settings.warnings == ()


def test_in_a_dledger_group_nobody_is_told_what_it_is():
    [warning] = broker_settings({**GROUPED, "brokerRole": "SYNC_MASTER"}, HERE).warnings

    assert warning == (
        "brokerRole=SYNC_MASTER has no effect: with enableDLegerCommitLog=true the group decides"
    )


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (CONTROLLED, "each chooses masters"),
        ({"dLegerSelfId": ""}, "dLegerSelfId='': expected n and a number"),
        ({"dLegerSelfId": "node0"}, "dLegerSelfId='node0'"),
        ({"storePathDLedgerCommitLog": "/a,/b"}, "expected one folder"),
    ],
)
def test_what_no_dledger_group_can_be_made_of_is_refused(values, complaint):
    with pytest.raises(ConfigError, match=complaint):
        broker_settings({**GROUPED, **values}, HERE)


def test_what_controllers_and_masters_have_said_is_kept_under_the_root():
    store = broker_settings({"storePathRootDir": "/s"}, HERE).store

    assert store.storePathEpochFile == "/s/epochFileCheckpoint"
    assert store.storePathBrokerIdentity == "/s/brokerIdentity"


@pytest.mark.parametrize("key", ["authenticationEnabled", "authorizationEnabled"])
@pytest.mark.parametrize("settings", [broker_settings, namesrv_settings])
def test_access_control_that_is_not_here_is_refused(settings, key):
    with pytest.raises(ConfigError, match=f"{key}=true: expected false"):
        settings({key: "True"}, HERE)

    settings({key: "false"}, HERE)


@pytest.mark.parametrize("text", ["", "a:1", "127.0.0.1:9876;[::1]:9876", "a:1; b:65535"])
def test_good_addresses_pass(text):
    check_addresses("namesrvAddr", text)


@pytest.mark.parametrize("text", ["a", ":1", "a:", "a:x", "a:65536", "a:1;", "a:1,b:2:", "a:٣"])
def test_bad_addresses_are_refused(text):
    with pytest.raises(ConfigError, match=r"namesrvAddr=.*expected host:port"):
        broker_settings({"namesrvAddr": text}, HERE)


def test_all_settings_print_as_java_prints_them():
    printed = broker_settings({"traceOn": "false"}, HERE).lines()

    assert printed[0] == "brokerName=node-7"
    assert {"traceOn=false", "listenPort=10911", "flushDiskType=ASYNC_FLUSH"} <= set(printed)
    assert "inMemory=false" in printed


def test_important_settings_print_alone_if_asked():
    printed = broker_settings({}, HERE).lines(important_only=True)

    assert "brokerRole=ASYNC_MASTER" in printed
    assert "traceOn=true" not in printed


def test_a_name_server_prints_its_settings():
    assert "listenPort=9876" in namesrv_settings({}, HERE).lines()


@pytest.mark.parametrize(
    "sample",
    sorted(
        path.relative_to(SAMPLES).as_posix()
        for path in (*SAMPLES.rglob("*.conf"), *SAMPLES.rglob("*.properties"))
        if path.is_file() and not path.name.startswith(("namesrv", "controller-"))
    ),
)
def test_each_sample_of_a_broker_loads_without_a_warning(sample):
    text = (SAMPLES / sample).read_text(encoding="utf-8")

    settings = broker_settings(parse(text, sample), HERE)

    assert settings.warnings == ()
    assert settings.values


@pytest.mark.parametrize(
    "sample",
    sorted(path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("namesrv*.conf")),
)
def test_each_sample_of_a_name_server_loads_without_a_warning(sample):
    text = (SAMPLES / sample).read_text(encoding="utf-8")

    assert namesrv_settings(parse(text), HERE).warnings == ()


def test_three_brokers_of_one_machine_share_no_port_and_no_store():
    files = sorted((SAMPLES / "1m-2s-sync").iterdir())
    sets = [broker_settings(parse(path.read_text(encoding="utf-8")), HERE) for path in files]

    ports = [s.server.listenPort - less for s in sets for less in (0, 2)]
    ports += [s.store.haListenPort for s in sets]
    assert len(set(ports)) == 9
    assert len({s.store.storePathRootDir for s in sets}) == 3
    assert sorted((s.broker.brokerId, s.store.brokerRole) for s in sets) == [
        (0, "SYNC_MASTER"),
        (1, "SLAVE"),
        (2, "SLAVE"),
    ]
