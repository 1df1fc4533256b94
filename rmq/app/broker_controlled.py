"""A broker under Controllers, put together: replication by epochs, and who decides its role."""

import logging
from collections.abc import Callable

from codec.disk.epoch import EpochStart
from rmq.app.broker_ports import BrokerPorts
from rmq.app.broker_tables import Tables
from rmq.broker.controlled.acks import SetAcks, SetReplicas
from rmq.broker.controlled.controllers import TIMEOUT_MS, Controllers
from rmq.broker.controlled.decisions import Decisions
from rmq.broker.controlled.ha_address import asks_ha_address
from rmq.broker.controlled.heartbeats import Heartbeats
from rmq.broker.controlled.identity import IdentityFiles
from rmq.broker.controlled.online import OnLine
from rmq.broker.controlled.polling import Polling
from rmq.broker.controlled.processor import ControlledProcessor
from rmq.broker.controlled.proposals import Proposals
from rmq.broker.controlled.requests import Names, Requests, Verdict
from rmq.broker.replicas import Replicas
from rmq.broker.role import Role, RoleHolder, Switch
from rmq.broker.rounds import Rounds
from rmq.broker.schedule import Schedule
from rmq.conf.startup import BrokerSettings
from rmq.remoting.calls import Caller
from rmq.replication.autoswitch import AutoSwitch
from rmq.replication.autoswitch_master import AutoSwitchSettings
from rmq.replication.connecting import Dial
from rmq.replication.epochs import Epochs
from rmq.replication.serving import HaSettings
from rmq.store.store import MessageStore

log = logging.getLogger(__name__)

RETRY_MS_MAX = 1_000
"""Longest time from a proposal without outcome to its repetition."""


def promises_replicas(settings: BrokerSettings) -> bool:
    """Whether a send is answered only when other brokers have the message."""
    return settings.store.allAckInSyncStateSet or settings.store.inSyncReplicas > 1


def switching_replication(
    ports: BrokerPorts, store: MessageStore, dial: Dial, ha: HaSettings
) -> tuple[AutoSwitch, Epochs]:
    """Replication by epochs, which are to be loaded before it begins."""
    broker, config = ports.settings.broker, ports.settings.store
    epochs = Epochs(ports.disk, config.storePathEpochFile)
    settings = AutoSwitchSettings(
        ha=ha,
        all_ack=promises_replicas(ports.settings),
        late_ms=config.haMaxTimeSlaveNotCatchup,
        check_ms=broker.checkSyncStateSetPeriod,
        from_last_file=config.syncFromLastFile,
        is_learner=config.asyncLearner,
    )
    return AutoSwitch(store, epochs, dial, ports.clock, settings), epochs


def set_replicas(ports: BrokerPorts, replication: AutoSwitch) -> Replicas | None:
    """What senders wait for under Controllers; None: nothing is promised."""
    config = ports.settings.store
    if not promises_replicas(ports.settings):
        return None
    return SetReplicas(
        SetAcks(replication, all_ack=config.allAckInSyncStateSet),
        ports.clock,
        count=max(1, config.inSyncReplicas - 1),
        timeout_ms=config.slaveTimeout,
    )


def enough_members(ports: BrokerPorts, replication: AutoSwitch) -> Callable[[], bool] | None:
    """Whether the SyncStateSet has minInSyncReplicas; None: it always has.

    Source: CommitLog.java, asyncPutMessage(), 5.3.3.
    """
    least = ports.settings.store.minInSyncReplicas
    return None if least <= 1 else lambda: replication.in_sync_count >= least


