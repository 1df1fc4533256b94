"""Every way to send, by every client; what was acknowledged is there, where the client was told."""

import time
from collections import defaultdict

import artifacts
import pytest

ALL = (*artifacts.SMOKE, *artifacts.CLIENTS, artifacts.GO)
BATCHING = (*artifacts.CLIENTS, artifacts.GO)
COUNT = 30


def stored(shared, topic, group):
    """All messages of a topic, read by the reference client."""
    events = shared(artifacts.APACHE).do("pull", topic=topic, group=group)
    return [one for one in events if one["event"] == "received"]


def check(sent, found):
    """Every acknowledged message is at the place that the acknowledgement named, once."""
    assert [one["status"] for one in sent] == ["SEND_OK"] * COUNT
    assert len({one["offsetMsgId"] for one in sent}) == COUNT
    places = {(one["queueId"], one["offset"]): one["body"] for one in sent}
    assert places == {(one["queueId"], one["offset"]): one["body"] for one in found}
    queues = defaultdict(list)
    for one in found:
        queues[one["queueId"]].append(one["offset"])
    assert all(offsets == list(range(len(offsets))) for offsets in queues.values())


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("version", ALL)
def test_what_is_acknowledged_is_stored(shared, topic, group, version, mode):
    body = "größe-☃" if mode == "sync" else "async"

    sent = shared(version).do(
        "send",
        topic=topic,
        mode=mode,
        count=COUNT,
        body=body,
        keys=topic,
        property="wert=ü",
        tags="a",
    )

    found = stored(shared, topic, group)
    check(sent, found)
    assert {one["msgId"]: one["body"] for one in sent} == {
        one["msgId"]: one["body"] for one in found
    }
    assert {one["property"] for one in found} == {"wert=ü"}
    assert {one["tags"] for one in found} == {"a"}
    assert {one["keys"] for one in found} == {f"{topic}-{i}" for i in range(COUNT)}


def test_what_node_sends_is_stored(shared, topic, group):
    """It makes no unique keys, so the broker does. Nor does it send to a topic without a route."""
    for mode in ("sync", "async"):
        name = f"{topic}-{mode}"
        shared(artifacts.APACHE).do("create-topic", topic=name)
        time.sleep(0.5)  # the name server is told
        sent = shared(artifacts.NODE).do(
            "send", topic=name, mode=mode, count=COUNT, body="größe-☃", keys=topic, tags="a"
        )

        found = stored(shared, name, group)
        check(sent, found)
        assert len({one["msgId"] for one in found} - {one["msgId"] for one in sent}) == COUNT
        assert {one["tags"] for one in found} == {"a"}
        assert {one["keys"] for one in found} == {f"{topic}-{i}" for i in range(COUNT)}


@pytest.mark.parametrize("version", BATCHING)
def test_a_batch_is_stored_message_by_message(shared, topic, group, version):
    """Unique keys are not compared: clients since 5.0 put the batch's own upon each message."""
    sent = shared(version).do("send", topic=topic, mode="batch", count=COUNT, tags="b", keys=topic)

    check(sent, stored(shared, topic, group))


@pytest.mark.parametrize("version", ALL)
def test_one_way_messages_arrive(shared, topic, group, version):
    driver = shared(version)
    driver.do("send", topic=topic, count=1, body="first")

    driver.do("send", topic=topic, mode="oneway", count=COUNT, body="oneway")

    wanted = {f"oneway-{i}" for i in range(COUNT)} | {"first-0"}
    until = time.monotonic() + 20
    while (found := {one["body"] for one in stored(shared, topic, group)}) != wanted:
        assert time.monotonic() < until, f"missing {wanted - found}, unexpected {found - wanted}"
        time.sleep(0.3)


def test_large_bodies_pass_whole(shared, topic, group):
    """1 MiB compresses on the way (the client's doing); both ends must agree."""
    sent = shared("5.4.0").do("send", topic=topic, count=2, size=1 << 20)

    found = stored(shared, topic, group)
    assert {one["body"] for one in found} == {one["body"] for one in sent}
    assert {len(one["body"]) for one in found} == {1 << 20}
