"""Two brokers of one name, ours and one of Apache's, and how each takes over from the other.

:class:`Restarts` is what an operator does by hand with the roles of configuration files;
:class:`Elections` asks the Controllers.
"""

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import clusters
import servers

from scripts.commandlib.waiting import until

START_MAX_S = 240
LEVEL_MAX_S = 240
ADMIN_MAX_S = 120
ADMIN_TRIES = 3
CALM_S = 1.0
"""How long a log must not have grown before its master is stopped."""
TABLES = {21: "topicConfigTable", 201: "subscriptionGroupTable"}
"""What a slave copies, by the code that asks for it."""

Say = Callable[[str], None]


class BrokenError(Exception):
    """What an operator would stop at."""


class Pair(Protocol):
    """Two brokers and what they need."""

    group: clusters.Group

    def start(self) -> None:
        """Start all; ours leads, Apache's follows."""

    def change(self, old: servers.Server, new: servers.Server) -> None:
        """Have ``new`` lead and ``old`` follow.

        :raises BrokenError: a step did not do what it should.
        """


class Admin:
    """The stock ``mqadmin``."""

    def __init__(self, jars: Path, home: Path, say: Say) -> None:
        self._command = ["java", "-Xmx128m", f"-Duser.home={home}", "-cp", f"{jars}/*"]
        self._command.append("org.apache.rocketmq.tools.command.MQAdminStartup")
        self._say = say

    def run(self, expected: str, *words: str) -> str:
        """What it prints; it may give up too early.

        :raises BrokenError: it never said what is expected.
        """
        self._say("$ mqadmin " + " ".join(words))
        for _ in range(ADMIN_TRIES):
            done = subprocess.run(
                [*self._command, *words],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=ADMIN_MAX_S,
                check=False,
            )
            if expected in done.stdout:
                return done.stdout
        raise BrokenError(f"mqadmin {words[0]} said {done.stdout[-500:]}, expected {expected!r}")


def log_end(group: clusters.Group) -> int:
    """Where the master says that its log ends; a busy one may need several questions."""

    def asked() -> int:
        try:
            return group.log_end()
        except KeyError:
            return 0

    return until("the end of the master's log", asked, LEVEL_MAX_S)


def living(group: clusters.Group, what: str, look: Callable[[], object], seconds: float) -> None:
    """Wait for something that takes all servers of a group.

    :raises BrokenError: one that was started is not there any more.
    :raises TooLateError: it did not come in time.
    """

    def looked() -> object:
        for one in (group.namesrv, *group.controllers, *group.brokers):
            if one.process is not None and (code := one.process.poll()) is not None:
                raise BrokenError(f"{one.address} ended with {code}: {one.log()[-1000:]}")
        return look()

    until(what, looked, seconds)


def equal_logs(group: clusters.Group, end: int) -> str:
    """The sum (SHA-256) that all commit logs have up to ``end``.

    :raises BrokenError: they differ.
    """
    sums = {one.address: clusters.log_digest(one, end) for one in group.brokers}
    if len(set(sums.values())) != 1:
        raise BrokenError(f"commit logs differ up to {end}: {sums}")
    return next(iter(sums.values())).rpartition(":")[2]


class Roles(clusters.Group):
    """A NameServer, a broker of ours and one of Apache's whose roles stand in their files."""

    def __init__(self, folder: Path, jars: Path, **settings: object) -> None:
        home = folder / "namesrv"
        self.namesrv = servers.Server("namesrv", home, servers.namesrv_settings(home))
        self.controllers = []
        self.brokers = []
        for name in ("ours", "apache"):
            home = folder / name
            config = servers.broker_settings(
                home,
                brokerClusterName=clusters.CLUSTER_NAME,
                brokerName=clusters.GROUP,
                namesrvAddr=self.namesrv.address,
                mappedFileSizeCommitLog=clusters.LOG_FILE_SIZE,
                storePathCommitLog=home / "store/commitlog",
                **settings,
            )
            is_ours = name == "ours"
            made = (
                servers.Server("broker", home, config)
                if is_ours
                else clusters.JavaBroker(home, {**config, "timerWheelEnable": "false"}, jars)
            )
            self.brokers.append(made)


def launched(group: clusters.Group, slave: str) -> None:
    """Start both brokers, who is to be the slave when there is a master; wait for ``slave``."""
    ours, apache = group.brokers
    ours.launch()
    living(group, "a master", group.master, START_MAX_S)
    apache.launch()
    living(group, slave, group.is_whole, START_MAX_S)


