"""A broker, put together: configuration, tables, store, processors, ports."""

import logging
import os
from collections.abc import Generator
from dataclasses import replace
from typing import Any, cast

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import CannotListenError

from codec.command import Command
from rmq.app.disks import chosen_capacity
from rmq.app.store import delay_levels_ms, local_offset_ms, store_settings
from rmq.base.errors import ConfigError
from rmq.base.periodic import Periodic
from rmq.base.ports import Disk
from rmq.broker import rates
from rmq.broker.arrivals import Arrivals
from rmq.broker.consumers import Consumers
from rmq.broker.durability import Durability
from rmq.broker.groups import Groups
from rmq.broker.housekeeping import Housekeeping
from rmq.broker.live_config import Follower, LiveConfig
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.processors.admin.assignment import AssignmentProcessor
from rmq.broker.processors.admin.config import ConfigAdminProcessor
from rmq.broker.processors.admin.connections import ConnectionAdminProcessor
from rmq.broker.processors.admin.files import FileAdminProcessor
from rmq.broker.processors.admin.groups import GroupAdminProcessor
from rmq.broker.processors.admin.inspection import InspectionProcessor
from rmq.broker.processors.admin.offsets import OffsetAdminProcessor
from rmq.broker.processors.admin.runtime import RuntimeProcessor, StorePlaces
from rmq.broker.processors.admin.topics import TopicAdminProcessor
from rmq.broker.processors.clients import ClientProcessor
from rmq.broker.processors.consumer_offsets import ConsumerOffsetProcessor
from rmq.broker.processors.pull import PullProcessor
from rmq.broker.processors.query import QueryProcessor
from rmq.broker.processors.queues import QueueProcessor
from rmq.broker.processors.send import SendProcessor, SendSettings
from rmq.broker.processors.send_back import SendBackProcessor
from rmq.broker.processors.transactions import TransactionProcessor
from rmq.broker.producers import Producers
from rmq.broker.queue_locks import QueueLocks
from rmq.broker.registration import Registration
from rmq.broker.replicas import Replicas, Wait, all_of
from rmq.broker.request_modes import RequestModes
from rmq.broker.routes import Routes
from rmq.broker.saving import TableFile
from rmq.broker.schedule import Schedule
from rmq.broker.stats import SAMPLE_PERIOD_MS, BrokerStats
from rmq.broker.topics import Topics
from rmq.broker.transactions.checks import HOUR_MS, Checks, CheckTools
from rmq.broker.transactions.endings import Endings
from rmq.broker.transactions.op_log import OpLog
from rmq.broker.unique_keys import UniqueKeys
from rmq.broker.waiting import WaitingPulls
from rmq.conf.broker import BrokerConfig
from rmq.conf.startup import BrokerSettings
from rmq.conf.store import MessageStoreConfig
from rmq.net.client import RemotingClient
from rmq.net.clock import ReactorClock, SystemChance
from rmq.net.ha import HaServer
from rmq.net.hosts import pack_host
from rmq.net.server import RemotingServer
from rmq.net.twisted_ports import Reactor
from rmq.net.worker import ThreadWorker
from rmq.remoting.handling import HandlerTable, handler_table, without
from rmq.replication.master import HaSettings, Master
from rmq.store.store import MessageStore

log = logging.getLogger(__name__)

FAST_PORT_DISTANCE = 2
"""The fast port is this much below the main one."""

NOT_ON_FAST_PORT = (11, 361, 200050, 200052, 200054, 200055)
"""What the fast port does not answer: whatever can wait for messages.

Source: BrokerController.java, registerProcessor(), 5.3.3."""

PREPARE_PERIOD_MS = 1_000
"""How often the next commit-log file is made ready if the present one is nearly full."""


