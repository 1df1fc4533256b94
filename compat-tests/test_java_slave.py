"""A stock broker follows ours as its slave, and serves what it has when its master is gone."""

import time

import artifacts
import containers
import pytest
from test_push import bodies, wait_until

COUNT = 5_000
LOG_FILE_SIZE = 1 << 20
"""Bytes: the messages fill several files."""


@pytest.fixture
def namesrv(lab, flavour):
    """The NameServer of master and slave."""
    started = lab.namesrv(flavour, "slave-ns").ready()
    yield started
    lab.forget(started)


@pytest.fixture
def member(lab, namesrv):
    """Start a broker of the set, which ends with the test: member(flavour, name, volume, ...)."""
    started = []

    def start(kind, name, volume=None, **settings):
        broker = lab.broker(
            kind,
            name,
            [namesrv],
            volume,
            brokerName="replicated",
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
def stock_slave(member):
    """Start a stock slave, which serves reads: stock_slave(name, volume)."""
    settings = {"brokerId": "1", "brokerRole": "SLAVE", "slaveReadEnable": "true"}
    return lambda name, volume: member(containers.APACHE, name, volume, **settings)


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
    """The topics that it has on disk: a stock slave fetches them 10 s after its start."""
    return server.files("/store/config").get("topics.json", b"").decode()


@pytest.mark.max_s(240)
@pytest.mark.parametrize("role", ["ASYNC_MASTER", "SYNC_MASTER"])
def test_a_stock_slave_has_our_log_and_serves_it_alone(
    lab, flavour, namesrv, member, stock_slave, own, topic, group, role
):
    volume = lab.volume()
    master = member(flavour, "replicated-0", brokerRole=role, inSyncReplicas="2")
    namesrv.knows("replicated")
    slave = stock_slave("replicated-1", volume)
    client = own(artifacts.APACHE, namesrv.address)

    def sent(body, count=COUNT):
        options = {"topic": topic, "mode": "async", "count": count, "size": 300, "keys": topic}
        return bodies(client.do("send", body=body, **options))

    wanted = sent("early", 1)
    followed(master, slave)
    wanted |= sent("first")
    assert len(wanted) == 1 + COUNT
    assert len(followed(master, slave)) > LOG_FILE_SIZE
    slave.kill()
    if role == "ASYNC_MASTER":
        wanted |= sent("alone")
    slave = stock_slave("replicated-2", volume)
    followed(master, slave)
    wanted |= sent("last", 100)
    followed(master, slave)
    wait_until(lambda: topic in tables_of(slave), 60, slave.tail)
    master.kill()

    reader = own(artifacts.APACHE, namesrv.address)
    reader.do("push", name=topic, topic=topic, group=group)
    wait_until(
        lambda: wanted <= bodies(reader.received(topic)),
        60,
        lambda: f"{len(wanted - bodies(reader.received(topic)))} missing",
    )
