import pytest

from codec.bodies.stats import BrokerStatsItem
from codec.disk.consume_queue import UNIT
from rmq.base.manual import ManualClock
from rmq.broker import stats as names
from rmq.broker.stats import DAY_MS, BrokerStats, stored_bytes

WALL_MS = 1_700_000_000_000


class Queue:
    """A consume queue: sizes of records, of which the first ``min_offset`` are gone."""

    def __init__(self, topic="T", sizes=(), min_offset=0, file_units=3):
        self.topic = topic
        self.sizes = list(sizes)
        self.min_offset = min_offset
        self.file_units = file_units

    @property
    def next_offset(self):
        return len(self.sizes)

    def units(self, offset, count):
        end = min(offset + count, (offset // self.file_units + 1) * self.file_units)
        return b"".join(UNIT.pack(7, size, -1) for size in self.sizes[offset:end])


@pytest.fixture
def clock():
    return ManualClock(WALL_MS)


@pytest.fixture
def queues():
    return []


@pytest.fixture
def stats(clock, queues):
    return BrokerStats(
        clock, "C", lambda: queues, lambda topic: topic.startswith("rmq_sys_"), lambda _ms: 0
    )


def sample_after(clock, stats, times=1):
    for _ in range(times):
        clock.advance(names.SAMPLE_PERIOD_MS)
        stats.sample()


def test_puts_are_counted_by_what_queues_have_grown(clock, queues, stats):
    queues += [Queue("T", [100, 200]), Queue("T", [300])]
    stats.begin()
    queues[0].sizes += [1000, 0x10203]
    queues.append(Queue("T", [50]))

    sample_after(clock, stats)

    counted = stats.item(names.TOPIC_PUT_NUMS, "T")
    assert (counted.value, counted.times) == (3, 3)
    assert stats.item(names.TOPIC_PUT_SIZE, "T").value == 1000 + 0x10203 + 50
    assert stats.item(names.BROKER_PUT_NUMS, "C").value == 3
    assert stats.put_total == 3


def test_what_was_stored_before_the_start_is_not_counted(clock, queues, stats):
    queues.append(Queue("T", [100, 200]))
    stats.begin()

    sample_after(clock, stats)

    assert stats.item(names.TOPIC_PUT_NUMS, "T") is None
    assert stats.put_tps("T") == 0.0
    assert stats.put_total == 0


def test_system_topics_are_left_out_of_one_total(clock, queues, stats):
    queues += [Queue("rmq_sys_x", [1]), Queue("T", [1, 1])]
    stats.got("G", "rmq_sys_x", 3, 30)

    sample_after(clock, stats)

    assert stats.item(names.BROKER_PUT_NUMS, "C").value == 3
    assert stats.put_total == 2
    assert stats.item(names.BROKER_GET_NUMS, "C").value == 3
    assert stats.get_total == 0


def test_gets_are_counted_by_batch(clock, stats):
    stats.got("G", "T", 32, 3200)
    stats.got("G", "T", 8, 800)
    sample_after(clock, stats)
    stats.got("G", "T", 1, 100)
    sample_after(clock, stats, 2)

    counted = stats.item(names.GROUP_GET_NUMS, "T@G")
    assert (counted.value, counted.times) == (41, 3)
    assert stats.item(names.GROUP_GET_SIZE, "T@G").value == 4100
    assert stats.get_tps("G", "T") == pytest.approx(41 / 30)
    assert stats.get_total == 41


def test_the_minute_is_of_the_last_seven_samples(clock, queues, stats):
    queue = Queue("T")
    queues.append(queue)
    for _ in range(10):
        queue.sizes += [10] * 5
        sample_after(clock, stats)

    windows = stats.item(names.TOPIC_PUT_NUMS, "T").windows()
    assert windows.stats_minute == BrokerStatsItem(sum=30, tps=0.5, avgpt=1.0)
    assert windows.stats_hour == BrokerStatsItem(sum=5, tps=5 / 600, avgpt=1.0)
    assert windows.stats_day == BrokerStatsItem(sum=5, tps=5 / 3600, avgpt=1.0)


def test_the_hour_grows_by_a_sample_every_ten_minutes(clock, queues, stats):
    queue = Queue("T", [10])
    queues.append(queue)
    sample_after(clock, stats)
    queue.sizes += [10] * 9
    sample_after(clock, stats, names.SAMPLES_TO_HOUR_SAMPLE)

    assert stats.item(names.TOPIC_PUT_NUMS, "T").windows().stats_hour.sum == 10


def test_a_counter_without_sample_shows_nothing(stats):
    stats.sent_back("G", "T")

    assert stats.item(names.SNDBCK_PUT_NUMS, "T@G").value == 1
    assert stats.item(names.SNDBCK_PUT_NUMS, "T@G").windows().stats_minute == BrokerStatsItem()


def test_samples_at_one_time_make_no_rate(clock, queues, stats):
    queues.append(Queue("T", [10]))
    stats.sample()
    clock.set_wall_ms(WALL_MS - 20_000)
    stats.sample()

    assert stats.put_tps("T") == 0.0


def test_totals_are_remembered_each_morning(clock, queues, stats):
    queue = Queue("T", [10])
    queues.append(queue)
    stats.got("G", "T", 4, 40)
    for _ in range(2):
        sample_after(clock, stats)
        clock.advance(DAY_MS)
        queue.sizes += [10]
    sample_after(clock, stats)

    assert (stats.put_mornings.yesterday, stats.put_mornings.today) == (2, 3)
    assert (stats.get_mornings.yesterday, stats.get_mornings.today) == (4, 4)


def test_deleted_topics_and_groups_are_forgotten(clock, queues, stats):
    queues += [Queue("T", [10]), Queue("U", [10])]
    for group, topic in (("G", "T"), ("G", "U"), ("H", "U")):
        stats.got(group, topic, 1, 10)
        stats.sent_back(group, topic)
    sample_after(clock, stats)
    del queues[0]
    stats.forget_topic("T")
    stats.forget_group("H")
    sample_after(clock, stats)

    known = {
        (name, key)
        for name in (names.TOPIC_PUT_NUMS, names.GROUP_GET_NUMS, names.SNDBCK_PUT_NUMS)
        for key in ("T", "U", "T@G", "U@G", "U@H")
        if stats.item(name, key) is not None
    }
    assert known == {
        (names.TOPIC_PUT_NUMS, "U"),
        (names.GROUP_GET_NUMS, "U@G"),
        (names.SNDBCK_PUT_NUMS, "U@G"),
    }


def test_only_what_is_still_stored_has_a_size():
    queue = Queue("T", [1, 2, 4, 8, 16], min_offset=2)

    assert stored_bytes(queue, 0, 5) == 28
    assert stored_bytes(queue, 1, 9) == 28
    assert stored_bytes(queue, 5, 5) == 0
