"""Transactions: what is committed is seen once, what is not is never, whoever answers for it."""

import time
from uuid import uuid4

import artifacts
import containers
import pytest
from test_push import bodies, wait_until
from together import each, name_of

VERSIONS = ("4.9.8", "5.3.3")
assert set(VERSIONS) <= set(artifacts.CLIENTS)

QUICK = {
    "transactionCheckInterval": "3000",
    "transactionTimeOut": "1000",
    "transactionOpBatchInterval": "200",
}
"""Checks that come while a test can wait; what was ended is written well before the next one."""

OP = b"\x1bRMQ_SYS_TRANS_OP_HALF_TOPIC\x00\x11WAIT\x01true\x02TAGS\x01d\x02"
"""How each record of an op message ends: its topic and its properties with their lengths."""

CHECK_MAX_S = 60
BETWEEN_S = 7
"""Two checks, which must find nothing to ask."""

READER = "5.3.3"


@pytest.fixture(scope="module")
def quick(lab, flavour):
    """A cluster whose broker checks often."""
    namesrv = lab.namesrv(flavour, "tx-ns")
    broker = lab.broker(flavour, "tx-broker", [namesrv], **QUICK)
    return containers.Cluster([namesrv], [broker]).ready()


@pytest.fixture
def producers():
    """A producer group's name that no other test uses."""
    return f"producers-{uuid4().hex[:8]}"


def seen(driver, topic, group):
    """The bodies that a pull from the beginning finds, each as often as it is there."""
    return sorted(
        one["body"]
        for one in driver.do("pull", topic=topic, group=group)
        if one["event"] == "received"
    )


def wait_seen(driver, topic, group, wanted):
    wait_until(lambda: seen(driver, topic, group) == wanted, 10, lambda: seen(driver, topic, group))


def questions(driver, name="tx"):
    """What one of a driver's producers was asked about."""
    return [
        one
        for one in driver.wait(lambda _: True, 1, "events")
        if one["event"] == "checked" and one["producer"] == name
    ]


def checked(driver, name="tx"):
    return [one["body"] for one in questions(driver, name)]


def wait_checked(driver, wanted, name="tx"):
    wait_until(
        lambda: wanted <= set(checked(driver, name)),
        CHECK_MAX_S,
        lambda: wanted - set(checked(driver, name)),
    )


def heard(driver, version, name, topic, group):
    """Have the broker know a producer of Go, whose own heartbeat comes 30 s after its start.

    A consumer that is called alike is of the same client, and tells of both when it begins.
    """
    if version == artifacts.GO:
        driver.do("push", name=name, topic=topic, group=group)


def test_commits_are_seen_and_rollbacks_are_not(own, quick, topic, group, producers):
    def seen_or_not(version):
        called, readers = f"{topic}-{name_of(version)}", f"{group}-{name_of(version)}"
        driver = own(version, quick.addresses)
        reader = own(READER, quick.addresses) if version == artifacts.GO else driver
        name = f"{called}-push"
        driver.do("send", topic=called, body="plain")
        driver.do("begin", name="tx", group=f"{producers}-{name_of(version)}", check="unknown")
        reader.do("push", name=name, topic=called, group=readers)

        sent = [
            one
            for one in driver.do(
                "transact",
                **{"name": "tx", "topic": called, "count": 20},
                **{"outcomes": "commit,rollback", "tags": "a,b"},
            )
            if one["event"] == "sent"
        ]
        heard(driver, version, "tx", called, f"{readers}-too")

        wanted = {"plain-0"} | {f"body-{i}" for i in range(0, 20, 2)}
        assert [one["status"] for one in sent] == ["SEND_OK"] * 20
        wait_until(
            lambda: wanted <= bodies(reader.received(name)),
            CHECK_MAX_S,
            lambda: wanted - bodies(reader.received(name)),
        )
        time.sleep(BETWEEN_S)
        assert checked(driver) == []
        assert seen(reader, called, f"{readers}-again") == sorted(wanted)
        assert len(reader.received(name)) == len(wanted)

    each((*VERSIONS, artifacts.GO), seen_or_not)


