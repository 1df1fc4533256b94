"""A NameServer and a broker of one maker, started on a fresh store, ready to be asked."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.benchlib.cases import QUEUES, TOPICS
from scripts.benchlib.load import Load
from scripts.benchlib.processes import BenchError, Server, free_ports

ROOT = Path(__file__).resolve().parents[2]
JARS_POM = ROOT / "compat-tests" / "clients" / "server" / "pom.xml"
APACHE_VERSION = "5.3.3"
START_WAIT_SECONDS = 60.0
RETRY_SECONDS = 0.2
BROKER_NAME = "broker-a"

JAVA_OPENS = (
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
)
JAVA_HEAP = ("-Xms1g", "-Xmx1g", "-XX:+UseG1GC")
"""The collector of Apache's own start scripts; they ask for 8 GiB, which no core here fills."""


@dataclass(frozen=True, slots=True)
class Commands:
    """How a maker's two servers are started."""

    maker: str
    namesrv: Sequence[str]
    broker: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two running servers and where they listen."""

    maker: str
    servers: Mapping[str, Server]
    addresses: Mapping[str, str]

    def stop(self) -> None:
        """Stop both, the broker first so that it can unregister."""
        for role in ("broker", "namesrv"):
            if role in self.servers:
                self.servers[role].stop()


def jars(build: Path) -> Path:
    """The folder of Apache's jars, which Maven fills the first time.

    :raises BenchError: there is no Maven, or it fails.
    """
    folder = build / f"apache-{APACHE_VERSION}"
    if any(folder.glob("rocketmq-broker-*.jar")):
        return folder
    half = build / f"apache-{APACHE_VERSION}.part"
    shutil.rmtree(half, ignore_errors=True)
    command = [
        *("mvn", "-q", "-B", "-f", str(JARS_POM), f"-Dserver.version={APACHE_VERSION}"),
        *("dependency:copy-dependencies", f"-DoutputDirectory={half}"),
    ]
    try:
        subprocess.run(command, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise BenchError(f"Apache's jars: {error}; Maven and Java 17 are needed") from error
    half.rename(folder)
    return folder


def java_commands(lib: Path, work: Path) -> Commands:
    """Apache's servers, with all files under ``work``."""
    base = ["java", "-server", f"-Duser.home={work}", *JAVA_HEAP, *JAVA_OPENS, "-cp", f"{lib}/*"]
    return Commands(
        "java",
        [*base, "org.apache.rocketmq.namesrv.NamesrvStartup"],
        [*base, "org.apache.rocketmq.broker.BrokerStartup"],
        {"ROCKETMQ_HOME": str(work)},
    )


def rmq_commands(work: Path, maker: str = "rmq") -> Commands:
    """Our servers, as two processes."""
    base = [sys.executable, "-m", "rmq"]
    return Commands(maker, [*base, "namesrv"], [*base, "broker"], {"HOME": str(work)})


def start_pair(commands: Commands, work: Path, cores: Sequence[int], load: Load) -> Pair:
    """Start both servers and make the topics.

    :raises BenchError: one of them does not come up.
    """
    (work / "conf").mkdir(parents=True)
    namesrv_port = free_ports()
    broker_port = free_ports(-2, 1)
    namesrv = f"127.0.0.1:{namesrv_port}"
    write_namesrv_settings(work, namesrv_port)
    write_broker_settings(
        work / "broker.conf",
        work / "store",
        broker_port,
        namesrv,
        brokerId=0,
        brokerRole="ASYNC_MASTER",
        flushDiskType="ASYNC_FLUSH",
        brokerFastFailureEnable="false",  # a busy machine would make Java refuse
    )
    servers: dict[str, Server] = {}
    addresses = {"namesrv": namesrv, "broker": f"127.0.0.1:{broker_port}"}
    pair = Pair(commands.maker, servers, addresses)
    try:
        for role, command in (("namesrv", commands.namesrv), ("broker", commands.broker)):
            config = work / f"{role}.conf"
            name = f"{commands.maker} {role}"
            servers[role] = started(name, command, config, commands, cores)
        _make_topics(pair, load)
    except BaseException:
        pair.stop()
        raise
    return pair


def started(
    name: str, command: Sequence[str], config: Path, commands: Commands, cores: Sequence[int]
) -> Server:
    """Start a server with a configuration file; it logs beside that."""
    return Server.start(
        name,
        [*command, "-c", str(config)],
        cores=cores,
        folder=ROOT,
        environment=commands.environment,
        log=config.with_suffix(".log"),
    )


def write_namesrv_settings(work: Path, port: int) -> None:
    """Write a NameServer's configuration file to ``work``, where its own files shall lie."""
    _write_settings(
        work / "namesrv.conf",
        listenPort=port,
        kvConfigPath=work / "kv.json",
        configStorePath=work / "namesrv.properties",
    )


def write_broker_settings(path: Path, store: Path, port: int, namesrv: str, **more: object) -> None:
    """Write the configuration file of a broker of the one name that all here have."""
    _write_settings(
        path,
        brokerClusterName="DefaultCluster",
        brokerName=BROKER_NAME,
        brokerIP1="127.0.0.1",
        listenPort=port,
        haListenPort=port + 1,
        namesrvAddr=namesrv,
        storePathRootDir=store,
        storePathCommitLog=store / "commitlog",
        **more,
    )


def _write_settings(path: Path, **settings: object) -> None:
    path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))


def _make_topics(pair: Pair, load: Load) -> None:
    """Make the topics as soon as the broker lets it, and wait until the NameServer knows them."""
    deadline = time.monotonic() + START_WAIT_SECONDS
    for topic in TOPICS:
        asked = {"topic": topic, "queues": QUEUES}
        _retried(pair, load, deadline, "topic", {"addr": pair.addresses["broker"], **asked})
        route = {"addr": pair.addresses["namesrv"], "conns": 1, "seconds": 0.05, **asked}
        _retried(pair, load, deadline, "route", route)


def _retried(
    pair: Pair, load: Load, deadline: float, mode: str, settings: Mapping[str, object]
) -> None:
    while True:
        for server in pair.servers.values():
            server.must_run()
        try:
            return load.once(mode, **settings)
        except BenchError as error:
            if time.monotonic() > deadline:
                logs = "\n".join(server.log_end() for server in pair.servers.values())
                raise BenchError(f"{pair.maker} does not come up: {error}\n{logs}") from error
        time.sleep(RETRY_SECONDS)


def free_bytes(folder: Path) -> int:
    """How much may be written there."""
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize
