"""Brokers that were heard of lately, and over which connection.

A broker here is a cluster's name and an address: that pair is one running process. Whatever else
is known of it (its name, its id) is in ``rmq.namesrv.routes``.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from codec.bodies.data_version import DataVersion
from rmq.remoting.channel import Channel

HEARTBEAT_TIMEOUT_MS = 120_000
"""How long a broker may be silent if it did not say itself."""


class BrokerKey(NamedTuple):
    """One running broker. Source: RouteInfoManager.java, BrokerAddrInfo, 5.3.3."""

    cluster: str
    address: str


class LiveBroker(msgspec.Struct, kw_only=True):
    """What a broker's last registration said, and when it was last heard of.

    Source: RouteInfoManager.java, BrokerLiveInfo, 5.3.3.
    """

    heard_ms: int
    """By the monotonic clock; Java takes people's time and loses brokers when that jumps."""
    timeout_ms: int
    data_version: DataVersion
    channel: Channel
    ha_address: str | None


class LiveBrokers:
    """The live table, with an index by connection so that a closing client costs nothing."""

    def __init__(self) -> None:
        self._brokers: dict[BrokerKey, LiveBroker] = {}
        self._by_channel: dict[Channel, dict[BrokerKey, None]] = {}

    def __len__(self) -> int:
        return len(self._brokers)

    def __iter__(self) -> Iterator[BrokerKey]:
        return iter(self._brokers)

    def get(self, key: BrokerKey) -> LiveBroker | None:
        """What is known of a broker; None if it is not alive."""
        return self._brokers.get(key)

    def put(self, key: BrokerKey, broker: LiveBroker) -> None:
        """Note a registration; it replaces the one before."""
        self.remove(key)
        self._brokers[key] = broker
        self._by_channel.setdefault(broker.channel, {})[key] = None

    def remove(self, key: BrokerKey) -> None:
        """Forget a broker; nothing if it is not there."""
        broker = self._brokers.pop(key, None)
        if broker is None:
            return
        of_channel = self._by_channel[broker.channel]
        del of_channel[key]
        if not of_channel:
            del self._by_channel[broker.channel]

    def heard(self, key: BrokerKey, now_ms: int) -> None:
        """Note that a broker lives; nothing if it never registered."""
        broker = self._brokers.get(key)
        if broker is not None:
            broker.heard_ms = now_ms

    def on_channel(self, channel: Channel) -> list[BrokerKey]:
        """The brokers that registered last over this connection.

        Java unregisters only the first of them when it closes and leaves the rest to time.
        """
        return list(self._by_channel.get(channel, ()))

    def silent(self, now_ms: int) -> list[tuple[BrokerKey, LiveBroker]]:
        """The brokers that were not heard of within their own timeout."""
        return [
            (key, broker)
            for key, broker in self._brokers.items()
            if broker.heard_ms + broker.timeout_ms < now_ms
        ]
