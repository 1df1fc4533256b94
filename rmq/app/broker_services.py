"""What goes on in a broker by itself: flushing, schedules, checks, registration, all that is
started and stopped. Order: whoever uses another is started after it and stopped before it.
"""

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks, succeed

from codec.bodies.offsets import DelayOffsetSerializeWrapper
from codec.headers.namesrv import RegisterBrokerResponseHeader
from rmq.app.broker_acting import ActingMaster, Served, group_of, is_isolated, quorum_of
from rmq.app.broker_controlled import (
    Controlled,
    StateVersions,
    enough_members,
    set_replicas,
    switching_replication,
)
from rmq.app.broker_dledger import Grouped
from rmq.app.broker_ports import BrokerPorts
from rmq.app.broker_roles import Roles, first_role
from rmq.app.broker_tables import Tables
from rmq.app.master_work import ScheduleWork, TransactionWork
from rmq.app.store import local_offset_ms
from rmq.base.periodic import Periodic
from rmq.base.ports import Clock
from rmq.broker import rates
from rmq.broker.agreement import Agreement, ConfirmedFlushing
from rmq.broker.arrivals import Arrivals
from rmq.broker.durability import Durability, Worker
from rmq.broker.following import CLASSIC_PERIOD_MS, CONTROLLED_PERIOD_MS, Copied, Following
from rmq.broker.housekeeping import Housekeeping
from rmq.broker.live_config import LiveConfig
from rmq.broker.registration import Registration
from rmq.broker.replicas import Replicas, Safety, Waits
from rmq.broker.role import RoleHolder
from rmq.broker.schedule import Flushing, Schedule
from rmq.broker.stats import SAMPLE_PERIOD_MS, BrokerStats
from rmq.broker.transactions.checks import HOUR_MS, Checks, CheckTools, on_disk
from rmq.broker.transactions.endings import Endings
from rmq.broker.transactions.op_log import OpLog
from rmq.conf.broker import BrokerConfig
from rmq.conf.startup import BrokerSettings
from rmq.conf.store import MessageStoreConfig
from rmq.remoting.calls import Caller
from rmq.replication.autoswitch import AutoSwitch
from rmq.replication.classic import Classic
from rmq.replication.connecting import Dial
from rmq.replication.epochs import Epochs
from rmq.replication.mode import Replication
from rmq.replication.serving import HaSettings
from rmq.store.store import MessageStore

log = logging.getLogger(__name__)

PREPARE_PERIOD_MS = 1_000
"""How often the next commit-log file is made ready if the present one is nearly full."""

FILTERS_PERIOD_MS = 10_000
"""How often changed filters of consumers are saved. Source: BrokerController.java, 5.3.3."""


class Services:
    """The services of one broker, over its tables and its store."""

    def __init__(
        self,
        ports: BrokerPorts,
        tables: Tables,
        store: MessageStore,
        worker: Worker,
        caller: Caller,
        dial: Dial,
        grouped: Grouped | None = None,
    ) -> None:
        """``worker`` must run while these do; ``caller`` asks NameServers, ``dial`` masters.

        ``grouped`` has the ledger that ``store`` is over, if it is over one.
        """
        self._ports = ports
        self._grouped = grouped
        self._tables = tables
        self._store = store
        clock, config = ports.clock, ports.settings.broker
        self.live = _live_config(ports)
        self.stats = BrokerStats(
            clock,
            config.brokerClusterName,
            store.consume_queues,
            tables.topics.is_system,
            local_offset_ms,
        )
        self.rates = rates.StoreRates(clock, store.stats)
        self.role = RoleHolder(first_role(ports.settings))
        self.live.now = self._role_settings
        self.replication, self._epochs = self._replication_of(dial)
        self._group = group_of(ports, self.role, caller, lambda: self.registration.name_servers)
        self._quorum = (
            None
            if self._group is None
            else quorum_of(ports, self.replication, self.role, self._group)
        )
        self.durability = _durability(ports, store, worker)
        self.safety = self._safety()
        self.enough = self._enough()
        self._agreement = self._agreement_of(store)
        self.schedule = _schedule(ports, store, self._agreement or self.durability)
        self.endings = Endings()
        self.op_log = OpLog(config, clock, store, ports.store_host)
        tools = _check_tools(ports, tables, store, self.op_log, self.endings)
        settled: Callable[[], Deferred[None]] = partial(on_disk, store, self.durability.flushed)
        if self._agreement is not None:
            settled = partial(self._agreement.settled, None)
        tools = replace(tools, settled=settled)
        self.checks = Checks(config, tools)
        self.housekeeping = _housekeeping(clock, tables)
        self.registration = self._registration(caller)
        self.roles = self._roles()
        self.following = _following(ports, tables, self.schedule, self.role, caller)
        self.acting = self._acting(tools, caller)
        self.controlled: Controlled | None = None
        if isinstance(self.replication, AutoSwitch):
            self.controlled = Controlled(
                ports, self.role, self.roles, store, self.replication, caller
            )
            self.role.on_change(StateVersions(tables, self.schedule).role_changed)
        self._periodic = self._periodic_work()
        self._connect()

    def _connect(self) -> None:
        """Who hears of what happens elsewhere."""
        if self._grouped is not None:
            self._grouped.decide(self._store, self.role, self.roles, self.registration)
        store, tables = self._store, self._tables
        store.on_arrival(Arrivals(self._ports.clock, tables.waiting).arrived)
        store.on_arrival(self.replication.appended)
        store.on_append(self.replication.appended)
        store.on_arrival(self.schedule.arrived)
        store.on_unknown_topic(self.following.known_topics, self.following.seen)
        tables.topics.on_change(self.registration.topics_changed)
        self.live.follow(*tables.followers, self.registration, self.op_log, self.checks)
        self.live.on_change(self._settings_changed)

    def _registration(self, caller: Caller) -> Registration:
        ports = self._ports
        return Registration(
            ports.settings.broker,
            ports.clock,
            caller,
            self._tables.topics,
            role=self.role,
            address=ports.address,
            ha_address=ports.ha_address,
            answered=self._answered,
        )

    def _roles(self) -> Roles:
        return Roles(
            self.role,
            self._store,
            self.replication,
            (ScheduleWork(self.schedule), TransactionWork(self.checks, self.op_log, self.endings)),
            self.registration,
            own_addresses=(self._ports.address, self._ports.ha_address),
        )

    def _acting(self, tools: CheckTools, caller: Caller) -> ActingMaster | None:
        """How a slave acts as master; None: not at all."""
        if self._group is None:
            return None
        served = Served(
            self.role,
            self.roles,
            self._store,
            self._tables,
            self.replication,
            self.schedule,
            tools,
        )
        registration = self.registration
        return ActingMaster(
            self._ports, self._group, served, caller, lambda: registration.name_servers
        )

    def _periodic_work(self) -> tuple[Periodic, ...]:
        clock, settings = self._ports.clock, self._ports.settings
        persist_ms = settings.broker.flushConsumerOffsetInterval
        return (
            Periodic(clock, persist_ms, self._tables.offsets.persist),
            Periodic(clock, FILTERS_PERIOD_MS, self._tables.filters.persist),
            Periodic(clock, settings.store.cleanResourceInterval, self.clean),
            Periodic(clock, PREPARE_PERIOD_MS, self._store.prepare_next),
            Periodic(clock, SAMPLE_PERIOD_MS, self.stats.sample),
            Periodic(clock, rates.SAMPLE_PERIOD_MS, self.rates.sample),
        )

    def _replication_of(self, dial: Dial) -> tuple[Replication, Epochs | None]:
        """The mode of replication, and the epochs it is to begin with, if any."""
        ports, settings = self._ports, self._ports.settings
        ha = ha_settings(settings.store)
        if self._grouped is not None:
            return self._grouped.replication, None
        if settings.broker.enableControllerMode:
            return switching_replication(ports, self._store, dial, ha)
        return Classic(self._store, dial, ports.clock, ha), None

    def _safety(self) -> Safety:
        """What senders wait for, by the store's configuration."""
        config = self._ports.settings.store
        if self._grouped is not None:
            return Safety(self.role, None, self._grouped.safety)
        replicas: Waits | None = self._quorum
        if isinstance(self.replication, AutoSwitch):
            replicas = set_replicas(self._ports, self.replication)
        elif self._group is None and config.inSyncReplicas > 1:
            replicas = Replicas(
                self.replication,
                self._ports.clock,
                count=config.inSyncReplicas - 1,
                timeout_ms=config.slaveTimeout,
            )
        is_synced = config.flushDiskType == "SYNC_FLUSH"
        return Safety(self.role, self.durability.flushed if is_synced else None, replicas)

    def _agreement_of(self, store: MessageStore) -> Agreement | None:
        """What a group must have agreed on before it is relied on; None: there is no such group."""
        if self._grouped is not None:
            return self._grouped.flushing
        if isinstance(self.replication, AutoSwitch):
            on_disk = self.durability.flushed
            return ConfirmedFlushing(self._ports.clock, self.replication, store, self.role, on_disk)
        return None

    def _enough(self) -> Callable[[], bool] | None:
        """Whether there are enough brokers for a message; None: always."""
        if isinstance(self.replication, AutoSwitch):
            return enough_members(self._ports, self.replication)
        return None if self._quorum is None else self._quorum.enough

    def delay_offsets(self) -> Deferred[DelayOffsetSerializeWrapper]:
        """How far delayed delivery is; in a group once that is agreed on, as slaves may lead."""
        offsets = self.schedule.wrapper()
        if self._agreement is None or not self.role.now.is_master:
            return succeed(offsets)
        return self._agreement.settled(offsets)

    def load(self) -> None:
        """Read what the services keep on disk; the store's turn is before ``start``.

        :raises rmq.base.errors.StoreError: a file cannot be read.
        """
        self.schedule.load()
        if self._epochs is not None:
            self._epochs.load()

    def start(self) -> None:
        """Begin; the tables and the store are loaded, and the ports are open.

        :raises rmq.base.errors.StoreError: as ``Roles.start``.
        """
        self.stats.begin()
        self.durability.start()
        self.housekeeping.start()
        for periodic in self._periodic:
            periodic.start()
        self._follow_name_servers()
        settings = self._ports.settings
        is_elected = is_role_elected(settings)
        self.roles.start(
            learns=self.controlled is None,
            announces=not is_elected,
            isolated=is_isolated(settings),
        )
        self.following.start()
        if self.acting is not None:
            self.acting.start()
        if self.controlled is not None:
            self.controlled.start()
        if self._grouped is not None:
            self._grouped.start()

    def unregister(self) -> Deferred[None]:
        """Say goodbye to the NameServers while the ports are still open; fires when said."""
        for periodic in self._periodic:
            periodic.stop()
        if self.controlled is not None:
            self.controlled.stop()
        if self.acting is not None:
            self.acting.stop()
        return self.registration.stop()

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """End; fires when no sync runs, so that the store can be closed."""
        self.housekeeping.stop()
        self.following.stop()
        self.roles.stop()
        if self._grouped is not None:
            yield self._grouped.stop()
        yield self.durability.stop()

    def clean(self) -> None:
        """Delete files that are too old, or too many for the disk."""
        for path in self._store.clean():
            log.info("file deleted path=%s", path)

    def _follow_name_servers(self) -> None:
        addresses = self.live.broker.namesrvAddr
        self.registration.set_name_servers(
            address.strip() for address in addresses.split(";") if address.strip()
        )

    def _answered(self, addresses: RegisterBrokerResponseHeader, _ordered: Sequence[str]) -> None:
        """Source: BrokerController.java, handleRegisterBrokerResult(), 5.3.3."""
        if self.acting is not None:
            self.acting.registered(addresses)
        else:
            self.roles.learned(addresses)

    def _role_settings(self) -> Mapping[str, str]:
        """The settings that say what this broker is, as Java keeps them while it runs."""
        now = self.role.now
        return {"brokerRole": now.kind, "brokerId": str(now.broker_id)}

    def _settings_changed(self, before: BrokerConfig, after: BrokerConfig) -> None:
        """Source: AdminBrokerProcessor.java, updateBrokerConfig(), 5.3.3."""
        if after.namesrvAddr != before.namesrvAddr:
            self._follow_name_servers()
        if after.brokerPermission != before.brokerPermission:
            self._tables.topics.next_version()
            self.registration.register_all()


def _live_config(ports: BrokerPorts) -> LiveConfig:
    settings = ports.settings
    return LiveConfig(
        ports.disk,
        ports.clock,
        settings.broker,
        (settings.server, settings.client, settings.store, settings.rmq),
        settings.broker.brokerConfigPath or ports.config_path("broker.properties"),
        settings.values,
    )


def _durability(ports: BrokerPorts, store: MessageStore, worker: Worker) -> Durability:
    config = ports.settings.store
    return Durability(
        store,
        worker,
        ports.clock,
        flush_interval_ms=config.flushIntervalCommitLog,
        queue_interval_ms=config.flushIntervalConsumeQueue,
        timeout_ms=config.syncFlushTimeout,
    )


def _schedule(ports: BrokerPorts, store: MessageStore, flushing: Flushing) -> Schedule:
    return Schedule(
        store,
        flushing,
        ports.clock,
        ports.table("delayOffset"),
        ports.delays_ms,
        save_interval_ms=ports.settings.store.flushDelayOffsetInterval,
        version_step=ports.settings.broker.delayOffsetUpdateVersionStep,
    )


def _check_tools(
    ports: BrokerPorts, tables: Tables, store: MessageStore, op_log: OpLog, endings: Endings
) -> CheckTools:
    return CheckTools(
        ports.clock,
        store,
        tables.topics,
        tables.offsets,
        tables.producers,
        op_log,
        endings,
        ports.settings.store.fileReservedTime * HOUR_MS,
    )


def _housekeeping(clock: Clock, tables: Tables) -> Housekeeping:
    """What keeps the tables of clients free of those that are gone."""
    return Housekeeping(
        clock,
        (tables.producers, tables.consumers),
        leases=(tables.locks,),
        waiting=(tables.waiting,),
        notices=(tables.consumers,),
    )


def _following(
    ports: BrokerPorts, tables: Tables, schedule: Schedule, role: RoleHolder, caller: Caller
) -> Following:
    copied = Copied(
        tables.topics,
        tables.groups,
        tables.offsets,
        tables.request_modes,
        schedule,
        tables.timer,
    )
    is_elected = is_role_elected(ports.settings)
    return Following(
        role,
        ports.clock,
        caller,
        copied,
        own_address=ports.address,
        period_ms=CONTROLLED_PERIOD_MS if is_elected else CLASSIC_PERIOD_MS,
    )


def is_role_elected(settings: BrokerSettings) -> bool:
    """Whether Controllers or DLedger say who is master."""
    return settings.broker.enableControllerMode or settings.store.enableDLegerCommitLog


def ha_settings(config: MessageStoreConfig) -> HaSettings:
    """What replication is told of the store's configuration."""
    return HaSettings(
        heartbeat_ms=config.haSendHeartbeatInterval,
        silence_ms=config.haHousekeepingInterval,
        chunk_max=config.haTransferBatchSize,
        gap_max=config.haMaxGapNotInSync,
        rate_max=config.maxHaTransferByteInSecond if config.haFlowControlEnable else None,
    )
