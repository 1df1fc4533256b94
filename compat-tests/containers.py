"""Name servers, brokers and client hosts as containers of one bridge network.

A container's name on the network is its address everywhere, as in any compose file. Servers are
started without waiting, so that a whole cluster starts at once; `ready` then waits, with a limit,
for the line that RocketMQ's users wait for.
"""

import io
import itertools
import json
import re
import socket
import struct
import tarfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import artifacts
import docker
import images
from docker.models.containers import Container
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

NAMESRV_PORT = 9876
BROKER_PORT = 10911
FAST_PORT = BROKER_PORT - 2
MEMBER_PORT = 40911
"""At which the brokers of a DLedger group talk to each other."""

_MOUNT = "/compat"
_READY_MAX_S = 60.0
_CLEAN_STOP_MAX_S = 30
_LED_MAX_S = 60.0
_SHARED_MAX_S = 45.0
_ENDED_AT_ONCE = 16
_JVM = (
    "java -Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:MaxDirectMemorySize=512m "
    "--add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED "
    f"-Drocketmq.home.dir=/opt/home -Duser.home=/opt/home -cp '{_MOUNT}/jars/server/*'"
)
MQADMIN = f"{_JVM} org.apache.rocketmq.tools.command.MQAdminStartup"


@dataclass(frozen=True)
class Flavour:
    """Whose servers: what an image has them, and how each is started."""

    name: str
    image: Callable[[docker.DockerClient], str]
    namesrv: str
    broker: str
    members: int = 1
    """How many processes each broker of a test is; of more than one it is a DLedger group."""

    @property
    def is_group(self) -> bool:
        return self.members > 1

    def in_groups(self, members: int) -> "Flavour":
        """The same servers, each broker a DLedger group of so many."""
        return replace(self, members=members)

    @property
    def stock(self) -> "Flavour":
        """Apache's servers, in groups where these are."""
        return APACHE.in_groups(self.members)


OURS = Flavour("ours", images.server, "mqnamesrv", "mqbroker")
APACHE = Flavour(
    "apache",
    images.base,
    f"{_JVM} org.apache.rocketmq.namesrv.NamesrvStartup",
    f"{_JVM} org.apache.rocketmq.broker.BrokerStartup",
)
FLAVOURS = {
    "ours": OURS,
    "apache": APACHE,
    "dledger": OURS.in_groups(3),
    "apache-dledger": APACHE.in_groups(3),
}

BROKER_DEFAULTS = {
    "brokerClusterName": "DefaultCluster",
    "brokerId": "0",
    "listenPort": str(BROKER_PORT),
    "storePathRootDir": "/store",
    "storePathCommitLog": "/store/commitlog",
    "mappedFileSizeCommitLog": str(64 << 20),
    "diskMaxUsedSpaceRatio": "95",
    "autoCreateTopicEnable": "true",
    "autoCreateSubscriptionGroup": "true",
    "traceTopicEnable": "false",
    "registerNameServerPeriod": "10000",
}
NAMESRV_DEFAULTS = {"listenPort": str(NAMESRV_PORT)}


class ServerFailedError(Exception):
    """A server did not come up, or went away; says what it printed last."""


