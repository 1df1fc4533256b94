"""Which processes mqshutdown takes for servers."""

import os
import subprocess
import sys

import pytest

from rmq.app.shutdown import Process, is_server, running, servers


@pytest.mark.parametrize(
    "arguments",
    [
        ["/home/me/a clone/.venv/bin/python", "-P", "-m", "rmq", "broker", "-n", "a:9876"],
        ["python3.11", "-m", "rmq", "broker"],
        ["/usr/bin/python3", "/opt/my tools/bin/mqbroker", "-c", "broker.conf"],
        ["/opt/venv/bin/python", "/opt/venv/bin/rmq", "broker"],
        ["/Library/Frameworks/Python.app/Contents/MacOS/Python", "bin/mqbroker"],
    ],
)
def test_a_broker_is_known_by_each_way_to_start_it(arguments):
    assert is_server("broker", arguments)
    assert not is_server("namesrv", arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["python3"],
        ["python3", "-P"],
        ["python3", "-m", "rmq"],
        ["python3", "-m", "rmq", "namesrv"],
        ["python3", "-m", "rmq", "dev"],
        ["python3", "-m", "rmq", "shutdown", "broker"],
        ["python3", "/opt/bin/mqshutdown", "broker"],
        ["python3", "-c", "print('rmq broker')"],
        ["python3", "tool.py", "rmq", "broker"],
        ["sh", "scripts/mqbroker"],
        ["sh", "-c", "python3 -m rmq broker"],
        ["vi", "bin/mqbroker"],
        ["java", "org.apache.rocketmq.broker.BrokerStartup"],
    ],
)
def test_nothing_else_is_taken_for_a_broker(arguments):
    assert not is_server("broker", arguments)


def test_a_controller_is_known_too():
    assert is_server("controller", ["python3", "-m", "rmq", "controller", "-c", "c.conf"])
    assert is_server("controller", ["python3", "/opt/venv/bin/mqcontroller"])
    assert not is_server("controller", ["python3", "-m", "rmq", "namesrv"])


def test_only_the_servers_of_the_user_are_found():
    ours = Process(10, 1000, ["python3", "-m", "rmq", "namesrv"])
    theirs = Process(11, 1001, ["python3", "-m", "rmq", "namesrv"])
    broker = Process(12, 1000, ["python3", "-m", "rmq", "broker"])

    assert servers("namesrv", iter([ours, theirs, broker]), uid=1000) == [10]


def process(proc, pid, space, cmdline=None):
    (proc / pid / "ns").mkdir(parents=True)
    (proc / pid / "ns" / "pid").symlink_to(space)
    if cmdline is not None:
        (proc / pid / "cmdline").write_bytes(cmdline)


def test_processes_are_read_from_proc_without_those_of_containers(tmp_path):
    process(tmp_path, "self", "pid:[1]")
    process(tmp_path, "7", "pid:[1]", b"/a b/python\0-m\0rmq\0broker\0")
    process(tmp_path, "8", "pid:[1]")  # ended: nothing in it any more
    process(tmp_path, "9", "pid:[2]", b"python3\0-m\0rmq\0broker\0")
    (tmp_path / "meminfo").write_text("not a process")

    assert list(running(tmp_path)) == [
        Process(7, os.getuid(), ["/a b/python", "-m", "rmq", "broker"])
    ]


def test_processes_are_listed_by_ps_where_there_is_no_proc(tmp_path, monkeypatch):
    ps = tmp_path / "ps"
    ps.write_text(
        "#!/bin/sh\necho '    1     0 /sbin/init'\necho '   42  1000 python3 -m rmq broker'\n"
    )
    ps.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    assert list(running(tmp_path / "none")) == [
        Process(1, 0, ["/sbin/init"]),
        Process(42, 1000, ["python3", "-m", "rmq", "broker"]),
    ]


def test_a_running_server_is_found(tmp_path):
    code = tmp_path / "mqbroker"
    code.write_text("print('up', flush=True); input()")
    with subprocess.Popen(
        [sys.executable, str(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout.readline() == b"up\n"

        found = servers("broker", running(), uid=os.getuid())

        server.terminate()
    assert server.pid in found
