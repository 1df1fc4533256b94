"""Who answers a broker's requests. A new processor goes into one of the lists below."""

from rmq.app.broker_ports import BrokerPorts
from rmq.app.broker_services import Services
from rmq.app.broker_tables import Tables
from rmq.app.disks import chosen_capacity
from rmq.app.store import local_offset_ms, log_folder
from rmq.broker.processors.admin.assignment import AssignmentProcessor
from rmq.broker.processors.admin.config import ConfigAdminProcessor
from rmq.broker.processors.admin.connections import ConnectionAdminProcessor
from rmq.broker.processors.admin.files import FileAdminProcessor
from rmq.broker.processors.admin.groups import GroupAdminProcessor
from rmq.broker.processors.admin.ha_addresses import HaAddressProcessor
from rmq.broker.processors.admin.inspection import InspectionProcessor
from rmq.broker.processors.admin.offsets import OffsetAdminProcessor
from rmq.broker.processors.admin.relays import RelayProcessor
from rmq.broker.processors.admin.resets import ResetProcessor
from rmq.broker.processors.admin.runtime import RuntimeProcessor, StorePlaces
from rmq.broker.processors.admin.timers import TimerAdminProcessor
from rmq.broker.processors.admin.topics import TopicAdminProcessor
from rmq.broker.processors.clients import ClientProcessor
from rmq.broker.processors.consumer_offsets import ConsumerOffsetProcessor
from rmq.broker.processors.pull import PullProcessor
from rmq.broker.processors.query import QueryProcessor
from rmq.broker.processors.queues import QueueProcessor
from rmq.broker.processors.reply import ReplyProcessor
from rmq.broker.processors.send import SendProcessor, SendSettings
from rmq.broker.processors.send_back import SendBackProcessor
from rmq.broker.processors.slave_pulls import SlavePulls
from rmq.broker.processors.transactions import TransactionProcessor
from rmq.broker.routes import Routes
from rmq.broker.unique_keys import UniqueKeys
from rmq.remoting.calls import Caller
from rmq.store.store import MessageStore

TOLD_MAX_MS = 2_000
"""How long the answer to a changed topic waits for NameServers to know: mqadmin waits 5 s."""


def processors(
    ports: BrokerPorts, tables: Tables, store: MessageStore, services: Services, caller: Caller
) -> list[object]:
    """All of them, those that clients ask most first; ``caller`` asks NameServers."""
    return [
        *_message_processors(ports, tables, store, services),
        *_client_processors(ports, tables, store),
        *_admin_processors(ports, tables, store, services),
        AssignmentProcessor(
            ports.settings.broker,
            tables.topics,
            tables.groups,
            tables.consumers,
            tables.request_modes,
            Routes(caller.call, lambda: services.registration.name_servers),
        ),
        _ha_addresses(ports, store, services),
        *([] if services.controlled is None else [services.controlled.processor]),
    ]


def _ha_addresses(
    ports: BrokerPorts, store: MessageStore, services: Services
) -> HaAddressProcessor:
    acting = services.acting
    return HaAddressProcessor(
        services.role,
        ports.address,
        ports.ha_address,
        (lambda: store.flushed_position) if acting is None else acting.end_position,
        store,
        None if acting is None else acting.acting,
    )


def _send_settings(ports: BrokerPorts, services: Services) -> SendSettings:
    config, live = ports.settings.broker, services.live
    return SendSettings(
        cluster_name=config.brokerClusterName,
        broker_ip=config.brokerIP1,
        store_host=ports.store_host,
        region_id=config.regionId,
        trace_on=config.traceOn,
        permission=lambda: live.broker.brokerPermission,
        accept_from_ms=config.startAcceptSendRequestTimeStamp,
        delay_level_max=len(ports.delays_ms),
        reject_transactions=lambda: live.broker.rejectTransactionMessage,
        role=services.role,
        slave_may_act=config.enableSlaveActingMaster,
        waits_always=ports.settings.store.enableDLegerCommitLog,
    )


