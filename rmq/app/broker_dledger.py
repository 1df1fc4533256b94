"""A broker in a DLedger group, put together: its member, and who decides its role."""

import logging
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any, Final

from twisted.internet.defer import Deferred, ensureDeferred, inlineCallbacks

from rmq.app.broker_ports import BrokerPorts
from rmq.app.store import delete_hours, ledger_folder, local_offset_ms
from rmq.base.errors import ConfigError, StoreError
from rmq.base.ports import Clock, Disk
from rmq.broker.agreement import CommittedFlushing
from rmq.broker.durability import Worker
from rmq.broker.group_log import GroupLog
from rmq.broker.group_replication import GroupReplication
from rmq.broker.group_role import GroupRole
from rmq.broker.registration import Registration
from rmq.broker.role import RoleHolder, Switch
from rmq.conf.startup import BrokerSettings
from rmq.conf.store import MessageStoreConfig
from rmq.dledger.errors import ProposalError
from rmq.dledger.member import Member, MemberPorts
from rmq.dledger.settings import LedgerSettings, MemberSettings, parse_peers
from rmq.raft.config import RaftConfig
from rmq.remoting.calls import Caller
from rmq.store.ledger import record_for_no_one
from rmq.store.store import MessageStore

log = logging.getLogger(__name__)

POSITION_PLACE = 28
"""Where a record says its position. Source: MessageDecoder.java, PHY_POS_POSITION, 5.3.3."""

BATCH_BYTES_MAX = 64 << 10
"""Bytes of entries that end a batch; Java's leaders end it at 4 KiB."""

LEAVE_MAX_MS = 2_000
"""How long a leader that stops waits for another to take over."""

FAST: Final[Mapping[str, Any]] = {
    "heart_beat_interval_ms": 200,
    "min_vote_interval_ms": 50,
    "max_vote_interval_ms": 300,
    "min_take_leadership_vote_interval_ms": 2,
    "max_take_leadership_vote_interval_ms": 10,
    "vote_wait_ms": 300,
    "pace_ms": 2,
    "max_push_timeout_ms": 500,
    "push_retry_ms": 50,
    "compare_timeout_ms": 500,
    "commit_interval_ms": 100,
    "fast_forward_check_ms": 300,
    "preferred_check_ms": 300,
    "leadership_transfer_wait_timeout_ms": 500,
}
"""What failoverProfile=fast makes of DLedger's times: a leader silent for 600 ms is doubted."""


def refuse_old_log(config: MessageStoreConfig, disk: Disk) -> None:
    """Refuse to begin a group's log beside one from before, whose messages nobody would see.

    Java puts the group's log behind the old one. Source: DLedgerCommitLog.java, recover(), 5.3.3.

    :raises StoreError: there are files of one.
    """
    folder = config.storePathCommitLog
    if not config.enableDLegerCommitLog or not disk.exists(folder):
        return
    if any(not entry.is_folder for entry in disk.entries(folder)):
        raise StoreError(
            f"{folder} holds a commit log from before DLedger mode: give the broker another "
            "storePathRootDir, or start it without enableDLegerCommitLog until all is consumed"
        )


def peers_of(config: MessageStoreConfig) -> dict[str, str]:
    """The group's addresses by id; this broker is among them.

    :raises ConfigError: a group cannot be made of them.
    """
    cure = (
        "write it like dLegerGroup=broker-a, "
        "dLegerPeers=n0-127.0.0.1:40911;n1-127.0.0.1:40912;n2-127.0.0.1:40913, dLegerSelfId=n0"
    )
    if not config.dLegerGroup:
        raise ConfigError(f"dLegerGroup is empty: expected the group's name; {cure}")
    try:
        addresses = parse_peers(config.dLegerPeers)
    except ConfigError as error:
        raise ConfigError(f"dLegerPeers: {error}; {cure}") from error
    if config.dLegerSelfId not in addresses:
        raise ConfigError(
            f"dLegerSelfId={config.dLegerSelfId!r} is none of {', '.join(addresses)}, which are in "
            f"dLegerPeers; {cure}"
        )
    if len(set(addresses.values())) < len(addresses):
        raise ConfigError(f"dLegerPeers={config.dLegerPeers!r} has one address twice; {cure}")
    return addresses


