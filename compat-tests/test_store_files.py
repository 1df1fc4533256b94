"""A store is Apache's own on disk: what one broker wrote, the other opens and serves.

Two name servers cannot tell the brokers apart, so one cluster's broker is ended and another kind is
started on the same volume, under the same name.
"""

import artifacts
import containers
import pytest
from test_push import wait_until

COUNT = 10_000
LOG_FILE_SIZE = 1 << 20
"""Bytes: 10,000 messages fill several files."""
CUT_TOO_SHORT = (
    "Apache's groups show less after all of them were killed, also of their own stores: "
    "DLedgerCommitLog.java, dledgerRecoverAbnormally(), 5.3.3, counts records without the heads of "
    "their entries, and cuts the queues there"
)


@pytest.fixture(scope="module")
def namesrv(lab, flavour):
    """The NameServer of all stores, one after the other."""
    started = lab.namesrv(flavour, "store-ns").ready()
    yield started
    lab.forget(started)


@pytest.fixture
def broker(lab, namesrv):
    """Start a broker over a volume: broker(kind, volume, number); the last ends with the test."""
    running = []

    def start(kind, volume, number):
        while running:
            lab.forget(running.pop())
        running.append(
            lab.broker(
                kind,
                f"store-broker-{number}",
                [namesrv],
                volume,
                brokerName="store-broker",
                mappedFileSizeCommitLog=str(LOG_FILE_SIZE),
                mappedFileSizeConsumeQueue=str(20 * 1000),
                maxMessageSize=str(256 << 10),
            )
        )
        started = running[0].ready()
        namesrv.knows("store-broker")
        return started

    yield start
    for one in running:
        lab.forget(one)


def places(events):
    return {(one["queueId"], one["offset"]): one["body"] for one in events if "body" in one}


def ends(sent):
    """The end of each queue."""
    found = {}
    for queue, offset in sent:
        found[queue] = max(offset + 1, found.get(queue, 0))
    return found


def wait_consumed(broker, topic, group, sent):
    """Wait until a broker knows that all was consumed: a client tells it and waits for no answer."""
    wanted = ends(sent)

    def known():
        return containers.consumed(broker, topic, group, wanted)

    wait_until(lambda: known() == wanted, 10, known)


@pytest.mark.max_s(240)
@pytest.mark.parametrize(
    ("direction", "ending"),
    [
        ("java-to-ours", "stop"),
        ("java-to-ours", "kill"),
        ("ours-to-java-to-ours", "stop"),
        pytest.param("ours-to-java-to-ours", "kill", marks=pytest.mark.alone(CUT_TOO_SHORT)),
    ],
)
def test_a_store_passes_from_one_broker_to_the_other(
    lab, flavour, namesrv, broker, own, topic, group, direction, ending
):
    kinds = [flavour if kind == "ours" else flavour.stock for kind in direction.split("-to-")]
    volume = lab.volume()
    writing = broker(kinds[0], volume, 1)
    client = own(artifacts.APACHE, namesrv.address)
    sent = places(
        client.do(
            "send", topic=topic, mode="async", count=COUNT, keys=topic, tags="red,green", size=100
        )
    )
    assert len(sent) == COUNT
    # Apache's broker loses commits if a group's first ones come at once, of several queues:
    # ConsumerOffsetManager.java, commitOffset(), 5.3.3. So one comes before them.
    containers.commit(writing, topic, group, queue=0, offset=0)
    read = client.do("lite-pull", topic=topic, group=group, count=COUNT)
    assert places(read) == sent
    wait_consumed(writing, topic, group, sent)
    before = ends(sent)

    for number, kind in enumerate(kinds[1:], start=2):
        client.close()
        writing.share(topic, group, before)
        getattr(writing, ending)()
        segments = [path for path in writing.files(writing.log_folder) if path.isdigit()]
        assert len(segments) > 3, segments
        writing = broker(kind, volume, number)
        client = own(artifacts.APACHE, namesrv.address)

        found = [
            one
            for one in client.do("pull", topic=topic, group=f"{group}-{number}")
            if one["event"] == "received"
        ]
        assert len(found) == len(sent)
        assert places(found) == sent
        red = client.do("pull", topic=topic, group=f"{group}-{number}", tags="red")
        assert sum(one["event"] == "received" for one in red) == sum(
            one["tags"] == "red" for one in found
        )
        # Apache's broker drops its last index file after a kill, and makes it again only for the
        # files of the log that it recovers: IndexService.java, load(), 5.3.3.
        is_index_lost = ending == "kill" and flavour.stock in kinds[1:number]
        for index in (COUNT - 1,) if is_index_lost else (0, COUNT // 2, COUNT - 1):
            by_key = client.do("query-key", topic=topic, key=f"{topic}-{index}")
            assert [one["body"].rstrip(".") for one in by_key] == [f"body-{index}"]
        more = places(
            client.do(
                "send", topic=topic, mode="async", count=400, body=f"more{number}", tags="blue"
            )
        )
        end = ends(sent)
        assert all(offset >= end[queue] for queue, offset in more)
        assert len(more) == 400
        sent |= more
        if ending == "stop":
            assert containers.consumed(writing, topic, group, before) == before
            left = client.do("lite-pull", topic=topic, group=group, count=400)
            assert {one["body"] for one in left} == set(more.values())
            wait_consumed(writing, topic, group, sent)
            before = ends(sent)
        again = [
            one
            for one in client.do("pull", topic=topic, group=f"{group}-again")
            if one["event"] == "received"
        ]
        assert places(again) == sent
