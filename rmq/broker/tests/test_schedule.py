import logging
from dataclasses import replace

import pytest

from codec.bodies import decode_body
from codec.bodies.offsets import DelayOffsetSerializeWrapper
from codec.message import properties as props
from codec.message.record import parse_record
from codec.message.sysflag import MULTI_TAGS
from rmq.base.manual import ManualClock
from rmq.broker.delaying import put_off
from rmq.broker.durability import Durability
from rmq.broker.processors.tests.scene import ManualWorker
from rmq.broker.saving import TableFile
from rmq.broker.schedule import (
    CLOCK_STEP_MAX_MS,
    RETRY_MS,
    RUN_BYTES_MAX,
    RUN_COUNT_MAX,
    SLEEP_MAX_MS,
    Schedule,
)
from rmq.net.memory_disk import MemoryDisk
from rmq.store.messages import PutMessage, PutResult, PutStatus
from rmq.store.store import MessageStore
from rmq.store.tests.stores import SMALL

TOPIC = "SCHEDULE_TOPIC_XXXX"
PATH = "/store/config/delayOffset.json"
BORN = b"\x0a\0\0\x07\0\0\x30\x39"
DELAYS_MS = (1_000, 5_000, 60_000)
FULL = OSError(28, "No space left on device")
SAVE_MS = 10_000
BIG = 1 << 22


class World:
    def __init__(self, disk=None, delays_ms=DELAYS_MS, *, begin=True, **settings):
        self.clock = disk.clock if disk else ManualClock()
        self.disk = disk or MemoryDisk(self.clock)
        given = {"commit_log_file_size": 65_536, "message_size_max": BIG} | settings
        self.store = MessageStore(
            self.disk, self.clock, replace(SMALL, delay_levels_ms=delays_ms, **given)
        )
        self.worker = ManualWorker()
        self.durability = Durability(
            self.store,
            self.worker,
            self.clock,
            flush_interval_ms=500,
            queue_interval_ms=1000,
            timeout_ms=5000,
        )
        self.delays_ms = delays_ms
        self.schedule = Schedule(
            self.store,
            self.durability,
            self.clock,
            TableFile(self.disk, PATH),
            delays_ms,
            save_interval_ms=SAVE_MS,
            version_step=2,
        )
        self.store.on_arrival(self.schedule.arrived)
        self.schedule.load()
        self.store.load()
        if begin:
            self.schedule.start()

    def put(self, level=1, body=b"body", topic="T", queue_id=0, properties=(), **fields):
        texts = {"TAGS": "a", "DELAY": str(level), "UNIQ_KEY": "K"} | dict(properties)
        place = put_off(topic, queue_id, 0, texts, len(self.delays_ms))
        message = PutMessage(*place, body, props.build(texts), born_host=BORN, **fields)
        result = self.store.put(message)
        assert result.status == 0, result
        return result.position

    def raw(self, properties, queue_id=0):
        return self.store.put(PutMessage(TOPIC, queue_id, b"raw", properties)).position

    def records(self, topic="T", queue_id=0):
        records = []
        for offset in range(self.count(topic, queue_id)):
            data = self.store.get(topic, queue_id, offset, 1).slices[0]
            records.append(parse_record(data, 0, len(data)))
        return records

    def bodies(self, topic="T"):
        return [record.body for record in self.records(topic)]

    def count(self, topic="T", queue_id=0):
        return self.store.max_offset(topic, queue_id)

    def saved(self):
        text = self.disk.read(PATH)
        return None if text is None else decode_body(DelayOffsetSerializeWrapper, text)

    def flush(self):
        """Let every sync that was asked for happen."""
        self.clock.advance(0)
        while self.worker.calls:
            self.worker.finish()

    def close(self):
        self.schedule.stop()
        self.store.close()

    def again(self, delays_ms=DELAYS_MS, **settings):
        """End cleanly and start on the same disk."""
        self.close()
        return World(self.disk, delays_ms, **settings)


@pytest.fixture
def world():
    return World()


def test_message_is_delivered_when_it_is_due_and_not_before(world):
    world.put(2)

    world.clock.advance(4_999)
    assert world.count() == 0
    world.clock.advance(1)

    assert world.bodies() == [b"body"]


