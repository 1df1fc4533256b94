"""Where a broker keeps its files."""

from rmq.base.ports import Clock, Disk
from rmq.conf.startup import BrokerSettings
from rmq.net.disk import RealDisk
from rmq.net.memory_disk import MemoryDisk


def chosen_disk(settings: BrokerSettings, clock: Clock) -> Disk:
    """The machine's disk, or memory only if inMemory says so."""
    return MemoryDisk(clock) if settings.rmq.inMemory else RealDisk()
