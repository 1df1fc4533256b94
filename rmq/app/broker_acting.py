"""A broker whose slaves act as master, put together: ``rmq.broker.acting`` over its services."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from codec.headers.namesrv import RegisterBrokerResponseHeader
from rmq.app.broker_ports import BrokerPorts
from rmq.app.broker_roles import Roles
from rmq.app.broker_tables import Tables
from rmq.broker.acting.acting import Acting, ActingSettings
from rmq.broker.acting.escape import Escape
from rmq.broker.acting.exchange import Exchange
from rmq.broker.acting.group import Group
from rmq.broker.acting.halves import HalfEscape
from rmq.broker.acting.online import Committed, OnLine, OwnAddresses
from rmq.broker.acting.quorum import Quorum, QuorumSettings
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.role import MASTER_ID, RoleHolder
from rmq.broker.routes import Routes
from rmq.broker.schedule import Schedule
from rmq.broker.transactions.checks import CheckTools
from rmq.conf.startup import BrokerSettings
from rmq.remoting.calls import Caller
from rmq.replication.mode import Replication
from rmq.store.store import MessageStore


def may_act(settings: BrokerSettings) -> bool:
    """Whether slaves act as master: in classic mode only."""
    is_elected = settings.broker.enableControllerMode or settings.store.enableDLegerCommitLog
    return settings.broker.enableSlaveActingMaster and not is_elected


def is_isolated(settings: BrokerSettings) -> bool:
    """Whether a broker comes on line in steps. Source: BrokerController.java, start(), 5.3.3."""
    return (
        may_act(settings) and settings.store.totalReplicas > 1 and not settings.broker.skipPreOnline
    )


def group_of(
    ports: BrokerPorts,
    role: RoleHolder,
    caller: Caller,
    name_servers: Callable[[], Sequence[str]],
) -> Group | None:
    """Who lives of our name; None where that does not matter."""
    if not may_act(ports.settings):
        return None
    config = ports.settings.broker
    return Group(
        caller,
        name_servers,
        (config.brokerClusterName, config.brokerName),
        role,
        ports.settings.store.totalReplicas,
    )


def quorum_of(
    ports: BrokerPorts, replication: Replication, role: RoleHolder, group: Group
) -> Quorum | None:
    """For whom a SYNC_MASTER waits; None: for nobody."""
    config = ports.settings.store
    settings = QuorumSettings(
        wanted=config.inSyncReplicas,
        least=config.minInSyncReplicas,
        adapts=config.enableAutoInSyncReplicas,
        timeout_ms=config.slaveTimeout,
    )
    if settings.is_trivial:
        return None
    return Quorum(replication, ports.clock, role, lambda: group.alive, settings)


class ScheduleAway:
    """Delivery of delayed messages that were put to the master: they go elsewhere."""

    def __init__(self, schedule: Schedule, escape: Escape) -> None:
        self._schedule = schedule
        self._escape = escape

    def begin(self) -> None:
        """Go on where the master was, as far as we know.

        :raises StoreError: the file cannot be read, nor its backup.
        """
        self._schedule.away = self._escape.put
        self._schedule.load()
        self._schedule.start()

    def stop(self) -> None:
        """Deliver no more, and save how far it got."""
        self._schedule.stop()
        self._schedule.away = None


class OffsetsAhead:
    """Offsets that are committed here from now on: a master that comes back shall want them."""

    def __init__(self, offsets: ConsumerOffsets) -> None:
        self._offsets = offsets

    def begin(self) -> None:
        """Begin a new version, which is later than what the master had when we copied it."""
        self._offsets.next_version()

    def stop(self) -> None:
        """Nothing ends: what was committed stays."""


class Served(NamedTuple):
    """What acting works on."""

    role: RoleHolder
    roles: Roles
    store: MessageStore
    tables: Tables
    replication: Replication
    schedule: Schedule
    tools: CheckTools


class ActingMaster:
    """What a broker does with the others of its name."""

    def __init__(
        self,
        ports: BrokerPorts,
        group: Group,
        served: Served,
        caller: Caller,
        name_servers: Callable[[], Sequence[str]],
    ) -> None:
        """Builds everything; asks nobody."""
        self._store = served.store
        self._end_position = 0
        self._is_isolated = is_isolated(ports.settings)
        config, clock, role = ports.settings.broker, ports.clock, served.role
        exchange = Exchange(caller)
        escape = Escape(
            clock,
            caller,
            Routes(caller.call, name_servers),
            config.brokerName,
            lambda: role.now.broker_id,
            is_enabled=config.enableRemoteEscape,
        )
        self.acting = Acting(
            clock,
            role,
            group,
            exchange,
            served.roles,
            served.store,
            (
                OffsetsAhead(served.tables.offsets),
                ScheduleAway(served.schedule, escape),
                HalfEscape(config, served.tools, escape.put),
            ),
            ActingSettings(
                period_ms=config.syncBrokerMemberGroupPeriod,
                cuts=ports.settings.store.syncMasterFlushOffsetWhenStartup,
            ),
        )
        self._online = OnLine(
            clock,
            role,
            group,
            exchange,
            self.acting,
            served.replication,
            Committed(served.tables.offsets, served.schedule, served.tables.timer),
            OwnAddresses(ports.address, ports.ha_address),
            self.end_position,
            served.roles.come_on_line,
        )

    @property
    def is_acting(self) -> bool:
        """Whether this slave acts as master now."""
        return self.acting.is_acting

    def end_position(self) -> int:
        """Where the log ended when the broker started."""
        return self._end_position

    def registered(self, answer: RegisterBrokerResponseHeader) -> None:
        """A NameServer has answered our registration."""
        self.acting.registered(answer)

    def start(self) -> None:
        """Come on line, and ask who lives; the store is loaded, the role is played."""
        self._end_position = self._store.written_position
        self.acting.start()
        if self._is_isolated:
            self._online.start()
        else:
            self.acting.on_line(MASTER_ID, None)

    def stop(self) -> None:
        """Ask and decide nothing any more."""
        self._online.stop()
        self.acting.stop()
