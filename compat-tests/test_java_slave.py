"""A stock broker follows ours as its slave, and serves what it has when its master is gone."""

import time

import artifacts
import containers
import pytest

COUNT = 5_000
LOG_FILE_SIZE = 1 << 20
"""Bytes: the messages fill several files."""


@pytest.fixture
def namesrv(lab, flavour):
    """The NameServer of master and slave."""
    started = lab.namesrv(flavour, "slave-ns").ready()
    yield started
    lab.forget(started)


def start(lab, kind, namesrv, name, volume=None, **settings):
    return lab.broker(
        kind,
        name,
        [namesrv],
        volume,
        brokerName="replicated",
        mappedFileSizeCommitLog=str(LOG_FILE_SIZE),
        maxMessageSize=str(256 << 10),
        **settings,
    ).ready()


def slave_of(lab, namesrv, name, volume):
    return start(
        lab,
        containers.APACHE,
        namesrv,
        name,
        volume,
        brokerId="1",
        brokerRole="SLAVE",
        slaveReadEnable="true",
    )


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


def bodies(events):
    return {one["body"] for one in events if "body" in one}


@pytest.mark.max_s(240)
@pytest.mark.parametrize("role", ["ASYNC_MASTER", "SYNC_MASTER"])
def test_a_stock_slave_has_our_log_and_serves_it_alone(lab, flavour, namesrv, own, topic, role):
    volume = lab.volume()
    master = start(lab, flavour, namesrv, "replicated-0", brokerRole=role, inSyncReplicas="2")
    namesrv.knows("replicated")
    slave = slave_of(lab, namesrv, "replicated-1", volume)
    client = own(artifacts.APACHE, namesrv.address)
    followed(master, slave)

    def sent(body):
        options = {"topic": topic, "mode": "async", "count": COUNT, "size": 300, "keys": topic}
        return bodies(client.do("send", body=body, **options))

    first = sent("first")
    assert len(first) == COUNT
    assert len(followed(master, slave)) > LOG_FILE_SIZE
    slave.kill()
    lab.forget(slave)
    alone = sent("alone") if role == "ASYNC_MASTER" else set()
    slave = slave_of(lab, namesrv, "replicated-2", volume)
    last = sent("last") if role == "ASYNC_MASTER" else set()
    followed(master, slave)
    master.kill()

    found = client.do("pull", topic=topic, group=f"{topic}-readers", max_s=90)
    assert bodies(found) == first | alone | last
    lab.forget(master)
    lab.forget(slave)
