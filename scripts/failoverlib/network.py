"""Where the processes of a group are, and how packets between them are lost.

With namespaces the whole run is in a network of its own, and each broker in another that a virtual
cable connects to a bridge; cutting takes the cable's end from the bridge, so packets vanish without
a word. What goes one way between two is lost by giving the sender a false hardware address of the
receiver, which nobody has. The system drops all of it when the last process ends.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import Protocol, Self

MARK = "RMQ_FAILOVER_ISOLATED"
BRIDGE = "failover"
HUB = "10.99.0.1"
HUB_NUMBER = -1
"""Where NameServer and clients are, among the numbers of brokers."""
NOBODY = "02:00:00:00:00:ff"
"""A hardware address that no end of a cable has."""
_MAPPED = () if os.geteuid() == 0 else ("--map-root-user",)
_UNSHARE = ("unshare", *_MAPPED, "--net")


class Network(Protocol):
    """What a run needs of it."""

    hub: str
    """Where NameServer, Controllers and clients are."""

    hosts: Sequence[str]
    """Where each broker is."""

    def prefix(self, number: int) -> tuple[str, ...]:
        """What starts the process of a broker there."""

    def cut(self, number: int) -> None:
        """Let nothing through to a broker or from it."""

    def mend(self, number: int) -> None:
        """Let all through again."""

    def drop(self, pairs: Iterable[tuple[int, int]]) -> None:
        """From now on lose what goes from the first to the second of these pairs, and no other."""


class Loopback:
    """All on loopback, where nobody can be cut off."""

    def __init__(self, brokers: int) -> None:
        self.hub = "127.0.0.1"
        self.hosts: Sequence[str] = [self.hub] * brokers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def prefix(self, number: int) -> tuple[str, ...]:
        """Nothing: a process is where we are."""
        del number
        return ()

    def cut(self, number: int) -> None:
        """Not possible here."""
        raise NotImplementedError(f"broker {number} is on loopback")

    mend = cut

    def drop(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Not possible here."""
        if lost := list(pairs):
            raise NotImplementedError(f"{lost} are on loopback")


def can_isolate() -> bool:
    """Whether this process may make networks."""
    command = [*_UNSHARE, "ip", "link", "add", "test", "type", "bridge"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def is_isolated() -> bool:
    """Whether this process is in a network of its own already."""
    return MARK in os.environ


def isolate(module: str, arguments: Sequence[str]) -> None:
    """Begin this program anew in a network of its own; does not return."""
    command = [*_UNSHARE, sys.executable, "-m", module, *arguments]
    os.execvpe(command[0], command, {**os.environ, MARK: "yes"})  # noqa: S606 - its own arguments


class Isolated:
    """A namespace for each broker; this process must be in one of its own."""

    def __init__(self, brokers: int) -> None:
        self.hub = HUB
        self.hosts: Sequence[str] = [f"10.99.0.{number + 11}" for number in range(brokers)]
        self._holders: list[subprocess.Popen[bytes]] = []
        self._dropped: frozenset[tuple[int, int]] = frozenset()

    def __enter__(self) -> Self:
        _ip("link", "set", "lo", "up")
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("addr", "add", f"{self.hub}/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        for number, host in enumerate(self.hosts):
            # Ends when its stdin does, which is when this process ends.
            holder = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", "echo; exec cat"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
            self._holders.append(holder)
            assert holder.stdout is not None
            holder.stdout.readline()
            outer, inner = _cable(number), _inner(number)
            _ip("link", "add", outer, "type", "veth", "peer", "name", inner)
            _ip("link", "set", inner, "netns", str(holder.pid))
            _ip("link", "set", outer, "master", BRIDGE, "up")
            inside = self.prefix(number)
            _run(*inside, "ip", "link", "set", "lo", "up")
            _run(*inside, "ip", "addr", "add", f"{host}/24", "dev", inner)
            _run(*inside, "ip", "link", "set", inner, "up")
        return self

    def __exit__(self, *_: object) -> None:
        for holder in self._holders:
            holder.kill()
            holder.wait()

    def prefix(self, number: int) -> tuple[str, ...]:
        """What enters a broker's namespace and becomes the process."""
        return ("nsenter", f"--net=/proc/{self._holders[number].pid}/ns/net", "--")

    def cut(self, number: int) -> None:
        """Take its cable out."""
        _ip("link", "set", _cable(number), "nomaster")

    def mend(self, number: int) -> None:
        """Put its cable in."""
        _ip("link", "set", _cable(number), "master", BRIDGE)

    def drop(self, pairs: Iterable[tuple[int, int]]) -> None:
        """From now on lose what goes from the first to the second of these pairs, and no other."""
        wanted = frozenset(pairs)
        commands: dict[int, list[str]] = {}
        for sender, receiver in sorted(wanted ^ self._dropped):
            host = self.hub if receiver == HUB_NUMBER else self.hosts[receiver]
            device = BRIDGE if sender == HUB_NUMBER else _inner(sender)
            said = (
                f"neigh replace {host} lladdr {NOBODY} nud permanent dev {device}"
                if (sender, receiver) in wanted
                else f"neigh del {host} dev {device}"
            )
            commands.setdefault(sender, []).append(said)
        self._dropped = wanted
        for sender, lines in commands.items():
            inside = () if sender == HUB_NUMBER else self.prefix(sender)
            _run(*inside, "ip", "-batch", "-", told="\n".join(lines))


def _cable(number: int) -> str:
    return f"broker{number}"


def _inner(number: int) -> str:
    return f"inner{number}"


def _ip(*words: str) -> None:
    _run("ip", *words)


def _run(*words: str, told: str = "") -> None:
    subprocess.run(words, input=told, check=True, capture_output=True, text=True)
