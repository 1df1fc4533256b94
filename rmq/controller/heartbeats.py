"""Which brokers live, as this Controller hears them: each Controller keeps its own table.

A broker lives as long as it is heard of within the time that it granted itself, and as long as the
connection over which it was heard last is up. A killed broker's connection closes at once; one that
hangs, or is cut off, is found by the scan.
"""

import logging
from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from codec.codes import ResponseCode
from codec.headers.namesrv import BrokerHeartbeatRequestHeader
from rmq.base.errors import CommandError
from rmq.base.periodic import Periodic
from rmq.base.ports import Clock
from rmq.remoting.channel import Channel

logger = logging.getLogger(__name__)

DEFAULT_LEASE_MS = 10_000
"""How long a broker may be silent if it did not say itself.

Source: BrokerHeartbeatManager.java, DEFAULT_BROKER_CHANNEL_EXPIRED_TIME, 5.3.3.
"""

FIRST_SCAN_MS = 2_000

LIVE_MAX = 65_536
"""Brokers that can be alive at a time: whoever reaches the port can claim to be one."""

LOWEST_PRIORITY = 2**31 - 1


class BrokerKey(NamedTuple):
    """One running broker. Source: BrokerIdentityInfo.java, 5.3.3."""

    cluster: str
    broker_name: str
    broker_id: int


class LiveBroker(msgspec.Struct, kw_only=True):
    """What a broker said last. Source: BrokerLiveInfo.java, 5.3.3."""

    heard_ms: int
    lease_ms: int
    channel: Channel
    epoch: int = -1
    max_offset: int = -1
    """Where its commit log ends, in bytes, written in ``epoch``; never goes back within one."""
    confirm_offset: int = -1
    priority: int = LOWEST_PRIORITY
    """The lower, the sooner it leads."""


class Liveness(Protocol):
    """Who is alive, and how far."""

    def alive(self, cluster: str | None, broker_name: str, broker_id: int) -> bool:
        """Whether a broker was heard of in time."""
        ...

    def get(self, cluster: str | None, broker_name: str, broker_id: int) -> LiveBroker | None:
        """What it said last; None if it is not in the table."""
        ...


