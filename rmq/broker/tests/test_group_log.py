"""Stores of whole DLedger groups: what is put to the leader is in all of them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from codec.message.batch import BatchItem
from rmq.base.errors import StoreError
from rmq.broker.group_log import GroupLog
from rmq.dledger.settings import MemberSettings
from rmq.dledger.tests.groups import Group
from rmq.net.memory_disk import MemoryDisk
from rmq.raft.messages import Entry, Role
from rmq.store.messages import PutMessage, PutResult, PutStatus
from rmq.store.settings import StoreSettings
from rmq.store.store import MessageStore

PLACE = 28
OK = PutStatus.PUT_OK


class Brokers(Group):
    """A store over each member, led by who leads."""

    def __init__(self, size: int = 3, **changes: Any) -> None:
        super().__init__(size, **changes)
        self.stores: dict[str, MessageStore] = {}
        self.logs: dict[str, GroupLog] = {}

    def settings(self, self_id: str) -> MemberSettings:
        settings = super().settings(self_id)
        return replace(settings, ledger=replace(settings.ledger, place=PLACE))

    def open(self, *ids: str) -> "Brokers":
        self.start(*ids)
        for one in ids or self.ids:
            member = self.members[one]
            log = self.logs[one] = GroupLog(member)
            settings = StoreSettings(
                root=f"/{one}",
                commit_log_folder=f"/{one}/dledger-{one}/data",
                commit_log_file_size=4096,
                consume_queue_file_size=1000,
                index_slots=16,
                index_units=40,
            )
            store = self.stores[one] = MessageStore(self.disks[one], self.clock, settings, log)
            store.follow("it starts")
            store.load()
            member.on_commit(partial(self._committed, one))
            member.on_role(partial(self._committed, one))
        return self

    def _committed(self, one: str, *_: object) -> None:
        """What a broker does on each commit and each change of its role."""
        store, member, log = self.stores[one], self.members[one], self.logs[one]
        if member.role is not Role.LEADER:
            store.follow("it does not lead")
        store.show_committed()
        if member.role is Role.LEADER and log.is_agreed:
            store.lead()

    def led(self) -> MessageStore:
        leader = self.elected()
        store = self.stores[leader.self_id]
        self.until(lambda: not store.follows)
        return store

    def agreed(self, result: PutResult, one: str | None = None) -> list[PutStatus]:
        told: list[PutStatus] = []
        one = one or self.elected().self_id
        self.logs[one].agreed(result.end).addCallback(told.append)
        return told


def a_message(number: int = 0, **fields: Any) -> PutMessage:
    properties = b"UNIQ_KEY\x01U%03d\x02" % number
    return PutMessage("T", 0, b"body-%d" % number, properties, **fields)


def bodies(store: MessageStore) -> list[bytes]:
    return [store.get("T", 0, offset, 1).slices[0] for offset in range(store.max_offset("T", 0))]


def queue_files(disk: MemoryDisk, one: str) -> list[bytes | None]:
    folder = f"/{one}/consumequeue/T/0"
    return [disk.read(f"{folder}/{entry.name}") for entry in disk.entries(folder)]


def test_what_is_put_to_the_leader_can_be_read_from_all() -> None:
    group = Brokers().open()
    store = group.led()

    results = store.put_run([a_message(number) for number in range(5)])
    batch = store.put_batch(a_message(), [BatchItem(b"1"), BatchItem(b"2")])
    told = [group.agreed(result) for result in [*results, batch]]
    group.until(lambda: all(told))
    group.run(3000)

    assert {result.status for result in results} == {batch.status} == {OK}
    assert told == [[OK]] * 6
    assert [len(bodies(each)) for each in group.stores.values()] == [7, 7, 7]
    records = bodies(store)
    for each in group.stores.values():
        assert bodies(each) == records
    files = [queue_files(disk, one) for one, disk in group.disks.items()]
    assert files[0] == files[1] == files[2]
    follower = next(each for each in group.stores.values() if each is not store)
    assert follower.put(a_message()).status == PutStatus.SERVICE_NOT_AVAILABLE


def test_another_leads_and_queue_offsets_go_on() -> None:
    group = Brokers().open()
    first = group.led()
    for number in range(30):
        first.put(a_message(number))
        group.run(100)
    old = group.elected().self_id
    group.cut_off = {old}
    lost = first.put(a_message(99))
    told = group.agreed(lost, old)

    group.until(lambda: group.leader is not None and group.leader.self_id != old)
    second = group.led()
    assert second is not first
    assert second.put(a_message(30)).queue_offset == 30
    group.cut_off = set()
    group.until(lambda: told)
    group.run(10_000)

    assert told in ([PutStatus.UNKNOWN_ERROR], [PutStatus.IN_SYNC_REPLICAS_NOT_ENOUGH])
    assert first.follows
    assert bodies(first) == bodies(second)
    assert [b"U099" in record for record in bodies(first)] == [False] * 31


def test_without_a_quorum_a_put_is_not_agreed() -> None:
    group = Brokers().open()
    store = group.led()
    group.run(500)
    leader = group.elected().self_id
    group.cut_off = set(group.ids) - {leader}

    told = group.agreed(store.put(a_message()), leader)
    group.run(2600)

    assert told == [PutStatus.IN_SYNC_REPLICAS_NOT_ENOUGH]
    assert store.max_offset("T", 0) == 0


def test_member_that_does_not_lead_takes_no_records() -> None:
    group = Brokers().open()
    leader = group.elected().self_id
    group.run(500)
    other = next(one for one in group.ids if one != leader)
    store = group.stores[other]
    store.lead()

    refused = store.put(a_message())

    assert refused.status == PutStatus.SERVICE_NOT_AVAILABLE
    assert refused.remark.startswith("NOT_LEADER")


def test_member_whose_disk_fails_refuses_and_says_so() -> None:
    group = Brokers(1).open()
    store = group.led()
    log = group.elected().log
    append_run = log.append_run

    def fail_after_two(term: int, bodies: Sequence[bytes]) -> list[Entry]:
        append_run(term, bodies[:2])
        log.refusal = "Input/output error"
        raise StoreError(log.refusal)

    log.append_run = fail_after_two  # type: ignore[method-assign]  # a disk that fails just then
    results = store.put_run([a_message(number) for number in range(4)])
    told = [group.agreed(result, "n0") for result in results[:2]]

    assert [result.status for result in results[:2]] == [OK, OK]
    assert results[3].status == PutStatus.SERVICE_NOT_AVAILABLE
    assert told == [[PutStatus.SERVICE_NOT_AVAILABLE]] * 2


def test_agreement_on_nothing_is_not_asked_for() -> None:
    group = Brokers(1).open()
    group.led()

    with pytest.raises(AssertionError, match="nothing was put that ends at 5"):
        group.logs["n0"].agreed(5)


def test_decided_proposals_are_forgotten() -> None:
    group = Brokers(1).open()
    store = group.led()
    told: list[Deferred[PutStatus]] = []

    for number in range(20):
        told.append(group.logs["n0"].agreed(store.put(a_message(number)).end))
        group.run(50)

    assert len(group.logs["n0"]._proposed) == 1
    assert all(done.called for done in told)
    assert store.max_offset("T", 0) == 20


def test_store_over_a_member_that_was_killed_is_found_again() -> None:
    group = Brokers(1).open()
    store = group.led()
    for number in range(30):
        store.put(a_message(number))
    group.run(1000)
    records = bodies(store)

    group.kill("n0")
    group.disks["n0"] = group.disks["n0"].crash(
        {
            f"/n0/{folder}/{entry.name}": [0]
            for folder in ("dledger-n0/data", "dledger-n0/index")
            for entry in group.disks["n0"].entries(f"/n0/{folder}")
        }
    )
    group.open("n0")
    again = group.led()

    assert again is not store
    assert bodies(again) == records
    assert again.put(a_message(30)).queue_offset == 30