class Broker:
    """A single master."""

    def __init__(self, reactor: Reactor, settings: BrokerSettings, disk: Disk) -> None:
        """Builds everything; opens nothing. ``disk`` keeps the store and the tables.

        :raises rmq.base.errors.ConfigError: a setting cannot be used.
        :raises ValueError: two processors answer one request code.
        """
        self.settings = settings
        config, store_config = settings.broker, settings.store
        if store_config.brokerRole == "SLAVE":
            raise ConfigError(
                "brokerRole=SLAVE: this version of rmq does not follow a master yet; "
                "run Apache's broker as the slave of this one, or make this one a master"
            )
        self._clock = clock = ReactorClock(reactor)
        chance = SystemChance()
        port = settings.server.listenPort
        self.address = f"{config.brokerIP1}:{port}"
        store_host = pack_host(config.brokerIP1, port)
        self.store = store = MessageStore(disk, clock, store_settings(store_config, store_host))
        delays_ms = delay_levels_ms(store_config.messageDelayLevel)

        def table(name: str) -> TableFile:
            return TableFile(disk, f"{store_config.storePathRootDir}/config/{name}.json")

        self.topics = Topics(config, clock, table("topics"))
        self.groups = Groups(config, clock, table("subscriptionGroup"))
        self.offsets = ConsumerOffsets(
            config, clock, table("consumerOffset"), self.store.min_offset
        )
        self.request_modes = RequestModes(table("messageRequestMode"))
        self.producers = Producers(clock, config.channelExpiredTimeout)
        self.consumers = Consumers(config, clock)
        self.locks = QueueLocks(clock)
        self.waiting = WaitingPulls(clock)
        self.store.on_arrival(Arrivals(clock, self.waiting).arrived)
        self.master = Master(store, clock, ha_settings(store_config))
        store.on_arrival(self.master.appended)
        self.stats = stats = BrokerStats(
            clock,
            config.brokerClusterName,
            store.consume_queues,
            self.topics.is_system,
            local_offset_ms,
        )
        self._rates = rates.StoreRates(clock, store.stats)
        self.live = LiveConfig(
            disk,
            clock,
            config,
            (settings.server, settings.client, store_config, settings.rmq),
            config.brokerConfigPath or f"{store_config.storePathRootDir}/config/broker.properties",
            settings.values,
        )
        self._worker = ThreadWorker(reactor)
        self.durability = Durability(
            store,
            self._worker,
            clock,
            flush_interval_ms=store_config.flushIntervalCommitLog,
            queue_interval_ms=store_config.flushIntervalConsumeQueue,
            timeout_ms=store_config.syncFlushTimeout,
        )
        self._housekeeping = Housekeeping(
            clock,
            (self.producers, self.consumers),
            leases=(self.locks,),
            waiting=(self.waiting,),
        )
        new_unique_key = UniqueKeys(clock, store_host[:-4], os.getpid(), chance.below(1 << 32))
        self.schedule = Schedule(
            store,
            self.durability,
            clock,
            table("delayOffset"),
            delays_ms,
            save_interval_ms=store_config.flushDelayOffsetInterval,
            version_step=config.delayOffsetUpdateVersionStep,
        )
        store.on_arrival(self.schedule.arrived)
        send_settings = SendSettings(
            cluster_name=config.brokerClusterName,
            broker_ip=config.brokerIP1,
            store_host=store_host,
            region_id=config.regionId,
            trace_on=config.traceOn,
            permission=lambda: self.settings.broker.brokerPermission,
            accept_from_ms=config.startAcceptSendRequestTimeStamp,
            delay_level_max=len(delays_ms),
            reject_transactions=lambda: self.settings.broker.rejectTransactionMessage,
        )
        self.op_log = OpLog(config, clock, store, store_host)
        endings = Endings()
        self.checks = Checks(
            config,
            CheckTools(
                clock,
                store,
                self.topics,
                self.offsets,
                self.producers,
                self.op_log,
                endings,
                store_config.fileReservedTime * HOUR_MS,
            ),
        )
        self.processors: list[object] = [
            SendProcessor(
                send_settings,
                self.topics,
                self.groups,
                self.locks,
                store,
                self._safe(store_config),
                clock,
                chance,
                new_unique_key,
            ),
            SendBackProcessor(send_settings, self.topics, self.groups, store, stats, chance),
            TransactionProcessor(config, clock, store, self.offsets, self.op_log, endings),
            PullProcessor(
                config,
                self.topics,
                self.groups,
                self.consumers,
                self.offsets,
                store,
                self.waiting,
                stats.got,
            ),
            ClientProcessor(
                config, self.topics, self.groups, self.producers, self.consumers, self.locks
            ),
            ConsumerOffsetProcessor(config, self.topics, self.groups, self.offsets, store),
            QueueProcessor(store),
            QueryProcessor(store, store_config.defaultQueryMaxNum),
            *self._admin_processors(disk),
        ]
        main_table = handler_table(self.processors)
        fast_table = without(main_table, NOT_ON_FAST_PORT)
        self.client = RemotingClient(reactor, clock, main_table)
        self._servers = [
            self._server(reactor, main_table, port),
            self._server(reactor, fast_table, port - FAST_PORT_DISTANCE),
        ]
        self._ha_server = HaServer(
            reactor,
            self.master,
            interface=settings.server.bindAddress,
            port=store_config.haListenPort,
        )
        self.registration = Registration(
            config,
            clock,
            self.client,
            self.topics,
            address=self.address,
            ha_address=f"{config.brokerIP2}:{store_config.haListenPort}",
        )
        self.topics.on_change(self.registration.topics_changed)
        tables = (self.topics, self.groups, self.offsets, self.consumers, self.registration)
        transactions = (self.op_log, self.checks)
        with_config = [one for one in self.processors if hasattr(one, "config")]
        self.live.follow(*tables, *transactions, *cast("list[Follower]", with_config))
        self.live.on_change(self._settings_changed)
        self._periodic = [
            Periodic(clock, config.flushConsumerOffsetInterval, self.offsets.persist),
            Periodic(clock, store_config.cleanResourceInterval, self._clean),
            Periodic(clock, PREPARE_PERIOD_MS, store.prepare_next),
            Periodic(clock, SAMPLE_PERIOD_MS, stats.sample),
            Periodic(clock, rates.SAMPLE_PERIOD_MS, self._rates.sample),
        ]
        self._stopping: Deferred[None] | None = None

    def _safe(self, config: MessageStoreConfig) -> Wait | None:
        """What a sender waits for. Source: CommitLog.java, needHandleHA(), handleHA(), 5.3.3."""
        waits: list[Wait] = []
        if config.flushDiskType == "SYNC_FLUSH":
            waits.append(self.durability.flushed)
        if config.brokerRole == "SYNC_MASTER" and config.inSyncReplicas > 1:
            replicas = Replicas(
                self.master,
                self._clock,
                count=config.inSyncReplicas - 1,
                timeout_ms=config.slaveTimeout,
            )
            waits.append(replicas.replicated)
        return all_of(waits)

    def _call(self, address: str, command: Command, timeout_ms: int) -> Deferred[Command]:
        """Ask a peer; the client is made after the processors, which it serves too."""
        return self.client.call(address, command, timeout_ms)

    def _admin_processors(self, disk: Disk) -> list[object]:
        """What operators and their tools ask."""
        config, store_config = self.settings.broker, self.settings.store
        store, stats = self.store, self.stats
        identity = (config.brokerName, self.address)
        return [
            TopicAdminProcessor(config, self.topics, self.offsets, store, stats),
            GroupAdminProcessor(self.groups, self.offsets, stats),
            OffsetAdminProcessor(
                identity, self.topics, self.groups, self.consumers, self.offsets, store, stats
            ),
            InspectionProcessor(
                identity,
                self._clock,
                local_offset_ms,
                self.topics,
                self.consumers,
                self.offsets,
                store,
                stats,
            ),
            ConnectionAdminProcessor(self.producers, self.consumers),
            AssignmentProcessor(
                config,
                self.topics,
                self.groups,
                self.consumers,
                self.request_modes,
                Routes(self._call, lambda: self.registration.name_servers),
            ),
            ConfigAdminProcessor(self.live),
            RuntimeProcessor(
                config,
                self._clock,
                store,
                StorePlaces(
                    store_config.storePathRootDir,
                    store_config.storePathCommitLog,
                    disk.used_share,
                    chosen_capacity(self.settings),
                ),
                stats,
                self._rates,
                (self.schedule.texts,),
                slaves=lambda: self.master.slaves,
            ),
            FileAdminProcessor(self._clock, store, self.schedule.wrapper),
        ]

    def _server(self, reactor: Reactor, table: HandlerTable, port: int) -> RemotingServer:
        server = self.settings.server
        return RemotingServer(
            reactor,
            self._clock,
            table,
            interface=server.bindAddress,
            port=port,
            idle_ms=server.serverChannelMaxIdleTimeSeconds * 1000,
            unfinished_ms=self.settings.rmq.unfinishedFrameTimeoutMs,
            closed=self._housekeeping.channel_closed,
        )

    def start(self) -> None:
        """Load everything, listen, register; the broker serves when this returns.

        :raises rmq.base.errors.StoreError: the store or a table cannot be read, or is in use.
        :raises twisted.internet.error.CannotListenError: a port is taken.
        """
        self.topics.load()
        self.groups.load()
        self.offsets.load()
        self.schedule.load()
        self.request_modes.load()
        report = self.store.load()
        self.stats.begin()
        log.info("store loaded report=%s", report)
        try:
            for server in self._servers:
                server.start()
            self._ha_server.start()
        except CannotListenError:
            self.store.close()  # else the next start would take it for a crash
            raise
        self._worker.start()
        self.durability.start()
        self.schedule.start()
        self.checks.start()
        self._housekeeping.start()
        for periodic in self._periodic:
            periodic.start()
        self._follow_name_servers()
        self.registration.start()

    @property
    def boot_line(self) -> str:
        """What is printed when the broker serves; wait strategies match it."""
        config = self.settings.broker
        line = f"The broker[{config.brokerName}, {self.address}] boot success. serializeType=JSON"
        return f"{line} and name server is {config.namesrvAddr}" if config.namesrvAddr else line

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Say goodbye to the NameServers, close the ports, save, flush; fires when all is done."""
        for periodic in self._periodic:
            periodic.stop()
        yield self.registration.stop()
        for server in self._servers:
            yield server.stop()
        yield self._ha_server.stop()
        self._housekeeping.stop()
        self.client.stop()
        self.schedule.stop()
        self.checks.stop()
        self.op_log.stop()
        yield self.durability.stop()
        self._worker.stop()
        self.offsets.persist()
        self.topics.persist()
        self.groups.persist()
        self.store.close()

    def _follow_name_servers(self) -> None:
        addresses = self.live.broker.namesrvAddr
        self.registration.set_name_servers(
            address.strip() for address in addresses.split(";") if address.strip()
        )

    def _settings_changed(self, before: BrokerConfig, after: BrokerConfig) -> None:
        """Source: AdminBrokerProcessor.java, updateBrokerConfig(), 5.3.3."""
        self.settings = replace(self.settings, broker=after)
        if after.namesrvAddr != before.namesrvAddr:
            self._follow_name_servers()
        if after.brokerPermission != before.brokerPermission:
            self.topics.next_version()
            self.registration.register_all()

    def _clean(self) -> None:
        for path in self.store.clean():
            log.info("file deleted path=%s", path)


def ha_settings(config: MessageStoreConfig) -> HaSettings:
    """What replication is told of the store's configuration."""
    return HaSettings(
        heartbeat_ms=config.haSendHeartbeatInterval,
        silence_ms=config.haHousekeepingInterval,
        chunk_max=config.haTransferBatchSize,
        gap_max=config.haMaxGapNotInSync,
        rate_max=config.maxHaTransferByteInSecond if config.haFlowControlEnable else None,
    )
