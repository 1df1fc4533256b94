"""How many messages came and went, by topic and by group: over the last minute, hour and day.

Counting costs the paths of messages next to nothing. What was put is not counted at all: every 10 s
the queues are asked how far they have grown, and their units how long the records are. What was
got is added to one counter a batch. From each counter, *samples* are taken every 10 s, 10 minutes
and 1 hour; a *window* says how much the counter grew from its oldest sample to its newest.

A counter is here from its first message on, as in Java: what never moved is unknown.
Source: BrokerStatsManager.java, StatsItem.java, BrokerStats.java, 5.3.3.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from codec.bodies.stats import BrokerStatsData, BrokerStatsItem
from codec.disk.consume_queue import UNIT_SIZE
from rmq.base.ports import Clock

TOPIC_PUT_NUMS = "TOPIC_PUT_NUMS"
TOPIC_PUT_SIZE = "TOPIC_PUT_SIZE"
GROUP_GET_NUMS = "GROUP_GET_NUMS"
GROUP_GET_SIZE = "GROUP_GET_SIZE"
SNDBCK_PUT_NUMS = "SNDBCK_PUT_NUMS"
BROKER_PUT_NUMS = "BROKER_PUT_NUMS"
BROKER_GET_NUMS = "BROKER_GET_NUMS"
BROKER_PUT_NUMS_WITHOUT_SYSTEM_TOPIC = "BROKER_PUT_NUMS_WITHOUT_SYSTEM_TOPIC"
BROKER_GET_NUMS_WITHOUT_SYSTEM_TOPIC = "BROKER_GET_NUMS_WITHOUT_SYSTEM_TOPIC"
"""Names of statistics. Those of topics have the topic as key, those of groups ``topic@group``,
those of the broker the cluster's name."""

SAMPLE_PERIOD_MS = 10_000
"""How often ``BrokerStats.sample`` must be called."""

SAMPLES_TO_HOUR_SAMPLE = 60
SAMPLES_TO_DAY_SAMPLE = 360
SHORT_WINDOW = 7
DAY_WINDOW = 25
"""Samples that a window keeps."""

DAY_MS = 86_400_000
UNITS_AT_ONCE = 65_536
"""Units of a queue whose sizes are read in one piece."""


class StoredQueue(Protocol):
    """What is read of a consume queue."""

    @property
    def topic(self) -> str:
        """Its topic."""
        ...

    @property
    def next_offset(self) -> int:
        """The offset that the next message gets."""
        ...

    @property
    def min_offset(self) -> int:
        """The first offset that can be read."""
        ...

    def units(self, offset: int, count: int) -> bytes:
        """Up to ``count`` units from ``offset`` on, not beyond the file of the first."""
        ...


class Sample(NamedTuple):
    """A counter at a time."""

    time_ms: int
    times: int
    value: int


class Window:
    """The newest samples of one counter, at even distances."""

    __slots__ = ("_period_ms", "_samples")

    def __init__(self, period_ms: int, length: int) -> None:
        self._period_ms = period_ms
        self._samples: deque[Sample] = deque(maxlen=length)

    def add(self, sample: Sample) -> None:
        """Keep a sample; before the first, the counter is taken to have been 0 a period ago."""
        if not self._samples:
            self._samples.append(Sample(sample.time_ms - self._period_ms, 0, 0))
        self._samples.append(sample)

    def item(self) -> BrokerStatsItem:
        """How much the counter grew, by second, and by time that something was added."""
        if not self._samples:
            return BrokerStatsItem()
        first, last = self._samples[0], self._samples[-1]
        total = last.value - first.value
        passed_ms = last.time_ms - first.time_ms
        times = last.times - first.times
        return BrokerStatsItem(
            sum=total,
            tps=total * 1000 / passed_ms if passed_ms > 0 else 0.0,
            avgpt=total / times if times > 0 else 0.0,
        )


