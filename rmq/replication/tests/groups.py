"""A group of brokers in memory, with stores and replication of production code, and bytes between.

Whatever is sent arrives in pieces of random length, and, between different connections, in random
order.
"""

from dataclasses import replace

from codec.message.record import parse_record
from rmq.base.manual import FixedChance, ManualClock
from rmq.net.memory_disk import MemoryDisk
from rmq.replication.autoswitch import AutoSwitch
from rmq.replication.autoswitch_master import AutoSwitchSettings
from rmq.replication.epochs import Epochs
from rmq.replication.serving import HaSettings
from rmq.store.messages import PutStatus
from rmq.store.store import MessageStore
from rmq.store.tests.stores import SMALL, message

EPOCH_FILE = "/store/epochFileCheckpoint"
SETTINGS = AutoSwitchSettings(ha=HaSettings(chunk_max=1_000), all_ack=True)

SIZES = (1, 7, 40, 600, 5_000)


class Link:
    """One TCP connection: what the two ends have sent and not got."""

    def __init__(self, net, slave, address, to):
        self.net = net
        self.is_open = True
        self.to_master, self.to_slave = bytearray(), bytearray()
        self.slave = slave
        self.address, self.to = address, to
        self.master = None

    def close(self):
        if self.is_open:
            self.is_open = False
            self.net.links.remove(self)
            self.slave.lost("closed")
            if self.master is not None:
                self.master.lost("closed")

    def deliver(self, chance):
        """Some bytes in one direction."""
        if self.to_master and (not self.to_slave or chance.below(2)):
            self.master.receive(_some(self.to_master, chance))
        else:
            piece = _some(self.to_slave, chance)
            if not self.to_slave:
                self.master.ready()
            if self.is_open:
                self.slave.receive(piece)


def _some(buffer, chance):
    size = SIZES[chance.below(len(SIZES))]
    piece = bytes(buffer[:size])
    del buffer[:size]
    return piece


class End:
    """A ``Wire``."""

    def __init__(self, link, buffer):
        self._link, self._buffer = link, buffer

    def send(self, data):
        if self._link.is_open:
            self._buffer += data

    def close(self):
        self._link.close()


class Net:
    def __init__(self, seed=0):
        self.clock = ManualClock()
        self.chance = FixedChance.seeded(seed)
        self.brokers = {}
        self.links = []
        self.cut_off = set()

    def broker(self, broker_id, **changes):
        broker = Broker(self, broker_id, replace(SETTINGS, **changes))
        self.brokers[broker.address] = broker
        return broker

    def dial_from(self, address):
        def dial(to, connection):
            peer = self.brokers.get(to)
            if peer is None or not peer.is_up or {to, address} & self.cut_off:
                connection.lost("refused")
                return
            link = Link(self, connection, address, to)
            self.links.append(link)
            link.master = peer.replication.accept(End(link, link.to_slave), address)
            if link.master is None:
                link.close()
                return
            connection.connected(End(link, link.to_master))
            link.master.ready()

        return dial

    def cut(self, broker):
        """Take a broker from the network."""
        self.cut_off.add(broker.address)
        for link in list(self.links):
            if broker.address in (link.address, link.to):
                link.close()

    def heal(self, broker):
        self.cut_off.discard(broker.address)

    def run(self, ms=0):
        """Deliver all that is under way, and let time pass."""
        step_ms = 100
        self._deliver()
        for _ in range(ms // step_ms):
            self.clock.advance(step_ms)
            self._deliver()

    def _deliver(self):
        self.clock.advance(0)
        while busy := [link for link in self.links if link.to_master or link.to_slave]:
            busy[self.chance.below(len(busy))].deliver(self.chance)
            self.clock.advance(0)


class Broker:
    """One broker of the group; roles change as ``rmq.app.broker_roles`` does it."""

    def __init__(self, net, broker_id, settings):
        self.net = net
        self.broker_id = broker_id
        self.settings = settings
        self.address = f"10.0.0.{broker_id}:10912"
        self.disk = MemoryDisk(net.clock)
        self.proposals = []
        self.confirmations = []
        self.count = 0
        self.start()

    def start(self):
        self.is_up = True
        self.store = MessageStore(self.disk, self.net.clock, SMALL)
        self.store.follow("it has no role yet")
        self.store.load()
        epochs = Epochs(self.disk, EPOCH_FILE)
        epochs.load()
        self.replication = AutoSwitch(
            self.store, epochs, self.net.dial_from(self.address), self.net.clock, self.settings
        )
        self.replication.broker_id = self.broker_id
        self.replication.follow(None, 0)
        self.store.on_arrival(self.replication.appended)
        self.store.on_append(self.replication.appended)
        self.replication.on_sync_state_change(self.proposals.append)
        self.replication.on_confirm(
            lambda: self.confirmations.append(self.replication.confirm_position)
        )

    def crash(self):
        """The process ends, the disk stays as it is."""
        self.is_up = False
        for link in list(self.net.links):
            if self.address in (link.address, link.to):
                link.close()
        self.replication.stop()
        self.disk = self.disk.outlive()

    def lead(self, epoch, *members, number=0):
        self.store.drop_torn_tail()
        if members:
            self.replication.set_sync_state(frozenset(members), number)
        self.replication.lead(epoch)
        self.store.lead()

    def follow(self, other, epoch):
        self.store.follow("it is a slave")
        self.replication.follow(other.address, epoch)

    def put(self, count=1):
        for _ in range(count):
            self.count += 1
            body = b"%d:%d" % (self.broker_id, self.count)
            result = self.store.put(message(self.count, body=body))
            assert result.status is PutStatus.PUT_OK
            self.net.clock.advance(0)

    @property
    def end(self):
        return self.store.written_position

    @property
    def log(self):
        content, position = b"", self.store.min_position
        while position < self.end:
            data = self.store.log_bytes(position, 100_000)
            content += data
            position += len(data)
        return content

    @property
    def bodies(self):
        """Of all messages that can be read."""
        store = self.store
        offsets = range(store.min_offset("T", 0), store.max_offset("T", 0))
        records = [store.message_at(store.position_of("T", 0, offset)) for offset in offsets]
        return [parse_record(record, 0, len(record)).body for record in records]
