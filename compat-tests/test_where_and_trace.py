"""Where a new group begins once old messages are gone; and traces of messages, found by their keys."""

import re
import time

import drivers
import pytest
from containers import Cluster
from test_push import bodies, wait_until

VERSIONS = ("4.9.8", "5.3.3")
FILE_BYTES = 1 << 20
GONE_MAX_S = 90
"""Brokers look every second for what may go; Java's for the first time after a minute.

Those of a group keep files for an hour longer than they are told to.
"""
BEGIN_MAX_S = 40
"""Clients ask for offset 0 first and are told that it is gone; 4.9.8 begins again 10 s later."""
TRACES = "RMQ_SYS_TRACE_TOPIC"
TRACED_MAX_S = 30
TRACED = {"4.9.8": {"trace": 1}, "5.3.3": {"set.enableTrace": "true"}}
"""An argument of the constructor became a setting."""


@pytest.fixture(scope="module")
def forgetful(lab, flavour):
    """A cluster whose broker keeps nothing but its last file, and takes traces."""
    hour = time.gmtime().tm_hour
    namesrv = lab.namesrv(flavour, "where-ns")
    broker = lab.broker(
        flavour,
        "where-broker",
        [namesrv],
        traceTopicEnable="true",
        mappedFileSizeCommitLog=str(FILE_BYTES),
        fileReservedTime="0",
        cleanResourceInterval="1000",
        deleteWhen=f"{hour};{(hour + 1) % 24}",
    )
    return Cluster([namesrv], [broker]).ready()


@pytest.fixture(scope="module")
def aged(own_by_module, forgetful):
    """A topic whose first messages are gone; what is kept, and the second before the newest."""
    driver = own_by_module
    topic = "aged"
    driver.do("create-topic", topic=topic, queues=1)
    time.sleep(1)
    big = {"size": FILE_BYTES // 3, "set.compressMsgBodyOverHowmuch": 1 << 30}
    driver.do("send", topic=topic, count=8, body="gone", **big)
    kept = bodies(driver.do("send", topic=topic, count=3, body="kept"))
    forgetful.brokers[0].age_log()

    def first():
        found = driver.do("pull", topic=topic, group="where-reader")
        return next(one["min"] for one in found if one["event"] == "queue")

    wait_until(lambda: first() > 0, GONE_MAX_S, lambda: "nothing was deleted")
    time.sleep(1.1)
    second = time.strftime("%Y%m%d%H%M%S", time.gmtime())
    timed = bodies(driver.do("send", topic=topic, count=3, body="timed"))
    return topic, second, kept, timed


@pytest.fixture(scope="module")
def own_by_module(lab, forgetful):
    """The client that fills the topic."""
    driver = drivers.start(lab, "5.3.3", forgetful.addresses).ready()
    yield driver
    driver.close()


@pytest.fixture(scope="module", params=VERSIONS)
def client(request, lab, forgetful):
    """A client of each version on this cluster."""
    driver = drivers.start(lab, request.param, forgetful.addresses, rebalance_ms=2_000).ready()
    yield driver
    driver.close()


@pytest.mark.max_s(150)
@pytest.mark.parametrize("where", ["FIRST_OFFSET", "LAST_OFFSET", "TIMESTAMP"])
def test_a_new_group_begins_where_it_says(aged, client, group, where):
    topic, second, kept, timed = aged
    settings = {"set.consumeFromWhere": f"CONSUME_FROM_{where}", "set.consumeTimestamp": second}
    client.do("push", name=group, topic=topic, group=group, **settings)

    def later():
        """Send until one comes: a group that begins at the end must find the end first."""
        client.do("send", topic=topic, body=f"later-{group}-{time.monotonic_ns()}")
        time.sleep(0.3)
        return any(f"later-{group}" in one["body"] for one in client.received(group))

    wait_until(later, BEGIN_MAX_S, lambda: client.received(group))
    client.do("stop", name=group)
    before = {one["body"] for one in client.received(group) if not one["body"].startswith("later-")}
    if where == "LAST_OFFSET":
        assert before == set()
    elif where == "TIMESTAMP":
        assert before == timed
    else:
        assert kept | timed <= before
        assert "gone-0" not in {body.rstrip(".") for body in before}


def test_a_trace_tells_of_sender_and_consumer(client, mqadmin, forgetful, topic, group):
    traced = TRACED[client.name.split()[0]]
    client.do("send", topic=topic, body="first")
    client.do("push", name=topic, topic=topic, group=group, **traced)
    sent = client.do("send", topic=topic, keys=topic, **traced)[0]

    def traces(key):
        return "".join(one["body"] for one in client.do("query-key", topic=TRACES, key=key))

    def complete():
        try:
            found = traces(sent["msgId"])
        except drivers.DriverError:  # none by this key yet
            return False
        return all(kind in found for kind in ("Pub", "SubBefore", "SubAfter"))

    wait_until(complete, TRACED_MAX_S, lambda: "no trace")
    client.do("stop", name=topic)
    assert "Pub" in traces(f"{topic}-0")
    told = mqadmin("queryMsgTraceById", "-i", sent["msgId"], addresses=forgetful.addresses)
    assert re.search(r"(?m)^Pub\s+compat-\w+\s.*success", told), told
    assert re.search(rf"(?m)^Sub\s+{group}\s.*success", told), told
