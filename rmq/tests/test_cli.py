import logging
import os
import runpy
import signal
import sys
from types import SimpleNamespace

import pytest
import twisted.internet
from twisted.internet.defer import fail

from rmq import cli
from rmq.app import controller, dev_group, namesrv, shutdown
from rmq.app.shutdown import Process
from rmq.app.tests.outsides import outside_of
from rmq.base.errors import ConfigError
from rmq.cli import main
from rmq.net.clock import ReactorClock
from rmq.net.tests.reactors import Loop

SMALL = """
inMemory=true
brokerIP1=127.0.0.1
brokerName=broker-a
mappedFileSizeCommitLog=4096
mappedFileSizeConsumeQueue=2000
maxHashSlotNum=100
maxIndexNum=400
"""


class ServingLoop(Loop):
    """Serves for a moment, then ends as SIGTERM would end it."""

    def run(self):
        self.spin(0.4)
        for call, args, kwargs in self.triggers["before"]["shutdown"]:
            call(*args, **kwargs)
        self.spin(0.4)


@pytest.fixture
def reactor(monkeypatch):
    """Stands where Twisted keeps the process's reactor."""
    loop = ServingLoop()
    monkeypatch.setattr(twisted.internet, "reactor", loop, raising=False)
    monkeypatch.setitem(sys.modules, "twisted.internet.reactor", loop)
    return loop


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def small(tmp_path):
    """The path of settings for a small broker."""
    path = tmp_path / "broker.conf"
    path.write_text(SMALL)
    return str(path)


# arguments


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["shutdown"],
        ["shutdown", "proxy"],
        ["dev", "--broker-port", "65536"],
        ["dev", "--broker-port", "-1"],
        ["dev", "--dledger", "0"],
        ["dev", "--dledger", "three"],
        ["dev", "--namesrv-port", "\u0663"],
        ["namesrv", "-n", "a:1"],
    ],
)
def test_arguments_that_nobody_understands_end_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)

    assert end.value.code == 2
    assert "usage: rmq" in capsys.readouterr().err


def test_help_names_all_commands(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])

    assert end.value.code == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("namesrv", "broker", "controller", "dev"))


# settings


def printed(capsys):
    out = capsys.readouterr().out.splitlines()
    return dict(line.partition("=")[::2] for line in out if "=" in line)


def test_all_settings_of_a_name_server_are_printed(capsys, home):
    assert main(["namesrv", "-p"]) == 0

    settings = printed(capsys)
    assert settings["listenPort"] == "9876"
    assert settings["kvConfigPath"].startswith(str(home))


def test_all_settings_of_a_controller_are_printed(capsys, home):
    assert main(["controller", "-p"]) == 0

    settings = printed(capsys)
    assert settings["controllerStorePath"] == f"{home}/DLedgerController"
    assert settings["controllerType"] == "DLedger"


def test_all_settings_of_a_broker_are_printed(capsys, small):
    assert main(["broker", "-p", "-c", small, "-n", "10.0.0.1:9876"]) == 0

    settings = printed(capsys)
    assert settings["brokerName"] == "broker-a"
    assert settings["namesrvAddr"] == "10.0.0.1:9876"
    assert settings["mappedFileSizeCommitLog"] == "4096"


def test_only_important_settings_are_printed_on_demand(capsys, small):
    main(["broker", "-p", "-c", small])
    everything = printed(capsys)

    assert main(["broker", "-m", "-c", small]) == 0

    important = printed(capsys)
    assert "brokerName" in important
    assert len(important) < len(everything)


def test_all_settings_win_over_the_important_ones(capsys, small):
    main(["broker", "-p", "-c", small])
    everything = printed(capsys)

    assert main(["broker", "-p", "-m", "-c", small]) == 0

    assert printed(capsys) == everything


# what the user can mend


def complaint(capsys):
    """The one line of an error."""
    text = capsys.readouterr().err
    assert text.startswith("rmq: ")
    assert text.count("\n") == 1
    return text


@pytest.mark.parametrize("role", ["namesrv", "broker"])
def test_file_that_is_not_there_ends_with_2(capsys, tmp_path, role):
    assert main([role, "-c", str(tmp_path / "none.conf")]) == 2

    assert "none.conf" in complaint(capsys)


def test_file_that_is_no_text_ends_with_2(capsys, tmp_path):
    path = tmp_path / "broker.conf"
    path.write_bytes(b"\xff\xfe\x00")

    assert main(["broker", "-c", str(path)]) == 2

    assert str(path) in complaint(capsys)


def test_setting_that_cannot_be_used_ends_with_2(capsys, tmp_path):
    path = tmp_path / "broker.conf"
    path.write_text("listenPort=many")

    assert main(["broker", "-c", str(path)]) == 2

    assert "listenPort" in complaint(capsys)


def test_taken_port_ends_with_1(capsys, small, reactor):
    reactor.taken.add(10911)

    assert main(["broker", "-c", small]) == 1

    assert "10911" in complaint(capsys)


def test_disk_that_refuses_ends_with_1(capsys, tmp_path, reactor):
    path = tmp_path / "broker.conf"
    (tmp_path / "store").write_text("a file where a folder should be")
    path.write_text(f"storePathRootDir={tmp_path}/store\nbrokerIP1=127.0.0.1")

    assert main(["broker", "-c", str(path)]) == 1

    assert str(tmp_path / "store") in complaint(capsys)


# serving


def test_name_server_serves_until_it_is_told_to_stop(capsys, home, reactor):
    assert main(["namesrv"]) == 0

    assert capsys.readouterr().out == (
        "The Name Server boot success. serializeType=JSON, address 0.0.0.0:9876\n"
    )
    assert reactor.listening == {}


def test_broker_serves_until_it_is_told_to_stop(capsys, small, reactor):
    assert main(["broker", "-c", small, "-n", "127.0.0.1:9876"]) == 0

    assert capsys.readouterr().out == (
        "The broker[broker-a, 127.0.0.1:10911] boot success. "
        "serializeType=JSON and name server is 127.0.0.1:9876\n"
    )
    assert reactor.listening == {}


def test_controller_serves_until_it_is_told_to_stop(capsys, home, reactor, monkeypatch):
    monkeypatch.setattr(controller, "true_outside", lambda _: outside_of(ReactorClock(reactor)))
    path = home / "controller.conf"
    path.write_text(
        "controllerDLegerGroup=g\ncontrollerDLegerPeers=n0-127.0.0.1:9878\n"
        "controllerDLegerSelfId=n0\nmappedFileSize=65536\n"
    )

    assert main(["controller", "-c", str(path)]) == 0

    assert "The Controller Server boot success. serializeType=JSON\n" in capsys.readouterr().out
    assert reactor.listening == {}


def test_settings_that_do_nothing_are_warned_of(caplog, home, reactor):
    path = home / "namesrv.conf"
    path.write_text("noSuchKey=1")

    with caplog.at_level(logging.WARNING):
        assert main(["namesrv", "-c", str(path)]) == 0

    assert "noSuchKey" in caplog.text


def test_stop_that_fails_ends_with_1(capsys, home, reactor, monkeypatch):
    broken = SimpleNamespace(
        start=lambda: None, boot_lines=["up"], stop=lambda: fail(OSError("stuck"))
    )
    monkeypatch.setattr(namesrv, "NameServer", lambda *_: broken)

    assert main(["namesrv"]) == 1

    captured = capsys.readouterr()
    assert captured.out == "up\n"
    assert "rmq: shutdown failed: " in captured.err
    assert "stuck" in captured.err


def test_both_roles_serve_a_developer(capsys, home, small, reactor):
    assert main(["dev", "--in-memory", "--once", "-c", small]) == 0

    out = capsys.readouterr().out
    assert "The Name Server boot success" in out
    assert "The broker[broker-a" in out
    assert "a message went through" in out
    assert reactor.listening == {}


def test_developers_ports_and_store_are_his(capsys, home, small, reactor):
    ports = ["--namesrv-port", "19876", "--broker-port", "20911"]

    assert main(["dev", *ports, "--store", "~/mine", "--in-memory", "-v", "-c", small]) == 0

    out = capsys.readouterr().out
    assert "127.0.0.1:19876" in out
    assert "127.0.0.1:20911" in out


# stopping others


@pytest.fixture
def machine(monkeypatch):
    """Processes of this machine, and the signals that they got."""
    mine = os.getuid()
    found = SimpleNamespace(
        processes=[
            Process(1001, mine, ["python3", "-m", "rmq", "broker"]),
            Process(1002, mine, ["python3", "-m", "rmq", "broker"]),
            Process(1003, mine, ["python3", "-m", "rmq", "namesrv"]),
            Process(1004, mine + 1, ["python3", "-m", "rmq", "broker"]),
            Process(1005, mine, ["vi", "rmq", "broker"]),
        ],
        signals=[],
        gone=set(),
    )

    def kill(pid, number):
        if pid in found.gone:
            raise ProcessLookupError
        found.signals.append((pid, number))

    monkeypatch.setattr(shutdown, "running", lambda: iter(found.processes))
    monkeypatch.setattr(os, "kill", kill)
    return found


def test_servers_of_the_role_are_asked_to_stop(capsys, machine):
    assert main(["shutdown", "broker"]) == 0

    assert machine.signals == [(1001, signal.SIGTERM), (1002, signal.SIGTERM)]
    assert capsys.readouterr().out.splitlines() == [
        "The mqbroker(1001) is running...",
        "Send shutdown request to mqbroker(1001) OK",
        "The mqbroker(1002) is running...",
        "Send shutdown request to mqbroker(1002) OK",
    ]


def test_server_that_ended_meanwhile_is_not_counted(capsys, machine):
    machine.gone = {1003}

    assert main(["shutdown", "namesrv"]) == 1

    assert capsys.readouterr().out == "No mqnamesrv running.\n"


# the names


@pytest.mark.parametrize(
    ("run", "arguments", "shown"),
    [
        (cli.mqnamesrv, ["-p"], "listenPort=9876"),
        (cli.mqcontroller, ["-p"], "controllerType=DLedger"),
        (cli.mqbroker, ["-p"], "listenPort=10911"),
        (cli.mqshutdown, ["broker"], "The mqbroker(1001) is running..."),
    ],
)
def test_javas_names_run_the_same(monkeypatch, capsys, machine, run, arguments, shown):
    monkeypatch.setattr(sys, "argv", ["any", *arguments])

    assert run() == 0

    assert shown in capsys.readouterr().out.splitlines()


def test_module_runs_as_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["rmq", "namesrv", "-p"])

    with pytest.raises(SystemExit) as end:
        runpy.run_module("rmq", run_name="__main__")

    assert end.value.code == 0
    assert "listenPort=9876" in capsys.readouterr().out


def test_developers_group_is_as_large_as_asked_for(monkeypatch, home, small, reactor):
    asked = []

    def group(_, options, *__, **___):
        asked.append(options.dledger)
        raise ConfigError("not here")

    monkeypatch.setattr(dev_group, "DevGroup", group)

    assert main(["dev", "--dledger", "3", "-c", small]) == 2
    assert asked == [3]
