"""Request-reply: who asks gets the answer of who consumes, and nobody waits for one who left."""

import artifacts
import drivers
import pytest
from test_push import wait_until
from together import each, name_of

VERSIONS = ("4.9.8", "5.3.3", artifacts.GO)
assert set(VERSIONS) <= {*artifacts.CLIENTS, artifacts.GO}


def events(driver, kind, consumer):
    """What of a kind one of a driver's consumers told so far."""
    return [
        one
        for one in driver.wait(lambda _: True, 1, kind)
        if one["event"] == kind and one["consumer"] == consumer
    ]


@pytest.fixture(scope="module")
def clients(lab, cluster):
    """Two drivers of each version: who asks, and who answers."""
    started = {
        (version, role): drivers.start(lab, version, cluster.addresses)
        for version in VERSIONS
        for role in ("asks", "answers")
    }
    yield started
    drivers.close(started.values())


@pytest.mark.parametrize("replier", VERSIONS)
@pytest.mark.parametrize("requester", VERSIONS)
def test_each_request_gets_its_own_answer(clients, shared, topic, group, requester, replier):
    asking, answering = clients[requester, "asks"], clients[replier, "answers"]
    name = f"{topic}-push"
    shared(artifacts.APACHE).do("create-topic", topic=topic)
    answering.do("push", name=name, topic=topic, group=group, reply="re:")

    answers = asking.do("request", topic=topic, count=10, body="asked")

    assert [one["body"] for one in answers] == [f"re:asked-{i}" for i in range(10)]
    assert {one["topic"] for one in answers} == {"DefaultCluster_REPLY_TOPIC"}
    wait_until(
        lambda: len(events(answering, "answered", name)) == 10, 10, lambda: "replies unconfirmed"
    )
    assert len(answering.received(name)) == 10
    assert {one["status"] for one in events(answering, "answered", name)} == {"SEND_OK"}
    answering.do("stop", name=name)


def test_a_reply_to_one_who_left_is_refused(own, shared, cluster, topic, group):
    def refused(version):
        called = f"{topic}-{name_of(version)}"
        gone, answering = own(version, cluster.addresses), own(version, cluster.addresses)
        with pytest.raises(drivers.DriverError, match="ended"):
            gone.do("request", topic=called, die=2000)

        members = f"{group}-{name_of(version)}"
        answering.do("push", name=called, topic=called, group=members, reply="re:")

        wait_until(
            lambda: events(answering, "unanswered", called), 30, lambda: "no reply was refused"
        )
        assert "not found" in events(answering, "unanswered", called)[0]["message"]
        assert events(answering, "answered", called) == []

    for version in VERSIONS:
        shared(artifacts.APACHE).do("create-topic", topic=f"{topic}-{name_of(version)}")
    each(VERSIONS, refused)
