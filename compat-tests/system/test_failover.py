"""A master dies under load: another takes over, and what was acknowledged is there."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import artifacts
import clusters
from clusters import Group, Producer, wait_for

TAKE_OVER_MAX_S = 5
LOAD_S = 1.0


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Callable[..., Group]]:
    """Make and start a group: group(brokers=2, jars=None, **settings of brokers)."""
    groups: list[Group] = []

    def make(**settings: object) -> Group:
        groups.append(Group(tmp_path, **settings))
        return groups[-1].start()

    yield make
    for one in groups:
        one.end()


def producers(group: Group, count: int = 4) -> list[Producer]:
    """Producers that have sent for a while."""
    made = [Producer(group, f"p{number}") for number in range(count)]
    wait_for("a first message", lambda: all(one.acked for one in made), 10)
    time.sleep(LOAD_S)
    return made


def stopped(sending: list[Producer]) -> set[bytes]:
    """What was acknowledged to producers that are stopped now."""
    for one in sending:
        one.stop()
    return {body for one in sending for _, _, body in one.acked}


def fail_over(group: Group, record: Callable[[str, object], None]) -> None:
    """Kill the master under load, let it come back, and see that nothing acknowledged is lost."""
    sending = producers(group)
    old = group.master()

    killed = time.monotonic()
    old.kill()
    new = wait_for("a new master", lambda: (now := group.master()) is not old and now, 30, 0.002)
    registered_s = time.monotonic() - killed
    first = wait_for(
        "an acknowledgement of the new master",
        lambda: min(filter(None, (one.acked_by(new, killed) for one in sending)), default=None),
        30,
    )
    record("registered_s", registered_s)
    record("acknowledged_s", first - killed)
    old.start()
    wait_for("the old master to follow", group.is_whole, 60)
    time.sleep(LOAD_S)
    acked = stopped(sending)
    wait_for("the slave to have all", group.is_whole, 30)

    kept = group.kept(new)
    assert not acked - set(kept), f"{len(acked - set(kept))} of {len(acked)} acknowledged are lost"
    assert len(kept) == len(set(kept)), "something is there twice"
    assert group.master() is new
    same_logs(new, old)
    assert registered_s < TAKE_OVER_MAX_S


def same_logs(one, other) -> None:
    """Both have the same bytes, from where both begin."""
    with one.peer() as peer:
        end = int(_master_end(peer))
    assert clusters.log_bytes(one, end) == clusters.log_bytes(other, end)


def _master_end(peer) -> int:
    import json

    import wire

    return json.loads(peer.call(wire.HA_STATUS).body)["masterCommitLogMaxOffset"]


def test_a_killed_master_is_replaced_and_follows_when_it_comes_back(group, record_property):
    fail_over(group(allAckInSyncStateSet="true"), record_property)


@pytest.mark.skipif(not clusters.java_is_there(), reason="needs Java")
def test_so_it_is_under_apache_s_controllers(group, record_property):
    jars = artifacts.server_jars()

    fail_over(group(allAckInSyncStateSet="true", jars=jars), record_property)
