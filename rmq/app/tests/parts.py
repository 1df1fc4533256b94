"""A broker's parts over ports in memory, without a reactor."""

from twisted.internet.defer import execute

from rmq.app.broker_dledger import Grouped
from rmq.app.broker_ports import BrokerPorts
from rmq.app.broker_services import Services
from rmq.app.broker_tables import build_tables
from rmq.app.store import store_settings
from rmq.base.manual import FixedChance, ManualClock
from rmq.conf.settings import Machine
from rmq.conf.startup import broker_settings
from rmq.net.memory_disk import MemoryDisk
from rmq.remoting.testing import FakeCaller
from rmq.store.store import MessageStore

SMALL = {
    "mappedFileSizeCommitLog": "4096",
    "mappedFileSizeConsumeQueue": "2000",
    "maxHashSlotNum": "100",
    "maxIndexNum": "400",
    "brokerIP1": "127.0.0.1",
    "brokerIP2": "127.0.0.2",
    "brokerName": "broker-a",
    "inMemory": "true",
}


def small_settings(**values):
    return broker_settings(SMALL | values, Machine(home="/home/me"))


class AtOnce:
    """A worker without threads."""

    def run(self, call):
        return execute(call)


class Parts:
    def __init__(self, disk=None, **values):
        self.clock = ManualClock()
        self.disk = disk or MemoryDisk(self.clock)
        self.ports = BrokerPorts(
            small_settings(**values), self.disk, self.clock, FixedChance.seeded(7)
        )
        settings = store_settings(self.ports.settings.store, self.ports.store_host)
        self.caller = FakeCaller()
        self.grouped = None
        if self.ports.settings.store.enableDLegerCommitLog:
            self.grouped = Grouped(self.ports, AtOnce(), self.caller)
        ledger = None if self.grouped is None else self.grouped.log
        self.store = MessageStore(self.disk, self.clock, settings, ledger)
        self.tables = build_tables(self.ports, self.store.min_offset)
        self.dialled = []
        self.services = Services(
            self.ports, self.tables, self.store, AtOnce(), self.caller, self.dial, self.grouped
        )

    def dial(self, address, connection):
        self.dialled.append((address, connection))
