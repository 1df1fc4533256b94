"""What a broker knows beside its messages: topics, groups, offsets, and who is connected."""

from collections.abc import Callable
from dataclasses import dataclass

from rmq.app.broker_ports import BrokerPorts
from rmq.broker.consumer_filters import ConsumerFilters
from rmq.broker.consumers import Consumers
from rmq.broker.groups import Groups
from rmq.broker.live_config import Follower
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.producers import Producers
from rmq.broker.queue_locks import QueueLocks
from rmq.broker.request_modes import RequestModes
from rmq.broker.saving import TableFile
from rmq.broker.timer_state import TimerState
from rmq.broker.topics import Topics
from rmq.broker.waiting import WaitingPulls


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """All tables of one broker; the first six are also on disk."""

    topics: Topics
    groups: Groups
    offsets: ConsumerOffsets
    request_modes: RequestModes
    filters: ConsumerFilters
    timer: TimerState
    producers: Producers
    consumers: Consumers
    locks: QueueLocks
    waiting: WaitingPulls

    @property
    def followers(self) -> tuple[Follower, ...]:
        """Those that obey a changed setting at once."""
        return self.topics, self.groups, self.offsets, self.consumers, self.filters

    def load(self) -> None:
        """Read what the last run left.

        :raises rmq.base.errors.StoreError: a file cannot be read.
        """
        self.topics.load()
        self.groups.load()
        self.offsets.load()
        self.request_modes.load()
        self.filters.load()
        self.timer.load()

    def persist(self) -> None:
        """Write what is not written at every change."""
        self.offsets.persist()
        self.topics.persist()
        self.groups.persist()
        self.filters.persist()
        self.timer.persist()


def build_tables(ports: BrokerPorts, min_offset: Callable[[str, int], int]) -> Tables:
    """Empty tables; ``min_offset`` gives the first offset that a topic's queue still holds."""
    config, clock = ports.settings.broker, ports.clock
    filters = ConsumerFilters(config, clock, ports.table("consumerFilter"))
    consumers = Consumers(config, clock)
    consumers.on_change(filters.group_changed)
    return Tables(
        topics=Topics(config, clock, ports.table("topics")),
        groups=Groups(config, clock, ports.table("subscriptionGroup")),
        offsets=ConsumerOffsets(config, clock, ports.table("consumerOffset"), min_offset),
        request_modes=RequestModes(ports.table("messageRequestMode")),
        filters=filters,
        timer=TimerState(
            ports.disk,
            ports.config_path("timercheck"),
            TableFile(ports.disk, ports.config_path("timermetrics")),
        ),
        producers=Producers(clock, config.channelExpiredTimeout),
        consumers=consumers,
        locks=QueueLocks(clock),
        waiting=WaitingPulls(clock),
    )
