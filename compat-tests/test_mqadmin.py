"""The stock mqadmin of 5.3.3, as operators type it.

A command answers within a second, and its process ends three later; so some run at once.
"""

import re
import time

import containers
import pytest
from together import at_once


@pytest.fixture
def address(cluster):
    """Where the broker is, as it registered itself."""
    return f"{cluster.brokers[0].ip}:{containers.BROKER_PORT}"


def test_a_topic_is_made_described_and_deleted(mqadmin, shared, topic, address):
    assert "success" in mqadmin(
        "updateTopic", "-c", "DefaultCluster", "-t", topic, "-r", "6", "-w", "5"
    )
    shared("5.3.3").do("send", topic=topic, count=20)
    route, status, listed = at_once(
        lambda: mqadmin("topicRoute", "-t", topic),
        lambda: mqadmin("topicStatus", "-t", topic),
        lambda: mqadmin("topicList"),
    )
    assert re.search(r'"readQueueNums"\s*:\s*6', route)
    assert re.search(r'"writeQueueNums"\s*:\s*5', route)
    assert address in route
    rows = [line.split() for line in status.splitlines() if line.startswith("main-broker")]
    assert len(rows) == 6
    assert sum(int(row[3]) for row in rows) == 20
    assert topic in listed
    assert "success" in mqadmin("deleteTopic", "-c", "DefaultCluster", "-t", topic)
    assert topic not in mqadmin("topicList")


def test_the_cluster_is_listed(mqadmin, address):
    listed = mqadmin("clusterList")

    row = next(line.split() for line in listed.splitlines() if line.startswith("DefaultCluster"))
    assert row[1:4] == ["main-broker", "0", address]


def test_messages_are_found(mqadmin, shared, topic):
    sent = shared("5.3.3").do("send", topic=topic, count=3, keys=topic, body="looked-for")

    time.sleep(1)  # the index follows the log
    by_id, by_key, by_unique_key = at_once(
        lambda: mqadmin("queryMsgById", "-t", topic, "-i", sent[1]["offsetMsgId"]),
        lambda: mqadmin("queryMsgByKey", "-t", topic, "-k", f"{topic}-1"),
        lambda: mqadmin("queryMsgByUniqueKey", "-t", topic, "-i", sent[1]["msgId"]),
    )

    assert f"{topic}-1" in by_id
    assert sent[1]["msgId"] in by_key
    assert f"{topic}-1" in by_unique_key


def test_a_group_is_made_and_its_progress_shown(mqadmin, shared, topic, group):
    assert "success" in mqadmin("updateSubGroup", "-c", "DefaultCluster", "-g", group, "-r", "3")
    driver = shared("5.3.3")
    driver.do("send", topic=topic, count=20)
    driver.do("lite-pull", topic=topic, group=group, count=20)

    progress = mqadmin("consumerProgress", "-g", group)

    assert re.search(r"(?i)Consume Diff Total: 0", progress), progress
    rows = [line.split() for line in progress.splitlines() if line.startswith(topic)]
    assert sum(int(row[4]) for row in rows) == 20


def test_a_broker_tells_its_state(mqadmin, address):
    state = mqadmin("brokerStatus", "-b", address)

    for name in (
        "bootTimestamp",
        "brokerVersionDesc",
        "commitLogMaxOffset",
        "putMessageTimesTotal",
    ):
        assert name in state
    assert "V5_3_3" in state


def test_name_servers_tell_their_settings_and_keep_pairs(mqadmin, topic):
    settings, kept = at_once(
        lambda: mqadmin("getNamesrvConfig"),
        lambda: mqadmin("updateKvConfig", "-s", "compat", "-k", topic, "-v", "value"),
    )
    assert re.search(r"listenPort\s*=\s*9876", settings)
    assert "success" in kept
    assert "success" in mqadmin("deleteKvConfig", "-s", "compat", "-k", topic)


def test_write_permission_is_wiped_and_given_back(lab, flavour, own, topic):
    """On a broker of its own: it takes all writes away."""
    namesrv = lab.namesrv(flavour, "wipe-ns")
    broker = lab.broker(flavour, "wipe-broker", [namesrv])
    namesrv.ready()
    broker.ready()
    namesrv.knows("wipe-broker")
    host = lab.host("wipe-admin").get_wrapped_container()

    def run(command):
        done = host.exec_run(
            ["sh", "-c", f"{containers.MQADMIN} {command} -n {namesrv.address} -b wipe-broker 2>&1"]
        )
        return done.output.decode()

    client = own("5.3.3", namesrv.address)
    client.do("send", topic=topic)

    wiped = run("wipeWritePerm")
    given = run("addWritePerm")

    assert re.search(r"wipe write perm of broker\[wipe-broker\].*OK, [1-9]", wiped), wiped
    assert re.search(r"add write perm of broker\[wipe-broker\].*OK, [1-9]", given), given
    client.do("send", topic=topic)