def tables_copied(group: clusters.Group, slave: servers.Server, master: servers.Server) -> None:
    """Wait until a slave has what its master knows of topics and groups."""
    what = "the slave to have topics and groups"
    living(group, what, lambda: has_tables(slave, master), LEVEL_MAX_S)


class Restarts:
    """Roles stand in files; who changes them restarts the brokers."""

    def __init__(self, group: clusters.Group, admin: Admin, say: Say) -> None:
        self.group = group
        self._admin = admin
        self._say = say

    def start(self) -> None:
        """Start all; ours leads, Apache's follows."""
        ours, apache = self.group.brokers
        self._give_role(ours, "ASYNC_MASTER", 0)
        self._give_role(apache, "SLAVE", 1)
        self.group.namesrv.start()
        launched(self.group, "a slave that has all")

    def change(self, old: servers.Server, new: servers.Server) -> None:
        """Stop what is written, wait until the slave is level, exchange the roles."""
        tables_copied(self.group, new, old)
        words = ("-b", clusters.GROUP, "-n", self.group.namesrv.address)
        self._admin.run("wipe write perm of broker", "wipeWritePerm", *words)
        end = self._calm_end()
        old.terminate()
        self._say(f"stopped {old.address}, the log's end is {end:,}")
        digest = equal_logs(self.group, end)
        self._say(f"the commit logs are the same up to there, SHA-256 {digest[:16]}...")
        new.terminate()
        self._give_role(new, "ASYNC_MASTER", 0)
        self._give_role(old, "SLAVE", 1)
        new.launch()
        living(self.group, "the new master", lambda: self.group.master() is new, START_MAX_S)
        self._say(f"{new.address} leads")
        old.launch()
        living(self.group, "the old master to have all", self.group.is_whole, START_MAX_S)
        self._say(f"{old.address} follows")

    def _calm_end(self) -> int:
        """Where the log ends that does not grow any more, and that the slave has to its end."""
        end, since = -1, 0.0

        def calm() -> bool:
            nonlocal end, since
            now = log_end(self.group)
            if now != end:
                end, since = now, time.monotonic()
            return time.monotonic() - since > CALM_S and self.group.is_whole()

        until("a log that does not grow, and that the slave has", calm, LEVEL_MAX_S)
        return end

    def _give_role(self, broker: servers.Server, role: str, number: int) -> None:
        """Write it into the broker's file."""
        path = broker.folder / "broker.conf"
        text = re.sub(r"(?m)^(brokerRole|brokerId)=.*\n", "", path.read_text())
        path.write_text(f"{text}brokerRole={role}\nbrokerId={number}\n")
        self._say(f"{path.parent.name}/{path.name}: brokerRole={role} brokerId={number}")


class Elections:
    """Controllers decide; nothing is restarted."""

    def __init__(self, group: clusters.Group, admin: Admin, say: Say) -> None:
        self.group = group
        self._admin = admin
        self._say = say

    def start(self) -> None:
        """Start all; ours leads, Apache's follows."""
        self.group.namesrv.start()
        for controller in self.group.controllers:
            controller.launch()
        launched(self.group, "a slave in step")

    def change(self, old: servers.Server, new: servers.Server) -> None:
        """Have the Controllers elect ``new``."""
        tables_copied(self.group, new, old)
        number = next(key for key, at in self.group.addresses().items() if at == new.address)
        controller = self.group.leader().address
        words = ("-b", str(number), "-bn", clusters.GROUP, "-c", clusters.CLUSTER_NAME)
        expected = f"#BrokerMasterAddr\t{new.address}"
        self._admin.run(expected, "electMaster", "-a", controller, *words)
        living(self.group, "the new master", lambda: self.group.master() is new, START_MAX_S)
        self._say(f"{new.address} leads")
        living(self.group, "the old master to be in step", self.group.is_whole, LEVEL_MAX_S)
        self._say(f"{old.address} follows")


def has_tables(slave: servers.Server, master: servers.Server) -> bool:
    """Whether the slave has the topics and groups of its master.

    Their versions tell nothing: one of Apache's slaves counts its own changes on top.
    """
    try:
        return all(
            _names(master, code, table) <= _names(slave, code, table)
            for code, table in TABLES.items()
        )
    except OSError:  # a busy one answers the next time
        return False


def _names(broker: servers.Server, code: int, table: str) -> set[str]:
    with broker.peer() as peer:
        return set(json.loads(peer.call(code).body)[table])