@dataclass
class Server:
    """One NameServer or Broker in its container."""

    name: str
    port: int
    container: DockerContainer
    line: str
    """What it prints once it serves."""
    log_folder: str = "/store/commitlog"
    """Where a broker's messages lie."""
    starts: int = 1
    """How often it was started."""

    @property
    def address(self) -> str:
        return f"{self.name}:{self.port}"

    @property
    def ip(self) -> str:
        """Its address on the network, as known since it was ready."""
        return next(iter(self.docker.attrs["NetworkSettings"]["Networks"].values()))["IPAddress"]

    @property
    def docker(self) -> Container:
        return self.container.get_wrapped_container()

    @property
    def is_running(self) -> bool:
        self.docker.reload()
        return self.docker.status == "running"

    def ready(self, max_s: float = _READY_MAX_S) -> "Server":
        """Wait until it serves.

        :raises ServerFailedError: it ended, or the limit passed.
        """
        until = time.monotonic() + max_s
        while self.log().count(self.line) < self.starts:
            self.docker.reload()
            if self.docker.status == "exited":
                raise ServerFailedError(f"{self.name} ended at its start:\n{self.tail()}")
            if time.monotonic() > until:
                raise ServerFailedError(
                    f"{self.name} did not say {self.line!r} in {max_s} s:\n{self.tail()}"
                )
            time.sleep(0.1)
        self.docker.reload()
        return self

    def log(self, since: float = 0) -> str:
        """All that it printed so far, or since a time (seconds since 1970)."""
        return self.docker.logs(since=since or None).decode(errors="replace")

    def tail(self, lines: int = 60, since: float = 0) -> str:
        """What it printed last, and what Java's servers warn of in their log files."""
        self.docker.reload()
        printed = [line for line in self.log(since).splitlines() if "|-INFO" not in line]
        said = "\n".join(printed[-lines:])
        if self.docker.status == "running":
            logs = "/opt/home/logs/rocketmqlogs/*.log"
            warnings = f"grep -hE ' (WARN|ERROR) ' {logs} 2>/dev/null | tail -n 30"
            said += self.docker.exec_run(["sh", "-c", warnings]).output.decode(errors="replace")
        return f"--- {self.name} ({self.docker.status})\n{said}"

    def knows(self, broker: str, max_s: float = _READY_MAX_S) -> None:
        """Wait until this NameServer knows a broker, by asking for the route of the default topic.

        A stock broker may say that it serves and register only ten seconds later.

        :raises ServerFailedError: the limit passed.
        """
        until = time.monotonic() + max_s
        while f'"{broker}"'.encode() not in (answer := _default_route((self.ip, self.port))):
            if time.monotonic() > until:
                raise ServerFailedError(
                    f"{self.name} does not know {broker} after {max_s} s: {answer!r}"
                )
            time.sleep(0.2)

    def stop(self) -> None:
        """Ask it to end (SIGTERM) and expect that it does."""
        self.docker.stop(timeout=_CLEAN_STOP_MAX_S)
        self.docker.reload()
        assert self.docker.attrs["State"]["ExitCode"] != 137, (
            f"{self.name} ignored SIGTERM:\n{self.tail()}"
        )

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self.docker.kill()
        self.docker.wait(timeout=30)

    def start_again(self) -> None:
        """Start it with the store it had; it has ended. Does not wait."""
        self.docker.start()
        self.starts += 1

    def config(self, name: str) -> str:
        """One of a broker's tables, as it is on disk; empty while there is none."""
        try:
            return self.files("/store/config").get(name, b"").decode()
        except docker.errors.NotFound:
            return ""

    def knows_of(self, topic: str, group: str, consumed: dict[int, int]) -> bool:
        """Whether a broker's tables on disk have a topic, and how far a group is there, if at all."""
        if topic not in self.config("topics.json"):
            return False
        found = re.search(
            re.escape(f"{topic}@{group}") + r'":\s*\{([^}]*)\}', self.config("consumerOffset.json")
        )
        pairs = re.findall(r'"?(\d+)"?:\s*(\d+)', found.group(1)) if found else []
        return {int(queue): int(offset) for queue, offset in pairs} == consumed

    def share(self, topic: str, group: str = "", consumed: dict[int, int] | None = None) -> None:
        """Nothing: it is alone."""

    def age_log(self) -> None:
        """Let the files of its messages look as if they were of yesterday."""
        words = ["find", self.log_folder, "-type", "f"]
        self.docker.exec_run([*words, "-exec", "touch", "-c", "-d", "yesterday", "{}", "+"])

    def files(self, path: str) -> dict[str, bytes]:
        """Read a folder of the container, running or ended: path below it -> bytes."""
        stream, _ = self.docker.get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as tar:
            return {
                member.name.partition("/")[2]: tar.extractfile(member).read()
                for member in tar.getmembers()
                if member.isfile()
            }


@dataclass
class Group:
    """Brokers of one name with one log, by DLedger; to a test they are who leads them.

    What is done to it is done to all of them, but by `kill_leader`.
    """

    name: str
    members: list[Server]
    namesrvs: list[Server]
    _led: Server | None = None

    @property
    def leader(self) -> Server:
        """Who leads, as a NameServer knows.

        :raises ServerFailedError: nobody does, within the limit.
        """
        until = time.monotonic() + _LED_MAX_S
        while (found := self._found()) is None:
            if time.monotonic() > until:
                said = "\n".join(one.tail() for one in self.members)
                raise ServerFailedError(f"nobody leads {self.name}:\n{said}")
            time.sleep(0.2)
        self._led = found
        return found

    @property
    def ip(self) -> str:
        return self.leader.ip

    @property
    def log_folder(self) -> str:
        return self._last().log_folder

    def ready(self, max_s: float = _READY_MAX_S) -> "Group":
        """Wait until all serve. Who leads may come later: a NameServer `knows` it."""
        for one in self.members:
            one.ready(max_s)
        return self

    def tail(self) -> str:
        return "\n".join(one.tail() for one in self.members)

    def share(self, topic: str, group: str = "", consumed: dict[int, int] | None = None) -> None:
        """Wait until all know a topic, and how far a group is there: any of them may lead next.

        Those who follow copy both every ten seconds.

        :raises ServerFailedError: the limit passed.
        """
        until = time.monotonic() + _SHARED_MAX_S
        while not all(one.knows_of(topic, group, consumed or {}) for one in self.members):
            if time.monotonic() > until:
                raise ServerFailedError(f"not all know {topic} and {consumed}:\n{self.tail()}")
            time.sleep(0.5)

    def stop(self) -> None:
        """Ask all to end, who leads last, and expect that they do."""
        last = self.leader
        for one in (*(other for other in self.members if other is not last), last):
            one.stop()

    def kill(self) -> None:
        """End all at once, as far as that can be."""
        last = self.leader
        for one in (last, *(other for other in self.members if other is not last)):
            one.kill()

    def kill_leader(self) -> Server:
        """End who leads at once; gives it."""
        killed = self.leader
        killed.kill()
        return killed

    def age_log(self) -> None:
        for one in self.members:
            one.age_log()

    def files(self, path: str) -> dict[str, bytes]:
        """Read a folder of who leads, or led last."""
        return self._last().files(path)

    def _last(self) -> Server:
        running = any(one.is_running for one in self.members)
        return self.leader if running or self._led is None else self._led

    def _found(self) -> Server | None:
        for namesrv in self.namesrvs:
            if not namesrv.is_running:
                continue
            text = _default_route((namesrv.ip, namesrv.port)).decode()
            masters = set(re.findall(r'[{,]"?0"?:"([^"]+)"', text))
            for one in self.members:
                if one.is_running and f"{one.ip}:{one.port}" in masters:
                    return one
        return None


Broker = Server | Group


@dataclass(frozen=True)
class Cluster:
    """Name servers and brokers that serve together."""

    namesrvs: list[Server]
    brokers: list[Broker]

    @property
    def addresses(self) -> str:
        """What a client is told."""
        return ";".join(one.address for one in self.namesrvs)

    def ready(self) -> "Cluster":
        """Wait until all serve, and each NameServer knows each broker."""
        for server in (*self.namesrvs, *self.brokers):
            server.ready()
        for namesrv in self.namesrvs:
            for broker in self.brokers:
                namesrv.knows(broker.name)
        return self


