"""Members of a group whose entries come, are committed and are cut in any order."""

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from codec.message.batch import BatchItem
from codec.message.record import Record, parse_record
from rmq.store.messages import PutStatus
from rmq.store.segments import Holds, Segments
from rmq.store.store import MessageStore
from rmq.store.tests.ledgers import FOLDER, HEADER, FilesOfALedger, a_ledger_store
from rmq.store.tests.stores import a_disk, flush_all, manual, message

TOPICS = strategies.sampled_from(["A", "B", "SCHEDULE_TOPIC_XXXX"])
SIZES = strategies.integers(0, 900)


class StoreOfAMember(RuleBasedStateMachine):
    """One ledger; a store leads over it or follows, and may be lost with all that is not synced."""

    @initialize()
    def start(self) -> None:
        self.disk = a_disk()
        self.ledger = FilesOfALedger(self.disk)
        self.store = a_ledger_store(self.disk, self.ledger)
        self.store.load()
        self.committed = 0
        self.number = 0
        self.leads = True

    def _shown(self) -> None:
        if self.committed:
            self.ledger.commit(self.committed)
        self.store.show_committed()

    @rule(topics=strategies.lists(TOPICS, min_size=1, max_size=5), size=SIZES, flag=SIZES)
    def put(self, topics: list[str], size: int, flag: int) -> None:
        manual(self.disk.clock).advance(100)
        self.number += 1
        body = b"x" * size
        sys_flag = (0, 0, 4, 8, 12)[flag % 5]
        run = [message(self.number, topic, sys_flag=sys_flag, body=body) for topic in topics]
        wanted = PutStatus.PUT_OK if self.leads else PutStatus.SERVICE_NOT_AVAILABLE
        assert {result.status for result in self.store.put_run(run)} == {wanted}

    @rule(topic=TOPICS, sizes=strategies.lists(SIZES, min_size=1, max_size=3))
    def put_batch(self, topic: str, sizes: list[int]) -> None:
        items = [BatchItem(b"y" * size) for size in sizes]
        result = self.store.put_batch(message(1, topic), items)
        assert (result.status == PutStatus.PUT_OK) == self.leads

    @rule(share=strategies.floats(0, 1))
    def commit(self, share: float) -> None:
        entries = len(self.ledger.ends)
        self.committed += int(share * (entries - self.committed) + 0.5)
        self._shown()

    @rule(share=strategies.floats(0, 1), told=strategies.booleans())
    def lose_leadership(self, share: float, told: bool) -> None:
        """Some of what was not committed is cut; the next leader's entries come."""
        kept = self.committed + int(share * (len(self.ledger.ends) - self.committed))
        if told:
            self.store.follow("another leads")
        self.ledger.cut(kept)
        if not told:
            self.store.show_committed()
            self.store.follow("another leads")
        self.leads = False

    @rule(topic=TOPICS, size=SIZES)
    def receive(self, topic: str, size: int) -> None:
        if self.leads:
            return
        counts = self._offsets()
        other_disk = a_disk(self.disk.clock.wall_ms())
        other = FilesOfALedger(other_disk)
        theirs = a_ledger_store(other_disk, other)
        theirs.load()
        theirs.put(message(1, topic, body=b"z" * size))
        record = other.segments.read(HEADER, other.ends[0] - HEADER)
        offset = counts.get(topic.encode(), 0)
        self.ledger.write(record[:20] + offset.to_bytes(8, "big") + record[28:])

    @rule()
    def lead(self) -> None:
        self.committed = len(self.ledger.ends)
        self._shown()
        self.store.lead()
        self.leads = True

    @rule()
    def flush(self) -> None:
        flush_all(self.store)

    @rule(how=strategies.sampled_from(["closed", "killed", "empty"]))
    def start_again(self, how: str) -> None:
        if how == "closed":
            self.store.close()
        else:
            self.disk = self.disk.crash()
        if how == "empty":
            for folder in ("consumequeue", "index", "checkpoint"):
                self.disk.delete(f"/store/{folder}")
        self.ledger.segments = Segments(self.disk, FOLDER, 4096, Holds())
        self.ledger.segments.load()
        self.store = a_ledger_store(self.disk, self.ledger)
        self.store.follow("it starts")
        self.store.load()
        self.leads = False
        assert self.store.written_position == self.ledger.committed_position

    def _records(self, count: int) -> list[Record]:
        found = []
        begin = 0
        for end in self.ledger.ends[:count]:
            start = begin if begin // 4096 == (end - 1) // 4096 else (end - 1) // 4096 * 4096
            record = parse_record(
                self.ledger.segments.read(start, end - start), HEADER, end - start
            )
            assert isinstance(record, Record)
            found.append(record)
            begin = end
        return found

    def _offsets(self) -> dict[bytes, int]:
        """The offset that the next record of each topic has, as all entries say."""
        counts: dict[bytes, int] = {}
        for record in self._records(len(self.ledger.ends)):
            if record.sys_flag & 12 in {0, 8}:
                assert record.queue_offset == counts.get(record.topic, 0)
                counts[record.topic] = record.queue_offset + 1
        return counts

    @invariant()
    def queues_hold_what_is_committed(self) -> None:
        store: MessageStore = self.store
        assert store.dispatched_position == store.written_position
        counts: dict[str, int] = {}
        for record in self._records(self.committed):
            if record.sys_flag & 12 not in {0, 8}:
                continue
            topic = record.topic.decode()
            offset = counts.get(topic, 0)
            counts[topic] = offset + 1
            result = store.get(topic, 0, offset, 1)
            assert parse_record(result.slices[0], 0, result.size) == record
        for topic in ("A", "B", "SCHEDULE_TOPIC_XXXX"):
            assert store.max_offset(topic, 0) == counts.get(topic, 0)
        self._offsets()


StoreOfAMember.TestCase.settings = settings(max_examples=120, stateful_step_count=30)
TestStoreOfAMember = StoreOfAMember.TestCase