def _message_processors(
    ports: BrokerPorts, tables: Tables, store: MessageStore, services: Services
) -> list[object]:
    """Messages in and out."""
    config, clock, chance = ports.settings.broker, ports.clock, ports.chance
    topics, groups, offsets = tables.topics, tables.groups, tables.offsets
    settings = _send_settings(ports, services)
    new_unique_key = UniqueKeys(
        clock, ports.store_host[:-4], ports.process_id, chance.below(1 << 32)
    )
    safe = services.safety.wait
    sending = SendProcessor(
        settings,
        topics,
        groups,
        tables.locks,
        store,
        safe,
        clock,
        chance,
        new_unique_key,
    )
    returned = SendBackProcessor(settings, topics, groups, store, safe, services.stats, chance)
    replies = ReplyProcessor(
        config,
        settings,
        sending.checked_topic,
        tables.producers,
        store,
        safe,
        clock,
        chance,
    )
    services.safety.follow(sending, returned, replies)
    sending.enough = services.enough
    return [
        sending,
        returned,
        _transaction_processor(ports, tables, store, services),
        PullProcessor(
            config,
            topics,
            groups,
            tables.consumers,
            offsets,
            store,
            tables.waiting,
            tables.filters,
            _slave_pulls(ports, services),
            services.stats.got,
        ),
        QueryProcessor(store, ports.settings.store.defaultQueryMaxNum),
        replies,
    ]


def _transaction_processor(
    ports: BrokerPorts, tables: Tables, store: MessageStore, services: Services
) -> TransactionProcessor:
    return TransactionProcessor(
        ports.settings.broker,
        ports.clock,
        store,
        tables.offsets,
        services.op_log,
        services.endings,
        services.role,
        services.checks.settled,
    )


def _slave_pulls(ports: BrokerPorts, services: Services) -> SlavePulls:
    def is_master_near() -> bool:
        if services.acting is not None and services.acting.is_acting:
            return False  # one that connects is not yet on line
        master = services.replication.master
        return master is not None and master.is_connected

    return SlavePulls(
        services.role,
        is_master_near,
        corrects_offsets=ports.settings.store.offsetCheckInSlave,
    )


def _client_processors(ports: BrokerPorts, tables: Tables, store: MessageStore) -> list[object]:
    """What clients ask around their messages."""
    config, topics, groups = ports.settings.broker, tables.topics, tables.groups
    return [
        ClientProcessor(config, topics, groups, tables.producers, tables.consumers, tables.locks),
        ConsumerOffsetProcessor(config, topics, groups, tables.offsets, store),
        QueueProcessor(store),
    ]


def _admin_processors(
    ports: BrokerPorts, tables: Tables, store: MessageStore, services: Services
) -> list[object]:
    """What operators and their tools ask."""
    settings, clock, stats = ports.settings, ports.clock, services.stats
    topics, consumers, offsets = tables.topics, tables.consumers, tables.offsets
    identity = (settings.broker.brokerName, ports.address)
    places = StorePlaces(
        settings.store.storePathRootDir,
        log_folder(settings.store),
        ports.disk.used_share,
        chosen_capacity(settings),
    )
    return [
        TopicAdminProcessor(
            settings.broker,
            topics,
            offsets,
            store,
            stats,
            lambda: services.registration.when_told(TOLD_MAX_MS),
        ),
        GroupAdminProcessor(tables.groups, offsets, stats),
        OffsetAdminProcessor(identity, topics, tables.groups, consumers, offsets, store, stats),
        ResetProcessor(
            settings.broker, topics, tables.groups, consumers, offsets, store, services.role
        ),
        RelayProcessor(identity[0], topics, tables.groups, consumers, store),
        InspectionProcessor(
            identity, clock, local_offset_ms, topics, consumers, offsets, store, stats
        ),
        ConnectionAdminProcessor(tables.producers, consumers),
        ConfigAdminProcessor(services.live),
        RuntimeProcessor(
            settings.broker,
            clock,
            store,
            places,
            stats,
            services.rates,
            services.replication,
            (services.schedule.texts,),
        ),
        FileAdminProcessor(clock, store, services.delay_offsets),
        TimerAdminProcessor(tables.timer),
    ]
