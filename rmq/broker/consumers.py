"""Consumers that are connected, by group, and what each group has subscribed to.

A group is here while it has a member. A member is here from its first heartbeat until it says
goodbye, its connection closes, or it has been silent too long. Whenever a group's members or topics
change, all its members are told, so that they share the queues anew.

Pull consumers may ask without heartbeat; what they ask for is kept apart (*compensation*), for
``subscriptionExpiredTimeout``. Source: ConsumerManager.java, ConsumerGroupInfo.java, 5.3.3.
"""

import logging
from collections.abc import Callable, Mapping
from typing import TypeAlias

from codec.bodies.clients import ConsumerConnection
from codec.bodies.heartbeat import (
    ConsumeFromWhere,
    ConsumerData,
    ConsumeType,
    MessageModel,
    SubscriptionData,
)
from codec.codes import RequestCode
from codec.command import Command
from codec.headers.clients import NotifyConsumerIdsChangedRequestHeader
from codec.headers.fields import ext_fields_of
from rmq.base.ports import Clock
from rmq.broker.clients import Client
from rmq.conf.broker import BrokerConfig
from rmq.remoting.channel import Channel

logger = logging.getLogger(__name__)

Listener: TypeAlias = Callable[[str, "ConsumerGroup | None"], None]
"""Told of a group after each heartbeat (its SQL filters may be new) and, with None, of its end."""


