"""A driver: one process with a stock client, told by lines what to do (clients/README.md)."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote_plus

import artifacts
import containers

Event = dict[str, Any]

_OPENED_FOR_OLD = (
    "--add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED "
    "--add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.util=ALL-UNNAMED"
)

_REBALANCE_LEAST_MS = 500
"""Between two looks for a member's share. By default it is 1 s, and so is the time to a client's first
heartbeat. Clients since 5.0 that take their share while they send one tell no broker so, and are
refused ("the subscription is not latest") until the next, 30 s later; of a group's brokers that is
seen often."""


_CLOSE_MAX_S = 4
"""A client whose broker has ended asks for it a while before it ends; nobody needs to wait."""


class DriverError(Exception):
    """The client refused, failed, or was too late."""


class Driver:
    """One client process; its commands run one at a time, its consumers all the while."""

    def __init__(self, words: list[str], name: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self._complaints: list[str] = []
        self._commands = 0
        self._readers = [
            threading.Thread(target=self._read_events, daemon=True),
            threading.Thread(target=self._read_complaints, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def ready(self) -> "Driver":
        """Wait until it takes commands."""
        self.wait(lambda events: any(one["event"] == "ready" for one in events), 60, "ready")
        return self

    def begin(self, command: str, **options: object) -> str:
        """Give a command and not wait; gives the command's id."""
        self._commands += 1
        id_ = str(self._commands)
        words = [f"{key}={quote_plus(str(value))}" for key, value in options.items()]
        self._process.stdin.write(" ".join([id_, command, *words]) + "\n")
        self._process.stdin.flush()
        return id_

    def end(self, id_: str, max_s: float = 60) -> list[Event]:
        """Wait for a command's end; gives its events without the last.

        :raises DriverError: it failed.
        """

        def over(events: list[Event]) -> bool:
            return any(one["id"] == id_ and one["event"] in {"done", "error"} for one in events)

        own = [one for one in self.wait(over, max_s, f"command {id_}") if one["id"] == id_]
        if own[-1]["event"] == "error":
            raise DriverError(
                f"{self.name}: {own[-1]['type']}: {own[-1]['message']}{self.complaints()}"
            )
        return own[:-1]

    def do(self, command: str, max_s: float = 60, **options: object) -> list[Event]:
        """Give a command and wait for its end."""
        return self.end(self.begin(command, **options), max_s)

    def received(self, consumer: str) -> list[Event]:
        """What a push consumer of this process has got so far."""
        with self._changed:
            return [
                one
                for one in self._events
                if one["event"] == "received" and one["consumer"] == consumer
            ]

    def wait(self, enough: Callable[[list[Event]], bool], max_s: float, what: str) -> list[Event]:
        """Wait until the events are enough, and give them.

        :raises DriverError: the limit passed, or the process ended.
        """
        until = time.monotonic() + max_s
        with self._changed:
            while not enough(self._events):
                left = until - time.monotonic()
                if left <= 0 or self._process.poll() is not None:
                    state = "ended" if self._process.poll() is not None else f"late by {max_s} s"
                    raise DriverError(f"{self.name}: {what}: {state}{self.complaints()}")
                self._changed.wait(min(left, 0.5))
            return list(self._events)

    def kill(self) -> None:
        """Forget the process; what runs in the container is ended with the container."""
        self._process.kill()
        self._finish()

    def close(self) -> None:
        """Let it shut its clients down and end; a second time does nothing."""
        close([self])

    def complaints(self) -> str:
        """What it printed on stderr last."""
        return "".join(f"\n  {line}" for line in self._complaints[-25:])

    def _quit(self) -> None:
        if not self._process.stdin.closed and self._process.poll() is None:
            self.begin("quit")

    def _quitted(self, max_s: float) -> None:
        if self._process.stdin.closed:
            return
        try:
            self._process.wait(max_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._finish()

    def _finish(self) -> None:
        self._process.wait()
        for reader in self._readers:
            reader.join(5)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                continue

    def _read_events(self) -> None:
        for line in self._process.stdout:
            if line.startswith('{"'):
                event = json.loads(line)
                with self._changed:
                    self._events.append(event)
                    self._changed.notify_all()

    def _read_complaints(self) -> None:
        for line in self._process.stderr:
            self._complaints.append(line.rstrip())


def close(drivers: Iterable[Driver]) -> None:
    """Let some shut their clients down, all at once."""
    known = list(drivers)
    for one in known:
        one._quit()
    until = time.monotonic() + _CLOSE_MAX_S
    for one in known:
        one._quitted(max(0.1, until - time.monotonic()))


def start(
    lab: containers.Lab,
    version: str,
    namesrvs: str,
    *,
    encoding: str = "JSON",
    vip: bool = False,
    rebalance_ms: int = 20_000,
    host: str | None = None,
) -> Driver:
    """Start a driver of a client version in a container of its own (or the one given).

    Options that the Go client has no switch for are refused.
    """
    if version == artifacts.NODE:
        return _start_node(lab, namesrvs)
    if host is None:
        host = containers.docker_name(
            lab.host(f"client-{version}-{len(lab.running)}".replace(".", "-"))
        )
    if version == artifacts.GO:
        assert encoding == "JSON", "the Go client has no setting for the header encoding"
        command = f"/compat/drivers/{version}/driver '{namesrvs}'"
    else:
        options = (
            f"-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dfile.encoding=UTF-8 {_OPENED_FOR_OLD} "
            f"-Drocketmq.serialize.type={encoding} -Drocketmq.client.rebalance.waitInterval={rebalance_ms} "
            f"-Drocketmq.client.rebalance.minInterval={_REBALANCE_LEAST_MS} "
            f"-Dcom.rocketmq.sendMessageWithVIPChannel={str(vip).lower()} "
            f"-Drocketmq.client.logRoot=/tmp/logs -Duser.home=/tmp"
        )
        path = f"/compat/drivers/{version}:/compat/jars/client-{version}/*"
        command = f"java {options} -cp '{path}' Driver '{namesrvs}'"
    words = ["docker", "exec", "-i", host, "sh", "-c", f"exec {command}"]
    return Driver(words, f"{version} {encoding}{' vip' if vip else ''}")


def _start_node(lab: containers.Lab, namesrvs: str) -> Driver:
    """On this machine, which reaches the network's addresses: the containers have no Node.js."""
    found = {server.name: server for server in lab.servers}
    addresses = []
    for one in namesrvs.split(";"):
        name, _, port = one.partition(":")
        addresses.append(f"{found[name].ip}:{port}")
    path = artifacts.BUILD / f"drivers/{artifacts.NODE}/driver.js"
    return Driver(["node", str(path), ";".join(addresses)], artifacts.NODE)
