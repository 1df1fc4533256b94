"""Controllers of ours, alone and beside Apache's: they agree, and stock brokers and tools obey."""

import json
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import artifacts
import clusters
import servers
import viewers
import wire
from clusters import wait_for
from together import at_once

HEARTBEAT = 904
ALTER, ELECT, REGISTER, REPLICA_INFO, METADATA, SYNC_STATE_DATA = 1001, 1002, 1003, 1004, 1005, 1006
NEXT_ID, APPLY_ID = 1012, 1013
NOT_LEADER, MASTER_STILL_EXIST, ID_INVALID, NEED_REGISTER = 2007, 2011, 2014, 2010
TRANSFER = 51005

GROUP = "controllers"
NAME = "broker-x"
LEADS_MAX_S = 30
JAVA_BROKER_MAX_S = 60
LEADER_MAX_S = 4
"""Until others lead when a leader's process is gone; half a second if the disks are idle."""

needs_java = pytest.mark.skipif(not clusters.java_is_there(), reason="needs Java")


class Member:
    """One Controller: ours (``o``), ours in a NameServer (``n``) or Apache's (``j``)."""

    def __init__(self, number: int, port: int, peers: str, kind: str, home: Path, **more: object):
        self.name = f"n{number}"
        self.port = port
        self.folder = home / "log" / f"dledger-{self.name}"
        config = {
            "listenPort": port,
            "controllerDLegerGroup": GROUP,
            "controllerDLegerPeers": peers,
            "controllerDLegerSelfId": self.name,
            "controllerStorePath": home / "log",
            "mappedFileSize": 1 << 20,
            **more,
        }
        if kind == "o":
            self.server = servers.Server("controller", home, config)
        elif kind == "n":
            config |= servers.namesrv_settings(home, enableControllerInNamesrv="true")
            self.server = servers.Server("namesrv", home, config)
        else:
            self.server = clusters.JavaController(home, config, artifacts.server_jars())

    def ask(self, code: int, body: bytes = b"", **fields: object) -> wire.Answer:
        with wire.Peer(self.port, 10) as peer:
            return peer.call(code, fields, body)

    def leads(self) -> bool:
        """Whether it leads, and answers as who leads does."""
        try:
            if self.ask(METADATA).fields.get("isLeader") != "true":
                return False
            return self.ask(NEXT_ID, clusterName="C", brokerName="nobody").code == wire.SUCCESS
        except OSError:
            return False

    @property
    def log(self) -> bytes:
        """Its entries."""
        files = sorted((self.folder / "data").iterdir())
        return b"".join(path.read_bytes() for path in files).rstrip(b"\0")


