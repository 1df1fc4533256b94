"""Brokers in DLedger groups, of three and of five: clients of all generations, while leaders die.

With ``--server dledger`` all other tests go through groups, too.
"""

import time

import artifacts
import containers
import drivers
import pytest
from test_push import bodies, missing, wait_until
from test_transactions import QUICK, seen, wait_checked

VERSIONS = ("3.6.2.Final", "4.3.2", "5.4.0", artifacts.GO)
LEARN_MAX_S = 60
SETTINGS = QUICK | {"transactionCheckMax": "100"}
"""A producer is known to the next leader after a minute; nothing may be given up by then."""


@pytest.fixture(params=[3, pytest.param(5, marks=pytest.mark.long)], ids=["three", "five"])
def members(request):
    """How many brokers the group has."""
    return request.param


@pytest.fixture
def led(lab, flavour, members):
    """A NameServer and one group."""
    namesrv = lab.namesrv(flavour, f"led-ns-{members}")
    broker = lab.broker(flavour.in_groups(members), f"led-{members}", [namesrv], **SETTINGS)
    yield containers.Cluster([namesrv], [broker]).ready()
    for one in (namesrv, broker):
        lab.forget(one)


@pytest.mark.max_s(300)
def test_clients_of_all_generations_go_on_when_leaders_are_killed(led, members, own, topic, group):
    """What waits to be consumed, to be delivered, or to be ended, is there under the next leader."""
    broker = led.brokers[0]
    clients = {version: own(version, led.addresses, rebalance_ms=1_000) for version in VERSIONS}
    newest = clients["5.4.0"]
    newest.do("create-topic", topic=topic)
    newest.do("begin", name="tx", group=f"{group}-tx", check="commit")
    for version, client in clients.items():
        client.do("push", name=topic, topic=topic, group=f"{group}-{version}".replace(".", "-"))
    broker.share(topic)
    sent = bodies(newest.do("send", topic=topic, count=16, body="before"))
    sent |= bodies(newest.do("send", topic=topic, count=4, body="delayed", delay=2))
    newest.do("transact", name="tx", topic=topic, body="half", outcomes="unknown")

    killed = [broker.kill_leader() for _ in range(members // 2)]

    for version, client in clients.items():
        sent |= bodies(insist(client, topic, f"by-{version}"))
    for one in killed:
        one.start_again()
    wait_checked(newest, {"half-0"})
    sent |= {"half-0"}
    for client in clients.values():
        wait_until(
            lambda client=client: sent <= bodies(client.received(topic)),
            LEARN_MAX_S,
            lambda client=client: missing(sent, client.received(topic)),
        )
    broker.ready()
    assert sent <= set(seen(newest, topic, f"{group}-again"))


def insist(driver, topic, mark):
    """Send until all of a command is acknowledged: clients look every 30 s who leads."""
    until = time.monotonic() + LEARN_MAX_S
    while True:
        try:
            return driver.do("send", topic=topic, count=4, body=f"{mark}-{time.monotonic_ns()}")
        except drivers.DriverError:
            if time.monotonic() > until:
                raise
            time.sleep(1)
