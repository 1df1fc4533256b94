"""Producers that are connected, by group.

A producer is here from its first heartbeat until it says goodbye, its connection closes, or it has
been silent for ``SILENT_MS_MAX``. Source: ProducerManager.java, 5.3.3.
"""

import logging
from collections.abc import Mapping

from codec.bodies.clients import ProducerConnection, ProducerInfo, ProducerTableInfo
from rmq.base.ports import Clock
from rmq.broker.clients import Client
from rmq.remoting.channel import Channel

logger = logging.getLogger(__name__)

SILENT_MS_MAX = 120_000
"""A producer that sent no heartbeat for longer is gone. Source: CHANNEL_EXPIRED_TIMEOUT."""


class Producers:
    """Who produces, in which group, over which connection."""

    def __init__(self, clock: Clock, silent_ms_max: int = SILENT_MS_MAX) -> None:
        self._clock = clock
        self._silent_ms_max = silent_ms_max
        self._groups: dict[str, dict[Channel, Client]] = {}
        self._groups_of: dict[Channel, set[str]] = {}
        self._channels: dict[str, Channel] = {}
        self._turn = 0

    @property
    def groups(self) -> Mapping[str, Mapping[Channel, Client]]:
        """All groups with their members; not to be changed by the reader."""
        return self._groups

    def register(self, group: str, client: Client) -> None:
        """Take note of a heartbeat."""
        members = self._groups.setdefault(group, {})
        known = members.get(client.channel)
        if known is None:
            known = members[client.channel] = client
            self._groups_of.setdefault(client.channel, set()).add(group)
            self._channels[client.client_id] = client.channel
            logger.info("event=producer_connected group=%s client=%r", group, client)
        known.heard_ms = self._clock.monotonic_ms()

    def unregister(self, group: str, channel: Channel) -> None:
        """Let a producer leave one group; nothing if it is no member."""
        members = self._groups.get(group, {})
        client = members.pop(channel, None)
        if client is None:
            return
        logger.info("event=producer_left group=%s client=%r", group, client)
        if not members:
            del self._groups[group]
        groups = self._groups_of[channel]
        groups.discard(group)
        if not groups:
            del self._groups_of[channel]
            if self._channels.get(client.client_id) is channel:
                del self._channels[client.client_id]

    def channel_closed(self, channel: Channel) -> bool:
        """Let whoever used a connection leave; whether there was anyone."""
        groups = list(self._groups_of.get(channel, ()))
        for group in groups:
            self.unregister(group, channel)
        return bool(groups)

    def close_silent(self) -> int:
        """Close and forget connections without heartbeat for too long; how many memberships."""
        oldest_ms = self._clock.monotonic_ms() - self._silent_ms_max
        silent = [
            (group, channel)
            for group, members in self._groups.items()
            for channel, client in members.items()
            if client.heard_ms < oldest_ms
        ]
        for group, channel in silent:
            self.unregister(group, channel)
            channel.close("producer sent no heartbeat")
        return len(silent)

    def connections(self, group: str) -> list[Client]:
        """The members of a group, in the order of their coming."""
        return list(self._groups.get(group, {}).values())

    def connection_list(self, group: str) -> ProducerConnection:
        """What GET_PRODUCER_CONNECTION_LIST answers; empty if nobody is there."""
        return ProducerConnection(
            connection_set=[client.connection() for client in self.connections(group)]
        )

    def table_info(self) -> ProducerTableInfo:
        """What GET_ALL_PRODUCER_INFO answers: everybody, with Java's ``/`` before the address.

        Source: ProducerManager.java, getProducerTable(), 5.3.3.
        """
        started_ms = self._clock.wall_ms() - self._clock.monotonic_ms()
        return ProducerTableInfo(
            data={
                group: [
                    ProducerInfo(
                        client_id=client.client_id,
                        language=client.language,
                        last_update_timestamp=started_ms + client.heard_ms,
                        remote_ip=f"/{channel.remote_address}",
                        version=client.version,
                    )
                    for channel, client in members.items()
                ]
                for group, members in self._groups.items()
            }
        )

    def channel_of(self, client_id: str) -> Channel | None:
        """The connection of a client, by the identity that it gave."""
        return self._channels.get(client_id)

    def is_online(self, group: str) -> bool:
        """Whether a group has any member."""
        return group in self._groups

    def next_channel(self, group: str) -> Channel | None:
        """An open connection of a group, each in its turn; None if there is none.

        Source: ProducerManager.java, getAvailableChannel(), 5.3.3, which tries only three.
        """
        channels = list(self._groups.get(group, ()))
        self._turn += 1
        for step in range(len(channels)):
            channel = channels[(self._turn + step) % len(channels)]
            if channel.is_open:
                return channel
        return None