class Controllers:
    """A group of them, and the brokers 1 and 2 of one set, played by the test."""

    def __init__(self, folder: Path, kinds: str, **more: object) -> None:
        ports = [servers.free_port() for _ in kinds]
        peers = ";".join(f"n{number}-127.0.0.1:{port}" for number, port in enumerate(ports))
        self.members = [
            Member(number, port, peers, kind, folder / f"controller{number}", **more)
            for number, (port, kind) in enumerate(zip(ports, kinds, strict=True))
        ]
        self.beating: dict[int, list[wire.Peer]] = {}

    @property
    def addresses(self) -> str:
        return ";".join(f"127.0.0.1:{member.port}" for member in self.members)

    def start(self) -> "Controllers":
        for member in self.members:
            member.server.launch()
        for member in self.members:
            member.server.booted()
        self.leader()
        return self

    def end(self) -> None:
        for broker_id in list(self.beating):
            self.vanish(broker_id)
        for member in self.members:
            member.server.end()

    def leader(self) -> Member:
        def look() -> Member | None:
            running = [one for one in self.members if one.server.process is not None]
            return next((one for one in running if one.leads()), None)

        return wait_for("a Controller that leads", look, LEADS_MAX_S, 0.05)

    def transfer(self, member: Member) -> None:
        """Have ``member`` lead; a transfer may fail, then it is asked for again."""

        def leads() -> bool:
            leader = self.leader()
            if leader is member:
                return True
            term = re.search(r"currTerm=(\d+)", (leader.folder / "currterm").read_text()).group(1)
            body = {
                "group": GROUP,
                "localId": leader.name,
                "remoteId": leader.name,
                "term": int(term),
                "transferId": leader.name,
                "transfereeId": member.name,
            }
            leader.ask(TRANSFER, json.dumps(body).encode())
            return False

        wait_for(f"{member.name} to lead", leads, LEADS_MAX_S, 0.5)

    def beat(self, broker_id: int, **more: object) -> None:
        """Have a broker be heard by every Controller that runs, for a long time."""
        peers = self.beating.setdefault(broker_id, [])
        for member in self.members:
            if member.server.process is not None:
                peer = wire.Peer(member.port)
                peers.append(peer)
                fields = {
                    "clusterName": "C",
                    "brokerName": NAME,
                    "brokerAddr": address(broker_id),
                    "brokerId": broker_id,
                    "epoch": 1,
                    "maxOffset": 100,
                    "confirmOffset": 100,
                    "heartbeatTimeoutMills": 600_000,
                    "electionPriority": broker_id,
                    **more,
                }
                assert peer.call(HEARTBEAT, fields).code == wire.SUCCESS

    def vanish(self, broker_id: int) -> None:
        """Close a broker's connections, as the kernel does for a killed one."""
        for peer in self.beating.pop(broker_id):
            peer.close()

    def join(self, broker_id: int) -> None:
        """Let a broker apply for its id."""
        leader = self.leader()
        named = {"clusterName": "C", "brokerName": NAME}
        answer = leader.ask(NEXT_ID, **named)
        assert answer.fields["nextBrokerId"] == str(broker_id)
        code = f"{address(broker_id)};17"
        given = {"appliedBrokerId": broker_id, "registerCheckCode": code}
        assert leader.ask(APPLY_ID, **named, **given).code == wire.SUCCESS

    def elect(self, broker_id: int, *, designate: bool = False) -> wire.Answer:
        fields = {"clusterName": "C", "brokerName": NAME, "brokerId": broker_id}
        return self.leader().ask(ELECT, **fields, designateElect=str(designate).lower())

    def alter(self, *broker_ids: int) -> wire.Answer:
        """Have the master of now say who is in sync."""
        leader = self.leader()
        info = leader.ask(REPLICA_INFO, brokerName=NAME)
        epoch = json.loads(info.body)["syncStateSetEpoch"]
        body = {"syncStateSet": list(broker_ids), "syncStateSetEpoch": epoch}
        return leader.ask(
            ALTER,
            json.dumps(body).encode(),
            brokerName=NAME,
            masterBrokerId=info.fields["masterBrokerId"],
            masterEpoch=info.fields["masterEpoch"],
        )

    def told(self) -> tuple[str | None, int, int, list[int]]:
        """Master, its epoch, the SyncStateSet's, and who is in it, as the leader tells."""
        answer = self.leader().ask(REPLICA_INFO, brokerName=NAME)
        members = json.loads(answer.body)
        return (
            answer.fields.get("masterAddress"),
            int(answer.fields["masterEpoch"]),
            members["syncStateSetEpoch"],
            sorted(members["syncStateSet"]),
        )

    def two_in_sync(self) -> None:
        for broker_id in (1, 2):
            self.join(broker_id)
            self.beat(broker_id)
        assert self.elect(1).code == wire.SUCCESS
        assert self.alter(1, 2).code == wire.SUCCESS
        assert self.told() == (address(1), 1, 2, [1, 2])


def address(broker_id: int) -> str:
    """Where the broker would be; nobody listens there."""
    return f"127.0.0.1:{broker_id}"


@pytest.fixture
def controllers(tmp_path: Path) -> Iterator[Callable[..., Controllers]]:
    """Make and start a group: controllers("ooj", **settings)."""
    made: list[Controllers] = []

    def make(kinds: str, **more: object) -> Controllers:
        made.append(Controllers(tmp_path, kinds, **more))
        return made[-1].start()

    yield make
    for one in made:
        one.end()


def same_logs(group: Controllers) -> bool:
    first, *others = [member.log for member in group.members]
    return all(other == first for other in others)


def test_what_one_of_three_was_told_all_know_when_it_is_gone(controllers):
    group = controllers("ooo")
    group.two_in_sync()

    for number in range(3):
        known = group.told()
        leader = group.leader()
        leader.server.kill()
        began = time.monotonic()
        assert group.leader() is not leader
        assert time.monotonic() - began < LEADER_MAX_S
        assert group.told() == known
        leader.server.start()
        group.beat(1)
        group.beat(2)
        other = 2 if number % 2 == 0 else 1
        assert group.elect(other, designate=True).code == wire.SUCCESS
        assert group.alter(1, 2).code == wire.SUCCESS
    wait_for("logs that are the same", lambda: same_logs(group), 20)


@pytest.mark.parametrize("kinds", ["ooo", "nnn"])
def test_a_set_whose_master_vanishes_has_another_at_once(controllers, kinds):
    group = controllers(kinds)
    group.two_in_sync()

    began = time.monotonic()
    group.vanish(1)
    wait_for("another master", lambda: group.told()[0] == address(2), 5, 0)

    assert time.monotonic() - began < 1
    assert group.told() == (address(2), 2, 3, [2])


