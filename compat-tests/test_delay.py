"""Delay levels: messages arrive when their level says, never earlier, also after a restart."""

import time

import artifacts
import pytest
from test_push import bodies, wait_until
from together import each, name_of

VERSIONS = ("4.9.8", "5.3.3")
DELAYS_MS = {1: 1_000, 2: 5_000}
LATE_MAX_MS = 1_000
SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX"


def consuming(driver, topic, group):
    """Start a consumer of a topic that exists, and wait until it is at work; gives its name."""
    driver.do("send", topic=topic, body="first")
    name = f"{topic}-{group}"
    driver.do("push", name=name, topic=topic, group=group)
    wait_until(lambda: driver.received(name), 30, lambda: "the consumer never began")
    return name


def test_delayed_messages_arrive_in_time(shared, topic, group):
    clients = {version: shared(version) for version in VERSIONS}

    def in_time(version):
        driver, called = clients[version], f"{topic}-{name_of(version)}"
        name = consuming(driver, called, f"{group}-{name_of(version)}")

        sent = {"first-0"}
        for level in DELAYS_MS:
            body = f"level{level}"
            sent |= bodies(driver.do("send", topic=called, body=body, delay=level, count=20))
        wait_until(
            lambda: sent <= bodies(driver.received(name)),
            20,
            lambda: f"missing {sent - bodies(driver.received(name))}",
        )

        driver.do("stop", name=name)
        delayed = [one for one in driver.received(name) if one["body"].startswith("level")]
        assert len(delayed) == 40
        for one in delayed:
            waited_ms = one["at"] - one["born"]
            delay_ms = DELAYS_MS[int(one["body"][5])]
            assert delay_ms <= waited_ms <= delay_ms + LATE_MAX_MS, one
            assert (one["topic"], one["reconsumeTimes"]) == (called, 0)

    each(VERSIONS, in_time)


def test_a_delayed_message_is_found_by_its_key(shared, topic, group):
    driver = shared(artifacts.APACHE)
    name = consuming(driver, topic, group)

    (sent,) = driver.do("send", topic=topic, keys="late", delay=1)
    wait_until(lambda: len(driver.received(name)) == 2, 20, lambda: driver.received(name))

    driver.do("stop", name=name)
    found = driver.do("query-key", topic=topic, key="late-0")
    assert [one["msgId"] for one in found] == [sent["msgId"]]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_delayed_messages_survive_a_restart(lab, flavour, own, topic, group, end):
    """Those that are due while the broker is down are late; none is lost, nor early."""
    namesrv = lab.namesrv(flavour, f"delay-ns-{end}").ready()
    volume = lab.volume()
    name = f"delay-broker-{end}"
    broker = lab.broker(flavour, name, [namesrv], volume).ready()
    namesrv.knows(name)
    driver = own(artifacts.APACHE, namesrv.address, rebalance_ms=1_000)
    consumer = consuming(driver, topic, group)

    sent = bodies(driver.do("send", topic=topic, body="early", delay=1, count=10))
    wait_until(lambda: sent <= bodies(driver.received(consumer)), 20, lambda: "not delivered")
    broker.share(topic)
    sent |= bodies(driver.do("send", topic=topic, body="later", delay=2, count=10))
    time.sleep(1)
    getattr(broker, end)()
    lab.forget(broker)
    again = lab.broker(flavour, name, [namesrv], volume).ready()

    wait_until(
        lambda: sent <= bodies(driver.received(consumer)),
        60,
        lambda: f"lost {sent - bodies(driver.received(consumer))}",
    )
    late = [one for one in driver.received(consumer) if one["body"].startswith("later")]
    assert min(one["at"] - one["born"] for one in late) >= DELAYS_MS[2]
    if end == "stop":
        # Who leads a group may not know of the last deliveries of who led before.
        assert flavour.is_group or len(driver.received(consumer)) == 1 + len(sent)
        again.stop()
        offsets = again.files("/store/config")["delayOffset.json"]
        assert b'"offsetTable":{1:10,2:10\n' in offsets
