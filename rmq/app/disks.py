"""Where a broker keeps its files."""

import shutil
from collections.abc import Callable

from rmq.base.ports import Clock, Disk
from rmq.conf.startup import BrokerSettings
from rmq.net.disk import RealDisk
from rmq.net.memory_disk import MemoryDisk

Capacity = Callable[[str], tuple[int, int] | None]
"""Bytes in all and free of the file system that holds a path; None if unknown."""


def chosen_disk(settings: BrokerSettings, clock: Clock) -> Disk:
    """The machine's disk, or memory only if inMemory says so."""
    return MemoryDisk(clock) if settings.rmq.inMemory else RealDisk()


def chosen_capacity(settings: BrokerSettings) -> Capacity:
    """How big the machine's disk is; of memory nobody knows."""
    return (lambda _path: None) if settings.rmq.inMemory else _capacity


def _capacity(path: str) -> tuple[int, int] | None:
    try:
        usage = shutil.disk_usage(path)
    except OSError:
        return None
    return usage.total, usage.free
