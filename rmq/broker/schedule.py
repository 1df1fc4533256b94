"""Delivery of delayed messages: from the schedule topic to where they were sent.

The schedule topic has a queue for each delay level. All messages of a level wait equally long, so
each queue is in the order of delivery, and only its head is looked at. A level is

- empty: nothing waits; the next arrival in its queue tells when it is due;
- waiting: its head is due at a known time;
- due: its messages are stored anew, in runs so short that the reactor is not held;
- refused: the store took no message; the same one is tried again a little later;
- away: in a slave that acts as master, its head is on the way to another broker, see ``away``.

One timer, for the earliest time of all levels, drives everything. It never sleeps longer than
``SLEEP_MAX_MS``, as the system's time may be set forward meanwhile.

A level's offset moves on when the copy is stored, and is saved when the copy is on disk, which
Java does not wait for: so a power failure may have messages delivered twice, but never lose one.
Source: ScheduleMessageService.java, 5.3.3.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from twisted.internet.defer import Deferred, ensureDeferred

from codec.bodies import decode_body
from codec.bodies.data_version import DataVersion
from codec.bodies.offsets import DelayOffsetSerializeWrapper
from codec.disk.consume_queue import UNIT
from codec.errors import CodecError
from codec.fastjson import dumps_pretty
from codec.message import properties as props
from codec.message.record import Record, parse_record
from rmq.base.periodic import Periodic
from rmq.base.ports import Clock, Timer
from rmq.broker import names
from rmq.broker.delaying import queue_of
from rmq.broker.saving import TableFile
from rmq.store.consume_queue import ConsumeQueue
from rmq.store.messages import PutMessage, PutStatus
from rmq.store.store import MessageStore

log = logging.getLogger(__name__)

RUN_COUNT_MAX = 64
"""Messages delivered in one turn of the reactor, about 2 ms of work."""
RUN_BYTES_MAX = 1 << 20
"""Bytes of records after which a turn ends, though its last record may exceed them."""
SLEEP_MAX_MS = 1_000
"""Longest sleep while something waits."""
AWAY_RETRY_MS = 1_000
"""Wait after a message could not go to another broker."""
RETRY_MS = 100
"""Wait after a refused put. Source: DELAY_FOR_A_WHILE."""
CLOCK_STEP_MAX_MS = 10_000
"""How far beyond its level's delay a message may be due and still be believed.

