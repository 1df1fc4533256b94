"""Ordered consumption: strict order through retries, and through the death of who held the locks."""

import time

import pytest
from test_push import bodies, missing, prepare, send_until_both_get, wait_until

COUNT = 24
TRIES = 3
LEASE_MAX_S = 75
"""A lock lives 60 s from its last renewal; the other member asks every two seconds."""


def by_queue(events):
    """The offsets of each queue, as they came."""
    queues = {}
    for one in events:
        queues.setdefault(one["queueId"], []).append(one["offset"])
    return queues


@pytest.mark.parametrize("version", ["4.9.8", "5.3.3"])
def test_a_queue_waits_for_the_message_that_fails(shared, topic, group, version):
    driver = shared(version)
    sent = prepare(shared, topic)
    sent |= bodies(driver.do("send", topic=topic, count=COUNT))

    driver.do(
        *("push",),
        **{"name": topic, "topic": topic, "group": group, "orderly": 1, "later": TRIES - 1},
        **{"set.suspendCurrentQueueTimeMillis": 50},
    )

    wait_until(
        lambda: len(driver.received(topic)) >= TRIES * len(sent),
        60,
        lambda: driver.received(topic),
    )
    driver.do("stop", name=topic)
    for offsets in by_queue(driver.received(topic)).values():
        assert offsets == [offset for offset in range(len(offsets) // TRIES) for _ in range(TRIES)]
    assert bodies(driver.received(topic)) == sent


@pytest.mark.max_s(180)
def test_the_locks_of_a_killed_member_are_taken_over(lab, cluster, own, shared, topic, group):
    host = lab.host("client-killed-in-order").get_wrapped_container()
    lost = own("5.3.3", cluster.addresses, host=host.id, rebalance_ms=2_000)
    stays = own("4.9.8", cluster.addresses, rebalance_ms=2_000)
    sent = prepare(shared, topic)
    one, other = (lambda: lost.received("lost")), (lambda: stays.received("stays"))
    lost.do("push", name="lost", topic=topic, group=group, orderly=1)
    stays.do("push", name="stays", topic=topic, group=group, orderly=1)
    sent |= send_until_both_get(shared, topic, one, other)
    held = set(by_queue(one())) - set(by_queue(other()[-4:]))

    host.kill()
    killed = time.monotonic()
    sent |= bodies(shared("5.3.3").do("send", topic=topic, count=COUNT, body="after"))
    wait_until(
        lambda: sent <= bodies(one(), other()), LEASE_MAX_S, lambda: missing(sent, one(), other())
    )

    assert held
    assert time.monotonic() - killed > 20, "taken over while the lease still ran"
    for events in (one(), other()):
        for offsets in by_queue(events).values():
            assert offsets == list(range(offsets[0], offsets[0] + len(offsets)))
