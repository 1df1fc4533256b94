"""What the polling consumer can do besides polling: assigned queues, places, pauses, times."""

import time

import pytest
from test_push import bodies

COUNT = 40
QUIET_MS = 1_500
pytestmark = pytest.mark.parametrize("version", ["4.9.8", "5.3.3"])


def polled(driver, **options):
    return [one for one in driver.do("lite-poll", **options) if one["event"] == "received"]


def test_assigned_queues_are_sought_paused_and_resumed(shared, topic, group, version):
    driver = shared(version)
    sent = driver.do("send", topic=topic, count=COUNT)
    of = {queue: {one["body"] for one in sent if one["queueId"] == queue} for queue in range(4)}
    driver.do("lite-begin", name=topic, topic=topic, group=group, assign="0,2")
    me = {"name": topic}

    assert bodies(polled(driver, **me, count=len(of[0] | of[2]))) == of[0] | of[2]
    driver.do("lite-seek", **me, queues="0", to="begin")
    assert bodies(polled(driver, **me, count=len(of[0]))) == of[0]
    driver.do("lite-seek", **me, queues="2", to=len(of[2]) - 1)
    assert [one["offset"] for one in polled(driver, **me, count=1)] == [len(of[2]) - 1]

    driver.do("lite-pause", **me, queues="0")
    driver.do("send", topic=topic, count=8, body="answers the pull that waits already")
    polled(driver, **me, ms=QUIET_MS)
    later = driver.do("send", topic=topic, count=COUNT, body="later")
    on_pause = bodies(polled(driver, **me, ms=QUIET_MS))
    driver.do("lite-resume", **me, queues="0")
    resumed = bodies(polled(driver, **me, ms=QUIET_MS))
    assert on_pause == {one["body"] for one in later if one["queueId"] == 2}
    assert resumed >= {one["body"] for one in later if one["queueId"] == 0}
    assert not resumed & on_pause

    driver.do("lite-seek", **me, queues="0,2", to="end")
    assert polled(driver, **me, ms=QUIET_MS) == []
    driver.do("lite-stop", **me)


def test_a_subscribed_member_commits_and_finds_offsets_by_time(shared, topic, group, version):
    driver = shared(version)
    early = driver.do("send", topic=topic, count=COUNT, body="early")
    time.sleep(0.3)
    at = int(time.time() * 1000)
    time.sleep(0.3)
    late = driver.do("send", topic=topic, count=COUNT, body="late")
    me = {"name": topic}
    driver.do("lite-begin", **me, topic=topic, group=group, **{"set.autoCommit": "false"})

    assert bodies(polled(driver, **me, count=2 * COUNT)) == bodies(early, late)
    driver.do("lite-commit", **me)
    found = driver.do("lite-offset", **me, queues="all", at=at)
    committed = driver.do("lite-committed", **me, queues="all")
    driver.do("lite-stop", **me)

    ends = {queue: sum(one["queueId"] == queue for one in early) for queue in range(4)}
    assert {one["queueId"]: one["offset"] for one in found} == ends
    ends = {queue: sum(one["queueId"] == queue for one in early + late) for queue in range(4)}
    assert {one["queueId"]: one["offset"] for one in committed} == ends
