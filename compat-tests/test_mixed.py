"""One cluster of both kinds: each broker registers with both NameServers, each client uses both."""

import artifacts
import containers
import pytest
from test_push import bodies, missing, wait_until
from together import each, name_of

VERSIONS = ("4.3.2", "5.3.3", "5.4.0", artifacts.GO)


@pytest.fixture(scope="module")
def mixed(lab, flavour):
    """A stock NameServer and Broker beside the ones under test."""
    namesrvs = [
        lab.namesrv(flavour, "mixed-ns-ours"),
        lab.namesrv(containers.APACHE, "mixed-ns-java"),
    ]
    brokers = [
        lab.broker(flavour, "mixed-broker-ours", namesrvs),
        lab.broker(containers.APACHE, "mixed-broker-java", namesrvs),
    ]
    started = containers.Cluster(namesrvs, brokers).ready()
    yield started
    for server in (*started.namesrvs, *started.brokers):
        lab.forget(server)


@pytest.mark.parametrize("through", [0, 1], ids=["our-namesrv", "java-namesrv"])
def test_a_client_works_with_both_brokers_through_either_name_server(
    mixed, own, topic, group, through
):
    clients = {version: own(version, mixed.namesrvs[through].address) for version in VERSIONS}

    def works(version):
        driver, called = clients[version], f"{topic}-{name_of(version)}"
        sent = driver.do("send", topic=called, count=40)
        driver.do("push", name=called, topic=called, group=f"{group}-{name_of(version)}")

        assert {one["broker"] for one in sent} == {"mixed-broker-ours", "mixed-broker-java"}
        wanted = bodies(sent)
        wait_until(
            lambda: wanted <= bodies(driver.received(called)),
            60,
            lambda: missing(wanted, driver.received(called)),
        )

    for version in VERSIONS:
        called = f"{topic}-{name_of(version)}"
        clients["5.3.3"].do("create-topic", topic=called, near="DefaultCluster")
    each(VERSIONS, works)


def test_a_client_told_of_both_name_servers_survives_the_loss_of_one(mixed, own, topic, group):
    driver = own("5.4.0", mixed.addresses)
    own("5.3.3", mixed.addresses).do("create-topic", topic=topic, near="DefaultCluster")
    driver.do("push", name=topic, topic=topic, group=group)
    sent = bodies(driver.do("send", topic=topic, count=20, body="before"))

    mixed.namesrvs[1].kill()
    sent |= bodies(driver.do("send", topic=topic, count=20, body="after"))

    wait_until(
        lambda: sent <= bodies(driver.received(topic)),
        60,
        lambda: missing(sent, driver.received(topic)),
    )
