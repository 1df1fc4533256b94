"""A broker group under Controllers, as processes: who leads, what is sent, what is kept."""

import hashlib
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import servers
import wire

GROUP = "broker-a"
CLUSTER_NAME = "DefaultCluster"
TOPIC = "FailOver"
QUEUES = 4
LOG_FILE_SIZE = 1 << 22
JAVA_HEAP = "-Xmx256m"
_BARE_KEY = re.compile(rb"([{,])(\d+):")
"""A number as a key, which Apache's servers do not quote."""


def wait_for(
    what: str, look: Callable[[], object], seconds: float, pause_s: float = 0.01
) -> object:
    """What ``look`` gives as soon as it is true."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(pause_s)
    return found


class JavaNamesrv(servers.Server):
    """Apache's NameServer."""

    def __init__(self, folder: Path, settings: dict[str, object], jars: Path) -> None:
        del settings["bindAddress"]
        super().__init__("namesrv", folder, settings)
        self._command = [
            *("java", JAVA_HEAP, f"-Duser.home={folder}", f"-Drocketmq.home.dir={folder}"),
            *("-cp", f"{jars}/*", "org.apache.rocketmq.namesrv.NamesrvStartup"),
            *("-c", str(folder / "namesrv.conf")),
        ]


class JavaController(servers.Server):
    """One of Apache's Controllers."""

    def __init__(self, folder: Path, settings: dict[str, object], jars: Path) -> None:
        super().__init__("controller", folder, settings)
        self._command = [
            *("java", JAVA_HEAP, f"-Duser.home={folder}", f"-Drocketmq.home.dir={folder}"),
            *("-cp", f"{jars}/*", "org.apache.rocketmq.controller.ControllerStartup"),
            *("-c", str(folder / "controller.conf")),
        ]


class JavaBroker(servers.Server):
    """One of Apache's brokers."""

    def __init__(self, folder: Path, settings: dict[str, object], jars: Path) -> None:
        del settings["bindAddress"]
        super().__init__("broker", folder, settings)
        self._command = [
            *("java", "-Xmx512m", "-XX:MaxDirectMemorySize=256m"),
            "--add-opens=java.base/java.nio=ALL-UNNAMED",
            "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
            *(f"-Duser.home={folder}", f"-Drocketmq.home.dir={folder}"),
            *("-cp", f"{jars}/*", "org.apache.rocketmq.broker.BrokerStartup"),
            *("-c", str(folder / "broker.conf")),
        ]


class Group:
    """Three Controllers, a NameServer, and brokers 1 to ``brokers`` of one name."""

    def __init__(
        self,
        folder: Path,
        *,
        brokers: int = 2,
        jars: Path | None = None,
        java_brokers: int = 0,
        java_controllers: bool = False,
        java_namesrv: bool = False,
        profile: str = "default",
        hub: str = "127.0.0.1",
        hosts: Sequence[str] = (),
        **settings: object,
    ) -> None:
        """``jars``: Apache's servers, of which are the Controllers, and the last brokers.

        ``hub``: where NameServer and Controllers are; ``hosts``: where each broker is, if not there.
        """
        ports = [servers.free_port() for _ in range(3)]
        peers = ";".join(f"n{number}-{hub}:{port}" for number, port in enumerate(ports))
        self.controllers: list[servers.Server] = []
        for number, port in enumerate(ports):
            home = folder / f"controller{number}"
            config = {
                "listenPort": port,
                "controllerDLegerGroup": "controllers",
                "controllerDLegerPeers": peers,
                "controllerDLegerSelfId": f"n{number}",
                "controllerStorePath": home / "log",
                "mappedFileSize": 1 << 20,
            }
            if jars is None or not java_controllers:
                config["failoverProfile"] = profile
                server = servers.Server("controller", home, config)
            else:
                server = JavaController(home, config, jars)
            server.host = hub
            self.controllers.append(server)
        home = folder / "namesrv"
        config = servers.namesrv_settings(home, bindAddress=hub)
        self.namesrv = (
            JavaNamesrv(home, config, jars)
            if jars is not None and java_namesrv
            else servers.Server("namesrv", home, config)
        )
        self.namesrv.host = hub
        self.brokers: list[servers.Server] = []
        for number in range(brokers):
            home = folder / f"broker{number}"
            host = hosts[number] if hosts else hub
            config = servers.broker_settings(
                home,
                brokerIP1=host,
                brokerIP2=host,
                bindAddress=host,
                brokerClusterName=CLUSTER_NAME,
                brokerName=GROUP,
                namesrvAddr=self.namesrv.address,
                enableControllerMode="true",
                controllerAddr=";".join(f"{hub}:{port}" for port in ports),
                mappedFileSizeCommitLog=LOG_FILE_SIZE,
                storePathCommitLog=home / "store/commitlog",
                failoverProfile=profile,
                **settings,
            )
            is_java = jars is not None and number >= brokers - java_brokers
            made = (
                JavaBroker(home, config, jars)
                if is_java
                else servers.Server("broker", home, config)
            )
            self.brokers.append(made)

    def start(self) -> "Group":
        """Start all, wait until there is a master and every broker is in its set."""
        self.namesrv.start()
        for server in (*self.controllers, *self.brokers):
            server.launch()
        wait_for("a master that all follow", self.is_whole, 60)
        return self

    def end(self) -> None:
        """End every process that runs."""
        for server in (*self.brokers, *self.controllers, self.namesrv):
            server.end()

    def addresses(self) -> dict[int, str]:
        """Who the NameServer has by which id; 0 is the master."""
        try:
            with self.namesrv.peer(1) as peer:
                answer = peer.call(wire.CLUSTER)
        except (OSError, ConnectionError):
            return {}
        body = _BARE_KEY.sub(rb'\1"\2":', answer.body)
        known = json.loads(body)["brokerAddrTable"].get(GROUP)
        return {int(key): address for key, address in known["brokerAddrs"].items()} if known else {}

    def master(self) -> servers.Server | None:
        """The broker that the NameServer has as master."""
        address = self.addresses().get(0)
        return next((one for one in self.brokers if address == one.address), None)

    def leader(self) -> servers.Server:
        """The Controller that leads, as soon as one does."""

        def look() -> servers.Server | None:
            return next((one for one in self.controllers if leads(one)), None)

        return wait_for("a Controller that leads", look, 20)

    def in_sync(self) -> int:
        """How many slaves the master has in its set, with all it has; 0 without a master."""
        slaves = self._ha_status().get("haConnectionInfo", [])
        return sum(1 for slave in slaves if slave["inSync"] and slave["diff"] == 0)

    def members(self) -> int:
        """How many brokers are in the master's set, itself included."""
        return sum(slave["inSync"] for slave in self._ha_status().get("haConnectionInfo", [])) + 1

    def log_end(self) -> int:
        """Where the master's commit log ends."""
        return int(self._ha_status()["masterCommitLogMaxOffset"])

    def _ha_status(self) -> dict:
        master = self.master()
        if master is None or master.process is None:
            return {}
        try:
            with master.peer(1) as peer:
                answer = peer.call(wire.HA_STATUS)
        except (OSError, ConnectionError):
            return {}
        return json.loads(answer.body) if answer.code == wire.SUCCESS else {}

    def is_whole(self) -> bool:
        """Whether there is a master, and all brokers that run are in its set."""
        running = [one for one in self.brokers if one.process is not None]
        return self.in_sync() == len(running) - 1 and len(self.addresses()) == len(running)

    def kept(self, broker: servers.Server) -> list[bytes]:
        """The bodies of all messages that a broker gives out."""
        bodies: list[bytes] = []
        with broker.peer() as peer:
            for queue in range(QUEUES):
                offset = 0
                while True:
                    answer = peer.call(wire.PULL, wire.pull_fields(TOPIC, queue, offset))
                    if answer.code != wire.SUCCESS:
                        assert answer.code == wire.NOT_FOUND, answer
                        break
                    found = list(wire.messages(answer.body))
                    bodies += [one.body for one in found]
                    offset = found[-1].queue_offset + 1
        return bodies