class Heartbeats:
    """The table. Source: DefaultBrokerHeartbeatManager.java, 5.3.3.

    On purpose different: times are of the monotonic clock; a broker that comes over a new
    connection is watched there; all brokers of a connection that closes are lost, not one; and
    after a pause of this process, in which nobody was heard, all get that time on top.
    """

    def __init__(
        self,
        clock: Clock,
        scan_interval_ms: int,
        live_max: int = LIVE_MAX,
    ) -> None:
        self._clock = clock
        self._scan_interval_ms = scan_interval_ms
        self._lost: Callable[[BrokerKey], object] = lambda _: None
        self._live_max = live_max
        self._brokers: dict[BrokerKey, LiveBroker] = {}
        self._by_channel: dict[Channel, dict[BrokerKey, None]] = {}
        self._scan_due_ms = 0
        first_ms = min(FIRST_SCAN_MS, scan_interval_ms)
        self._scans = Periodic(clock, scan_interval_ms, self.scan, first_ms=first_ms)
        self._first_ms = first_ms

    def __len__(self) -> int:
        return len(self._brokers)

    def on_lost(self, listener: Callable[[BrokerKey], object]) -> None:
        """Have ``listener`` told of each broker that is no longer alive, when the table knows it.

        There is one listener.
        """
        self._lost = listener

    def start(self) -> None:
        """Begin to look for silent brokers."""
        self._scan_due_ms = self._clock.monotonic_ms() + self._first_ms
        self._scans.start()

    def stop(self) -> None:
        """Look no more."""
        self._scans.stop()

    def heard(self, header: BrokerHeartbeatRequestHeader, channel: Channel) -> None:
        """Note a heartbeat.

        :raises CommandError: CONTROLLER_INVALID_REQUEST, it does not say which broker, or grants
            itself no time; SYSTEM_BUSY, the table is full.
        """
        if header.broker_id is None:
            raise CommandError(
                ResponseCode.CONTROLLER_INVALID_REQUEST,
                "Heart beat with empty brokerId; send the id that the controller gave",
            )
        lease_ms = header.heartbeat_timeout_mills
        if lease_ms is None:
            lease_ms = DEFAULT_LEASE_MS
        if lease_ms < 1:
            raise CommandError(
                ResponseCode.CONTROLLER_INVALID_REQUEST,
                f"heartbeatTimeoutMills={lease_ms}: expected 1 or more; "
                "correct the broker's controllerHeartBeatTimeoutMills",
            )
        key = BrokerKey(header.cluster_name, header.broker_name, header.broker_id)
        broker = self._brokers.get(key)
        if broker is None:
            broker = self._new(key, lease_ms, channel)
        elif broker.channel is not channel:
            self._unlink(key, broker.channel)
            self._link(key, channel)
            broker.channel = channel
        broker.heard_ms = self._clock.monotonic_ms()
        broker.lease_ms = lease_ms
        priority = header.election_priority
        broker.priority = LOWEST_PRIORITY if priority is None else priority
        _progress(broker, header)

    def alive(self, cluster: str | None, broker_name: str, broker_id: int) -> bool:
        """Whether a broker was heard of in time."""
        broker = self.get(cluster, broker_name, broker_id)
        return broker is not None and not self._expired(broker)

    def get(self, cluster: str | None, broker_name: str, broker_id: int) -> LiveBroker | None:
        """What it said last; None if it is not in the table."""
        return self._brokers.get(BrokerKey(cluster or "", broker_name, broker_id))

    def channel_closed(self, channel: Channel) -> None:
        """Its brokers are lost."""
        for key in list(self._by_channel.get(channel, ())):
            logger.warning(
                "event=broker_channel_closed cluster=%s broker=%s id=%d address=%s",
                *key,
                channel.remote_address,
            )
            self._remove(key)

    def scan(self) -> None:
        """Lose the brokers that were silent for too long, and close their connections.

        A scan that comes late by more than its interval tells of a pause of our own, in which
        heartbeats may have come that are not read yet: the table waits as much longer.
        """
        now_ms = self._clock.monotonic_ms()
        late_ms = now_ms - self._scan_due_ms
        self._scan_due_ms = now_ms + self._scan_interval_ms
        if late_ms > self._scan_interval_ms:
            logger.warning("event=controller_was_paused late_ms=%d", late_ms)
            for broker in self._brokers.values():
                broker.heard_ms += late_ms
        for key, broker in list(self._brokers.items()):
            if self._expired(broker) and self._brokers.get(key) is broker:
                logger.warning(
                    "event=broker_silent cluster=%s broker=%s id=%d lease_ms=%d",
                    *key,
                    broker.lease_ms,
                )
                self._remove(key)
                broker.channel.close(f"broker {key} was silent for {broker.lease_ms} ms")

    def _new(self, key: BrokerKey, lease_ms: int, channel: Channel) -> LiveBroker:
        if len(self._brokers) >= self._live_max:
            raise CommandError(
                ResponseCode.SYSTEM_BUSY,
                f"{self._live_max} brokers are alive already, none is taken beyond; "
                "look for who sends heartbeats without being a broker",
            )
        logger.info("event=broker_alive cluster=%s broker=%s id=%d", *key)
        broker = self._brokers[key] = LiveBroker(heard_ms=0, lease_ms=lease_ms, channel=channel)
        self._link(key, channel)
        return broker

    def _expired(self, broker: LiveBroker) -> bool:
        return broker.heard_ms + broker.lease_ms < self._clock.monotonic_ms()

    def _remove(self, key: BrokerKey) -> None:
        broker = self._brokers.pop(key)
        self._unlink(key, broker.channel)
        self._lost(key)

    def _link(self, key: BrokerKey, channel: Channel) -> None:
        self._by_channel.setdefault(channel, {})[key] = None

    def _unlink(self, key: BrokerKey, channel: Channel) -> None:
        of_channel = self._by_channel[channel]
        del of_channel[key]
        if not of_channel:
            del self._by_channel[channel]


def _progress(broker: LiveBroker, header: BrokerHeartbeatRequestHeader) -> None:
    """Take over how far it is, unless the heartbeat is older than what is known."""
    epoch = -1 if header.epoch is None else header.epoch
    max_offset = -1 if header.max_offset is None else header.max_offset
    if (epoch, max_offset) > (broker.epoch, broker.max_offset):
        broker.epoch = epoch
        broker.max_offset = max_offset
        confirmed = header.confirm_offset
        broker.confirm_offset = -1 if confirmed is None else confirmed
