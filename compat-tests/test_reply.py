"""Request-reply: who asks gets the answer of who consumes, and nobody waits for one who left."""

import artifacts
import pytest
from drivers import DriverError
from test_push import wait_until

VERSIONS = ("4.9.8", "5.3.3", artifacts.GO)
assert set(VERSIONS) <= {*artifacts.CLIENTS, artifacts.GO}


def events(driver, kind):
    """What of a kind a driver's consumers told so far."""
    return [one for one in driver.wait(lambda _: True, 1, kind) if one["event"] == kind]


@pytest.mark.parametrize("replier", VERSIONS)
@pytest.mark.parametrize("requester", VERSIONS)
def test_each_request_gets_its_own_answer(own, shared, cluster, topic, group, requester, replier):
    asking, answering = own(requester, cluster.addresses), own(replier, cluster.addresses)
    shared(artifacts.APACHE).do("create-topic", topic=topic)
    answering.do("push", name=f"{topic}-push", topic=topic, group=group, reply="re:")

    answers = asking.do("request", topic=topic, count=10, body="asked")

    assert [one["body"] for one in answers] == [f"re:asked-{i}" for i in range(10)]
    assert {one["topic"] for one in answers} == {"DefaultCluster_REPLY_TOPIC"}
    wait_until(lambda: len(events(answering, "answered")) == 10, 10, lambda: "replies unconfirmed")
    assert len(answering.received(f"{topic}-push")) == 10
    assert {one["status"] for one in events(answering, "answered")} == {"SEND_OK"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reply_to_one_who_left_is_refused(own, shared, cluster, topic, group, version):
    gone, answering = own(version, cluster.addresses), own(version, cluster.addresses)
    shared(artifacts.APACHE).do("create-topic", topic=topic)
    with pytest.raises(DriverError, match="ended"):
        gone.do("request", topic=topic, die=2000)

    answering.do("push", name=f"{topic}-push", topic=topic, group=group, reply="re:")

    wait_until(lambda: events(answering, "unanswered"), 30, lambda: "no reply was refused")
    assert "not found" in events(answering, "unanswered")[0]["message"]
    assert events(answering, "answered") == []