The store's times never go back, so when the system's time does, new messages are due that much
later. Java believes none, and delivers such messages at once."""

SCHEDULE_TOPIC = names.SCHEDULE_TOPIC.encode()

NEVER_STORED = (PutStatus.MESSAGE_ILLEGAL, PutStatus.PROPERTIES_SIZE_EXCEEDED)
"""Refusals that another try would meet again."""


class Flushing(Protocol):
    """Tells when the log is on disk."""

    def flushed(self, end: int) -> Deferred[PutStatus]:
        """Fires with PUT_OK when all of the log below ``end`` is on disk."""
        ...

    def is_settled(self, end: int) -> bool:
        """Whether nobody can cut off the log any more what lies below ``end``."""
        ...


class Level:
    """One delay level: ``offset`` is its next message, ``due_ms`` (wall time) when to look."""

    __slots__ = ("delay_ms", "due_ms", "is_away", "is_refused", "number", "offset")

    def __init__(self, number: int, delay_ms: int) -> None:
        self.number = number
        self.delay_ms = delay_ms
        self.offset = 0
        self.due_ms: int | None = None
        self.is_refused = False
        self.is_away = False


class Schedule:
    """Delivers delayed messages. ``load``, the store's load, ``start``; ``stop`` before its end."""

    def __init__(
        self,
        store: MessageStore,
        flushing: Flushing,
        clock: Clock,
        file: TableFile,
        delays_ms: Sequence[int],
        *,
        save_interval_ms: int,
        version_step: int,
    ) -> None:
        """``delays_ms`` of levels 1, 2, ...; the offsets' version grows every ``version_step``."""
        self._store = store
        self._flushing = flushing
        self._clock = clock
        self._file = file
        self._levels = [Level(number, delay) for number, delay in enumerate(delays_ms, 1)]
        self._version_step = version_step
        self._moves = 0
        self.away: Callable[[PutMessage], Awaitable[bool]] | None = None
        """Where messages go that cannot be stored here, and whether they got there; None: they are
        stored here. To be set while nothing is delivered."""
        self._table: dict[int, int] = {}
        self._saved_table: dict[int, int] = {}
        """As on disk."""
        self.state_version = 0
        """Of each version from now on: the master's epoch under Controllers, else 0."""
        self._data_version = DataVersion(timestamp=clock.wall_ms())
        self._end = 0
        self._unsaved = False
        self._is_running = False
        self._timer: Timer | None = None
        self._wake_at_ms = 0
        self._saving = Periodic(clock, save_interval_ms, self._save_when_flushed)

    def load(self) -> None:
        """Take over the offsets on disk.

        :raises StoreError: the file cannot be read, nor its backup.
        """
        loaded = self._file.load(lambda text: decode_body(DelayOffsetSerializeWrapper, text))
        if loaded is not None:
            self._take(loaded)

    def adopt(self, theirs: DelayOffsetSerializeWrapper) -> None:
        """Note how far the master is; not to be called while delivering here.

        Source: ScheduleMessageService.java, loadWhenSyncDelayOffset(), 5.3.3.
        """
        assert not self._is_running, "who delivers knows best how far it is"
        self._take(theirs)
        self._save(theirs)

    def _take(self, offsets: DelayOffsetSerializeWrapper) -> None:
        self._table.update(offsets.offset_table)
        self._data_version = offsets.data_version or self._data_version
        self._go_on_from_table()
        self._saved_table = dict(self._table)

    def _go_on_from_table(self) -> None:
        for level in self._levels:
            level.offset = self._table.get(level.number, 0)

    def start(self) -> None:
        """Begin to deliver; the store is loaded."""
        self._is_running = True
        for level in self._levels:
            if not level.is_away:
                self._look(level)
        self._saving.start()
        self._arm()

    def stop(self) -> None:
        """Deliver no more, and save how far it got; harmless when stopped.

        Unless somebody else may cut off what was delivered: then it got as far as was saved last.
        """
        if not self._is_running:
            return
        self._is_running = False
        self._saving.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._flushing.is_settled(self._end):
            self._save(self.wrapper())
        else:
            self._table = dict(self._saved_table)
            self._go_on_from_table()

    def wrapper(self) -> DelayOffsetSerializeWrapper:
        """How far each level has got, as on disk.

        Source: ScheduleMessageService.java, encode(), 5.3.3.
        """
        return DelayOffsetSerializeWrapper(
            data_version=self._data_version, offset_table=dict(sorted(self._table.items()))
        )

    def texts(self) -> dict[str, str]:
        """For operators, of each level: its offset and the end of its queue.

        Source: ScheduleMessageService.java, buildRunningStats(), 5.3.3.
        """
        texts = {}
        for number, offset in sorted(self._table.items()):
            end = self._store.max_offset(names.SCHEDULE_TOPIC, queue_of(number))
            texts[f"scheduleMessageOffset_{number}"] = f"{offset},{end}"
        return texts

    def arrived(
        self,
        topic: str,
        queue_id: int,
        max_offset: int,  # noqa: ARG002 - the store tells it to all listeners
        tags_code: int,
        store_timestamp: int,  # noqa: ARG002 - as above
        properties: bytes,  # noqa: ARG002 - as above
    ) -> None:
        """Note a message; the store's listener. What the queue keeps of it is when it is due."""
        if topic != names.SCHEDULE_TOPIC or not self._is_running:
            return
        if queue_id >= len(self._levels):
            return
        level = self._levels[queue_id]
        if level.due_ms is None and not level.is_away:
            level.due_ms = tags_code
            self._table.setdefault(level.number, level.offset)
            self._arm()

    def _arm(self) -> None:
        """Be woken when the first level is due, or earlier."""
        due_ms = min(
            (level.due_ms for level in self._levels if level.due_ms is not None), default=None
        )
        if due_ms is None:
            return
        sleep_ms = min(max(due_ms - self._clock.wall_ms(), 0), SLEEP_MAX_MS)
        wake_at_ms = self._clock.monotonic_ms() + sleep_ms
        if self._timer is not None:
            if self._wake_at_ms <= wake_at_ms:
                return
            self._timer.cancel()
        self._wake_at_ms = wake_at_ms
        self._timer = self._clock.call_later(sleep_ms, self._turn)

    def _turn(self) -> None:
        """Deliver some of what is due, the longest overdue first."""
        self._timer = None
        now_ms = self._clock.wall_ms()
        for level in self._levels:
            if level.due_ms is not None:
                level.due_ms = _believed(level, level.due_ms, now_ms)
        count, size = RUN_COUNT_MAX, RUN_BYTES_MAX
        while count > 0 and size > 0:
            due = [level for level in self._levels if level.due_ms is not None]
            first = min(due, key=lambda level: level.due_ms or 0, default=None)
            if first is None or (first.due_ms or 0) > now_ms:
                break
            run_count, run_size = self._run(first, now_ms, count, size)
            count -= run_count
            size -= run_size
        self._arm()

    def _look(self, level: Level) -> ConsumeQueue | None:
        """See when the level's next message is due; its queue, None when it is empty.

        Source: ScheduleMessageService.java, correctDelayOffset(), 5.3.3.
        """
        level.due_ms = None
        queue = self._store.consume_queue(names.SCHEDULE_TOPIC, queue_of(level.number))
        if queue is None:
            return None
        if not queue.min_offset <= level.offset <= queue.next_offset:
            log.error(
                "event=delay_offset_corrected level=%d offset=%d min=%d max=%d",
                level.number,
                level.offset,
                queue.min_offset,
                queue.next_offset,
            )
            self._move(level, min(max(level.offset, queue.min_offset), queue.next_offset))
        unit = queue.unit(level.offset)
        if unit is None:
            return None
        self._table.setdefault(level.number, level.offset)
        level.due_ms = _believed(level, unit[2], self._clock.wall_ms())
        return queue

    def _run(self, level: Level, now_ms: int, count_max: int, size_max: int) -> tuple[int, int]:
        """Deliver a level's due messages up to the limits; how many units and bytes it took."""
        queue = self._look(level)
        count = size = 0
        if queue is None:
            return count, size
        if self.away is not None:
            return self._send_away(level, queue)
        for position, unit_size, due_ms in UNIT.iter_unpack(queue.units(level.offset, count_max)):
            if size >= size_max or _believed(level, due_ms, now_ms) > now_ms:
                break
            if not self._deliver(level, position):
                level.due_ms = now_ms + RETRY_MS
                return count + 1, size + unit_size
            self._move(level, level.offset + 1)
            count += 1
            size += unit_size
        self._look(level)
        return count, size

    def _deliver(self, level: Level, position: int) -> bool:
        """Store a message where it goes, or skip one that cannot; False: try it again later."""
        message = self._message(level, position)
        if message is None:
            return True
        result = self._store.put(message)
        if result.status is PutStatus.PUT_OK:
            self._end = result.end
            level.is_refused = False
            return True
        is_final = result.status in NEVER_STORED
        if is_final or not level.is_refused:
            log.error(
                "event=%s level=%d offset=%d position=%d topic=%s status=%s cause=%s",
                "delayed_message_skipped" if is_final else "delayed_message_refused",
                level.number,
                level.offset,
                position,
                message.topic,
                result.status.name,
                result.remark,
            )
        level.is_refused = not is_final
        return is_final

    def _send_away(self, level: Level, queue: ConsumeQueue) -> tuple[int, int]:
        """Have a level's head, which is due, delivered elsewhere; units and bytes it took."""
        unit = queue.unit(level.offset)
        assert unit is not None, "the level was just looked at"
        position, size, _ = unit
        message = self._message(level, position)
        if message is None:
            self._move(level, level.offset + 1)
            self._look(level)
        else:
            level.due_ms, level.is_away = None, True
            ensureDeferred(self._sent_away(level, level.offset, message))
        return 1, size

    async def _sent_away(self, level: Level, offset: int, message: PutMessage) -> None:
        assert self.away is not None
        is_stored = await self.away(message)
        level.is_away = False
        if is_stored and level.offset == offset:
            self._move(level, offset + 1)
            self._next_version()  # so that a master that comes back takes ours for newer
        if not self._is_running:
            if is_stored:
                self._save(self.wrapper())
            return
        self._look(level)
        if not is_stored and level.due_ms is not None:
            level.due_ms = max(level.due_ms, self._clock.wall_ms() + AWAY_RETRY_MS)
        self._arm()

    def _message(self, level: Level, position: int) -> PutMessage | None:
        """The message to store for a record of the schedule topic; None (logged) if unusable."""
        try:
            record = self._record(level, position)
            return _delivered(record)
        except CodecError as error:
            log.error(  # noqa: TRY400 - no traceback: the bytes are to blame
                "event=delayed_message_skipped level=%d offset=%d position=%d cause=%s",
                level.number,
                level.offset,
                position,
                error,
            )
            return None

    def _record(self, level: Level, position: int) -> Record:
        data = self._store.message_at(position)
        if data is None:
            raise CodecError("no record is there")
        record = parse_record(data, 0, len(data))
        if not isinstance(record, Record) or (
            record.topic,
            record.queue_id,
            record.queue_offset,
        ) != (SCHEDULE_TOPIC, queue_of(level.number), level.offset):
            raise CodecError("another record is there")
        return record

    def _move(self, level: Level, offset: int) -> None:
        level.offset = self._table[level.number] = offset
        self._unsaved = True
        self._moves += 1
        if self._moves % self._version_step == 0:
            self._next_version()

    def _next_version(self) -> None:
        self._data_version = self._data_version.next(self._clock.wall_ms(), self.state_version)

    def _save_when_flushed(self) -> None:
        """Save the present offsets once all copies they speak of are on disk."""
        if self._unsaved:
            self._unsaved = False
            flushed = self._flushing.flushed(self._end)
            flushed.addCallback(partial(self._flushed, self.wrapper()))

    def _flushed(self, offsets: DelayOffsetSerializeWrapper, status: PutStatus) -> None:
        if not self._is_running:
            return
        if status is PutStatus.PUT_OK:
            self._save(offsets)
        else:
            self._unsaved = True

    def _save(self, offsets: DelayOffsetSerializeWrapper) -> None:
        if self._file.save(dumps_pretty(offsets)):
            self._saved_table = dict(offsets.offset_table)
        else:
            self._unsaved = True