def member_of(settings: BrokerSettings, store_host: bytes, clock: Clock) -> MemberSettings:
    """How this broker takes part in its group.

    Entries that wait go out together unless enableBatchPush=false is given: each push says itself
    whether it is a batch, and Java's members take both. With flushDiskType=SYNC_FLUSH entries are
    synced before they are acknowledged, which Java's brokers do not look at.
    Source: DLedgerCommitLog.java, DLedgerCommitLog(), 5.3.3.

    :raises ConfigError: the group cannot be used.
    """
    config = settings.store
    addresses = peers_of(config)
    raft = replace(
        RaftConfig.dledger(config.dLegerGroup, config.dLegerSelfId, frozenset(addresses)),
        is_enable_batch_push=config.enableBatchPush or "enableBatchPush" not in settings.values,
        max_batch_push_size=BATCH_BYTES_MAX,
        preferred_leader_ids=_ids(config.preferredLeaderId, addresses),
        no_op_body=lambda: record_for_no_one(store_host, clock.wall_ms()),
    )
    if settings.rmq.failoverProfile == "fast":
        raft = replace(raft, **FAST)
    return MemberSettings(
        raft=raft,
        addresses=addresses,
        ledger=LedgerSettings(
            folder=ledger_folder(config),
            data_folder=config.storePathDLedgerCommitLog,
            data_file_size=config.mappedFileSizeCommitLog,
            place=POSITION_PLACE,
            checked=True,
            cleaned=True,
            file_reserved_hours=config.fileReservedTime + 1,
            delete_hours=frozenset(delete_hours(config.deleteWhen)),
            share_to_check_expired=min(max(config.diskMaxUsedSpaceRatio, 10), 95) / 100,
            enable_disk_force_clean=config.cleanFileForciblyEnable,
            local_offset_ms=local_offset_ms,
        ),
        durable=config.flushDiskType == "SYNC_FLUSH",
    )


def _ids(text: str, addresses: dict[str, str]) -> tuple[str, ...]:
    """The ids of preferredLeaderId.

    :raises ConfigError: one is not in the group.
    """
    ids = tuple(one.strip() for one in text.split(";") if one.strip())
    for one in ids:
        if one not in addresses:
            raise ConfigError(
                f"preferredLeaderId={text!r}: expected some of {', '.join(addresses)} separated "
                f"by ;, found {one!r}; leave the key out if nobody is preferred"
            )
    return ids


class GroupSafety:
    """What senders of a group wait for: that the group agrees. A ``rmq.broker.replicas.Waits``."""

    def __init__(self, log: GroupLog) -> None:
        self.replicated = log.agreed

    def refuse(self) -> None:
        """Nothing: who waits is told by the log, which knows whether there is still hope."""


class Grouped:
    """What a broker does in its DLedger group."""

    def __init__(self, ports: BrokerPorts, worker: Worker, caller: Caller) -> None:
        """Builds the member; ``decide`` before ``start``.

        :raises ConfigError: the group cannot be used.
        """
        settings = member_of(ports.settings, ports.store_host, ports.clock)
        self._clock = ports.clock
        self._broker_id = ports.settings.broker.brokerId
        self.member = Member(
            settings,
            MemberPorts(
                disk=ports.disk,
                clock=ports.clock,
                chance=ports.chance,
                caller=caller,
                worker=worker,
            ),
        )
        self.log = GroupLog(self.member)
        self.replication = GroupReplication(self.member)
        self.safety = GroupSafety(self.log)
        self.flushing = CommittedFlushing(self.member)
        self.port = int(settings.addresses[self.member.self_id].rpartition(":")[2])
        self._role: GroupRole | None = None

    def decide(
        self, store: MessageStore, role: RoleHolder, switch: Switch, registration: Registration
    ) -> None:
        """Have ``switch`` change ``role`` as the member's role changes."""
        self._role = GroupRole(
            self._clock,
            self.member,
            self.log,
            store,
            role,
            switch,
            broker_id=self._broker_id,
            announce=registration.register_all,
        )
        self.flushing.watch(store, role)
        registration.before = self._role.catch_up

    def start(self) -> None:
        """Take part; the store is loaded.

        :raises rmq.base.errors.StoreError: the files cannot be used.
        """
        assert self._role is not None, "decide comes before start"
        self._role.start()
        self.member.start()

    def leave(self) -> Deferred[None]:
        """Have another lead, if this broker does: it will stop; fires when one does, or none will.

        Java's just stops, and the others notice after some seconds.
        """
        left: Deferred[None] = Deferred()

        def fire(_: object = None) -> None:
            timer.cancel()
            if not left.called:
                left.callback(None)

        timer = self._clock.call_later(LEAVE_MAX_MS, fire)
        ensureDeferred(self._give_away()).addCallback(fire)
        return left

    async def _give_away(self) -> None:
        member = self.member
        for peer in member.peers:
            if member.is_leader and peer != member.self_id:
                try:
                    await member.transfer(peer)
                except ProposalError as error:
                    log.info("event=leadership_not_given peer=%s cause=%s", peer, error)

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Take part no more, sync the log; fires when that is done."""
        assert self._role is not None, "it was started"
        self._role.stop()
        yield self.member.stop()