@pytest.mark.parametrize(("profile", "listening_s"), [("default", 5.2), ("fast", 1.2)])
def test_a_leader_of_controllers_and_a_master_may_vanish_together(
    controllers, profile, listening_s
):
    group = controllers("ooo", failoverProfile=profile)
    group.two_in_sync()
    time.sleep(listening_s)  # all listen long enough to know who lives

    began = time.monotonic()
    group.leader().server.kill()
    group.vanish(1)
    wait_for("another master", lambda: group.told()[0] == address(2), 10, 0)

    assert time.monotonic() - began < LEADER_MAX_S


def test_a_controller_without_a_majority_changes_nothing(controllers):
    group = controllers("ooo")
    group.two_in_sync()
    leader = group.leader()
    others = [member for member in group.members if member is not leader]
    for other in others:
        other.server.process.send_signal(signal.SIGSTOP)

    named = {"clusterName": "C", "brokerName": NAME}
    given = {"appliedBrokerId": 3, "registerCheckCode": f"{address(3)};17"}
    refused = leader.ask(APPLY_ID, **named, **given)

    assert refused.code in (wire.SYSTEM_ERROR, NOT_LEADER), refused
    assert refused.remark
    for other in others:
        other.server.process.send_signal(signal.SIGCONT)
    assert group.told() == (address(1), 1, 2, [1, 2])
    again = wait_for(
        "an answer", lambda: group.leader().ask(APPLY_ID, **named, **given).code == wire.SUCCESS, 20
    )
    assert again


def test_who_asks_wrongly_is_told_why(controllers):
    group = controllers("o")
    leader = group.leader()

    def refused(code: int, body: bytes = b"", **fields: object) -> tuple[int, str]:
        answer = leader.ask(code, body, **fields)
        return answer.code, answer.remark

    assert refused(REPLICA_INFO, brokerName="x")[0] == 2008
    assert refused(ELECT, clusterName="C", brokerName="x", brokerId=1)[0] == NEED_REGISTER
    assert refused(ALTER, b"{", brokerName="x")[0] == wire.SYSTEM_ERROR
    assert refused(SYNC_STATE_DATA, b"[]")[0] == 2005
    assert refused(HEARTBEAT, clusterName="C", brokerName="x", brokerAddr="h:1")[0] == 2005
    taken = refused(APPLY_ID, clusterName="C", brokerName="x", appliedBrokerId=7)
    assert taken[0] == 2005
    assert "registerCheckCode" in taken[1]
    assert refused(4242)[0] == 3
    assert "Traceback" not in leader.server.log()


@needs_java
@pytest.mark.parametrize("kinds", ["ooj", "ojj"])
def test_each_of_a_mixed_group_leads_and_does_as_the_others_do(controllers, kinds):
    group = controllers(kinds)
    group.two_in_sync()
    epochs = (1, 2)

    for member in group.members:
        group.transfer(member)
        master, *now, in_sync = group.told()
        assert (tuple(now), in_sync) == (epochs, [1, 2])
        master_id = int(master.rpartition(":")[2])
        other = 3 - master_id
        assert group.elect(master_id).code == MASTER_STILL_EXIST
        taken = {"appliedBrokerId": other, "registerCheckCode": "127.0.0.1:9;99"}
        answer = member.ask(APPLY_ID, clusterName="C", brokerName=NAME, **taken)
        assert answer.code == ID_INVALID

        group.vanish(master_id)
        wait_for("another master", lambda other=other: group.told()[0] == address(other), 5)
        assert group.told() == (address(other), epochs[0] + 1, epochs[1] + 1, [other])
        group.beat(master_id)
        assert group.alter(1, 2).code == wire.SUCCESS
        epochs = (epochs[0] + 1, epochs[1] + 2)
    wait_for("logs that are the same", lambda: same_logs(group), 20)


@needs_java
def test_a_mixed_group_loses_any_of_its_members(controllers):
    group = controllers("ooj")
    group.two_in_sync()

    for member in group.members:
        group.transfer(member)
        known = group.told()
        member.server.kill()
        assert group.told() == known
        group.beat(1)
        group.beat(2)
        master_id = int(known[0].rpartition(":")[2])
        assert group.elect(3 - master_id, designate=True).code == wire.SUCCESS
        assert group.alter(1, 2).code == wire.SUCCESS
        member.server.start()
        wait_for("logs that are the same", lambda: same_logs(group), 30)
        group.beat(1)
        group.beat(2)


