"""A connection to a peer, as the roles see it."""

from typing import Protocol

from twisted.internet.defer import Deferred

from codec.command import Command


class Channel(Protocol):
    """One live connection; hashable by identity, dead once closed and never revived."""

    def __hash__(self) -> int: ...

    @property
    def remote_address(self) -> str:
        """The peer, ``ip:port``."""
        ...

    @property
    def local_address(self) -> str:
        """Our end, ``ip:port``: the address by which the peer reached us."""
        ...

    @property
    def host_bytes(self) -> bytes:
        """The peer as records keep it: 4 or 16 bytes of address, 4 of port."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether something can still be sent."""
        ...

    def send(self, command: Command) -> None:
        """Send one way; the opaque is given by the channel. Nothing happens if it is closed."""
        ...

    def call(self, command: Command, timeout_ms: int) -> Deferred[Command]:
        """Send and await the answer.

        Fails with ``CallError`` if closed before the answer, with ``CallTimeoutError`` if none
        comes within ``timeout_ms``.
        """
        ...

    def close(self, reason: str) -> None:
        """Drop the connection; the reason goes to the log."""
        ...
