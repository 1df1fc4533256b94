"""What a broker's parts are built from: the start's settings and the ports to the world."""

from dataclasses import dataclass

from rmq.app.store import delay_levels_ms
from rmq.base.ports import Chance, Clock, Disk
from rmq.broker.saving import TableFile
from rmq.conf.startup import BrokerSettings
from rmq.net.hosts import pack_host


@dataclass(frozen=True, slots=True)
class BrokerPorts:
    """Settings, disk, time and chance, and what follows from the settings alone."""

    settings: BrokerSettings
    disk: Disk
    clock: Clock
    chance: Chance
    process_id: int = 0

    @property
    def address(self) -> str:
        """Where clients are told to go, ip:port."""
        return f"{self.settings.broker.brokerIP1}:{self.settings.server.listenPort}"

    @property
    def ha_address(self) -> str:
        """Where slaves are told to go, ip:port."""
        return f"{self.settings.broker.brokerIP2}:{self.settings.store.haListenPort}"

    @property
    def store_host(self) -> bytes:
        """``address`` as every record carries it.

        :raises ValueError: brokerIP1 is no address.
        """
        return pack_host(self.settings.broker.brokerIP1, self.settings.server.listenPort)

    @property
    def delays_ms(self) -> tuple[int, ...]:
        """The delay levels' times, that of level 1 first.

        :raises rmq.base.errors.ConfigError: messageDelayLevel cannot be read.
        """
        return delay_levels_ms(self.settings.store.messageDelayLevel)

    def config_path(self, name: str) -> str:
        """Where a file of the broker's own state lies."""
        return f"{self.settings.store.storePathRootDir}/config/{name}"

    def table(self, name: str) -> TableFile:
        """The file of one table, as RocketMQ calls it."""
        return TableFile(self.disk, self.config_path(f"{name}.json"))
