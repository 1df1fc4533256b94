"""Tests of how the Java programs are started."""

from pathlib import Path

from scripts.failoverlib.clients import Steady


def test_the_command_line_is_that_of_the_program():
    steady = Steady(Path("jars"), Path("driver"), Path("work"), "h:1", "T", "broker-a", 4)

    command = steady.command("send", 10, 1000, 100)

    assert command[: command.index("Steady")][-2:] == ["-cp", "jars/*:driver"]
    assert command[command.index("Steady") :] == [
        *("Steady", "send", "h:1", "T", "broker-a", "4", "10", "1000", "100"),
    ]