FOUND = {"commit": 5, "rollback": 0}
"""How many of five a reader finds by what the producer answers."""


def test_unknown_is_asked_about(own, quick, topic, group, producers):
    def asked(version):
        driver = own(version, quick.addresses)
        reader = own(READER, quick.addresses) if version == artifacts.GO else driver
        topics = {answer: f"{topic}-{answer}-{name_of(version)}" for answer in FOUND}
        wanted = {f"body-{i}" for i in range(5)}
        expected = {
            answer: sorted({"plain-0", *sorted(wanted)[:found]}) for answer, found in FOUND.items()
        }
        for answer, called in topics.items():
            driver.do("send", topic=called, body="plain")
            driver.do("begin", name=answer, group=f"{producers}-{called}", check=answer)
            driver.do(
                *("transact",),
                **{"name": answer, "topic": called, "count": 5},
                **{"outcomes": "unknown", "tags": "a"},
            )
            heard(driver, version, answer, called, f"{group}-{called}")

        for answer, called in topics.items():
            wait_checked(driver, wanted, answer)
            wait_seen(reader, called, group, expected[answer])
        time.sleep(BETWEEN_S)
        for answer, called in topics.items():
            assert sorted(checked(driver, answer)) == sorted(wanted)
            assert seen(reader, called, group) == expected[answer]
            told = questions(driver, answer)
            assert {(one["topic"], one["tags"]) for one in told} == {(called, "a")}
            assert all(one["transactionId"] for one in told)

    each((*VERSIONS, artifacts.GO), asked)


def test_another_producer_of_the_group_answers_for_a_dead_one(own, quick, topic, group, producers):
    def answered(version):
        called, asked = f"{topic}-{name_of(version)}", f"{producers}-{name_of(version)}"
        survivor = own(version, quick.addresses)
        dying = own(version, quick.addresses)
        survivor.do("begin", name="survivor", group=asked, check="commit")
        survivor.do("transact", name="survivor", topic=called, body="own", outcomes="commit")
        dying.do("begin", name="dying", group=asked, check="commit")

        dying.begin("transact", name="dying", topic=called, body="orphan", outcomes="die")

        wait_checked(survivor, {"orphan-0"}, "survivor")
        wait_seen(survivor, called, group, ["orphan-0", "own-0"])

    each(VERSIONS, answered)


def test_half_messages_outlive_the_broker(lab, flavour, own, topic, group, producers):
    """Two producers of different generations on one broker, which is killed."""
    volume = lab.volume()
    namesrv = lab.namesrv(flavour, "tx-killed-ns")
    broker = lab.broker(flavour, "tx-killed", [namesrv], volume, **QUICK)
    cluster = containers.Cluster([namesrv], [broker]).ready()
    clients = {version: own(version, cluster.addresses) for version in VERSIONS}
    topics = {version: f"{topic}-{name_of(version)}" for version in VERSIONS}
    for version, driver in clients.items():
        asked = f"{producers}-{name_of(version)}"
        driver.do("begin", name="tx", group=asked, check="commit")
        driver.do("transact", name="tx", topic=topics[version], body="early", outcomes="commit")
        broker.share(topics[version])
    for version, driver in clients.items():
        driver.do("transact", name="tx", topic=topics[version], outcomes="unknown")

    broker.kill()
    lab.forget(broker)
    again = lab.broker(flavour, "tx-killed", [namesrv], volume, **QUICK)
    containers.Cluster([namesrv], [again]).ready()

    def found(version):
        driver = clients[version]
        wait_checked(driver, {"body-0"})
        wait_until(
            lambda: set(seen(driver, topics[version], group)) == {"body-0", "early-0"},
            10,
            lambda: seen(driver, topics[version], group),
        )

    each(VERSIONS, found)
    again.stop()
    assert OP in b"".join(again.files(again.log_folder).values())
