"""Finding single messages: by key, by unique key, by the id that names a place in the log.

The Go client has no such calls.
"""

import time

import artifacts
import drivers
import pytest


def found_by_key(driver, max_s=15, **options):
    """The index is written behind the log: ask until it answers."""
    until = time.monotonic() + max_s
    while True:
        try:
            return driver.do("query-key", **options)
        except drivers.DriverError:
            if time.monotonic() > until:
                raise
            time.sleep(0.3)


@pytest.mark.parametrize("version", (*artifacts.SMOKE, *artifacts.CLIENTS))
def test_a_message_is_found_by_its_key_and_by_both_ids(shared, topic, version):
    driver = shared(version)
    sent = driver.do("send", topic=topic, count=20, keys=topic, tags="t")

    by_key = found_by_key(driver, topic=topic, key=f"{topic}-7")
    by_place = driver.do("query-id", topic=topic, msgId=sent[7]["offsetMsgId"])
    by_unique_key = driver.do("query-id", topic=topic, msgId=sent[7]["msgId"])

    for events in (by_key, by_place, by_unique_key):
        assert [one["body"] for one in events] == ["body-7"]
        assert [one["offset"] for one in events] == [sent[7]["offset"]]
        assert [one["queueId"] for one in events] == [sent[7]["queueId"]]


def test_one_key_may_find_many(shared, topic):
    driver = shared("5.4.0")
    for number in range(3):
        driver.do("send", topic=topic, count=4, keys="order", body=f"round{number}")

    found = found_by_key(driver, topic=topic, key="order-2")
    until = time.monotonic() + 10
    while len(found) < 3 and time.monotonic() < until:
        found = found_by_key(driver, topic=topic, key="order-2")

    assert {one["body"] for one in found} == {f"round{number}-2" for number in range(3)}


@pytest.mark.parametrize("version", ["4.3.2", "5.4.0"])
def test_an_unknown_key_is_refused(shared, topic, version):
    driver = shared(version)
    driver.do("send", topic=topic, count=1, keys="known")

    with pytest.raises(drivers.DriverError, match="MQClientException"):
        driver.do("query-key", topic=topic, key="unknown")


@pytest.mark.parametrize("version", ["4.3.2", "5.4.0"])
def test_an_id_past_the_log_is_refused(shared, topic, version):
    driver = shared(version)
    sent = driver.do("send", topic=topic, count=1)
    past = sent[0]["offsetMsgId"][:16] + f"{1 << 40:016X}"

    with pytest.raises(drivers.DriverError):
        driver.do("query-id", topic=topic, msgId=past)
