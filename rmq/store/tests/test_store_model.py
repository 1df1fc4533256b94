"""Any sequence of puts, flushes, cleanings, closings and losses of power, against a plain model."""

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from codec.message.batch import BatchItem
from codec.message.java_hash import java_hash
from codec.message.record import parse_record
from rmq.store.messages import PutStatus
from rmq.store.tests.stores import a_disk, flush_all, manual, message, opened

TOPICS = strategies.sampled_from(["A", "B"])
QUEUES = strategies.integers(0, 1)
SIZES = strategies.integers(0, 900)


class StoreAgainstModel(RuleBasedStateMachine):
    """``queues`` holds the records of each queue by offset; below ``synced`` none may get lost."""

    @initialize()
    def start(self) -> None:
        self.disk = a_disk()
        self.store = opened(self.disk)
        self.queues: dict[tuple[str, int], list[bytes]] = {}
        self.synced: dict[tuple[str, int], int] = {}
        self.number = 0

    def _note(self, topic: str, queue_id: int, position: int) -> None:
        record = self.store.message_at(position)
        assert record is not None
        self.queues.setdefault((topic, queue_id), []).append(record)

    @rule(topic=TOPICS, queue_id=QUEUES, size=SIZES, ms=strategies.integers(0, 5000))
    def put(self, topic: str, queue_id: int, size: int, ms: int) -> None:
        manual(self.disk.clock).advance(ms)
        self.number += 1
        result = self.store.put(message(self.number, topic, queue_id, body=b"x" * size))
        assert result.status == PutStatus.PUT_OK
        assert result.queue_offset == len(self.queues.get((topic, queue_id), []))
        self._note(topic, queue_id, result.position)

    @rule(topic=TOPICS, queue_id=QUEUES, sizes=strategies.lists(SIZES, min_size=1, max_size=3))
    def put_batch(self, topic: str, queue_id: int, sizes: list[int]) -> None:
        result = self.store.put_batch(
            message(0, topic, queue_id), [BatchItem(b"y" * size) for size in sizes]
        )
        assert result.status == PutStatus.PUT_OK
        for position in result.positions:
            self._note(topic, queue_id, position)

    @rule()
    def flush(self) -> None:
        flush_all(self.store)
        self._note_synced()

    @rule()
    def flush_log(self) -> None:
        work = self.store.flush_work(at_once=True)
        if work is not None:
            work.sync()
            self.store.flushed(work)
        self._note_synced()

    def _note_synced(self) -> None:
        self.synced = {key: len(records) for key, records in self.queues.items()}

    @rule()
    def close_and_open(self) -> None:
        self.store.close()
        self._note_synced()
        self.store = opened(self.disk)

    @rule(data=strategies.data())
    def lose_power(self, data: strategies.DataObject) -> None:
        paths = [f"/store/commitlog/{e.name}" for e in self.disk.entries("/store/commitlog")]
        for topic in self.disk.entries("/store/consumequeue"):
            for queue in self.disk.entries(f"/store/consumequeue/{topic.name}"):
                folder = f"/store/consumequeue/{topic.name}/{queue.name}"
                paths += [f"{folder}/{entry.name}" for entry in self.disk.entries(folder)]
        paths += [f"/store/index/{entry.name}" for entry in self.disk.entries("/store/index")]
        written = data.draw(strategies.sets(strategies.sampled_from(paths))) if paths else ()
        self.disk = self.disk.crash({path: [0] for path in written})
        self.store = opened(self.disk)
        for key, records in self.queues.items():
            end = self.store.max_offset(*key)
            assert self.synced.get(key, 0) <= end <= len(records)
            del records[end:]

    @invariant()
    def all_can_be_read(self) -> None:
        for (topic, queue_id), records in self.queues.items():
            offset, found = 0, b""
            while offset < len(records):
                result = self.store.get(topic, queue_id, offset, 32)
                assert result.count > 0
                offset = result.next_begin_offset
                found += b"".join(result.slices)
            assert found == b"".join(records)
            assert self.store.max_offset(topic, queue_id) == len(records)

    @rule(topic=TOPICS, queue_id=QUEUES, tag=strategies.integers(0, 2))
    def tags_choose(self, topic: str, queue_id: int, tag: int) -> None:
        code = java_hash(f"tag{tag}")
        records = self.queues.get((topic, queue_id), [])
        offset, found = 0, b""
        while offset < len(records):
            result = self.store.get(topic, queue_id, offset, 8, tags={code})
            offset = result.next_begin_offset
            found += b"".join(result.slices)
        assert found == b"".join(record for record in records if b"tag%d\x02" % tag in record)

    @rule(number=strategies.integers(1, 50))
    def keys_find(self, number: int) -> None:
        for (topic, _), records in self.queues.items():
            for record in records:
                parsed = parse_record(record, 0, len(record))
                if b"UNIQ_KEY\x01U%03d\x02" % number in parsed.properties:  # type: ignore[union-attr]  # no blank
                    found = self.store.query(topic, f"U{number:03d}", 64, 0, 1 << 60).records
                    assert found.count(record) == 1


StoreAgainstModel.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestStoreAgainstModel = StoreAgainstModel.TestCase
