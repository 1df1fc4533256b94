"""The slave's side of classic replication: chunks come in, reports go out, and that is all.

The first word is a report, at once. ``rmq.replication.following`` has the rules.

Source: DefaultHAClient.java, 5.3.3. On purpose different: Java says its first word up to
``heartbeat_ms`` late.
"""

from codec.ha.default import CHUNK_HEADER_SIZE, pack_report, parse_chunk_header
from rmq.replication.following import Following


class ClassicSlave(Following):
    """A :class:`rmq.replication.mode.MasterConnection` that speaks the classic way."""

    def greet(self) -> None:
        """Say where our log ends."""
        self.report()

    def frame_size(self, buffer: bytearray, at: int) -> int:
        """A header and its bytes.

        :raises CodecError: it is none, or breaks a rule.
        """
        body = at + CHUNK_HEADER_SIZE
        if len(buffer) < body:
            return CHUNK_HEADER_SIZE
        position, size = parse_chunk_header(bytes(buffer[at:body]))
        self.check_chunk(position, size)
        return CHUNK_HEADER_SIZE + size

    def take(self, buffer: bytearray, at: int) -> None:
        """Append what follows the header.

        :raises StoreError: it cannot be appended.
        """
        body = at + CHUNK_HEADER_SIZE
        position, size = parse_chunk_header(bytes(buffer[at:body]))
        if size:
            self._log.append_raw(position, bytes(buffer[body : body + size]))

    def report(self) -> None:
        """Say where our log ends."""
        self.say_end(pack_report)
