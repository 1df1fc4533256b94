"""A master and its slaves in memory."""

from codec.ha.default import pack_report, parse_chunk_header
from rmq.base.manual import ManualClock
from rmq.replication.master import Master
from rmq.replication.serving import HaSettings

FILE_SIZE = 4096
SMALL = HaSettings(
    heartbeat_ms=5_000, silence_ms=20_000, chunk_max=1_000, gap_max=3_000, rate_max=None
)


class ALog:
    """Bytes of which each differs from its neighbours, in files of 4096."""

    log_file_size = FILE_SIZE

    def __init__(self, size=0, begin=0):
        self.min_position = begin
        self.written_position = 0
        self.content = b""
        self.error = None
        self.grow(size)

    def grow(self, size):
        start = self.written_position
        self.content += bytes(n * 7 % 251 for n in range(start, start + size))
        self.written_position += size

    def log_bytes(self, position, size_max):
        if self.error:
            raise self.error
        if position < self.min_position:
            return b""
        end = min(position - position % FILE_SIZE + FILE_SIZE, position + max(size_max, 0))
        return self.content[position:end]


class AWire:
    """Takes all, and says that it is sent when told to."""

    def __init__(self):
        self.chunks = []
        self.closed = False

    def send(self, data):
        header = parse_chunk_header(data[:12])
        assert header.size == len(data) - 12
        self.chunks.append((*header, data[12:]))

    def close(self):
        self.closed = True

    @property
    def headers(self):
        return [chunk[:2] for chunk in self.chunks]


class EagerWire(AWire):
    """Takes all at once, and says so while it does."""

    slave = None
    depth = 0

    def send(self, data):
        assert self.depth == 0, "a chunk within a chunk"
        self.depth += 1
        super().send(data)
        self.slave.ready()
        self.depth -= 1


class World:
    def __init__(self, size=0, begin=0, **changed):
        self.clock = ManualClock()
        self.log = ALog(size, begin)
        values = {name: getattr(SMALL, name) for name in SMALL.__slots__}
        self.master = Master(self.log, self.clock, HaSettings(**(values | changed)))
        self.master.start()
        self.acks = 0
        self.master.on_ack(self.acked)

    def acked(self):
        self.acks += 1

    def slave(self, address="10.0.0.9:1"):
        wire = AWire()
        slave = self.master.accept(wire, address)
        slave.ready()
        return slave, wire

    def following(self, position):
        slave, wire = self.slave()
        slave.receive(pack_report(position))
        drain(slave, wire)
        wire.chunks.clear()
        return slave, wire

    def append(self, size):
        self.log.grow(size)
        self.master.appended("topic", 0, 1, 0, 0, b"")


def drain(slave, wire):
    while True:
        before = len(wire.chunks)
        slave.ready()
        if len(wire.chunks) == before:
            return