class ConsumerGroup:
    """The members of one group and their subscriptions."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.consume_type: ConsumeType | None = None
        self.message_model: MessageModel | None = None
        self.consume_from_where: ConsumeFromWhere | None = None
        self.fingerprint: int | None = None
        """That of the last heartbeat of any member; None before the first."""
        self.subscriptions: dict[str, SubscriptionData] = {}
        self.members: dict[Channel, Client] = {}

    @property
    def is_broadcasting(self) -> bool:
        """Whether each member gets every message."""
        return self.message_model is MessageModel.BROADCASTING

    @property
    def client_ids(self) -> list[str]:
        """Who the members are, in the order of their coming."""
        return [client.client_id for client in self.members.values()]

    def member(self, client_id: str) -> Client | None:
        """The member of that identity."""
        for client in self.members.values():
            if client.client_id == client_id:
                return client
        return None

    def connection_list(self) -> ConsumerConnection:
        """What GET_CONSUMER_CONNECTION_LIST answers.

        Source: AdminBrokerProcessor.java, getConsumerConnectionList(), 5.3.3.
        """
        return ConsumerConnection(
            connection_set=[client.connection() for client in self.members.values()],
            consume_from_where=self.consume_from_where,
            consume_type=self.consume_type,
            message_model=self.message_model,
            subscription_table=dict(self.subscriptions),
        )

    def join(self, client: Client, data: ConsumerData, now_ms: int) -> bool:
        """Take note of a heartbeat; whether the member is new."""
        self.consume_type = data.consume_type
        self.message_model = data.message_model
        self.consume_from_where = data.consume_from_where
        known = self.members.get(client.channel)
        if known is None or known.client_id != client.client_id:
            if known is not None:
                logger.error("event=client_id_changed group=%s old=%r", self.name, known)
            self.members[client.channel] = client
        else:
            client = known
        client.heard_ms = now_ms
        return known is None

    def subscribe(self, subscriptions: list[SubscriptionData]) -> bool:
        """Take over the newest of each topic, forget topics not named; whether topics changed.

        Source: ConsumerGroupInfo.java, updateSubscription(), 5.3.3.
        """
        after: dict[str, SubscriptionData] = {}
        for subscription in subscriptions:
            topic = subscription.topic
            old = after.get(topic) or self.subscriptions.get(topic)
            is_newer = old is None or subscription.sub_version > old.sub_version
            after[topic] = subscription if old is None or is_newer else old
        changed = self.subscriptions.keys() != after.keys()
        if changed:
            logger.info("event=topics_changed group=%s topics=%s", self.name, sorted(after))
        self.subscriptions = after
        return changed


class Consumers:
    """Who consumes, in which group, over which connection."""

    def __init__(self, config: BrokerConfig, clock: Clock) -> None:
        """``config`` may be replaced while running: assign the attribute."""
        self.config = config
        self._clock = clock
        self._groups: dict[str, ConsumerGroup] = {}
        self._groups_of: dict[Channel, set[str]] = {}
        self._listeners: list[Listener] = []
        self._to_notify: set[str] = set()
        self.get = self._groups.get

    get: Callable[[str], ConsumerGroup | None]
    """A connected group by name; as cheap as a dict's own look-up."""

    @property
    def groups(self) -> Mapping[str, ConsumerGroup]:
        """All connected groups; not to be changed by the reader."""
        return self._groups

    def on_change(self, listener: Listener) -> None:
        """Have ``listener`` told of heartbeats and ends of groups."""
        self._listeners.append(listener)

    def register(self, client: Client, data: ConsumerData, *, notify: bool = True) -> bool:
        """Take note of a heartbeat; whether the group's members or topics are other than before.

        ``notify``: whether the group wants its members told (``notifyConsumerIdsChangedEnable``).
        Source: ConsumerManager.java, registerConsumer(), 5.3.3.
        """
        group = self._group(data.group_name)
        joined = self._join(group, client, data)
        changed = group.subscribe(data.subscription_data_set)
        if (joined or changed) and notify:
            self._notify(group)
        self._tell(group.name, group)
        return joined or changed

    def register_without_subscriptions(
        self, client: Client, data: ConsumerData, *, notify: bool = True
    ) -> bool:
        """Take note of a heartbeat that leaves out its subscriptions; whether the member is new.

        Source: ConsumerManager.java, registerConsumerWithoutSub(), 5.3.3.
        """
        group = self._group(data.group_name)
        joined = self._join(group, client, data)
        if joined and notify:
            self._notify(group)
        return joined

    def fingerprint_changed(self, group: str, fingerprint: int, *, without_sub: bool) -> bool:
        """Whether a V2 heartbeat differs from the group's last; remembers it. Call after register.

        A client told so sends its subscriptions next time. Java forgets to ask for them when it
        does not know the group (it was restarted); here that counts as a change too.
        Source: ClientManageProcessor.java, heartBeatV2(), 5.3.3.
        """
        known = self._groups.get(group)
        if known is None:
            return False
        before, known.fingerprint = known.fingerprint, fingerprint
        if before is None:
            return without_sub and not known.subscriptions
        return before != fingerprint

    def unregister(self, group: str, channel: Channel, *, notify: bool = True) -> None:
        """Let a member leave one group; nothing if it is no member.

        Source: ConsumerManager.java, unregisterConsumer(), 5.3.3.
        """
        known = self._groups.get(group)
        client = None if known is None else known.members.pop(channel, None)
        if known is None or client is None:
            return
        logger.info("event=consumer_left group=%s client=%r", group, client)
        groups = self._groups_of[channel]
        groups.discard(group)
        if not groups:
            del self._groups_of[channel]
        if known.members:
            if notify:
                self._notify(known)
        else:
            del self._groups[group]
            logger.info("event=group_left group=%s", group)
            self._tell(group, None)

    def channel_closed(self, channel: Channel) -> bool:
        """Let whoever used a connection leave, and tell the others; whether there was anyone."""
        groups = list(self._groups_of.get(channel, ()))
        for group in groups:
            self.unregister(group, channel)
        return bool(groups)

    def close_silent(self) -> int:
        """Close and forget connections without heartbeat for too long; how many memberships.

        Unlike Java, which forgets them first and so tells nobody, the others are told.
        Source: ConsumerManager.java, scanNotActiveChannel(), 5.3.3.
        """
        oldest_ms = self._clock.monotonic_ms() - self.config.channelExpiredTimeout
        silent = [
            (group.name, channel)
            for group in self._groups.values()
            for channel, client in group.members.items()
            if client.heard_ms < oldest_ms
        ]
        for name, channel in silent:
            self.unregister(name, channel)
            channel.close("consumer sent no heartbeat")
        return len(silent)

    def subscription(self, group: str, topic: str) -> SubscriptionData | None:
        """What a group wants of a topic, by its heartbeats."""
        known = self._groups.get(group)
        return None if known is None else known.subscriptions.get(topic)

    def groups_of_topic(self, topic: str) -> set[str]:
        """Connected groups that subscribe to a topic.

        Java's table for this holds the topic's own name by mistake.
        Source: ConsumerManager.java, queryTopicConsumeByWho(), 5.3.3.
        """
        return {name for name, group in self._groups.items() if topic in group.subscriptions}

    def send_notices(self) -> None:
        """Tell the groups that changed since the last time; only without real-time notices.

        Source: DefaultConsumerIdsChangeListener.java, notifyConsumerChange(), 5.3.3.
        """
        names, self._to_notify = self._to_notify, set()
        for name in names:
            group = self._groups.get(name)
            if group is not None:
                self._send_notice(group)

    def _group(self, name: str) -> ConsumerGroup:
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = ConsumerGroup(name)
        return group

    def _join(self, group: ConsumerGroup, client: Client, data: ConsumerData) -> bool:
        joined = group.join(client, data, self._clock.monotonic_ms())
        if joined:
            self._groups_of.setdefault(client.channel, set()).add(group.name)
            logger.info("event=consumer_connected group=%s client=%r", group.name, client)
        return joined

    def _notify(self, group: ConsumerGroup) -> None:
        if not self.config.notifyConsumerIdsChangedEnable or group.is_broadcasting:
            return
        if self.config.realTimeNotifyConsumerChange:
            self._send_notice(group)
        else:
            self._to_notify.add(group.name)

    def _send_notice(self, group: ConsumerGroup) -> None:
        header = NotifyConsumerIdsChangedRequestHeader(consumer_group=group.name)
        fields = ext_fields_of(header)
        for channel in list(group.members):
            channel.send(Command(code=RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, ext_fields=fields))

    def _tell(self, name: str, group: ConsumerGroup | None) -> None:
        for listener in self._listeners:
            listener(name, group)
