"""Tests of what the servers are started with."""

from scripts.benchlib import servers


def test_jars_that_are_there_are_not_fetched(tmp_path):
    folder = tmp_path / "apache-5.3.3"
    folder.mkdir()
    (folder / "rocketmq-broker-5.3.3.jar").touch()

    assert servers.jars(tmp_path) == folder


def test_both_makers_have_two_servers(tmp_path):
    for commands in (servers.rmq_commands(tmp_path), servers.java_commands(tmp_path, tmp_path)):
        assert commands.namesrv != commands.broker


def test_pair_stops_what_was_started():
    stopped = []

    class Stand:
        def __init__(self, role):
            self.role = role

        def stop(self):
            stopped.append(self.role)

    servers.Pair("rmq", {role: Stand(role) for role in ("namesrv", "broker")}, {}).stop()
    servers.Pair("rmq", {"namesrv": Stand("alone")}, {}).stop()

    assert stopped == ["broker", "namesrv", "alone"]


def test_room_is_asked_of_the_file_system(tmp_path):
    assert servers.free_bytes(tmp_path) > 0


def test_settings_name_the_ports_and_the_store(tmp_path):
    config = tmp_path / "broker.conf"

    servers.write_namesrv_settings(tmp_path, 9876)
    servers.write_broker_settings(config, tmp_path / "store", 10911, "h:9876", brokerId=1)

    assert "listenPort=9876\n" in (tmp_path / "namesrv.conf").read_text()
    lines = config.read_text().splitlines()
    assert {"listenPort=10911", "haListenPort=10912", "brokerId=1", "namesrvAddr=h:9876"} <= {
        *lines
    }
    assert f"storePathCommitLog={tmp_path / 'store/commitlog'}" in lines
