"""Acknowledging many popped messages at once."""

from codec.bodies.body import Body, kept, kept_list
from codec.headers.fields import Int32, Int64


class BatchAck(Body, kw_only=True):
    """Messages of one pop that were consumed. Names on the wire are one or two letters.

    Source: BatchAck.java, 5.3.3.
    """

    b: bytes | None = None
    """Bits of the consumed messages, bit 0 is ``so``; least significant bit of a byte first."""
    c: str | None = None
    """Group."""
    it: Int64 = kept(0)
    """For how long the messages are invisible, milliseconds."""
    pt: Int64 = kept(0)
    """When they were popped, milliseconds since 1970."""
    q: Int32 = kept(0)
    """Queue id."""
    r: str | None = None
    """``1`` or ``2`` if popped from the group's retry topic of that version, else ``0``."""
    rq: Int32 = kept(0)
    """Id of the revive queue."""
    so: Int64 = kept(0)
    """First queue offset of the pop."""
    t: str | None = None
    """Topic."""


class BatchAckMessageRequestBody(Body, kw_only=True):
    """Acknowledgements for one broker."""

    acks: list[BatchAck] = kept_list()
    broker_name: str | None = None
