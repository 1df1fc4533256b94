"""Transactions: what is committed is seen once, what is not is never, whoever answers for it."""

import time
from uuid import uuid4

import artifacts
import containers
import pytest
from test_push import bodies, wait_until

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
"""A Go producer is known to the broker from its second heartbeat on, 30 s after its start."""

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


def checked(driver):
    return [
        one["body"] for one in driver.wait(lambda _: True, 1, "events") if one["event"] == "checked"
    ]


def wait_checked(driver, wanted):
    wait_until(
        lambda: wanted <= set(checked(driver)), CHECK_MAX_S, lambda: wanted - set(checked(driver))
    )


@pytest.mark.parametrize("version", (*VERSIONS, artifacts.GO))
def test_commits_are_seen_and_rollbacks_are_not(own, quick, topic, group, producers, version):
    driver = own(version, quick.addresses)
    reader = own(READER, quick.addresses) if version == artifacts.GO else driver
    name = f"{topic}-push"
    driver.do("send", topic=topic, body="plain")
    driver.do("begin", name="tx", group=producers, check="unknown")
    reader.do("push", name=name, topic=topic, group=group)

    sent = [
        one
        for one in driver.do(
            "transact", name="tx", topic=topic, count=20, outcomes="commit,rollback", tags="a,b"
        )
        if one["event"] == "sent"
    ]

    wanted = {"plain-0"} | {f"body-{i}" for i in range(0, 20, 2)}
    assert [one["status"] for one in sent] == ["SEND_OK"] * 20
    wait_until(
        lambda: wanted <= bodies(reader.received(name)),
        CHECK_MAX_S,
        lambda: wanted - bodies(reader.received(name)),
    )
    time.sleep(7)  # two checks, which must find nothing to ask
    assert checked(driver) == []
    assert seen(reader, topic, group + "-again") == sorted(wanted)
    assert len(reader.received(name)) == len(wanted)


@pytest.mark.parametrize(("answer", "found"), [("commit", 5), ("rollback", 0)])
@pytest.mark.parametrize("version", (*VERSIONS, artifacts.GO))
def test_unknown_is_asked_about(own, quick, topic, group, producers, version, answer, found):
    driver = own(version, quick.addresses)
    reader = own(READER, quick.addresses) if version == artifacts.GO else driver
    driver.do("send", topic=topic, body="plain")
    driver.do("begin", name="tx", group=producers, check=answer)

    driver.do("transact", name="tx", topic=topic, count=5, outcomes="unknown", tags="a")

    wanted = {f"body-{i}" for i in range(5)}
    wait_checked(driver, wanted)
    expected = sorted({"plain-0", *sorted(wanted)[:found]})
    wait_until(lambda: seen(reader, topic, group) == expected, 10, lambda: expected)
    time.sleep(7)
    assert sorted(checked(driver)) == sorted(wanted)
    assert seen(reader, topic, group) == expected
    questions = [one for one in driver.wait(lambda _: True, 1, "") if one["event"] == "checked"]
    assert {(one["topic"], one["tags"]) for one in questions} == {(topic, "a")}
    assert all(one["transactionId"] for one in questions)


@pytest.mark.parametrize("version", VERSIONS)
def test_another_producer_of_the_group_answers_for_a_dead_one(
    own, quick, topic, group, producers, version
):
    survivor = own(version, quick.addresses)
    survivor.do("begin", name="survivor", group=producers, check="commit")
    survivor.do("transact", name="survivor", topic=topic, body="own", outcomes="commit")
    dying = own(version, quick.addresses)
    dying.do("begin", name="dying", group=producers, check="commit")

    dying.begin("transact", name="dying", topic=topic, body="orphan", outcomes="die")

    wait_checked(survivor, {"orphan-0"})
    wait_until(
        lambda: seen(survivor, topic, group) == ["orphan-0", "own-0"],
        10,
        lambda: seen(survivor, topic, group),
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_half_messages_outlive_the_broker(lab, flavour, own, topic, group, producers, version):
    names = f"tx-{version[0]}-ns", f"tx-{version[0]}-broker"
    volume = lab.volume()
    namesrv = lab.namesrv(flavour, names[0])
    broker = lab.broker(flavour, names[1], [namesrv], volume, **QUICK)
    cluster = containers.Cluster([namesrv], [broker]).ready()
    driver = own(version, cluster.addresses)
    driver.do("begin", name="tx", group=producers, check="commit")
    driver.do("transact", name="tx", topic=topic, body="early", outcomes="commit")
    broker.share(topic)
    driver.do("transact", name="tx", topic=topic, outcomes="unknown")

    broker.kill()
    lab.forget(broker)
    again = lab.broker(flavour, names[1], [namesrv], volume, **QUICK)
    containers.Cluster([namesrv], [again]).ready()

    wait_checked(driver, {"body-0"})
    wait_until(
        lambda: set(seen(driver, topic, group)) == {"body-0", "early-0"},
        10,
        lambda: seen(driver, topic, group),
    )
    again.stop()
    assert OP in b"".join(again.files(again.log_folder).values())
