"""What the tests of the tables share."""

from dataclasses import replace

from rmq.broker.saving import TableFile
from rmq.conf.broker import BrokerConfig
from rmq.net.memory_disk import MemoryDisk

FOLDER = "/store/config"


def config(**changed):
    return replace(BrokerConfig(), brokerName="broker-a", brokerClusterName="C", **changed)


def table_file(disk, name):
    return TableFile(disk, f"{FOLDER}/{name}")


class FullDisk(MemoryDisk):
    """Refuses to write whole files while ``full``."""

    full = False

    def replace(self, path, content):
        if self.full:
            raise OSError(28, "No space left on device")
        super().replace(path, content)
