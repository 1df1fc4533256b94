"""Brokers of a DLedger group, ours alone and beside Apache's: kills, hand-overs, each other's stores."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import artifacts
import clusters
import dledger_groups
import servers
import viewers
import wire
from clusters import Producer, wait_for
from dledger_groups import DLedgerGroup

PRODUCERS = 2
TAKE_OVER_MAX_S = 60
BACK_MAX_S = 90
LEAST = 100
"""Messages that a test sends at least."""
UNIT = 20
"""Bytes of a consume queue's unit."""

pytestmark = pytest.mark.max_s(300)
needs_java = pytest.mark.skipif(not clusters.java_is_there(), reason="needs Java")


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Callable[..., DLedgerGroup]]:
    """Make a group that is not started yet; it ends with the test."""
    made: list[DLedgerGroup] = []

    def make(kinds: str, **settings: object) -> DLedgerGroup:
        jars = artifacts.server_jars() if "j" in kinds else None
        made.append(DLedgerGroup(tmp_path, kinds, jars=jars, **settings))
        return made[-1]

    yield make
    for one in made:
        one.end()


def sending(group: DLedgerGroup) -> list[Producer]:
    """Producers that have sent."""
    producers = [Producer(group, f"p{number}") for number in range(PRODUCERS)]
    wait_for("first messages", lambda: all(one.acked for one in producers), 30)
    return producers


def kill_leader(group: DLedgerGroup, producers: list[Producer]) -> float:
    """Kill who leads and start it again; seconds to the first acknowledgement of the next."""
    old = wait_for("a master", group.master, TAKE_OVER_MAX_S)
    began = time.monotonic()
    old.kill()
    first = wait_for(
        "an acknowledgement of another",
        lambda: min(
            (
                at
                for one in producers
                for at, by, _ in reversed(one.acked[-2000:])
                if by != old.address and at > began
            ),
            default=None,
        ),
        TAKE_OVER_MAX_S,
    )
    old.launch()
    wait_for("it to be back", lambda: dledger_groups.log_end(old) >= 0, BACK_MAX_S, 0.1)
    return first - began


def check(group: DLedgerGroup, producers: list[Producer]) -> None:
    """Nothing acknowledged is missing, queues are in order, all brokers hold the same."""
    wait_for("some messages", lambda: sum(len(one.acked) for one in producers) > LEAST, 60)
    for one in producers:
        one.stop()
    wait_for("all to have all", group.is_whole, BACK_MAX_S, 0.1)
    acked = {body for one in producers for _, _, body in one.acked}
    kept = group.kept(group.master())
    assert acked <= set(kept)
    sent = {f"{one.name}-{number}".encode() for one in producers for number in range(one.sent)}
    assert set(kept) <= sent
    assert len(kept) == len(set(kept))
    end = group.log_end()
    assert len({dledger_groups.log_digest(one, end) for one in group.brokers}) == 1
    with group.master().peer() as peer:
        for queue_id in range(clusters.QUEUES):
            fields = {"topic": clusters.TOPIC, "queueId": queue_id}
            count = int(peer.call(wire.MAX_OFFSET, fields).fields["offset"])
            wait_for_same_units(group, queue_id, count)


def wait_for_same_units(group: DLedgerGroup, queue_id: int, count: int) -> None:
    """Wait until all brokers have the same ``count`` units of a queue."""
    found: list[bytes] = []

    def are_same() -> bool:
        found[:] = [dledger_groups.queue_units(one, queue_id, count) for one in group.brokers]
        return len(set(found)) == 1

    try:
        wait_for("the same units", are_same, 30, 0.1)
    except AssertionError:
        there = [
            sum(any(units[at : at + UNIT]) for at in range(0, len(units), UNIT)) for units in found
        ]
        raise AssertionError(
            f"queue {queue_id}: of {count} units the brokers have {there}"
        ) from None


def test_leaders_of_ours_are_killed_and_nothing_is_lost(group, record_property):
    three = group("ooo").start()
    producers = sending(three)

    record_property("taken_s", [kill_leader(three, producers) for _ in range(3)])

    check(three, producers)


def test_leader_that_stops_hands_over_at_once(group, record_property):
    three = group("ooo").start()
    producers = sending(three)

    old = wait_for("a master", three.master, TAKE_OVER_MAX_S)
    began = time.monotonic()
    assert old.terminate() == 0
    wait_for("another master", lambda: three.master() not in (None, old), TAKE_OVER_MAX_S, 0.01)
    record_property("taken_s", time.monotonic() - began)
    old.launch()

    check(three, producers)


def test_five_of_ours_lose_two_and_go_on(group):
    five = group("ooooo").start()
    producers = sending(five)

    for _ in range(2):
        old = wait_for("a master", five.master, TAKE_OVER_MAX_S)
        old.kill()
        wait_for("another master", lambda o=old: five.master() not in (None, o), TAKE_OVER_MAX_S)
    for one in five.brokers:
        if one.process is None:
            one.launch()

    check(five, producers)


@needs_java
@pytest.mark.max_s(420)
@pytest.mark.parametrize("kinds", ["ooj", "ojj"])
def test_ours_and_apaches_lead_each_other_and_are_killed(group, kinds):
    mixed = group(kinds).start()
    producers = sending(mixed)

    for number in (kinds.index("j"), 0):
        mixed.transfer(number)
        kill_leader(mixed, producers)

    check(mixed, producers)


@needs_java
@pytest.mark.max_s(420)
def test_group_is_rolled_over_by_stores_and_stock_tools_see_it(group, tmp_path):
    mixed = group("ooj").start()
    producers = sending(mixed)

    for number, kind in ((2, "o"), (0, "j"), (0, "o")):
        rolled = mixed.roll(number, kind)
        wait_for("it to be back", lambda r=rolled: dledger_groups.log_end(r) >= 0, BACK_MAX_S, 0.1)
        wait_for("a whole group", lambda: len(mixed.addresses()) == 3, BACK_MAX_S, 0.1)

    namesrv = mixed.namesrv.address
    shown = viewers.listed(tmp_path, namesrv, clusters.GROUP)
    assert sorted(shown.values()) == sorted(one.address for one in mixed.brokers)
    words = ("topicStatus", "-n", namesrv, "-t", clusters.TOPIC)
    said = viewers.mqadmin(tmp_path, clusters.GROUP, *words)
    assert said.count(clusters.GROUP) == clusters.QUEUES
    check(mixed, producers)


@needs_java
@pytest.mark.long
@pytest.mark.max_s(1200)
def test_group_of_apaches_is_rolled_over_to_ours_and_back(group):
    three = group("jjj").start()
    producers = sending(three)

    for kind in "oj":
        for number in range(3):
            rolled = three.roll(number, kind)
            wait_for(
                "it to be back", lambda r=rolled: dledger_groups.log_end(r) >= 0, BACK_MAX_S, 0.1
            )
            wait_for("a whole group", lambda: len(three.addresses()) == 3, BACK_MAX_S, 0.1)
            time.sleep(2)

    check(three, producers)