def _believed(level: Level, due_ms: int, now_ms: int) -> int:
    """When a message is due; now, if its level's delay cannot have led to such a time.

    Source: ScheduleMessageService.java, correctDeliverTimestamp(), 5.3.3.
    """
    return now_ms if due_ms > now_ms + level.delay_ms + CLOCK_STEP_MAX_MS else due_ms


def _delivered(record: Record) -> PutMessage:
    """The copy that consumers get: all as it was sent, DELAY and what came with it included.

    Source: ScheduleMessageService.java, messageTimeUp(), 5.3.3.

    :raises CodecError: it does not say where to, or is a half message.
    """
    topic = props.find(record.properties, props.REAL_TOPIC)
    queue_id = props.find(record.properties, props.REAL_QUEUE_ID)
    if topic is None or queue_id is None or not (queue_id.isdigit() and len(queue_id) <= 10):
        raise CodecError(f"it goes to topic {topic!r} queue {queue_id!r}")
    if topic == names.HALF_TOPIC.encode():
        raise CodecError("half messages cannot be delayed")
    return PutMessage(
        topic.decode(errors="replace"),
        int(queue_id),
        record.body,
        props.remove(record.properties, props.CRC32),
        record.flag,
        record.sys_flag,
        record.born_timestamp,
        record.born_host,
        record.reconsume_times,
    )
