"""Half messages that nobody ended: found, asked about, and given up at last.

Every ``transactionCheckInterval`` a round goes through the half queue, from the offset of the group
CID_RMQ_SYS_TRANS on. For each half message, in this order:

- another copy of it was put back in this round: on to the next (see ``endings`` for copies);
- an op message says that it is done: on to the next;
- checked ``transactionCheckMax`` times, or older than the log is kept: to the topic
  TRANS_CHECK_MAX_TIME_TOPIC;
- stored since the round began, or younger than ``transactionTimeOut``: the round ends before it;
- younger than its own CHECK_IMMUNITY_TIME_IN_SECONDS: put back, so that it stops nobody;
- committed, though no op message says so (a crash came between): on to the next;
- else: put back with one check more, and a producer of its group is asked.

Whatever was passed is done or put back, so the group's offset moves on. The offset of the op queue
follows: an op message is done when all that it names has been passed.

A round works in turns, each for a limited cost, so that everything else is served in between.
A round begins when what was put before is on disk, or, where a group must agree on it, agreed on;
only then the group's offset moves on, and the producer is asked: the offset is saved, and must not
pass over half messages of which the copies can still be lost.
Source: TransactionalMessageServiceImpl.java, check(), 5.3.3. Other than there, putting back for
immunity does not count as a check, and a store that refuses ends the round, where Java drops what
it gives up.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from codec.codes import ResponseCode
from codec.message import properties as props
from codec.message.record import Record, parse_record
from rmq.base.errors import CommandError
from rmq.base.ports import Clock, Timer
from rmq.broker import names
from rmq.broker.offsets import NO_OFFSET, ConsumerOffsets
from rmq.broker.producers import Producers
from rmq.broker.topics import Topics
from rmq.broker.transactions.endings import Endings, Identity
from rmq.broker.transactions.half import (
    MAX_TIME_TOPIC,
    again,
    half_at,
    identity_of,
    known_of,
    number_of,
    question,
    text_of,
    was_committed,
)
from rmq.broker.transactions.op_log import OpLog, offsets_in
from rmq.conf.broker import BrokerConfig
from rmq.store.messages import GetResult, PutMessage, PutResult, PutStatus
from rmq.store.store import MessageStore

logger = logging.getLogger(__name__)

GROUP = names.TRANSACTION_GROUP

TURN_COST_MAX = 2_000
"""Cost of one turn, in half messages passed because they are done: some milliseconds."""
PASS_COST, READ_COST, PUT_COST = 1, 20, 60

OPS_READ_MAX = 32
"""Op messages read at once. Source: OP_MSG_PULL_NUMS."""

MERGED_MAX = 65_536
"""Transactions of which a round knows that it put back a half message; copies of others stay."""

HOUR_MS = 3_600_000


def at_once() -> Deferred[None]:
    """Nobody must agree, and no disk can fail."""
    return succeed(None)


def on_disk(store: MessageStore, flushed: Callable[[int], Deferred[PutStatus]]) -> Deferred[None]:
    """Fires when what is put by now is on disk; fails with CommandError when the disk failed.

    ``flushed``: as that of ``rmq.broker.durability.Durability``; it is asked again if it took long.
    """
    end = store.written_position

    def told(status: PutStatus) -> Deferred[None]:
        if status is PutStatus.FLUSH_DISK_TIMEOUT:
            return flushed(end).addCallback(told)
        if status is not PutStatus.PUT_OK:
            raise CommandError(ResponseCode.SYSTEM_ERROR, "the disk failed")
        return succeed(None)

    return flushed(end).addCallback(told)


@dataclass(frozen=True, slots=True)
class CheckTools:
    """What a round works with; ``reserved_ms`` is fileReservedTime."""

    clock: Clock
    store: MessageStore
    topics: Topics
    offsets: ConsumerOffsets
    producers: Producers
    op_log: OpLog
    endings: Endings
    reserved_ms: int
    settled: Callable[[], Deferred[None]] = at_once
    """Fires when what is put by now can be read, and stays whoever is master next, and in a loss
    of power. Fails with CommandError when this broker is master no more, or its disk failed."""

    def when_settled(
        self, act: Callable[[], None], otherwise: Callable[[], None] = lambda: None
    ) -> None:
        """Do something then; ``otherwise`` if it never comes, or fails."""

        def never(failure: Failure) -> None:
            if isinstance(failure.value, CommandError):
                logger.info("event=transaction_check_unsettled cause=%s", failure.value)
            else:
                logger.error("event=transaction_check_failed", exc_info=failure.value)
            otherwise()

        self.settled().addCallback(lambda _: act()).addErrback(never)


class Checks:
    """Begins a round again and again, and goes on with it turn by turn."""

    def __init__(self, config: BrokerConfig, tools: CheckTools) -> None:
        """``config`` may be replaced while running: assign the attribute."""
        self.config = config
        self._tools = tools
        self._timer: Timer | None = None
        self._rounds: list[QueueRound] = []
        self._stops = 0
        """How often it was stopped: what was to come then must not."""

    def start(self) -> None:
        """Begin the first round one interval from now: this broker is master, as of now."""
        self._tools.endings.begun_at = self._tools.store.written_position
        self._wait()

    def stop(self) -> None:
        """Begin nothing more; a round under way ends where it is."""
        self._stops += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._rounds = []

    def settled(self) -> Deferred[None]:
        """Fires when what is put by now can be read; fails as that of ``CheckTools``."""
        return self._tools.settled()

    def _wait(self) -> None:
        self._timer = self._tools.clock.call_later(
            self.config.transactionCheckInterval, self._begin
        )

    def _begin(self) -> None:
        self._timer = None
        self._tools.op_log.flush()
        self._tools.when_settled(
            partial(self._begin_round, self._stops), partial(self._try_later, self._stops)
        )

    def _try_later(self, stops: int) -> None:
        if stops == self._stops:
            self._wait()

    def _begin_round(self, stops: int) -> None:
        if stops != self._stops:
            return
        topic = self._tools.topics.get(names.HALF_TOPIC)
        queues = 1 if topic is None else max(topic.read_queue_nums, 1)
        self._rounds = [QueueRound(self.config, self._tools, queue) for queue in range(queues)]
        self._timer = self._tools.clock.call_later(0, self._turn)

    def _turn(self) -> None:
        try:
            while self._rounds and self._rounds[-1].turn():
                self._rounds.pop()
        except Exception:
            logger.exception("event=transaction_check_failed")
            self._rounds = []
        if self._rounds:
            self._timer = self._tools.clock.call_later(0, self._turn)
        else:
            self._wait()


class QueueRound:
    """One round through one half queue."""

    def __init__(self, config: BrokerConfig, tools: CheckTools, queue_id: int) -> None:
        self._config = config
        self._tools = tools
        self._queue_id = queue_id
        self._started_ms = tools.clock.wall_ms()
        halves, ops = names.HALF_TOPIC, names.OP_HALF_TOPIC
        store = tools.store
        self._offset, self._op_offset = self._stored_offset(halves), self._stored_offset(ops)
        if self._offset > store.max_offset(halves, queue_id) or self._op_offset > store.max_offset(
            ops, queue_id
        ):
            # the log lost its end, or the queue began anew: what was passed is not known any more
            self._offset = store.min_offset(halves, queue_id)
            self._op_offset = store.min_offset(ops, queue_id)
        self._next_op = self._op_offset
        self._done: set[int] = set()
        """Bounded by what was ended since the oldest open half message, and a round leaves no
        open one behind that is older than transactionTimeOut."""
        self._again: dict[Identity, int] = {}
        """Where the half messages are that this round put back; at most ``MERGED_MAX``."""
        self._ops: list[tuple[int, int]] = []
        """Op messages read: own offset, greatest half offset."""

    def turn(self) -> bool:
        """Work for a while; whether the round is over. Offsets are committed in any case."""
        is_over = not self._tools.op_log.flush()
        cost = 0
        try:
            while not is_over and cost < TURN_COST_MAX:
                step = self._step()
                cost += step
                is_over = step == 0
        finally:
            self._commit()
        return is_over

    def _stored_offset(self, topic: str) -> int:
        """Source: TransactionalMessageBridge.java, fetchConsumeOffset(), 5.3.3."""
        offset = self._tools.offsets.query(GROUP, topic, self._queue_id)
        return self._tools.store.min_offset(topic, self._queue_id) if offset < 0 else offset

    def _commit(self) -> None:
        for op, half in self._ops:
            if half >= self._offset:
                break
            self._op_offset = op + 1
        else:
            self._op_offset = self._next_op
        self._ops = [one for one in self._ops if one[0] >= self._op_offset]
        self._tools.when_settled(partial(self._commit_at, self._offset, self._op_offset))

    def _commit_at(self, half_offset: int, op_offset: int) -> None:
        offsets = self._tools.offsets
        for topic, offset in ((names.HALF_TOPIC, half_offset), (names.OP_HALF_TOPIC, op_offset)):
            before = offsets.query(GROUP, topic, self._queue_id)
            if offset != before and not (before == NO_OFFSET and offset == 0):
                offsets.commit(GROUP, topic, self._queue_id, offset)

    def _step(self) -> int:
        """Do one thing; its cost, 0 if the round is over."""
        if self._offset in self._done:
            self._done.discard(self._offset)
            self._offset += 1
            return PASS_COST
        store, queue_id = self._tools.store, self._queue_id
        if self._next_op != store.max_offset(names.OP_HALF_TOPIC, queue_id):
            return self._read_ops()
        if self._offset >= store.max_offset(names.HALF_TOPIC, queue_id):
            return 0
        got = store.get(names.HALF_TOPIC, queue_id, self._offset, 1)
        half = _first(got)
        if half is not None:
            return self._decide(half)
        self._offset = max(got.next_begin_offset, self._offset + 1)  # its file is deleted
        return READ_COST

    def _read_ops(self) -> int:
        """Read the next op messages; at least one if the queue has any."""
        got = self._tools.store.get(
            names.OP_HALF_TOPIC, self._queue_id, self._next_op, OPS_READ_MAX
        )
        cost = READ_COST
        for records in got.slices:
            at = 0
            while at < len(records):
                op = parse_record(records, at, len(records), check_crc=False)
                assert isinstance(op, Record), f"no op message at {at}"
                named = list(offsets_in(op))
                self._done.update(named)
                self._ops.append((op.queue_offset, max(named, default=-1)))
                at += op.total_size
                cost += READ_COST + len(named)
        self._next_op = got.next_begin_offset
        return cost

    def _decide(self, half: Record) -> int:
        config = self._config
        identity = identity_of(half, known_of(half))
        left = self._again.get(identity, -1)
        if left > half.queue_offset:
            self._tools.endings.moved(self._queue_id, half.queue_offset, left)
            self._offset += 1
            return READ_COST
        properties = props.parse(half.properties)
        age_ms = self._tools.clock.wall_ms() - half.born_timestamp
        times = number_of(properties.get("TRANSACTION_CHECK_TIMES"), 0)
        if times >= config.transactionCheckMax or age_ms > self._tools.reserved_ms:
            return self._give_up(half, properties, identity)
        if half.store_timestamp >= self._started_ms:
            return 0
        prepared = number_of(properties.get("TRAN_PREPARED_QUEUE_OFFSET"), -1)
        if prepared in self._done:
            self._offset += 1
            return READ_COST
        immunity = properties.get("CHECK_IMMUNITY_TIME_IN_SECONDS")
        if immunity is None:
            if 0 <= age_ms < config.transactionTimeOut:
                return 0
        else:
            seconds = number_of(immunity, -1)
            if age_ms < (config.transactionTimeOut if seconds == -1 else seconds * 1000):
                properties.setdefault("TRAN_PREPARED_QUEUE_OFFSET", str(half.queue_offset))
                return PUT_COST if self._put_back(half, properties, identity) else 0
        if self._was_committed(half, identity):
            logger.info("event=transaction_found_committed offset=%d", self._offset)
            self._offset += 1
            return PUT_COST
        properties["TRANSACTION_CHECK_TIMES"] = str(times + 1)
        result = self._put_back(half, properties, identity)
        if result is None:
            return 0
        self._tools.when_settled(partial(self._ask, result.position))
        return PUT_COST

    def _was_committed(self, half: Record, identity: Identity) -> bool:
        return was_committed(self._tools.store, self._tools.endings, half, identity)

    def _give_up(self, half: Record, properties: dict[str, str], identity: Identity) -> int:
        """Source: DefaultTransactionalMessageCheckListener.java, resolveDiscardMsg(), 5.3.3."""
        if not self._was_committed(half, identity):
            self._tools.topics.create_if_absent(MAX_TIME_TOPIC)
            if self._put(again(half, names.CHECK_MAX_TIME_TOPIC, 0, properties)) is None:
                return 0
            logger.warning(
                "event=transaction_given_up topic=%s offset=%d position=%d",
                properties.get("REAL_TOPIC"),
                half.queue_offset,
                half.position,
            )
        self._offset += 1
        return PUT_COST

    def _put_back(
        self, half: Record, properties: dict[str, str], identity: Identity
    ) -> PutResult | None:
        result = self._put(again(half, names.HALF_TOPIC, self._queue_id, properties))
        if result is not None:
            self._tools.endings.moved(self._queue_id, half.queue_offset, result.queue_offset)
            if len(self._again) < MERGED_MAX:
                self._again[identity] = result.queue_offset
            self._offset += 1
        return result

    def _put(self, message: PutMessage) -> PutResult | None:
        result = self._tools.store.put(message)
        if result.status is PutStatus.PUT_OK:
            return result
        logger.error(
            "event=half_not_moved topic=%s offset=%d cause=%s",
            message.topic,
            self._offset,
            result.remark,
        )
        return None

    def _ask(self, position: int) -> None:
        half = half_at(self._tools.store, position)
        assert half is not None, f"half message put at {position} is not there"
        group = text_of(half, props.PRODUCER_GROUP)
        channel = None if group is None else self._tools.producers.next_channel(group)
        if channel is None:
            logger.warning("event=transaction_not_asked cause=no_producer group=%s", group)
            return
        try:
            channel.send(question(half, self._config.brokerName))
        except CommandError as error:
            logger.warning("event=transaction_not_asked cause=%s", error.remark)


def _first(got: GetResult) -> Record | None:
    if not got.count:
        return None
    record = parse_record(got.slices[0], 0, len(got.slices[0]), check_crc=False)
    return record if isinstance(record, Record) else None
