"""A slave acts as master while there is none: consumers go on, delayed and half messages escape."""

import json
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import artifacts
import clusters
import servers
import wire
from clusters import wait_for

TOPIC, GROUP, QUEUES = "acting", "acting-group", 2
CREATE_TOPIC, CREATE_GROUP, ALL_DELAYS = 17, 200, 45
LOCK = 41
HALF_TOPIC, PREPARED = "RMQ_SYS_TRANS_HALF_TOPIC", 4
DELAY_S, DELAY_LEVEL = 4, 2
WAIT_S = 30
WRITE = 2
BARE_KEY = re.compile(rb"([{,])(-?\d+):")


def parsed(body: bytes) -> dict:
    """A body in which numbers may be keys."""
    return json.loads(BARE_KEY.sub(rb'\1"\2":', body))


class Cluster:
    """broker-a with a slave, broker-b without; ``java`` are those of Apache's."""

    def __init__(self, folder: Path, jars: Path | None, java: tuple[str, ...]) -> None:
        home = folder / "namesrv"
        config = servers.namesrv_settings(
            home, supportActingMaster="true", notifyMinBrokerIdChanged="true"
        )
        if jars is not None and "namesrv" in java:
            self.namesrv: servers.Server = clusters.JavaNamesrv(home, config, jars)
        else:
            self.namesrv = servers.Server("namesrv", home, config)
        common = {
            "brokerClusterName": "C",
            "namesrvAddr": self.namesrv.address,
            "enableSlaveActingMaster": "true",
            "enableRemoteEscape": "true",
            "slaveReadEnable": "true",
            "messageDelayLevel": f"1s {DELAY_S}s",
            "transactionCheckInterval": 3000,
            "mappedFileSizeCommitLog": 1 << 22,
        }
        pair = {"brokerName": "broker-a", "totalReplicas": 2, "inSyncReplicas": 2}
        kinds = {
            "master": {"brokerRole": "SYNC_MASTER", "brokerId": 0, **pair},
            "slave": {"brokerRole": "SLAVE", "brokerId": 1, **pair},
            "other": {"brokerRole": "ASYNC_MASTER", "brokerId": 0, "brokerName": "broker-b"},
        }
        self.brokers: dict[str, servers.Server] = {}
        for name, settings in kinds.items():
            home = folder / name
            config = servers.broker_settings(home, **common, **settings)
            if jars is not None and name in java:
                self.brokers[name] = clusters.JavaBroker(home, config, jars)
            else:
                self.brokers[name] = servers.Server("broker", home, config)

    def start(self) -> None:
        """Start all; the slave knows topic and group when this returns."""
        self.namesrv.start()
        for name in ("master", "other"):
            self.brokers[name].launch()
        for name in ("master", "other"):
            self.brokers[name].booted()
            self._prepare(name)
        self._hand_over()
        self.brokers["slave"].start()
        wait_for("the route", lambda: self.route() == {0: "master", 1: "slave"}, WAIT_S)

    def end(self) -> None:
        """End all."""
        for broker in self.brokers.values():
            broker.end()
        self.namesrv.end()

    def call(self, name: str, code: int, fields: dict | None = None, body: bytes = b""):
        """Ask a broker one thing."""
        with self.brokers[name].peer() as peer:
            return peer.call(code, fields, body)

    def route(self) -> dict[int, str]:
        """Who is shown to clients under which id of broker-a."""
        return {
            int(number): name
            for number, address in self._of_a("brokerDatas").get("brokerAddrs", {}).items()
            for name, broker in self.brokers.items()
            if broker.address == address
        }

    def is_writable(self) -> bool:
        """Whether clients may write to broker-a."""
        return bool(self._of_a("queueDatas").get("perm", 0) & WRITE)

    def send(self, name: str, queue: int, body: bytes, **properties: str) -> int:
        """Send one message; the code of the answer."""
        fields = wire.send_fields(TOPIC, queue, {"UNIQ_KEY": body.decode(), **properties})
        return self.call(name, wire.SEND, fields, body).code

    def begin(self, name: str, body: bytes) -> int:
        """Send a half message that nobody will end; the code of the answer."""
        properties = {"UNIQ_KEY": body.decode(), "TRAN_MSG": "true", "PGROUP": "producers"}
        fields = wire.send_fields(TOPIC, 0, properties) | {"f": PREPARED}
        return self.call(name, wire.SEND, fields, body).code

    def halves(self, name: str) -> int:
        """How many half messages a broker was given, or put back."""
        fields = {"topic": HALF_TOPIC, "queueId": 0}
        return int(self.call(name, wire.MAX_OFFSET, fields).fields["offset"])

    def bodies(self, name: str) -> list[bytes]:
        """What a broker gives to consumers."""
        found: list[bytes] = []
        for queue in range(QUEUES):
            fields = wire.pull_fields(TOPIC, queue, 0, consumerGroup=GROUP)
            answer = self.call(name, wire.PULL, fields)
            if answer.code == wire.SUCCESS:
                found += [one.body for one in wire.messages(answer.body)]
        return found

    def commit(self, name: str, queue: int, offset: int) -> int:
        """Commit an offset; the code of the answer."""
        fields = self._queue(queue) | {"commitOffset": offset}
        return self.call(name, wire.UPDATE_OFFSET, fields).code

    def committed(self, name: str, queue: int) -> int:
        """The offset that a broker has for the group."""
        answer = self.call(name, wire.QUERY_OFFSET, self._queue(queue))
        return int(answer.fields.get("offset", -1))

    def locked(self, name: str, client: str) -> int:
        """How many queues of broker-a a client gets for itself."""
        queues = [
            {"topic": TOPIC, "brokerName": "broker-a", "queueId": queue} for queue in range(QUEUES)
        ]
        body = {"consumerGroup": GROUP, "clientId": client, "mqSet": queues}
        answer = self.call(name, LOCK, None, json.dumps(body).encode())
        assert answer.code == wire.SUCCESS, answer
        return len(json.loads(answer.body)["lockOKMQSet"])

    def delivered(self, name: str) -> int:
        """How many delayed messages are done, as a broker knows."""
        table = parsed(self.call(name, ALL_DELAYS).body).get("offsetTable", {})
        return table.get(str(DELAY_LEVEL), 0)

    def _prepare(self, name: str) -> None:
        topic = {
            "topic": TOPIC,
            "defaultTopic": "TBW102",
            "readQueueNums": QUEUES,
            "writeQueueNums": QUEUES,
            "perm": 6,
            "topicFilterType": "SINGLE_TAG",
            "topicSysFlag": 0,
            "order": "false",
        }
        assert self.call(name, CREATE_TOPIC, topic).code == wire.SUCCESS
        group = json.dumps({"groupName": GROUP, "consumeEnable": True}).encode()
        assert self.call(name, CREATE_GROUP, None, group).code == wire.SUCCESS

    def _hand_over(self) -> None:
        """Give the slave topic and group, which Apache's may ask for only after a minute."""
        here, there = (self.brokers[name].folder / "store/config" for name in ("master", "slave"))
        there.mkdir(parents=True)
        for name in ("topics.json", "subscriptionGroup.json"):
            shutil.copy(here / name, there / name)

    def _of_a(self, part: str) -> dict:
        with self.namesrv.peer() as peer:
            answer = peer.call(wire.ROUTE, {"topic": TOPIC, "acceptStandardJsonOnly": "true"})
        route = json.loads(answer.body) if answer.code == wire.SUCCESS else {}
        found = [one for one in route.get(part, ()) if one["brokerName"] == "broker-a"]
        return found[0] if found else {}

    @staticmethod
    def _queue(queue: int) -> dict:
        return {"consumerGroup": GROUP, "topic": TOPIC, "queueId": queue}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    """Make and start a cluster: cluster(*those that are Apache's)."""
    made: list[Cluster] = []

    def make(*java: str) -> Cluster:
        made.append(Cluster(tmp_path, artifacts.server_jars() if java else None, java))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.mark.parametrize(
    "java",
    [(), ("slave",), ("master",), ("namesrv",)],
    ids=["ours", "Apache's slave", "Apache's master", "Apache's NameServer"],
)
def test_consumers_and_delayed_messages_go_on_without_a_master(cluster, java):
    group = cluster(*java)
    bodies = [f"{number}".encode() for number in range(10)]
    wait_for(
        "the slave to be in sync",
        lambda: group.send("master", 0, bodies[0]) == wire.SUCCESS,
        WAIT_S,
        0.5,
    )
    for number, body in enumerate(bodies[1:], 1):
        assert group.send("master", number % QUEUES, body) == wire.SUCCESS
    assert group.begin("master", b"half") == wire.SUCCESS
    assert group.send("master", 0, b"late", DELAY=str(DELAY_LEVEL)) == wire.SUCCESS

    killed = time.monotonic()
    group.brokers["master"].kill()
    wait_for("a route by the slave", lambda: group.route() == {0: "slave"}, WAIT_S)
    assert not group.is_writable()
    assert sorted(group.bodies("slave")) == bodies
    assert group.commit("slave", 0, 3) == wire.SUCCESS
    assert group.committed("slave", 0) == 3
    assert group.locked("slave", "one") == QUEUES
    assert group.locked("slave", "another") == 0
    assert group.send("slave", 0, b"refused") != wire.SUCCESS
    wait_for("the delayed message elsewhere", lambda: b"late" in group.bodies("other"), WAIT_S)
    assert time.monotonic() - killed > DELAY_S - 1
    wait_for("the half message elsewhere", lambda: group.halves("other"), WAIT_S)
    wait_for("the delayed one to be done with", lambda: group.delivered("slave") == 1, WAIT_S)

    group.brokers["master"].start()
    both = {0: "master", 1: "slave"}
    wait_for("the master to be back", lambda: group.route() == both, WAIT_S)
    assert group.is_writable()
    assert group.committed("master", 0) == 3
    assert group.delivered("master") == 1
    wait_for(
        "a message that the slave has, too",
        lambda: group.send("master", 1, b"back") == wire.SUCCESS,
        WAIT_S,
        0.5,
    )
    time.sleep(1)
    assert group.bodies("other").count(b"late") == 1
    assert b"late" not in group.bodies("master")
