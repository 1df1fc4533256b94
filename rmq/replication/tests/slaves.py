"""A slave and its master's end of the connection in memory."""

from codec.ha.default import pack_chunk_header, parse_report
from rmq.base.manual import ManualClock
from rmq.replication.serving import HaSettings
from rmq.replication.slave import ClassicSlave

FILE_SIZE = 4096


class ALog:
    """Takes what fits; ``said`` keeps the order of things."""

    log_file_size = FILE_SIZE

    def __init__(self, end=0):
        self.written_position = end
        self.appended = []
        self.said = []
        self.append_error = self.dispatch_error = None

    def append_raw(self, position, data):
        if self.append_error:
            raise self.append_error
        self.appended.append((position, data))
        self.written_position = position + len(data)

    def dispatch(self):
        self.said.append("dispatched")
        if self.dispatch_error:
            raise self.dispatch_error
        return 0


class AWire:
    def __init__(self, log):
        self.log = log
        self.reports = []
        self.closed = False

    def send(self, data):
        assert not self.closed
        self.reports.append(parse_report(data))
        self.log.said.append("reported")

    def close(self):
        self.closed = True


class World:
    def __init__(self, end=0):
        self.clock = ManualClock()
        self.log = ALog(end)
        self.grown = 0
        self.slave = ClassicSlave(self.log, self.clock, HaSettings(), self.grow)
        self.wire = AWire(self.log)
        self.slave.connected(self.wire)
        self.log.said.clear()

    def grow(self):
        self.grown += 1

    def chunk(self, position, data):
        self.slave.receive(pack_chunk_header(position, len(data)) + data)
