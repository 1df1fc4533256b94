"""The master's side of classic replication: reports come in, chunks go out, and that is all.

A slave that has nothing gets the master's last file; nothing else is in the frames than where a
chunk belongs. ``rmq.replication.serving`` has the rules.

Source: DefaultHAService.java, DefaultHAConnection.java, 5.3.3.
"""

from codec.ha.default import REPORT_SIZE, pack_chunk_header, parse_report
from rmq.replication.mode import Wire
from rmq.replication.serving import Served, Serving


class Slave(Served):
    """One connection of a slave that speaks the classic way."""

    __slots__ = ()

    def take(self, data: bytes) -> bytes:
        """Of several reports at once only the last counts, as in Java.

        :raises CodecError: it is none, or lies.
        """
        end = len(data) - len(data) % REPORT_SIZE
        if end:
            self.report(parse_report(data[end - REPORT_SIZE : end]))
        return data[end:]

    def header(self, size: int) -> bytes:
        """Where the chunk belongs, and how long it is."""
        return pack_chunk_header(self.position, size)

    def begin_of_empty(self) -> int:
        """The last file of the master."""
        source = self._server.log
        end = source.written_position
        return end - end % source.log_file_size


class Master(Serving):
    """All slaves of a classic master."""

    def connection(self, wire: Wire, address: str) -> Slave:
        """A connection of the classic kind."""
        return Slave(self, wire, address, self.now_ms())

    def is_in_sync(self, slave: Served, end: int) -> bool:
        """Whether little is missing. Source: DefaultHAService.java, isInSyncSlave(), 5.3.3."""
        return end - slave.acked < self.settings.gap_max