class StatsItem:
    """A counter with its three windows."""

    __slots__ = ("_day", "_hour", "_minute", "times", "value")

    def __init__(self) -> None:
        self.times = 0
        self.value = 0
        self._minute = Window(SAMPLE_PERIOD_MS, SHORT_WINDOW)
        self._hour = Window(SAMPLES_TO_HOUR_SAMPLE * SAMPLE_PERIOD_MS, SHORT_WINDOW)
        self._day = Window(SAMPLES_TO_DAY_SAMPLE * SAMPLE_PERIOD_MS, DAY_WINDOW)

    def add(self, value: int, times: int = 1) -> None:
        """Count."""
        self.value += value
        self.times += times

    def sample(self, time_ms: int, number: int) -> None:
        """Take the sample ``number`` (from 0) of those every 10 s."""
        sample = Sample(time_ms, self.times, self.value)
        self._minute.add(sample)
        if number % SAMPLES_TO_HOUR_SAMPLE == 0:
            self._hour.add(sample)
        if number % SAMPLES_TO_DAY_SAMPLE == 0:
            self._day.add(sample)

    @property
    def tps(self) -> float:
        """By second, over the last minute."""
        return self._minute.item().tps

    def windows(self) -> BrokerStatsData:
        """What VIEW_BROKER_STATS_DATA answers."""
        return BrokerStatsData(
            stats_minute=self._minute.item(),
            stats_hour=self._hour.item(),
            stats_day=self._day.item(),
        )


class Got:
    """What one group got of one topic; batches, messages and bytes only grow."""

    __slots__ = ("batches", "bytes", "messages")

    def __init__(self) -> None:
        self.batches = 0
        self.messages = 0
        self.bytes = 0


@dataclass(slots=True)
class Mornings:
    """A total as it was at the beginning of yesterday and of today."""

    yesterday: int = 0
    today: int = 0


