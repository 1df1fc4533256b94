"""Whatever a master is given, and whatever happens to its slave, both end with the same bytes."""

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from codec.message.batch import BatchItem
from codec.message.record import Blank, parse_record
from rmq.base.errors import StoreError
from rmq.store.messages import PutStatus
from rmq.store.store import MessageStore
from rmq.store.tests.followers import a_slave, assert_same, copy
from rmq.store.tests.stores import a_disk, all_paths, flush_all, manual, message, opened

TOPICS = strategies.sampled_from(["A", "B", "SCHEDULE_TOPIC_XXXX"])
QUEUES = strategies.integers(0, 1)
SIZES = strategies.integers(0, 900)
SYS_FLAGS = strategies.sampled_from([0, 0, 0, 4, 8, 12])
LEVELS = strategies.sampled_from([b"", b"DELAY\x013\x02"])


class SlaveOfAMaster(RuleBasedStateMachine):
    """``ends`` are the ends of all records of the master's log, and the beginnings of its files."""

    @initialize(limited=strategies.booleans())
    def start(self, limited: bool) -> None:
        self.limited = limited
        self.disk, self.copied = a_disk(), a_disk(1_800_000_000_000)
        self.master = opened(self.disk)
        if limited:
            self.master.limit_dispatch(0)
        self.slave = a_slave(self.copied)
        self.ends = {0}
        self.number = 0

    def _note(self, end: int) -> None:
        self.ends.add(end)
        self.ends.add(end - end % 4096)

    @rule(
        topic=TOPICS,
        queue_id=QUEUES,
        size=SIZES,
        flag=SYS_FLAGS,
        level=LEVELS,
        ms=strategies.integers(0, 5000),
    )
    def put(self, topic: str, queue_id: int, size: int, flag: int, level: bytes, ms: int) -> None:
        manual(self.disk.clock).advance(ms)
        self.number += 1
        put = message(self.number, topic, queue_id, body=b"x" * size, sys_flag=flag)
        put.properties += level
        result = self.master.put(put)
        assert result.status == PutStatus.PUT_OK
        self._note(result.end)

    @rule(topic=TOPICS, queue_id=QUEUES, sizes=strategies.lists(SIZES, min_size=1, max_size=3))
    def put_batch(self, topic: str, queue_id: int, sizes: list[int]) -> None:
        result = self.master.put_batch(
            message(0, topic, queue_id), [BatchItem(b"y" * size) for size in sizes]
        )
        self.ends |= set(result.positions)
        self._note(result.end)

    @rule(topics=strategies.lists(TOPICS, min_size=1, max_size=8), queue_id=QUEUES)
    def put_run(self, topics: list[str], queue_id: int) -> None:
        run = [message(number, topic, queue_id) for number, topic in enumerate(topics)]
        for result in self.master.put_run(run):
            self._note(result.end)

    @rule(share=strategies.floats(0, 1))
    def dispatch_some(self, share: float) -> None:
        if self.limited:
            self.master.limit_dispatch(int(share * self.master.written_position))
            self.master.dispatch()

    @rule(size=strategies.integers(1, 3000), whole=strategies.booleans())
    def receive(self, size: int, whole: bool) -> None:
        at = self.slave.written_position
        self.slave.append_raw(at, self.master.log_bytes(at, size))
        if whole:
            self.slave.dispatch()

    @rule(limit=strategies.none() | strategies.floats(0, 1))
    def limit(self, limit: float | None) -> None:
        end = self.slave.written_position
        self.slave.limit_dispatch(None if limit is None else int(limit * end))
        self.slave.dispatch()

    @rule(data=strategies.data())
    def truncate(self, data: strategies.DataObject) -> None:
        end = self.slave.drop_torn_tail()
        assert end in self.ends
        position = data.draw(strategies.sampled_from(sorted(e for e in self.ends if e <= end)))
        self.slave.truncate(position)
        assert self.slave.written_position == position
        assert self.slave.dispatched_position <= position

    @rule(position=strategies.integers(0, 20_000))
    def truncate_where_no_record_begins(self, position: int) -> None:
        if position in self.ends:
            return
        end = self.slave.drop_torn_tail()
        try:
            self.slave.truncate(position)
        except StoreError:
            assert self.slave.written_position == end
        else:
            raise AssertionError(position)

    @rule()
    def flush(self) -> None:
        flush_all(self.slave)

    @rule()
    def close_and_open(self) -> None:
        limit = self.slave.dispatch_limit
        self.slave.close()
        self.slave = self._reopened(limit)

    @rule(data=strategies.data())
    def lose_power(self, data: strategies.DataObject) -> None:
        paths = [path for path in all_paths(self.copied) if path not in {"abort", "lock"}]
        written = data.draw(strategies.sets(strategies.sampled_from(paths))) if paths else ()
        limit = self.slave.dispatch_limit
        flushed = self.slave.flushed_position
        self.copied = self.copied.crash({f"/store/{path}": [0] for path in written})
        self.slave = self._reopened(limit)
        whole = max(end for end in self.ends if end <= flushed)
        assert self.slave.written_position >= whole

    def _reopened(self, limit: int | None) -> MessageStore:
        store = MessageStore(self.copied, self.copied.clock, self.slave._settings)
        store.follow("it is a slave")
        store.limit_dispatch(limit)
        store.load()
        return store

    @rule()
    def lead_and_follow_again(self) -> None:
        self.slave.lead()
        self.slave.follow("it is a slave again")

    @rule(
        run=strategies.lists(TOPICS, max_size=5),
        sizes=strategies.lists(SIZES, max_size=3),
        flag=SYS_FLAGS,
        flushed=strategies.booleans(),
        data=strategies.data(),
    )
    def lead_for_a_while_and_be_lost(
        self,
        run: list[str],
        sizes: list[int],
        flag: int,
        flushed: bool,
        data: strategies.DataObject,
    ) -> None:
        """What the slave takes as a master, later than all others, is cut again."""
        slave = self.slave
        slave.lead()
        end = slave.written_position
        manual(self.copied.clock).advance(10_000)
        assert slave.put(message(1, "A", 0, sys_flag=flag)).status == PutStatus.PUT_OK
        assert len(slave.put_run([message(2, topic, 1) for topic in run])) == len(run)
        if sizes:
            slave.put_batch(message(3, "B", 1), [BatchItem(b"z" * size) for size in sizes])
        assert_offsets_have_no_holes(slave)
        if slave.dispatch_limit is not None:
            slave.limit_dispatch(data.draw(strategies.integers(end, slave.written_position)))
            slave.dispatch()
        if flushed:
            flush_all(slave)
        slave.follow("there is another master")
        slave.truncate(end)
        if slave.dispatch_limit is not None:
            slave.limit_dispatch(min(end, slave.dispatch_limit))

    @invariant()
    def log_is_the_masters(self) -> None:
        at = 0
        while at < self.slave.written_position:
            data = self.slave.log_bytes(at, 4096)
            assert data
            theirs = self.master.log_bytes(at, len(data))
            assert theirs == data[: len(theirs)]
            at += len(data)

    @invariant()
    def queues_end_where_dispatch_does(self) -> None:
        limit = self.slave.dispatched_position
        assert limit <= self.slave.written_position
        for queue in self.slave.consume_queues():
            assert queue.end_position <= limit

    @precondition(lambda self: self.number > 0)
    @rule()
    def all_is_the_same_in_the_end(self) -> None:
        self.master.limit_dispatch(None)
        self.slave.limit_dispatch(None)
        self.slave.drop_torn_tail()
        copy(self.master, self.slave, chunk=777)
        self.slave.dispatch()
        assert self.slave.dispatched_position == self.master.written_position
        mine = {(q.topic, q.queue_id): q for q in self.slave.queues() if q.max_offset}
        theirs = {(q.topic, q.queue_id): q for q in self.master.queues() if q.max_offset}
        assert mine == theirs
        assert_same(self.disk, self.copied)
        if self.limited:
            self.master.limit_dispatch(0)


def assert_offsets_have_no_holes(store: MessageStore) -> None:
    counts: dict[tuple[bytes, int], int] = {}
    at = 0
    while at < store.written_position:
        data = store.log_bytes(at, 4096)
        record = parse_record(data, 0, len(data))
        if isinstance(record, Blank):
            at += len(data)
            continue
        at += record.total_size
        if record.sys_flag & 12 in {0, 8}:
            key = record.topic, record.queue_id
            assert record.queue_offset == counts.get(key, 0)
            counts[key] = record.queue_offset + 1


SlaveOfAMaster.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestSlaveOfAMaster = SlaveOfAMaster.TestCase
