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