class LogProgress:
    """How far the log goes, and whose it is."""

    def __init__(self, store: MessageStore, replication: AutoSwitch) -> None:
        self._store = store
        self._replication = replication

    @property
    def epochs(self) -> list[EpochStart]:
        """Where each master's records begin, oldest first."""
        return list(self._replication.epochs)

    @property
    def last_epoch(self) -> int:
        """The epoch of the log's end; -1 if there is none."""
        epochs = self._replication.epochs
        return epochs[-1].epoch if epochs else -1

    @property
    def end_position(self) -> int:
        """The end of the log."""
        return self._store.written_position

    @property
    def confirmed_position(self) -> int:
        """All below is in the logs of the whole SyncStateSet."""
        return self._replication.confirm_position


class StateVersions:
    """Has each version of a broker's tables say which master's it is.

    So a NameServer does not take the old master's registration for the new one's.
    Source: ReplicasManager.java, changeToMaster(), 5.3.3.
    """

    def __init__(self, tables: Tables, schedule: Schedule) -> None:
        self._tables = tables
        self._schedule = schedule

    def role_changed(self, before: Role, after: Role) -> None:
        """Begin new versions with a new epoch."""
        if before.epoch == after.epoch:
            return
        tables = self._tables
        for versioned in (tables.topics, tables.groups, tables.offsets, self._schedule):
            versioned.state_version = after.epoch
        tables.topics.next_version()


class Controlled:
    """What a broker does with Controllers."""

    def __init__(
        self,
        ports: BrokerPorts,
        role: RoleHolder,
        switch: Switch,
        store: MessageStore,
        replication: AutoSwitch,
        caller: Caller,
    ) -> None:
        """``switch`` changes ``role``; ``replication`` is what it switches."""
        config, clock = ports.settings.broker, ports.clock
        names = Names(config.brokerClusterName, config.brokerName, ports.address)
        self._replication = replication
        self._controllers = controllers = Controllers(
            caller,
            [one.strip() for one in config.controllerAddr.split(";")],
            timeout_ms=min(TIMEOUT_MS, 2 * config.syncBrokerMetadataPeriod),
        )
        requests = Requests(controllers, clock, names)
        progress = LogProgress(store, replication)
        self._decisions = Decisions(clock, role, switch, replication, asks_ha_address(caller))
        self._proposals = Proposals(
            clock,
            requests,
            self._decisions,
            replication.sync_state_refused,
            retry_ms=min(RETRY_MS_MAX, config.checkSyncStateSetPeriod),
        )
        replication.on_sync_state_change(self._proposals.want)
        self._heartbeats = Heartbeats(clock, controllers, names, config, progress)
        files = IdentityFiles(
            ports.disk,
            ports.settings.store.storePathBrokerIdentity,
            cluster_name=names.cluster_name,
            broker_name=names.broker_name,
        )
        self._online = OnLine(clock, requests, files, names, self)
        self._polling = Polling(
            clock,
            requests,
            self._decisions,
            period_ms=config.syncBrokerMetadataPeriod,
            unknown=self._online.start,
        )
        self._looks = Rounds(clock, config.syncControllerMetadataPeriod, self._look)
        self._look_period_ms = config.syncControllerMetadataPeriod
        self.processor = ControlledProcessor(
            (names.cluster_name, names.broker_name), role, progress, self._decisions.learn
        )

    def start(self) -> None:
        """Come on line; the store is loaded and follows nobody."""
        self._online.start()
        self._looks.start(self._look_period_ms)

    def stop(self) -> None:
        """Say and decide nothing any more."""
        self._online.stop()
        self._looks.stop()
        self._polling.stop()
        self._heartbeats.stop()
        self._proposals.stop()
        self._decisions.stop()

    def registered(self, broker_id: int) -> None:
        """Controllers know us by this id."""
        self._decisions.know_as(broker_id)
        if self._replication.broker_id != broker_id:
            self._replication.broker_id = broker_id
        self._heartbeats.stop()
        self._heartbeats.start(broker_id)

    def decided(self, verdict: Verdict) -> None:
        """There is a master, perhaps ourselves."""
        self._decisions.learn(verdict)
        self._polling.start()

    async def _look(self) -> None:
        await self._controllers.look()
