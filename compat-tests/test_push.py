"""Push consumption: members of a group share the queues, and take over from one that leaves."""

import time

import artifacts
import pytest

ALL = (*artifacts.SMOKE, *artifacts.CLIENTS, artifacts.GO, artifacts.NODE)
COUNT = 80
SHARE_MAX_S = 45
"""The Go client looks at its group every 20 s; Java's are told by the broker alone."""


def bodies(*gotten):
    return {one["body"] for events in gotten for one in events}


def missing(sent, *gotten):
    """Say what nobody got, and of which queues each member got something."""
    shares = [sorted({one["queueId"] for one in events}) for events in gotten]
    return f"nobody got {sorted(sent - bodies(*gotten))}; queues of the members: {shares}"


def wait_until(true, max_s, what):
    until = time.monotonic() + max_s
    while not true():
        assert time.monotonic() < until, what()
        time.sleep(0.1)


def prepare(shared, topic):
    """Make the topic by a first message, so that consumers find its route; gives its body."""
    shared(artifacts.APACHE).do("send", topic=topic, body="first")
    return {"first-0"}


def send_until_both_get(shared, topic, one, other):
    """Send until both consumers were given something of a round: then the queues are shared."""
    driver = shared(artifacts.APACHE)
    sent = set()
    until = time.monotonic() + SHARE_MAX_S
    while time.monotonic() < until:
        mark = f"round{len(sent)}"
        events = driver.do("send", topic=topic, count=16, body=mark)
        sent |= bodies(events)
        wait_until(
            lambda: sent <= bodies(one(), other()),
            SHARE_MAX_S,
            lambda: missing(sent, one(), other()),
        )
        if all(
            any(body.startswith(mark + "-") for body in bodies(events())) for events in (one, other)
        ):
            return sent
    raise AssertionError(f"the group of two never shared the queues in {SHARE_MAX_S} s")


@pytest.mark.parametrize("version", ALL)
def test_two_members_share_and_one_takes_over(shared, topic, group, version):
    driver = shared(version)
    sent = prepare(shared, topic)
    names = [f"{topic}-{letter}" for letter in "ab"]
    one, other = (lambda: driver.received(names[0])), (lambda: driver.received(names[1]))

    for name in names:
        driver.do("push", name=name, topic=topic, group=group)
    sent |= send_until_both_get(shared, topic, one, other)
    driver.do("stop", name=names[0])
    before = len(one())
    sent |= bodies(shared(artifacts.APACHE).do("send", topic=topic, count=COUNT, body="after"))

    wait_until(
        lambda: sent <= bodies(one(), other()), SHARE_MAX_S, lambda: missing(sent, one(), other())
    )
    assert len(one()) == before
    driver.do("stop", name=names[1])


def test_a_member_of_another_generation_shares_and_takes_over(shared, topic, group):
    old, new = shared("4.3.2"), shared("5.4.0")
    sent = prepare(shared, topic)
    old.do("push", name=f"{topic}-old", topic=topic, group=group)
    new.do("push", name=f"{topic}-new", topic=topic, group=group)
    one, other = (lambda: old.received(f"{topic}-old")), (lambda: new.received(f"{topic}-new"))

    sent |= send_until_both_get(shared, topic, one, other)
    new.do("stop", name=f"{topic}-new")
    sent |= bodies(shared(artifacts.APACHE).do("send", topic=topic, count=COUNT, body="after"))

    wait_until(
        lambda: sent <= bodies(one(), other()), SHARE_MAX_S, lambda: missing(sent, one(), other())
    )
    old.do("stop", name=f"{topic}-old")


def test_a_killed_member_is_replaced(lab, cluster, own, shared, topic, group):
    """Nobody unregisters it: the broker sees its connection end."""
    host = lab.host("client-killed")
    lost = own(
        "5.3.3", cluster.addresses, host=host.get_wrapped_container().id, rebalance_ms=300_000
    )
    stays = shared("4.9.8")
    sent = prepare(shared, topic)
    lost.do("push", name=f"{topic}-lost", topic=topic, group=group)
    stays.do("push", name=f"{topic}-stays", topic=topic, group=group)
    one, other = (
        (lambda: lost.received(f"{topic}-lost")),
        (lambda: stays.received(f"{topic}-stays")),
    )
    send_until_both_get(shared, topic, one, other)

    host.get_wrapped_container().kill()
    after = bodies(shared(artifacts.APACHE).do("send", topic=topic, count=COUNT, body="after"))

    wait_until(
        lambda: after <= bodies(other()), SHARE_MAX_S, lambda: f"lost {after - bodies(other())}"
    )
    assert sent
    stays.do("stop", name=f"{topic}-stays")


@pytest.mark.parametrize("version", ["4.3.2", "5.4.0"])
def test_a_group_goes_on_where_it_stopped(shared, topic, group, version):
    driver = shared(version)
    sent = prepare(shared, topic)
    name = f"{topic}-first"
    driver.do("push", name=name, topic=topic, group=group)
    wait_until(lambda: sent == bodies(driver.received(name)), 30, lambda: driver.received(name))
    driver.do("stop", name=name)

    later = bodies(driver.do("send", topic=topic, count=COUNT, body="later"))
    driver.do("push", name=f"{name}-again", topic=topic, group=group)

    wait_until(
        lambda: later <= bodies(driver.received(f"{name}-again")), 30, lambda: "messages missing"
    )
    assert bodies(driver.received(f"{name}-again")) == later
    driver.do("stop", name=f"{name}-again")


@pytest.mark.parametrize("version", artifacts.CLIENTS)
def test_an_orderly_consumer_sees_each_queue_in_order(shared, topic, group, version):
    """It locks its queues at the broker first (LOCK_BATCH_MQ)."""
    driver = shared(version)
    prepare(shared, topic)
    sent = bodies(driver.do("send", topic=topic, count=COUNT, body="ordered"))
    name = f"{topic}-orderly"

    driver.do("push", name=name, topic=topic, group=group, orderly=1)

    wait_until(
        lambda: sent <= bodies(driver.received(name)),
        40,
        lambda: sent - bodies(driver.received(name)),
    )
    driver.do("stop", name=name)
    for queue in range(4):
        offsets = [one["offset"] for one in driver.received(name) if one["queueId"] == queue]
        assert offsets == sorted(offsets)


def test_a_waiting_pull_is_woken_by_the_append(shared, topic, group):
    """Long polling lasts 15 s or more: only a wake-up delivers faster, ten times in a row."""
    driver = shared("5.3.3")
    prepare(shared, topic)
    name = f"{topic}-woken"
    driver.do("push", name=name, topic=topic, group=group)
    wait_until(lambda: driver.received(name), 30, lambda: "never began")

    for number in range(10):
        time.sleep(0.3)  # the consumer is waiting at the broker again
        began = time.monotonic()
        wanted = bodies(driver.do("send", topic=topic, body=f"wake{number}"))
        wait_until(
            lambda wanted=wanted: wanted <= bodies(driver.received(name)),
            10,
            lambda: f"{number} missing",
        )
        assert time.monotonic() - began < 2
    driver.do("stop", name=name)
