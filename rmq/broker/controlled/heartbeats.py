"""Saying to every Controller, each second, that we live and how far our log goes.

By the epoch and the positions a Controller chooses the best of several candidates; by silence, or
by the end of the connection, it knows that we are gone. Source: ReplicasManager.java,
sendHeartbeatToController(), 5.3.3.
"""

from typing import Protocol

from codec.codes import RequestCode
from codec.headers.namesrv import BrokerHeartbeatRequestHeader
from rmq.base.periodic import Periodic
from rmq.base.ports import Clock
from rmq.broker.controlled.controllers import Controllers
from rmq.broker.controlled.requests import Names
from rmq.conf.broker import BrokerConfig


class Progress(Protocol):
    """How far a broker's log goes."""

    @property
    def last_epoch(self) -> int:
        """The epoch of the master that wrote the log's end; -1 of an empty log."""
        ...

    @property
    def end_position(self) -> int:
        """The end of the log."""
        ...

    @property
    def confirmed_position(self) -> int:
        """All below is in the logs of the whole SyncStateSet."""
        ...


class Heartbeats:
    """Tells all Controllers about one broker, by its brokerHeartbeatInterval."""

    def __init__(
        self,
        clock: Clock,
        controllers: Controllers,
        names: Names,
        config: BrokerConfig,
        progress: Progress,
    ) -> None:
        self._controllers = controllers
        self._names = names
        self._config = config
        self._progress = progress
        self._broker_id = 0
        self._beats = Periodic(clock, config.brokerHeartbeatInterval, self.beat)

    def start(self, broker_id: int) -> None:
        """Say it now, as the broker of this id, and again and again."""
        self._broker_id = broker_id
        self.beat()
        self._beats.start()

    def stop(self) -> None:
        """Be silent."""
        self._beats.stop()

    def beat(self) -> None:
        """Say it once."""
        config, progress = self._config, self._progress
        header = BrokerHeartbeatRequestHeader(
            cluster_name=self._names.cluster_name,
            broker_addr=self._names.address,
            broker_name=self._names.broker_name,
            broker_id=self._broker_id,
            epoch=progress.last_epoch,
            max_offset=progress.end_position,
            confirm_offset=progress.confirmed_position,
            heartbeat_timeout_mills=config.controllerHeartBeatTimeoutMills,
            election_priority=config.brokerElectionPriority,
        )
        self._controllers.tell_all(RequestCode.BROKER_HEARTBEAT, header)