@dataclass
class Lab:
    """The network and all that runs on it, ended together."""

    engine: docker.DockerClient
    network: Network
    running: list[DockerContainer] = field(default_factory=list)
    servers: list[Server] = field(default_factory=list)
    volumes: set[str] = field(default_factory=set)
    _numbers: Iterable[int] = field(default_factory=lambda: itertools.count(1))

    def namesrv(self, flavour: Flavour, name: str, **settings: str) -> Server:
        """Start a NameServer, not waiting for it."""
        return self._server(
            flavour,
            name,
            NAMESRV_PORT,
            f"{flavour.namesrv} -c /namesrv.conf",
            {"/namesrv.conf": NAMESRV_DEFAULTS | settings},
            "The Name Server boot success",
        )

    def broker(
        self,
        flavour: Flavour,
        name: str,
        namesrvs: Iterable[Server],
        volume: str | None = None,
        **settings: str,
    ) -> Broker:
        """Start a broker registering with these name servers, not waiting for it.

        Its store is the volume, or dies with it. Of a flavour in groups it is a whole group.
        """
        known = list(namesrvs)
        given = {**BROKER_DEFAULTS, "brokerName": name, **settings}
        if not flavour.is_group:
            return self._broker(flavour, name, known, volume, given)
        ids = [f"n{number}" for number in range(flavour.members)]
        for key in ("brokerId", "storePathCommitLog"):
            given.pop(key)
        given |= {
            "enableDLegerCommitLog": "true",
            "dLegerGroup": given["brokerName"],
            "dLegerPeers": ";".join(f"{one}-{name}-{one}:{MEMBER_PORT}" for one in ids),
        }
        members = [
            self._broker(
                flavour,
                f"{name}-{one}",
                known,
                volume and f"{volume}-{one}",
                {**given, "dLegerSelfId": one},
            )
            for one in ids
        ]
        for one, member in zip(ids, members, strict=True):
            member.log_folder = f"/store/dledger-{one}/data"
        return Group(given["brokerName"], members, known)

    def host(self, name: str) -> DockerContainer:
        """Start a container in which clients can be run."""
        started = self._container(images.base(self.engine), name, "sleep 100000")
        self._start(started)
        return started

    def volume(self) -> str:
        """Name a volume for a store that outlives its broker; each of a group has one of its own."""
        return f"{self.network.name}-{next(self._numbers)}"

    def forget(self, broker: Broker) -> None:
        """Remove an ended or running server; its name becomes free."""
        for server in broker.members if isinstance(broker, Group) else [broker]:
            self.servers.remove(server)
            self.running.remove(server.container)
            server.container.stop()

    def close(self) -> None:
        """Remove everything."""
        with ThreadPoolExecutor(_ENDED_AT_ONCE) as pool:
            list(pool.map(DockerContainer.stop, self.running))
        for name in self.volumes:
            self.engine.volumes.get(name).remove(force=True)
        self.network.remove()
        self.engine.close()

    def _broker(
        self,
        flavour: Flavour,
        name: str,
        namesrvs: list[Server],
        volume: str | None,
        settings: dict[str, str],
    ) -> Server:
        addresses = ";".join(one.address for one in namesrvs)
        return self._server(
            flavour,
            name,
            BROKER_PORT,
            f"{flavour.broker} -n '{addresses}' -c /broker.conf",
            {"/broker.conf": settings},
            f"The broker[{settings['brokerName']},",
            {volume: "/store"} if volume else {},
        )

    def _server(
        self,
        flavour: Flavour,
        name: str,
        port: int,
        command: str,
        files: dict[str, dict[str, str]],
        line: str,
        volumes: dict[str, str] | None = None,
    ) -> Server:
        container = self._container(flavour.image(self.engine), name, command)
        for path, settings in files.items():
            text = "".join(f"{key}={value}\n" for key, value in settings.items())
            container.with_copy_into_container(text.encode(), path, 0o644)
        for volume, path in (volumes or {}).items():
            self.volumes.add(volume)
            container.with_volume_mapping(volume, path, "rw")
        self._start(container)
        server = Server(name, port, container, line)
        self.servers.append(server)
        return server

    def _container(self, image: str, name: str, command: str) -> DockerContainer:
        return (
            DockerContainer(image)
            .with_command(["sh", "-c", f"mkdir -p /opt/home && exec {command}"])
            .with_network(self.network)
            .with_network_aliases(name)
            .with_volume_mapping(str(artifacts.BUILD), _MOUNT, "ro")
            .with_kwargs(hostname=name, init=False)
        )

    def _start(self, container: DockerContainer) -> None:
        self.running.append(container)
        container.start()


def _default_route(address: tuple[str, int]) -> bytes:
    """Ask a NameServer for the route of TBW102 (code 105); gives its whole answer."""
    return _answer(address, 105, topic="TBW102")


def _answer(address: tuple[str, int], code: int, **fields: str) -> bytes:
    """Make one request; gives all of the answer behind its length."""
    header = {"code": code, "language": "JAVA", "opaque": 1, "extFields": fields}
    text = json.dumps(header).encode()
    with socket.create_connection(address, 5) as connection:
        connection.sendall(struct.pack(">II", 4 + len(text), len(text)) + text)
        stream = connection.makefile("rb")
        return stream.read(*struct.unpack(">I", stream.read(4)))


def commit(broker: Broker, topic: str, group: str, queue: int, offset: int) -> None:
    """Tell a broker how far a group is in a queue (code 15)."""
    fields = {"topic": topic, "consumerGroup": group, "queueId": str(queue)}
    _answer((broker.ip, BROKER_PORT), 15, commitOffset=str(offset), **fields)


def consumed(broker: Broker, topic: str, group: str, queues: Iterable[int]) -> dict[int, int]:
    """How far a group is, as a broker knows it (code 14): queue -> offset; without what it does not."""
    found = {}
    for queue in queues:
        address = broker.ip, BROKER_PORT
        fields = {"topic": topic, "consumerGroup": group, "queueId": str(queue)}
        said = re.search(rb'"offset":"(\d+)"', _answer(address, 14, **fields))
        if said:
            found[queue] = int(said.group(1))
    return found


def opened() -> Lab:
    """A lab with a network of its own."""
    return Lab(docker.from_env(timeout=120), Network().create())


def docker_name(container: DockerContainer) -> str:
    """What `docker exec` calls it."""
    return container.get_wrapped_container().id