class JavaBroker(servers.Server):
    """One of Apache's brokers under Controllers."""

    def __init__(self, folder: Path, addresses: str, namesrv: servers.Server) -> None:
        settings = servers.broker_settings(
            folder,
            brokerClusterName="C",
            brokerName=NAME,
            brokerIP2="127.0.0.1",
            storePathCommitLog=folder / "store/commitlog",
            mappedFileSizeCommitLog=1 << 20,
            mappedFileSizeConsumeQueue=60_000,
            namesrvAddr=f"127.0.0.1:{namesrv.port}",
            enableControllerMode="true",
            controllerAddr=addresses,
            haSendHeartbeatInterval=500,
        )
        del settings["bindAddress"]
        super().__init__("broker", folder, settings)
        self._command = [
            *("java", "-Xmx400m", "-XX:MaxDirectMemorySize=256m"),
            "--add-opens=java.base/java.nio=ALL-UNNAMED",
            "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
            *(f"-Duser.home={folder}", f"-Drocketmq.home.dir={folder}"),
            *("-cp", f"{artifacts.server_jars()}/*", "org.apache.rocketmq.broker.BrokerStartup"),
            *("-c", str(folder / "broker.conf")),
        ]


@needs_java
def test_stock_brokers_and_mqadmin_obey_our_controllers(
    controllers, namesrv, started, tmp_path, record_property
):
    group = controllers("ooo")
    names = namesrv().start()
    brokers = {
        number: JavaBroker(tmp_path / f"java{number}", group.addresses, names) for number in (1, 2)
    }
    started.extend(brokers.values())
    ids: dict[int, JavaBroker] = {}
    for number, broker in brokers.items():
        broker.launch()
        wait_for(
            "the broker's id",
            lambda n=number: len(known(group).get("all", ())) == n,
            JAVA_BROKER_MAX_S,
            0.2,
        )
        ids[number] = broker
    wait_for("both in sync", lambda: known(group)["in_sync"] == [1, 2], JAVA_BROKER_MAX_S, 0.2)
    wait_for("a registered master", lambda: registered(names), 20, 0.1)

    def admin(expected: str, *words: str) -> str:
        return viewers.mqadmin(tmp_path, expected, *words)

    where = f"127.0.0.1:{group.members[0].port}"
    leader = group.leader().name
    _, state = at_once(
        lambda: admin(f"#ControllerLeaderId\t{leader}", "getControllerMetaData", "-a", where),
        lambda: admin("#SyncStateSetNums\t2", "getSyncStateSet", "-a", where, "-b", NAME),
    )
    assert state.count("alive=true") == 2

    old_id = known(group)["master"]
    new_id = 3 - old_id
    began = time.monotonic()
    ids[old_id].kill()
    new_port = ids[new_id].port
    wait_for("another master", lambda: registered(names) == f"127.0.0.1:{new_port}", 20, 0.005)
    taken_s = time.monotonic() - began
    record_property("registered_s", taken_s)
    assert taken_s < 3

    ids[old_id].launch()
    wait_for("both in sync", lambda: known(group)["in_sync"] == [1, 2], JAVA_BROKER_MAX_S, 0.2)
    designated = ("-b", str(old_id), "-bn", NAME, "-c", "C")
    master = f"#BrokerMasterAddr\t127.0.0.1:{ids[old_id].port}"
    admin(master, "electMaster", "-a", where, *designated)
    wait_for(
        "the elected master",
        lambda: registered(names) == f"127.0.0.1:{ids[old_id].port}",
        20,
        0.05,
    )
    wait_for("both in sync", lambda: known(group)["in_sync"] == [1, 2], JAVA_BROKER_MAX_S, 0.2)

    clean = ("cleanBrokerMetadata", "-a", where, "-b", str(new_id), "-bn", NAME, "-c", "C")
    admin("still alive", *clean)
    ids[new_id].kill()
    wait_for("its loss to be noticed", lambda: known(group)["in_sync"] == [old_id], 20, 0.1)
    admin("clear broker", *clean)
    assert known(group)["all"] == [old_id]

    key = ("-k", "enableElectUncleanMaster", "-v", "true")
    admin("update controller config success", "updateControllerConfig", "-a", where, *key)
    config = re.sub(
        r"\s", "", admin("enableElectUncleanMaster", "getControllerConfig", "-a", where)
    )
    assert "enableElectUncleanMaster=true" in config


def known(group: Controllers) -> dict:
    """What the leader tells of the set of stock brokers."""
    answer = group.leader().ask(SYNC_STATE_DATA, json.dumps([NAME]).encode())
    info = json.loads(answer.body)["replicasInfoTable"].get(NAME)
    if info is None:
        return {"in_sync": [], "all": []}
    in_sync = sorted(one["brokerId"] for one in info["inSyncReplicas"])
    others = [one["brokerId"] for one in info["notInSyncReplicas"]]
    return {
        "master": info.get("masterBrokerId"),
        "in_sync": in_sync,
        "all": sorted([*in_sync, *others]),
    }


def registered(names: servers.Server) -> str | None:
    """The master that the NameServer has."""
    with names.peer(5) as peer:
        table = json.loads(peer.call(wire.CLUSTER).body)["brokerAddrTable"]
    return table.get(NAME, {"brokerAddrs": {}})["brokerAddrs"].get("0")
