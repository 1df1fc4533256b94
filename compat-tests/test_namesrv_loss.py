"""Two NameServers that know nothing of each other; one is killed, nobody is the worse for it."""

import time

import artifacts
import containers
import drivers
import pytest
from test_push import bodies, missing, wait_until

VERSIONS = ("3.6.2.Final", "4.3.2", "5.4.0", artifacts.GO)


def insist(driver, *words, **options):
    """A client that has just started may choose the lost one first, refuse, and then the other."""
    for _ in range(5):
        try:
            return driver.do(*words, max_s=90, **options)
        except drivers.DriverError:
            time.sleep(1)
    return driver.do(*words, max_s=90, **options)


@pytest.fixture(scope="module")
def pair(lab, flavour):
    """Two NameServers and a broker that registers with both."""
    namesrvs = [lab.namesrv(flavour, f"loss-ns{number}") for number in (1, 2)]
    started = containers.Cluster(namesrvs, [lab.broker(flavour, "loss-broker", namesrvs)]).ready()
    yield started
    for server in (*started.namesrvs, *started.brokers):
        lab.forget(server)


@pytest.mark.max_s(240)
def test_clients_live_through_the_loss_of_a_name_server(pair, own, topic, group):
    """Clients from before the loss go on, new ones start, and topics can still be made."""
    before = {version: own(version, pair.addresses) for version in VERSIONS}
    sender = own("5.3.3", pair.addresses)
    sent = bodies(sender.do("send", topic=topic, body="before"))
    for version, driver in before.items():
        driver.do(
            "push",
            name=f"{topic}-{version}",
            topic=topic,
            group=f"{group}-{version}".replace(".", "-"),
        )
        driver.do("send", topic=f"{topic}-{version}".replace(".", "-"), count=4)

    pair.namesrvs[0].kill()

    sent |= bodies(sender.do("send", topic=topic, count=20, body="after"))
    for version, driver in before.items():
        sent |= bodies(driver.do("send", topic=topic, count=5, body=f"by-{version}", max_s=90))
    for version, driver in before.items():
        gotten = lambda driver=driver, version=version: driver.received(f"{topic}-{version}")  # noqa: E731
        wait_until(lambda: sent <= bodies(gotten()), 60, lambda: missing(sent, gotten()))
    for version in ("4.9.8", "5.4.0"):
        late = own(version, pair.addresses)
        insist(late, "send", topic=f"{topic}-new-{version}".replace(".", "-"), count=4)
        found = insist(late, "pull", topic=topic, group=f"{group}-late")
        assert {one["body"] for one in found if one["event"] == "received"} == sent