def test_copy_is_the_message_as_it_was_sent(world):
    world.put(
        1,
        b"text",
        "T",
        3,
        flag=4,
        sys_flag=MULTI_TAGS,
        born_timestamp=1_600_000_000_000,
        reconsume_times=2,
    )

    world.clock.advance(1_000)

    (copy,) = world.records("T", 3)
    waiting = world.records(TOPIC)[0]
    assert copy.properties == waiting.properties
    assert props.parse(copy.properties) == {
        "TAGS": "a",
        "UNIQ_KEY": "K",
        "DELAY": "1",
        "REAL_TOPIC": "T",
        "REAL_QID": "3",
    }
    assert (copy.body, copy.flag, copy.sys_flag) == (b"text", 4, MULTI_TAGS)
    assert (copy.born_timestamp, copy.born_host) == (1_600_000_000_000, BORN)
    assert (copy.reconsume_times, copy.prepared_transaction_offset) == (2, 0)
    assert copy.store_timestamp == waiting.store_timestamp + 1_000


def test_checksum_of_the_waiting_record_is_not_the_copy_s():
    world = World(append_crc=True)
    world.put()

    world.clock.advance(1_000)

    assert world.records()[0].properties.count(b"__CRC32#") == 1


def test_levels_wait_each_as_long_as_it_should(world):
    world.put(2, b"five")
    world.put(1, b"one")
    world.clock.advance(500)
    world.put(1, b"later")

    world.clock.advance(500)
    assert world.bodies() == [b"one"]
    world.clock.advance(500)
    assert world.bodies() == [b"one", b"later"]
    world.clock.advance(3_500)
    assert world.bodies() == [b"one", b"later", b"five"]


def test_nothing_to_deliver_needs_no_timer():
    world = World()
    idle = world.clock.owed
    world.put()
    assert world.clock.owed == idle + 1

    world.clock.advance(1_000)

    assert world.clock.owed == idle


def test_message_that_comes_later_but_is_due_earlier_is_not_late():
    world = World(delays_ms=(100, 60_000))
    world.put(2)
    world.put(1)

    world.clock.advance(100)

    assert world.count() == 1


def test_messages_that_were_deleted_while_they_waited_are_no_more(world):
    world.put(1)
    world.store.delete_topics({TOPIC})

    world.clock.advance(1_000)
    world.put(1, b"new")
    world.clock.advance(1_000)

    assert world.bodies() == [b"new"]


def test_system_time_set_forward_is_noticed_soon(world):
    world.put(3)
    world.clock.set_wall_ms(world.clock.wall_ms() + 60_000)

    world.clock.advance(SLEEP_MAX_MS)

    assert world.count() == 1


def test_system_time_set_back_makes_late_but_never_early(world):
    world.put(3)
    world.clock.set_wall_ms(world.clock.wall_ms() - CLOCK_STEP_MAX_MS)
    world.put(3)

    world.clock.advance(60_000 + CLOCK_STEP_MAX_MS - 1)
    assert world.count() == 0
    world.clock.advance(1)

    assert world.count() == 2


def test_message_due_later_than_its_level_can_mean_is_delivered_at_once(world):
    world.put(3)
    world.put(3)
    world.clock.set_wall_ms(world.clock.wall_ms() - CLOCK_STEP_MAX_MS - 2 * SLEEP_MAX_MS)

    world.clock.advance(SLEEP_MAX_MS)

    assert world.count() == 2


def test_messages_of_a_level_that_became_shorter_do_not_wait_for_the_old_time():
    first = World()
    first.put(3)

    second = first.again(delays_ms=(1_000, 5_000, 6_000))
    second.clock.advance(0)

    assert second.count() == 1


def test_turn_is_bounded_and_the_next_one_goes_on(world):
    turns = []
    turn = world.schedule._turn
    world.schedule._turn = lambda: (turn(), turns.append(world.count()))
    for number in range(5_000):
        world.put(1, b"%d" % number)

    world.clock.advance(1_000)

    assert world.bodies() == [b"%d" % number for number in range(5_000)]
    steps = [after - before for before, after in zip([0, *turns], turns, strict=False)]
    assert max(steps) <= RUN_COUNT_MAX
    assert len(turns) <= 5_000 // RUN_COUNT_MAX + 2


