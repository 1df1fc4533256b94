"""``mqshutdown``: finds the servers that this user runs on this machine, and asks them to stop.

A server is known by its arguments, word for word, so neither a shell that started one nor an editor
that has a file of that name open is taken for it. Linux tells the words apart in ``/proc``;
elsewhere ``ps`` gives them in one line, and a path with a space in it may hide a server. One that
runs in a container is left alone, although its host sees the process.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

COMMANDS = {"broker": "mqbroker", "namesrv": "mqnamesrv", "controller": "mqcontroller"}
"""A role, and the command that runs it alone."""

PROC = Path("/proc")


class Process(NamedTuple):
    """A running process: its id, its user, its arguments."""

    pid: int
    uid: int
    arguments: Sequence[str]


def is_server(role: str, arguments: Sequence[str]) -> bool:
    """Whether these arguments run a server of ``role``: by the command of that name, by
    ``rmq ROLE`` or by ``python -m rmq ROLE``.
    """
    if not arguments or not PurePath(arguments[0]).name.lower().startswith("python"):
        return False
    words = list(arguments[1:])
    while words and words[0].startswith("-") and words[0] != "-m":
        del words[0]
    if words[:1] == ["-m"]:
        return words[1:3] == ["rmq", role]
    script = PurePath(words[0]).name if words else ""
    return script == COMMANDS[role] or (script == "rmq" and words[1:2] == [role])


def servers(role: str, processes: Iterator[Process], *, uid: int) -> list[int]:
    """The ids of those among ``processes`` that are servers of ``role`` run by user ``uid``."""
    return [
        process.pid
        for process in processes
        if process.uid == uid and is_server(role, process.arguments)
    ]


def running(proc: Path = PROC) -> Iterator[Process]:
    """The processes of this machine, without those of its containers."""
    if not (proc / "self").exists():
        yield from _listed()
        return
    machine = _process_space(proc / "self")
    for folder in proc.iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            if _process_space(folder) != machine:
                continue
            uid = folder.stat().st_uid
            words = (folder / "cmdline").read_bytes().split(b"\0")[:-1]
        except OSError:
            continue  # it ended meanwhile, or is none of our business
        yield Process(int(folder.name), uid, [os.fsdecode(word) for word in words])


def _process_space(folder: Path) -> Path:
    """The name of the space that a process has its id in, one for each container."""
    return (folder / "ns" / "pid").readlink()


def _listed() -> Iterator[Process]:
    command = ("ps", "axww", "-o", "pid=,uid=,command=")  # POSIX's ps, wherever it lies
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    for line in done.stdout.splitlines():
        pid, uid, *words = line.split()
        yield Process(int(pid), int(uid), words)
