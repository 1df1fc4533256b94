"""Retry and dead letters: what a consumer cannot consume comes again, and not for ever."""

import drivers
import pytest
from containers import Cluster
from test_push import bodies, wait_until
from together import each, name_of

VERSIONS = ("4.9.8", "5.3.3")
FAST_LEVELS = "1s 1s 1s 1s 1s 1s 1s 1s"
RETRY_MS = 1_000


@pytest.fixture(scope="module")
def retrying(lab, flavour):
    """A cluster whose broker has every try again after a second."""
    namesrv = lab.namesrv(flavour, "retry-ns")
    broker = lab.broker(flavour, "retry-broker", [namesrv], messageDelayLevel=FAST_LEVELS)
    return Cluster([namesrv], [broker]).ready()


def member(driver, topic, group, **options):
    """Start a consumer, called as its topic, that knows its group's retry topic from the start.

    The broker makes that topic at the first heartbeat, after a new group's first member has asked
    for its route: it would look again in 30 s. So another is there, consumes one message, and goes.
    """
    driver.do("send", topic=topic, body="first")
    before = f"{topic}-before"
    driver.do("push", name=before, topic=topic, group=group)
    wait_until(lambda: driver.received(before), 30, lambda: "the first member never began")
    driver.do("stop", name=before)
    driver.do("push", name=topic, topic=topic, group=group, **options)


@pytest.mark.parametrize("vip", [False, True])
def test_what_failed_comes_again(own, retrying, topic, group, vip):
    """By the fast port too, to which consumers with the VIP channel send back."""

    def comes_again(version):
        driver = own(version, retrying.addresses, rebalance_ms=1_000, vip=vip)
        called = f"{topic}-{name_of(version)}"
        fails_and_comes(driver, called, f"{group}-{name_of(version)}")

    each(VERSIONS, comes_again)


def fails_and_comes(driver, topic, group):
    """Consume each message at the fourth try."""
    member(driver, topic, group, later=3)

    sent = bodies(driver.do("send", topic=topic, body="hard", count=5, tags="a", keys="k"))

    wait_until(
        lambda: len(driver.received(topic)) >= 4 * len(sent),
        60,
        lambda: driver.received(topic),
    )
    tries = {}
    for one in driver.received(topic):
        tries.setdefault(one["body"], []).append(one)
    assert set(tries) == sent
    for body in sent:
        assert [one["reconsumeTimes"] for one in tries[body]] == [0, 1, 2, 3]
        assert {one["topic"] for one in tries[body]} == {topic}
        assert len({one["msgId"] for one in tries[body]}) == 1
        assert {one["tags"] for one in tries[body]} == {"a"}
        times = [one["at"] for one in tries[body]]
        gaps = [after - before for before, after in zip(times, times[1:], strict=False)]
        assert min(gaps) >= RETRY_MS


def test_what_failed_too_often_is_a_dead_letter(own, retrying, topic, group):
    def is_given_up(version):
        driver = own(version, retrying.addresses, rebalance_ms=1_000)
        called, members = f"{topic}-{name_of(version)}", f"{group}-{name_of(version)}"
        member(driver, called, members, later=99, tries=2)
        driver.do("send", topic=called, body="hard")

        wait_until(lambda: len(driver.received(called)) == 3, 60, lambda: driver.received(called))
        dead = []

        def is_dead():
            dead[:] = dead_letters(driver, members)
            return dead

        wait_until(is_dead, 40, lambda: "no dead letter")
        assert [one["reconsumeTimes"] for one in driver.received(called)] == [0, 1, 2]
        assert [(one["body"], one["reconsumeTimes"]) for one in dead] == [("hard-0", 3)]
        assert dead[0]["topic"] == f"%DLQ%{members}"
        assert dead[0]["msgId"] == driver.received(called)[0]["msgId"]

    each(VERSIONS, is_given_up)


def dead_letters(driver, group):
    """All dead letters of a group; none while it has no topic for them."""
    try:
        found = driver.do("pull", topic=f"%DLQ%{group}", group=f"{group}-reader")
    except drivers.DriverError:
        return []
    return [one for one in found if one["event"] == "received"]