def test_turn_is_bounded_in_bytes_too():
    world = World(commit_log_file_size=16 << 20)
    for _ in range(4):
        world.put(1, bytes(RUN_BYTES_MAX // 2))
    world.clock.set_monotonic_ms(world.clock.monotonic_ms() + 1_000)
    world.clock.set_wall_ms(world.clock.wall_ms() + 1_000)

    world.schedule._turn()

    assert world.count() == 2
    world.clock.advance(0)
    assert world.count() == 4


def test_longest_overdue_is_delivered_first(world):
    world.put(2, b"second")
    world.clock.advance(4_500)
    world.put(1, b"third")
    world.clock.advance(499)
    world.schedule.stop()
    world.clock.advance(10_000)

    world.schedule.start()
    world.clock.advance(0)

    assert world.bodies() == [b"second", b"third"]


# what cannot be delivered


def test_full_disk_has_all_wait_in_order(world, caplog):
    for number in range(3):
        world.put(1, b"%d" % number)
    world.clock.advance(900)
    world.disk.fail_reserve = FULL

    world.clock.advance(5_000)
    assert world.count() == 0
    world.disk.fail_reserve = None
    world.clock.advance(RETRY_MS + SMALL.retry_reserve_ms)

    assert world.bodies() == [b"0", b"1", b"2"]
    refusals = [line for line in caplog.messages if "delayed_message_refused" in line]
    assert len(refusals) == 1
    assert "status=SERVICE_NOT_AVAILABLE cause=No space left on device" in refusals[0]


def test_refused_level_does_not_hold_others(world):
    put = world.store.put

    def refuse_one_topic(message):
        if message.topic == "No":
            return PutResult(PutStatus.OS_PAGE_CACHE_BUSY)
        return put(message)

    world.store.put = refuse_one_topic
    world.put(1, topic="No")
    world.put(2)

    world.clock.advance(5_000)

    assert world.bodies() == [b"body"]


@pytest.mark.parametrize(
    "properties",
    [
        b"DELAY\x011\x02",
        b"DELAY\x011\x02REAL_TOPIC\x01T\x02",
        b"DELAY\x011\x02REAL_QID\x010\x02",
        b"DELAY\x011\x02REAL_TOPIC\x01T\x02REAL_QID\x01-1\x02",
        b"DELAY\x011\x02REAL_TOPIC\x01T\x02REAL_QID\x0112345678901\x02",
        b"DELAY\x011\x02REAL_TOPIC\x01RMQ_SYS_TRANS_HALF_TOPIC\x02REAL_QID\x010\x02",
        b"DELAY\x011\x02REAL_TOPIC\x01../T\x02REAL_QID\x010\x02",
        b"DELAY\x011\x02REAL_TOPIC\x01T\x02REAL_QID\x019999999999\x02",
    ],
)
def test_message_that_says_no_place_to_go_is_skipped(world, caplog, properties):
    position = world.raw(properties)
    world.put(1)

    world.clock.advance(1_000)

    assert world.bodies() == [b"body"]
    assert f"event=delayed_message_skipped level=1 offset=0 position={position}" in caplog.text


def test_record_that_became_unreadable_is_skipped(world, caplog):
    position = world.put(1, b"spoilt")
    world.put(1)
    log_file = world.disk.map("/store/commitlog/" + "0" * 20, 65_536)
    at = log_file.memory.find(b"spoilt", position)
    log_file.memory[at] = 0

    world.clock.advance(1_000)

    assert world.bodies() == [b"body"]
    assert "event=delayed_message_skipped level=1 offset=0" in caplog.text


def test_unit_that_points_nowhere_or_elsewhere_is_skipped(world, caplog):
    other = world.store.put(PutMessage("T2", 0, b"other")).position
    world.put(1)
    queue = world.store.consume_queue(TOPIC, 0)
    queue.append(other, 100, 0)
    queue.append(1 << 40, 100, 0)

    with caplog.at_level(logging.ERROR):
        world.clock.advance(1_000)

    assert world.bodies() == [b"body"]
    assert "offset=1" in caplog.text
    assert "another record is there" in caplog.text
    assert "no record is there" in caplog.text


# what operators see


def test_operators_see_how_far_each_level_is(world):
    assert world.schedule.texts() == {}
    world.put(1)
    world.put(1)
    world.put(3)
    world.clock.advance(1_000)
    world.put(1)

    assert world.schedule.texts() == {
        "scheduleMessageOffset_1": "2,3",
        "scheduleMessageOffset_3": "0,1",
    }


def test_nothing_is_delivered_before_the_start_or_after_the_stop():
    world = World(begin=False)
    world.put(1)
    world.clock.advance(2_000)
    assert world.count() == 0

    world.schedule.start()
    world.schedule.stop()
    world.put(1)
    world.clock.advance(2_000)

    assert world.count() == 0