class BrokerStats:
    """The statistics of one broker since its start. Call ``sample`` every 10 s."""

    def __init__(
        self,
        clock: Clock,
        cluster: str,
        queues: Callable[[], Iterable[StoredQueue]],
        is_system: Callable[[str], bool],
        local_offset_ms: Callable[[int], int],
    ) -> None:
        """``queues``: all consume queues; ``is_system``: whether a topic is RocketMQ's own;
        ``local_offset_ms``: wall time to local time less UTC, for where a day begins.
        """
        self._clock = clock
        self._cluster = cluster
        self._queues = queues
        self._is_system = is_system
        self._local_offset_ms = local_offset_ms
        self._items: dict[str, dict[str, StatsItem]] = {}
        self._got: dict[tuple[str, str], Got] = {}
        self._seen: dict[StoredQueue, int] = {}
        self._got_seen: dict[tuple[str, str], tuple[int, int, int]] = {}
        self._sample_number = 0
        self._day = self._local_day()
        self.put_mornings = Mornings()
        self.get_mornings = Mornings()

    def begin(self) -> None:
        """Take what the queues hold as what was there before; call it when the store is loaded."""
        self._seen = {queue: queue.next_offset for queue in self._queues()}

    def got(self, group: str, topic: str, count: int, size: int) -> None:
        """Count a batch of ``count`` messages, ``size`` bytes, that was given to a group."""
        counter = self._got.get((group, topic))
        if counter is None:
            counter = self._got[group, topic] = Got()
        counter.batches += 1
        counter.messages += count
        counter.bytes += size

    def sent_back(self, group: str, topic: str) -> None:
        """Count a message that a consumer sent back."""
        self._item(SNDBCK_PUT_NUMS, f"{topic}@{group}").add(1)

    def sample(self) -> None:
        """Count what came and went since the last time, and take a sample of every counter."""
        self._count_puts()
        self._count_gets()
        day = self._local_day()
        if day != self._day:
            self._day = day
            for mornings, total in (
                (self.put_mornings, self.put_total),
                (self.get_mornings, self.get_total),
            ):
                mornings.yesterday, mornings.today = mornings.today, total
        now_ms = self._clock.wall_ms()
        for items in self._items.values():
            for item in items.values():
                item.sample(now_ms, self._sample_number)
        self._sample_number += 1

    def item(self, name: str, key: str) -> StatsItem | None:
        """A counter, None if nothing was ever counted in it."""
        return self._items.get(name, {}).get(key)

    def put_tps(self, topic: str) -> float:
        """Messages by second into a topic, over the last minute."""
        return self._tps(TOPIC_PUT_NUMS, topic)

    def get_tps(self, group: str, topic: str) -> float:
        """Messages by second of a topic to a group, over the last minute."""
        return self._tps(GROUP_GET_NUMS, f"{topic}@{group}")

    @property
    def put_total(self) -> int:
        """Messages put since the start, not into system topics; as of the last sample."""
        return self._total(BROKER_PUT_NUMS_WITHOUT_SYSTEM_TOPIC)

    @property
    def get_total(self) -> int:
        """Messages given since the start, not of system topics; as of the last sample."""
        return self._total(BROKER_GET_NUMS_WITHOUT_SYSTEM_TOPIC)

    def forget_topic(self, topic: str) -> None:
        """Drop what was counted of a topic that is deleted."""
        self._forget(lambda key: key.partition("@")[0] == topic)
        self._got = {pair: got for pair, got in self._got.items() if pair[1] != topic}

    def forget_group(self, group: str) -> None:
        """Drop what was counted of a group that is deleted."""
        self._forget(lambda key: key.partition("@")[2] == group)
        self._got = {pair: got for pair, got in self._got.items() if pair[0] != group}

    def _forget(self, is_meant: Callable[[str], bool]) -> None:
        for name in (
            TOPIC_PUT_NUMS,
            TOPIC_PUT_SIZE,
            GROUP_GET_NUMS,
            GROUP_GET_SIZE,
            SNDBCK_PUT_NUMS,
        ):
            items = self._items.get(name, {})
            for key in [key for key in items if is_meant(key)]:
                del items[key]

    def _count_puts(self) -> None:
        seen: dict[StoredQueue, int] = {}
        for queue in self._queues():
            end = queue.next_offset
            start = self._seen.get(queue, 0)
            seen[queue] = end
            if end > start:
                size = stored_bytes(queue, start, end)
                self._item(TOPIC_PUT_NUMS, queue.topic).add(end - start, end - start)
                self._item(TOPIC_PUT_SIZE, queue.topic).add(size, end - start)
                self._add_broker(BROKER_PUT_NUMS, queue.topic, end - start)
        self._seen = seen

    def _count_gets(self) -> None:
        for (group, topic), got in self._got.items():
            now = (got.batches, got.messages, got.bytes)
            before = self._got_seen.get((group, topic), (0, 0, 0))
            batches, messages, size = (new - old for new, old in zip(now, before, strict=True))
            if batches:
                key = f"{topic}@{group}"
                self._item(GROUP_GET_NUMS, key).add(messages, batches)
                self._item(GROUP_GET_SIZE, key).add(size, batches)
                self._add_broker(BROKER_GET_NUMS, topic, messages)
        self._got_seen = {
            pair: (got.batches, got.messages, got.bytes) for pair, got in self._got.items()
        }

    def _add_broker(self, name: str, topic: str, count: int) -> None:
        self._item(name, self._cluster).add(count, 1)
        if not self._is_system(topic):
            self._item(f"{name}_WITHOUT_SYSTEM_TOPIC", self._cluster).add(count, 1)

    def _item(self, name: str, key: str) -> StatsItem:
        items = self._items.setdefault(name, {})
        item = items.get(key)
        if item is None:
            item = items[key] = StatsItem()
        return item

    def _tps(self, name: str, key: str) -> float:
        item = self.item(name, key)
        return 0.0 if item is None else item.tps

    def _total(self, name: str) -> int:
        item = self.item(name, self._cluster)
        return 0 if item is None else item.value

    def _local_day(self) -> int:
        now_ms = self._clock.wall_ms()
        return (now_ms + self._local_offset_ms(now_ms)) // DAY_MS


def stored_bytes(queue: StoredQueue, start: int, end: int) -> int:
    """Bytes of the records of messages ``start`` to ``end - 1`` of a queue, those still there.

    A unit keeps its record's size at bytes 8 to 11, big-endian. Summed byte by byte: some
    20 ns a message, once in 10 s.
    """
    total = 0
    at = max(start, queue.min_offset)
    while at < end:
        units = queue.units(at, min(end - at, UNITS_AT_ONCE))
        if not units:
            break
        for byte in range(8, 12):
            total += sum(units[byte::UNIT_SIZE]) << 8 * (11 - byte)
        at += len(units) // UNIT_SIZE
    return total
