"""A leader is killed before everybody's eyes: stock producer and consumer, ``mqadmin``, the console.

The console is looked at where ``RMQ_CONSOLE`` names the folder that has it; ``mqadmin`` always.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import artifacts
import clusters
import dledger_groups
import viewers
from clusters import wait_for
from dledger_groups import DLedgerGroup
from scripts.failoverlib import checker
from scripts.failoverlib.clients import Producer, Steady
from scripts.takeoverlib.listener import Listener

PICTURES_VARIABLE = "RMQ_PICTURES"
"""Names the folder for pictures of the console, if they shall be kept."""
BROKERS = 3
PAUSE_MS, TIMEOUT_MS, POLL_MS = 10, 1000, 100
FIRST_MAX_S = 60
TAKE_OVER_MAX_S = 30
SEEN_MAX_S = 60
BACK_MAX_S = 90
LEAST = 500
"""Messages that go through before and after each change."""
SAMPLED_S = 21
"""Brokers count each 10 s what the console shows as messages a second."""

pytestmark = pytest.mark.skipif(not clusters.java_is_there(), reason="needs Java")


@dataclass
class Show:
    """A group and all who look at it."""

    group: DLedgerGroup
    folder: Path
    console: viewers.Console | None

    def sees(self, name: str, looks_right: Callable[[viewers.Ids], bool]) -> viewers.Ids:
        """What all viewers agree on, as soon as it is right; the console leaves a picture."""
        namesrv = self.group.namesrv.address

        def listed() -> viewers.Ids | None:
            ids = viewers.listed(self.folder, namesrv, clusters.GROUP)
            return ids if looks_right(ids) else None

        ids = wait_for(f"mqadmin to show {name}", listed, SEEN_MAX_S)
        if self.console is None:
            return ids
        pictures = Path(os.environ.get(PICTURES_VARIABLE, self.folder))
        time.sleep(SAMPLED_S)
        assert self.console.known(clusters.GROUP) == ids
        assert self.console.shown(clusters.GROUP, pictures / f"dledger-{name}.png") == ids
        return ids


@pytest.fixture
def show(tmp_path: Path) -> Iterator[Show]:
    """Three brokers, who know no number of their own, and a console where there is one."""
    group = DLedgerGroup(tmp_path, "o" * BROKERS)
    for broker in group.brokers:
        assert "brokerId" not in (broker.folder / "broker.conf").read_text()
    console = None
    try:
        group.start()
        if (jars := viewers.console_folder()) is not None:
            console = viewers.Console(jars, tmp_path / "console", group.namesrv.address).started()
        yield Show(group, tmp_path, console)
    finally:
        if console is not None:
            console.end()
        group.end()


def goes_on(producer: Producer, listener: Listener) -> None:
    """Wait until more is sent, and the consumer has some of that."""
    sent = len(producer.ledger.acks)
    got = sum(listener.consumed.offsets.values())
    wait_for("sends", lambda: len(producer.ledger.acks) > sent + LEAST, FIRST_MAX_S)
    wait_for(
        "messages to the consumer",
        lambda: sum(listener.consumed.offsets.values()) > got + LEAST,
        FIRST_MAX_S,
    )


@pytest.mark.max_s(420)
def test_another_leads_all_see_it_and_clients_go_on(show, tmp_path, record_property):
    group = show.group
    jars, driver = artifacts.server_jars(), artifacts.failover_driver()
    steady = Steady.of(group, jars, driver, tmp_path)
    with Producer(steady, pause_ms=PAUSE_MS, timeout_ms=TIMEOUT_MS, poll_ms=POLL_MS) as producer:
        wait_for("a first message", lambda: producer.ledger.acks, FIRST_MAX_S)
        with Listener(steady, poll_ms=POLL_MS) as listener:
            goes_on(producer, listener)
            old = group.master()
            before = show.sees("before", lambda ids: len(ids) == BROKERS)
            assert before[0] == old.address

            killed = time.monotonic()
            old.kill()
            first = wait_for(
                "an acknowledgement by another",
                lambda: producer.ledger.first_by_another(old.address, killed),
                TAKE_OVER_MAX_S,
            )
            record_property("acknowledged_s", first - killed)
            goes_on(producer, listener)
            new = group.master()
            after = show.sees("after", lambda ids: len(ids) == BROKERS - 1)
            assert after[0] == new.address
            assert set(after.values()) == set(before.values()) - {old.address}

            old.launch()
            back = show.sees("back", lambda ids: len(ids) == BROKERS)
            assert back[0] == new.address
            assert set(back.values()) == set(before.values())
            goes_on(producer, listener)
            wait_for("a whole group", group.is_whole, BACK_MAX_S, 0.1)

            producer.stop()
            stored, jumps = checker.found(steady.read())
            ends = {queue: len(numbers) - 1 for queue, numbers in stored.items()}
            wait_for(
                "the consumer to have all", lambda: listener.consumed.offsets == ends, FIRST_MAX_S
            )
            listener.stop()
    acks = producer.ledger.acks
    record_property("acknowledged", len(acks))
    for numbers in (stored, listener.consumed.numbers):
        verdict = checker.check(acks, numbers, jumps)
        assert verdict.is_kept, verdict
    wait_for("a whole group", group.is_whole, BACK_MAX_S, 0.1)
    end = group.log_end()
    assert len({dledger_groups.log_digest(one, end) for one in group.brokers}) == 1
