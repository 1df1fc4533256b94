import pytest

from codec.message import properties as props
from codec.message.record import parse_record
from rmq.base.errors import CommandError
from rmq.broker.tests.tables import config as broker_config
from rmq.broker.transactions import op_log as module
from rmq.broker.transactions.op_log import OpLog, offsets_in
from rmq.broker.transactions.tests.scenes import BATCH_MS, OPS
from rmq.store.messages import PutMessage
from rmq.store.tests.stores import SMALL, a_disk, opened


class Bench:
    def __init__(self, **changed):
        self.disk = a_disk()
        self.clock = self.disk.clock
        self.store = opened(self.disk, commit_log_file_size=1 << 20)
        self.log = OpLog(broker_config(**changed), self.clock, self.store, SMALL.store_host)

    def records(self, queue_id=0):
        return [
            parse_record(one, 0, len(one))
            for offset in range(self.store.max_offset(OPS, queue_id))
            for one in self.store.get(OPS, queue_id, offset, 1).slices
        ]

    def bodies(self, queue_id=0):
        return [one.body for one in self.records(queue_id)]


def test_offsets_are_written_together_after_an_interval():
    bench = Bench()
    bench.log.add(0, 12)
    bench.clock.advance(BATCH_MS - 1)
    bench.log.add(0, 13)
    assert bench.bodies() == []

    bench.clock.advance(1)

    [record] = bench.records()
    assert record.body == b"12,13,"
    assert props.parse(record.properties) == {"WAIT": "true", "TAGS": "d"}
    assert record.born_host == SMALL.store_host
    assert record.born_timestamp == bench.clock.wall_ms()
    assert list(offsets_in(record)) == [12, 13]
    bench.clock.advance(10 * BATCH_MS)
    assert len(bench.bodies()) == 1


def test_each_half_queue_has_its_op_queue():
    bench = Bench()
    bench.log.add(0, 1)
    bench.log.add(3, 2)

    bench.log.stop()

    assert (bench.bodies(0), bench.bodies(3)) == ([b"1,"], [b"2,"])
    assert bench.clock.owed == 0


def test_many_offsets_are_written_at_once():
    bench = Bench(transactionOpMsgMaxSize=10)
    for offset in range(100, 103):
        bench.log.add(0, offset)

    assert bench.bodies() == [b"100,101,102,"]


def refuse(bench):
    def put(message: PutMessage):
        result = type(bench.store).put_batch(bench.store, message, [])
        assert result.status != 0
        return result

    bench.store.put, bench.put = put, bench.store.put


def test_what_the_store_refuses_is_kept_and_tried_again():
    bench = Bench(transactionOpMsgMaxSize=5)
    refuse(bench)
    for offset in range(100, 103):
        bench.log.add(0, offset)
    bench.clock.advance(2 * BATCH_MS)
    assert not bench.log.flush()
    assert bench.bodies() == []

    bench.store.put = bench.put
    bench.clock.advance(BATCH_MS)

    assert bench.bodies() == [b"100,101,", b"102,"]
    assert bench.log.flush()


def test_what_waits_is_bounded_while_the_store_refuses(monkeypatch):
    monkeypatch.setattr(module, "WAITING_MAX", 2)
    bench = Bench()
    refuse(bench)
    bench.log.check_room(0)
    bench.log.add(0, 1)
    bench.log.add(0, 2)

    with pytest.raises(CommandError, match="2 ended transactions wait to be written"):
        bench.log.check_room(0)

    bench.store.put = bench.put
    bench.log.check_room(0)
    assert bench.bodies() == [b"1,2,"]


@pytest.mark.parametrize(
    ("properties", "body", "offsets"),
    [
        (b"TAGS\x01d\x02", b"1,,x,-2,3", [1, 3]),
        (b"TAGS\x01d\x02", b"1" * 20, []),
        (b"TAGS\x01e\x02", b"1,", []),
        (b"", b"1,", []),
    ],
)
def test_what_is_no_offset_is_left_out(properties, body, offsets):
    bench = Bench()
    bench.store.put(PutMessage(OPS, 0, body, properties))

    [record] = bench.records()

    assert list(offsets_in(record)) == offsets


def test_what_the_store_refused_is_never_written_once_it_is_cleared():
    bench = Bench()
    bench.log.add(0, 12)
    bench.store.follow("a slave")
    bench.log.stop()

    bench.log.clear()
    bench.store.lead()

    assert bench.log.flush()
    assert bench.bodies() == []
