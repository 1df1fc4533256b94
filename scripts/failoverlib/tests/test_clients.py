"""Tests of how the Java programs are started."""

from pathlib import Path
from types import SimpleNamespace

from scripts.failoverlib.clients import Steady


def test_the_command_line_is_that_of_the_program():
    steady = Steady(Path("jars"), Path("driver"), Path("work"), "h:1", "T", "broker-a", 4)

    command = steady.command("send", 10, 1000, 100)

    assert command[: command.index("Steady")][-2:] == ["-cp", "jars/*:driver"]
    assert command[command.index("Steady") :] == [
        *("Steady", "send", "h:1", "T", "broker-a", "4", "10", "1000", "100"),
    ]


def test_a_group_s_clients_use_its_own_topic():
    group = SimpleNamespace(namesrv=SimpleNamespace(address="h:1"))

    steady = Steady.of(group, Path("jars"), Path("driver"), Path("work"))

    assert (steady.namesrv, steady.topic, steady.queues) == ("h:1", "FailOver", 4)
    assert steady.folder == Path("work")