def log_bytes(broker: servers.Server, end: int) -> bytes:
    """The commit log of a broker up to ``end``, from its first file on."""
    folder = broker.folder / "store/commitlog"
    data = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    first = int(min(os.listdir(folder)))
    return data[: end - first]


def takes(broker: servers.Server, topic: str) -> bool:
    """Whether a broker acknowledges a message now."""
    try:
        with broker.peer(4) as peer:
            answer = peer.call(wire.SEND, wire.send_fields(topic, 0, {}), b"probe")
    except (OSError, ConnectionError):
        return False
    return answer.code == wire.SUCCESS


def log_digest(broker: servers.Server, end: int) -> str:
    """The sum (SHA-256) of a broker's commit log up to ``end``, and where it begins."""
    return files_digest(broker.folder / "store/commitlog", end)


def files_digest(folder: Path, end: int) -> str:
    """The sum (SHA-256) of a log's files up to ``end``, and where they begin."""
    names = sorted(path.name for path in folder.iterdir() if path.name.isdigit())
    state = hashlib.sha256()
    for name in names:
        left = end - int(name)
        with (folder / name).open("rb") as file:
            while left > 0 and (data := file.read(min(left, 1 << 22))):
                state.update(data)
                left -= len(data)
    return f"{int(names[0])}:{state.hexdigest()}"


def leads(controller: servers.Server) -> bool:
    """Whether a Controller says that it leads."""
    try:
        with controller.peer(2) as peer:
            fields = peer.call(wire.CONTROLLER_METADATA).fields
    except (OSError, ConnectionError):
        return False
    return fields.get("isLeader") == "true"


@dataclass
class Producer:
    """Sends without end, one message at a time, to whomever the NameServer has as master."""

    group: Group
    name: str
    acked: list[tuple[float, str, bytes]] = field(default_factory=list)
    """When (monotonic, seconds), by which address, what."""
    sent: int = 0
    refused: dict[int, int] = field(default_factory=dict)
    timeout_s: float = 3.5

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()
        self._thread.join(2 * self.timeout_s)
        assert not self._thread.is_alive()

    def acked_by(self, broker: servers.Server, since: float) -> float | None:
        """When a broker first acknowledged after ``since``."""
        return next(
            (at for at, by, _ in self.acked if by == broker.address and at >= since),
            None,
        )

    def _run(self) -> None:
        while not self._stopping.is_set():
            master = self.group.master()
            if master is None:
                time.sleep(0.005)
                continue
            try:
                self._send_to(master)
            except (OSError, ConnectionError):
                time.sleep(0.005)

    def _send_to(self, master: servers.Server) -> None:
        address = master.address
        with master.peer(self.timeout_s) as peer:
            while not self._stopping.is_set():
                body = f"{self.name}-{self.sent}".encode()
                self.sent += 1
                answer = peer.call(wire.SEND, wire.send_fields(TOPIC, self.sent % QUEUES, {}), body)
                if answer.code != wire.SUCCESS:
                    self.refused[answer.code] = self.refused.get(answer.code, 0) + 1
                    return
                self.acked.append((time.monotonic(), address, body))


def java_is_there() -> bool:
    """Whether Apache's servers can run here."""
    try:
        return (
            subprocess.run(["java", "-version"], capture_output=True, check=False).returncode == 0
        )
    except OSError:
        return False
