"""Pull consumers: the one that asks queue by queue, and the one that polls (since 4.6)."""

import artifacts
import pytest

COUNT = 100


@pytest.mark.parametrize("version", (*artifacts.SMOKE, *artifacts.CLIENTS))
def test_every_queue_is_read_to_its_end(shared, topic, group, version):
    sent = shared("5.3.3").do("send", topic=topic, mode="async", count=COUNT)

    events = shared(version).do("pull", topic=topic, group=group)

    found = [one for one in events if one["event"] == "received"]
    assert {(one["queueId"], one["offset"]): one["body"] for one in found} == {
        (one["queueId"], one["offset"]): one["body"] for one in sent
    }
    assert len(found) == COUNT
    queues = {one["queueId"]: (one["min"], one["max"]) for one in events if one["event"] == "queue"}
    assert set(queues) == set(range(4))
    assert all(low == 0 for low, _ in queues.values())
    assert sum(high for _, high in queues.values()) == COUNT


@pytest.mark.parametrize("version", ["4.9.8", "5.1.4", "5.3.3", "5.4.0", artifacts.GO])
def test_the_polling_consumer_gets_all(shared, topic, group, version):
    sent = shared("5.3.3").do("send", topic=topic, mode="async", count=COUNT)
    command = "pull" if version == artifacts.GO else "lite-pull"

    events = shared(version).do(command, topic=topic, group=group, count=COUNT)

    assert {one["body"] for one in events} == {one["body"] for one in sent}


def test_the_polling_consumer_goes_on_where_it_committed(shared, topic, group):
    driver = shared("5.4.0")
    driver.do("send", topic=topic, mode="async", count=COUNT)
    driver.do("lite-pull", topic=topic, group=group, count=COUNT)

    later = driver.do("send", topic=topic, count=8, body="later")
    events = driver.do("lite-pull", topic=topic, group=group, count=8)

    assert {one["body"] for one in events} == {one["body"] for one in later}
