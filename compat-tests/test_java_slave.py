"""A stock broker follows ours as its slave, and ours a stock one; each serves what it has when its
master is gone.
"""

import time

import artifacts
import containers
import pytest
from test_push import bodies, wait_until
from together import each

COUNT = 5_000
LOG_FILE_SIZE = 1 << 20
"""Bytes: the messages fill several files."""

pytestmark = pytest.mark.alone("a DLedger group has its own members in place of slaves")


@pytest.fixture
def namesrv(lab, flavour):
    """Start a set's NameServer, which ends with the test: namesrv(set)."""
    started = []

    def start(called):
        started.append(lab.namesrv(flavour, f"{called}-ns"))
        return started[-1].ready()

    yield start
    for one in started:
        lab.forget(one)


@pytest.fixture
def member(lab):
    """Start a broker of a set, which ends with the test.

    member(flavour, NameServer, set, name, volume, settings).
    """
    started = []

    def start(kind, namesrv, called, name, volume=None, **settings):
        broker = lab.broker(
            kind,
            f"{called}-{name}",
            [namesrv],
            volume,
            brokerName=called,
            mappedFileSizeCommitLog=str(LOG_FILE_SIZE),
            maxMessageSize=str(256 << 10),
            **settings,
        )
        started.append(broker)
        return broker.ready()

    yield start
    for one in started:
        lab.forget(one)


@pytest.fixture
def slave(member):
    """Start a slave, which serves reads: slave(flavour, NameServer, set, name, volume)."""
    settings = {"brokerId": "1", "brokerRole": "SLAVE", "slaveReadEnable": "true"}
    return lambda *named: member(*named, **settings)


def log_of(server):
    """Its commit log, without the zeros after its end."""
    files = sorted(server.files("/store/commitlog").items())
    return b"".join(content for name, content in files if name.isdigit()).rstrip(b"\0")


def followed(master, slave, max_s=60):
    """Wait until the slave has all; the log's bytes."""
    until = time.monotonic() + max_s
    wanted = log_of(master)
    while log_of(slave) != wanted:
        assert time.monotonic() < until, f"{slave.tail()}\n{master.tail()}"
        time.sleep(0.5)
    return wanted


def tables_of(server):
    """The topics that it has on disk: a stock slave fetches them a minute after its start."""
    return server.files("/store/config").get("topics.json", b"").decode()


def queues_of(server):
    """The files of its consume queues."""
    return server.files("/store/consumequeue")


@pytest.mark.max_s(240)
@pytest.mark.parametrize(
    "sets",
    [
        pytest.param(
            [
                ("ours", "stock", "ASYNC_MASTER"),
                ("stock", "ours", "SYNC_MASTER"),
                ("ours", "ours", "SYNC_MASTER"),
            ],
            id="each",
        ),
        pytest.param(
            [("ours", "stock", "SYNC_MASTER")], id="ours-stock-sync", marks=pytest.mark.long
        ),
    ],
)
def test_a_slave_has_the_log_of_its_master_and_serves_it_alone(
    lab, flavour, namesrv, member, slave, own, topic, group, sets
):
    kinds = {"ours": flavour, "stock": containers.APACHE}

    def serves(case):
        leader, follower, role = case
        called = f"{leader}-{follower}"
        names = namesrv(called)
        volume = lab.volume()
        master = member(kinds[leader], names, called, "0", brokerRole=role, inSyncReplicas="2")
        names.knows(called)
        copy = slave(kinds[follower], names, called, "1", volume)
        client = own(artifacts.APACHE, names.address)

        def sent(body, count=COUNT):
            options = {"topic": topic, "mode": "async", "count": count, "size": 300, "keys": topic}
            return bodies(client.do("send", body=body, **options))

        wanted = sent("early", 1)
        followed(master, copy)
        wanted |= sent("first")
        assert len(wanted) == 1 + COUNT
        assert len(followed(master, copy)) > LOG_FILE_SIZE
        copy.kill()
        if role == "ASYNC_MASTER":
            wanted |= sent("alone")
        copy = slave(kinds[follower], names, called, "2", volume)
        followed(master, copy)
        wanted |= sent("last", 100)
        followed(master, copy)
        wait_until(lambda: queues_of(copy) == queues_of(master), 60, copy.tail)
        wait_until(lambda: topic in tables_of(copy), 90, copy.tail)
        master.kill()

        reader = own(artifacts.APACHE, names.address)
        reader.do("push", name=topic, topic=topic, group=group)
        wait_until(
            lambda: wanted <= bodies(reader.received(topic)),
            60,
            lambda: f"{len(wanted - bodies(reader.received(topic)))} missing",
        )

    each(sets, serves)
