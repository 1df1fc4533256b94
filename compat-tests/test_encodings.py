"""Clients that encode headers in RocketMQ's own binary way instead of JSON."""

import artifacts
import pytest
from test_push import bodies, wait_until


@pytest.mark.parametrize("version", ("4.0.0-incubating", *artifacts.CLIENTS))
def test_a_binary_client_sends_consumes_and_queries(shared, topic, group, version):
    driver = shared(version, encoding="ROCKETMQ")
    name = f"{topic}-push"

    sent = driver.do("send", topic=topic, count=20, keys=topic, tags="t", body="büchse")
    sent += driver.do("send", topic=topic, count=20, mode="async", body="async")
    driver.do("send", topic=topic, count=20, mode="oneway", body="oneway")
    driver.do("push", name=name, topic=topic, group=group)

    wanted = bodies(sent) | {f"oneway-{i}" for i in range(20)}
    wait_until(
        lambda: wanted <= bodies(driver.received(name)),
        30,
        lambda: wanted - bodies(driver.received(name)),
    )
    viewed = driver.do("query-id", topic=topic, msgId=sent[3]["offsetMsgId"])
    assert bodies(viewed) == {"büchse-3"}
    pulled = driver.do("pull", topic=topic, group=f"{group}-pull")
    assert {one["body"] for one in pulled if one["event"] == "received"} == wanted
    driver.do("stop", name=name)


def test_both_encodings_meet_in_one_topic(shared, topic, group):
    binary, text = shared("5.4.0", encoding="ROCKETMQ"), shared("4.9.8")
    binary.do("send", topic=topic, count=10, body="binary")
    text.do("send", topic=topic, count=10, body="text")

    of_binary = binary.do("pull", topic=topic, group=f"{group}-1")
    of_text = text.do("pull", topic=topic, group=f"{group}-2")

    wanted = {f"{kind}-{i}" for kind in ("binary", "text") for i in range(10)}
    for events in (of_binary, of_text):
        assert {one["body"] for one in events if one["event"] == "received"} == wanted
