"""The version of a table that brokers keep and others copy."""

from typing import Self

from msgspec import Struct

from codec.headers.fields import Int64


class DataVersion(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """Which state a table is in; equal only if all three are. Source: DataVersion.java, 5.3.3."""

    counter: Int64 = 0
    """Changes so far."""
    state_version: Int64 = 0
    """Of a broker under a controller: its epoch; else 0."""
    timestamp: Int64 = 0
    """When it last changed, milliseconds since 1970."""

    def next(self, now_ms: int, state_version: int = 0) -> Self:
        """The version after one more change. Source: nextVersion()."""
        return type(self)(counter=self.counter + 1, state_version=state_version, timestamp=now_ms)
