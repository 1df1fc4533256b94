"""Tag filters: the broker sends what matches by hash, and counts the rest as consumed."""

import artifacts
import pytest
from test_push import bodies, wait_until

TAGS = ("red", "green", "blue")


@pytest.mark.parametrize("version", (*artifacts.SMOKE, *artifacts.CLIENTS))
def test_a_pull_gets_its_tags_only(shared, topic, group, version):
    sent = shared(version).do("send", topic=topic, count=60, tags=",".join(TAGS))

    events = shared(version).do("pull", topic=topic, group=group, tags="red || blue")

    found = [one for one in events if one["event"] == "received"]
    assert len(sent) == 60
    assert sorted(one["body"] for one in found) == sorted(
        f"body-{i}" for i in range(60) if i % 3 != 1
    )
    assert {one["tags"] for one in found} == {"red", "blue"}


def pushed_only(driver, topic, group, tags, wanted):
    """A push consumer of some tags gets what it wants, and nothing else."""
    name = f"{topic}-push"
    driver.do("push", name=name, topic=topic, group=group, tags=tags)
    wait_until(
        lambda: wanted <= bodies(driver.received(name)),
        60,
        lambda: wanted - bodies(driver.received(name)),
    )
    assert bodies(driver.received(name)) == wanted
    driver.do("stop", name=name)


@pytest.mark.parametrize("version", ["4.3.2", "5.4.0", artifacts.GO])
def test_a_push_gets_its_tags_only(shared, topic, group, version):
    driver = shared(version)
    driver.do("send", topic=topic, count=60, tags=",".join(TAGS))

    pushed_only(driver, topic, group, "green", {f"body-{i}" for i in range(60) if i % 3 == 1})


def test_tags_of_one_hash_are_told_apart_by_the_client(shared, topic, group):
    """ "Aa" and "BB" have the same hash in Java: the broker may send both, the consumer sees one."""
    driver = shared("5.3.3")
    driver.do("send", topic=topic, count=20, tags="Aa,BB")

    pushed_only(driver, topic, group, "Aa", {f"body-{i}" for i in range(0, 20, 2)})
