"""A store over a ledger: the log is a Raft group's, records are the bodies of its entries.

The group's member writes the files, ``entry_header`` bytes before each record, and decides what is
*committed*. The store shows committed entries only: ``written_position`` is where they end. A put
hands records to the ledger, which gives each its position (and writes it into the record) and
agrees on them later; until then the store remembers them for dispatch, and counts their offsets.

- A member that does not lead: the store follows; entries come by the ledger, not as raw bytes.
- A member that leads: the store leads once all of the ledger is committed and shown, so that queue
  offsets count on from the queues. Source: DLedgerRoleChangeHandler.java, run(), 5.3.3.
- A ledger that was cut has lost what was put and not committed: the store forgets it.

Source: DLedgerCommitLog.java, 5.3.3. Different on purpose: there is no mixed mode, in which an old
commit log lies before the ledger.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from codec.disk.dledger import BLANK_SIZE, ENTRY_HEADER_SIZE
from codec.message.batch import BatchItem
from codec.message.properties import PROPERTIES_MAX, join
from codec.message.record import pack_record
from codec.message.sysflag import STORE_HOST_V6, TRANSACTION_MASK, TRANSACTION_ROLLBACK
from rmq.store.commit_log import CommitLog
from rmq.store.consume_queue import ConsumeQueue
from rmq.store.dispatch import wanted_properties
from rmq.store.dispatching import NOT_QUEUED, Dispatcher, Entry
from rmq.store.index import Index
from rmq.store.messages import PutMessage, PutResult, PutStatus
from rmq.store.queue_table import QueueTable
from rmq.store.writer import Writer

NO_ONES_TOPIC = b"SELF_TEST_TOPIC"
"""A topic of the system that nobody reads. Source: TopicValidator.java, 5.3.3."""
ENTRY_SIZE_MAX = 4 << 20
"""Bytes of an entry with its header. Source: DLedgerMmapFileStore.java, localEntryBuffer."""


class LedgerRefusedError(Exception):
    """A ledger did not take records: it does not lead, too much is pending, disk full."""

    def __init__(self, status: PutStatus, remark: str) -> None:
        super().__init__(remark)
        self.status = status
        self.remark = remark


class Ledger(Protocol):
    """The part of a DLedger member that a store needs; positions are bytes of its data files."""

    def open(self) -> None:
        """Read what is on disk; the store has its lock, nobody else has the files.

        :raises rmq.base.errors.StoreError: it cannot be used.
        """
        ...

    @property
    def begin_position(self) -> int:
        """Where the first file begins."""
        ...

    @property
    def committed_position(self) -> int:
        """Where the last committed entry ends; 0 if none is."""
        ...

    @property
    def cuts(self) -> int:
        """How often entries were cut off or replaced; only grows."""
        ...

    def append(self, records: Sequence[bytes]) -> Sequence[int]:
        """Write an entry for each record, and have the group agree on them.

        Gives where each record lies, behind its entry's header; the position that the record says
        is written into it there. When the disk failed amid them, only of the first ones.

        :raises LedgerRefusedError: nothing was written.
        """
        ...


def record_for_no_one(store_host: bytes, store_timestamp: int) -> bytes:
    """A record that no queue and no index takes: what a new leader may write to have an entry.

    An entry with an empty body would lead a member of Java astray. It is of a transaction that was
    rolled back; ``store_timestamp`` in ms, its position is 0.
    """
    return pack_record(
        body=b"",
        topic=NO_ONES_TOPIC,
        properties=b"",
        queue_id=0,
        flag=0,
        queue_offset=0,
        position=0,
        sys_flag=TRANSACTION_ROLLBACK | (STORE_HOST_V6 if len(store_host) == 20 else 0),
        born_timestamp=store_timestamp,
        born_host=bytes(8),
        store_timestamp=store_timestamp,
        store_host=store_host,
        reconsume_times=0,
        prepared_transaction_offset=0,
    )


class Put(NamedTuple):
    """A record on its way into the ledger."""

    queue: ConsumeQueue
    message: PutMessage
    body: bytes
    properties: bytes
    flag: int
    size: int


class LedgerWriter(Writer):
    """Puts into a ledger; dispatch always comes later. Call ``use`` first."""

    def use(self, ledger: Ledger, file_size: int) -> None:
        """Put into ``ledger``, whose files have ``file_size`` bytes."""
        self._ledger = ledger
        entry_max = min(ENTRY_SIZE_MAX, file_size - BLANK_SIZE)
        self._record_max = min(self._record_max, entry_max - ENTRY_HEADER_SIZE)

    @property
    def dispatches_later(self) -> bool:
        """Whether puts leave dispatch to the ``Dispatcher``: always."""
        return True

    def dispatch_later(self, later: bool) -> None:
        """Nothing else is possible."""

    def put(self, message: PutMessage) -> PutResult:
        """See ``MessageStore.put``."""
        return self.put_run([message])[0]

    def put_run(self, messages: Sequence[PutMessage]) -> list[PutResult]:
        """Append messages that came together, each for itself; one proposal for all."""
        answers: list[PutResult | Put] = []
        for message in messages:
            refused, queue = self._check_rarely(message)
            if queue is None:
                answers.append(refused)
                continue
            body, properties = message.body, message.properties
            size = queue.fixed_size + len(message.born_host) + len(body) + len(properties)
            if self._fits(len(body), len(properties), size):
                answers.append(Put(queue, message, body, properties, message.flag, size))
            else:
                answers.append(self._too_long(len(body), len(properties), size))
        done = iter(self._append_all([put for put in answers if isinstance(put, Put)]))
        return [next(done) if isinstance(answer, Put) else answer for answer in answers]

    def put_batch(self, message: PutMessage, items: Sequence[BatchItem]) -> PutResult:
        """See ``MessageStore.put_batch``."""
        refused, queue = self._check_rarely(message)
        if queue is None:
            return refused
        if not items or message.sys_flag & TRANSACTION_MASK:
            return self._no_batch(message, items)
        puts: list[Put] = []
        for item in items:
            properties = join(item.properties, message.properties)
            size = queue.fixed_size + len(message.born_host) + len(item.body) + len(properties)
            if not self._fits(len(item.body), len(properties), size):
                return self._too_long(len(item.body), len(properties), size)
            puts.append(Put(queue, message, item.body, properties, item.flag, size))
        results = self._append_all(puts)
        first, last = results[0], results[-1]
        if last.status != PutStatus.PUT_OK:
            return last
        first.size = sum(put.size for put in puts)
        first.end = last.end
        first.positions = tuple(result.position for result in results)
        return first

    def _fits(self, body_size: int, properties_size: int, size: int) -> bool:
        return (
            body_size <= self._body_max
            and properties_size <= PROPERTIES_MAX
            and size <= self._record_max
        )

    def _append_all(self, puts: Sequence[Put]) -> list[PutResult]:
        """Hand records to the ledger; the results of those it took, then refusals."""
        if not puts:
            return []
        dispatcher = self._dispatcher
        now_ms = max(self._wall_ms(), self._log.last_timestamp)
        nexts: dict[ConsumeQueue, int] = {}
        offsets: list[int] = []
        records: list[bytes] = []
        for put in puts:
            queue = put.queue
            offset = 0
            if put.message.sys_flag & TRANSACTION_MASK not in NOT_QUEUED:
                offset = nexts.get(queue, -1)
                if offset < 0:
                    offset = dispatcher.next_offset(queue)
                nexts[queue] = offset + 1
            offsets.append(offset)
            pieces = self._pieces(
                queue,
                put.message,
                (put.body, put.properties, put.flag),
                (0, put.size, now_ms),
                offset - queue.next_offset,
            )
            records.append(b"".join(pieces))
        try:
            positions = self._ledger.append(records)
        except LedgerRefusedError as error:
            return [self._refused(error.status, error.remark) for _ in puts]
        self._log.last_timestamp = now_ms
        results = [
            self._taken(put, offset, position, now_ms)
            for put, offset, position in zip(puts, offsets, positions, strict=False)
        ]
        while len(results) < len(puts):
            text = f"the ledger took {len(positions)} of {len(puts)} records"
            results.append(self._refused(PutStatus.SERVICE_NOT_AVAILABLE, text))
        return results

    def _taken(self, put: Put, offset: int, position: int, now_ms: int) -> PutResult:
        queue, message, _, properties, _, size = put
        wanted = message.wanted
        if wanted is None or properties is not message.properties:
            wanted = wanted_properties(properties)
        transaction = message.sys_flag & TRANSACTION_MASK
        entry = Entry(
            queue.topic,
            queue.queue_id,
            offset,
            position,
            size,
            transaction,
            now_ms,
            properties,
            wanted,
        )
        self._dispatcher.remember(queue, entry)
        self._stats.put_times += 1
        self._stats.put_bytes += size
        return PutResult(PutStatus.PUT_OK, position, offset, size, now_ms, position + size)


class LedgerView:
    """What a store sees of a ledger."""

    def __init__(
        self,
        ledger: Ledger,
        log: CommitLog,
        queues: QueueTable,
        index: Index,
        dispatcher: Dispatcher,
    ) -> None:
        self._ledger = ledger
        self._log = log
        self._queues = queues
        self._index = index
        self._dispatcher = dispatcher
        self._cuts = ledger.cuts
        log.entry_header = ENTRY_HEADER_SIZE
        self.open = ledger.open
        """See ``Ledger.open``."""

    def show(self) -> None:
        """Let be read what is committed, and no more what was cleaned away.

        :raises OSError: a file cannot be mapped, or one of the queues' not be deleted.
        """
        ledger, log = self._ledger, self._log
        if ledger.cuts != self._cuts:
            self._cuts = ledger.cuts
            self._dispatcher.recount()
        begin, before = ledger.begin_position, log.begin
        log.show(begin, max(begin, ledger.committed_position))
        if log.begin != before:
            for queue in self._queues:
                queue.delete_before(log.begin)
            self._index.delete_before(log.begin)
            dispatcher = self._dispatcher
            dispatcher.position = max(dispatcher.position, log.begin)
