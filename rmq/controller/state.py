"""The tables on which all Controllers agree: who belongs to which set, who leads, who is in sync.

They are what the log's events make of nothing, so every Controller that has applied the same events
has the same tables. That holds for Apache's Controllers too, and so the rules of ``apply`` are
theirs, oddities included: what they make of an event that nobody should have written is what we
make of it. Nothing here asks for the time or for who is alive.

A broker set is all brokers of one broker name. Two tables, because a set's brokers and its
in-sync state end apart when brokers are cleaned; only a set in both is *known*.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from rmq.controller.events import (
    AlterSyncStateSetEvent,
    ApplyBrokerIdEvent,
    CleanBrokerDataEvent,
    ElectMasterEvent,
    Event,
    UpdateBrokerAddressEvent,
)

FIRST_BROKER_ID = 1
"""Ids given by Controllers begin here. Source: MixAll.java, FIRST_BROKER_CONTROLLER_ID, 5.3.3."""


class Replica(NamedTuple):
    """A broker of a set."""

    address: str | None
    check_code: str | None
    """By which it proves, after a crash, that its id is its own."""


@dataclass(slots=True)
class BrokerSet:
    """The brokers of one name. Source: BrokerReplicaInfo.java, 5.3.3."""

    cluster_name: str | None
    broker_name: str
    next_broker_id: int = FIRST_BROKER_ID
    """Grows by one with each broker, and never shrinks: ids are not given twice."""
    replicas: dict[int, Replica] = field(default_factory=dict)

    def address(self, broker_id: int | None) -> str | None:
        """Where a broker listens; None if it is not of this set."""
        replica = None if broker_id is None else self.replicas.get(broker_id)
        return None if replica is None else replica.address


@dataclass(slots=True)
class SyncState:
    """Who leads a set, and who has all that is acknowledged. Source: SyncStateInfo.java, 5.3.3."""

    cluster_name: str | None
    broker_name: str
    master_id: int | None = None
    master_epoch: int = 0
    """Counts the masters, also the times without one; 0: there was none yet."""
    members: frozenset[int] = frozenset()
    """The SyncStateSet."""
    epoch: int = 0
    """Counts the changes of ``members``, but for cleaning."""

    def set_master(self, broker_id: int | None) -> None:
        """Note a new master, or that there is none."""
        self.master_id = broker_id
        self.master_epoch += 1

    def set_members(self, broker_ids: Iterable[int]) -> None:
        """Note another SyncStateSet."""
        self.members = frozenset(broker_ids)
        self.epoch += 1


class Known(NamedTuple):
    """A set that is in both tables."""

    brokers: BrokerSet
    sync: SyncState


class State:
    """The tables. Source: ReplicasInfoManager.java, applyEvent(), 5.3.3."""

    def __init__(self) -> None:
        self.broker_sets: dict[str, BrokerSet] = {}
        self.sync_states: dict[str, SyncState] = {}

    def known(self, broker_name: str | None) -> Known | None:
        """The set of that name."""
        brokers = self.broker_sets.get(broker_name or "")
        sync = self.sync_states.get(broker_name or "")
        return None if brokers is None or sync is None else Known(brokers, sync)

    def apply(self, event: Event) -> None:
        """Let a committed event take effect."""
        match event:
            case ApplyBrokerIdEvent():
                self._apply_broker_id(event)
            case AlterSyncStateSetEvent():
                if (known := self.known(event.broker_name)) is not None:
                    known.sync.set_members(event.new_sync_state_set)
            case ElectMasterEvent():
                self._elect_master(event)
            case CleanBrokerDataEvent():
                self._clean(event)
            case _:
                self._update_address(event)

    def _apply_broker_id(self, event: ApplyBrokerIdEvent) -> None:
        name = event.broker_name
        known = self.known(name)
        if known is None:
            brokers = self.broker_sets[name] = BrokerSet(event.cluster_name, name)
            self.sync_states[name] = SyncState(event.cluster_name, name)
        else:
            brokers = known.brokers
        if event.new_broker_id not in brokers.replicas:
            replica = Replica(event.broker_address, event.register_check_code)
            brokers.replicas[event.new_broker_id] = replica
            brokers.next_broker_id += 1

    def _elect_master(self, event: ElectMasterEvent) -> None:
        known = self.known(event.broker_name)
        if known is None:
            return
        if not event.new_master_elected:
            known.sync.set_master(None)  # who was in sync may still lead when it comes back
            return
        master_id = event.new_master_broker_id
        known.sync.set_master(master_id)
        known.sync.set_members(() if master_id is None else (master_id,))

    def _clean(self, event: CleanBrokerDataEvent) -> None:
        name = event.broker_name
        if not event.broker_id_set_to_clean:
            self.broker_sets.pop(name, None)
            self.sync_states.pop(name, None)
            return
        known = self.known(name)
        if known is None:
            return
        for broker_id in event.broker_id_set_to_clean:
            known.brokers.replicas.pop(broker_id, None)
        known.sync.members -= frozenset(event.broker_id_set_to_clean)
        if not known.brokers.replicas:
            del self.broker_sets[name]
        if not known.sync.members:
            del self.sync_states[name]

    def _update_address(self, event: UpdateBrokerAddressEvent) -> None:
        brokers = self.broker_sets.get(event.broker_name)
        if brokers is None or event.broker_id is None:
            return
        replica = brokers.replicas.get(event.broker_id)
        if replica is not None:
            brokers.replicas[event.broker_id] = replica._replace(address=event.broker_address)
