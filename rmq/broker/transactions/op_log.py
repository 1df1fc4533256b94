"""Op messages: which half messages are done.

The body lists offsets of the half queue, each followed by a comma: ``12,13,``. One message
serves many transactions: it is written when more than ``transactionOpMsgMaxSize`` bytes have come
together, or ``transactionOpBatchInterval`` ms after the first of them, and at a clean stop.
What the store refuses is kept and tried again.
Source: TransactionalMessageServiceImpl.java, deletePrepareMessage(), batchSendOpMessage(), 5.3.3.
"""

import logging
from collections.abc import Iterator

from codec.codes import ResponseCode
from codec.message import properties as props
from codec.message.record import Record
from rmq.base.errors import CommandError
from rmq.base.ports import Clock, Timer
from rmq.broker import names
from rmq.conf.broker import BrokerConfig
from rmq.store.messages import PutMessage, PutStatus
from rmq.store.store import MessageStore

logger = logging.getLogger(__name__)

REMOVE_TAG = b"d"
OP_PROPERTIES = b"WAIT\x01true\x02TAGS\x01d\x02"
"""In the order in which Java's map gives them."""

WAITING_MAX = 20_000
"""Offsets that wait to be written, at most. Source: MessageQueueOpContext.java, 5.3.3."""

DIGITS_MAX = 19
"""Of an offset in a body."""


class OpLog:
    """Writes op messages, one queue of them for each half queue."""

    def __init__(
        self, config: BrokerConfig, clock: Clock, store: MessageStore, store_host: bytes
    ) -> None:
        """``config`` may be replaced while running: assign the attribute."""
        self.config = config
        self._clock = clock
        self._store = store
        self._store_host = store_host
        self._waiting: dict[int, list[str]] = {}
        self._sizes: dict[int, int] = {}
        self._timer: Timer | None = None

    def check_room(self, queue_id: int) -> None:
        """Make sure that one more can wait; there is no room only while the store refuses.

        :raises CommandError: SYSTEM_ERROR.
        """
        if len(self._waiting.get(queue_id, ())) >= WAITING_MAX and not self.flush():
            raise CommandError(
                ResponseCode.SYSTEM_ERROR,
                f"{WAITING_MAX} ended transactions wait to be written: {self._store.refusal}",
            )

    def add(self, queue_id: int, offset: int) -> None:
        """Note that the half message at an offset is done; written now or soon."""
        item = f"{offset},"
        self._waiting.setdefault(queue_id, []).append(item)
        size = self._sizes[queue_id] = self._sizes.get(queue_id, 0) + len(item)
        is_full = size > self.config.transactionOpMsgMaxSize
        if not (is_full and self._flush(queue_id)) and self._timer is None:
            self._flush_later()

    def flush(self) -> bool:
        """Write all that waits; whether nothing waits any more."""
        return all(self._flush(queue_id) for queue_id in list(self._waiting))

    def stop(self) -> None:
        """Write all that waits, and nothing more by time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.flush()

    def clear(self) -> None:
        """Forget what still waits after ``stop``: its half messages will be checked."""
        self._waiting.clear()
        self._sizes.clear()

    def _flush_by_time(self) -> None:
        self._timer = None
        if not self.flush():
            self._flush_later()

    def _flush_later(self) -> None:
        self._timer = self._clock.call_later(
            self.config.transactionOpBatchInterval, self._flush_by_time
        )

    def _flush(self, queue_id: int) -> bool:
        items = self._waiting[queue_id]
        while items:
            count = size = 0
            while count < len(items) and size < self.config.transactionOpMsgMaxSize:
                size += len(items[count])
                count += 1
            body = "".join(items[:count]).encode()
            result = self._store.put(self._message(queue_id, body))
            if result.status is not PutStatus.PUT_OK:
                logger.error("event=op_not_written queue_id=%d cause=%s", queue_id, result.remark)
                return False
            del items[:count]
            self._sizes[queue_id] -= size
        del self._waiting[queue_id], self._sizes[queue_id]
        return True

    def _message(self, queue_id: int, body: bytes) -> PutMessage:
        return PutMessage(
            names.OP_HALF_TOPIC,
            queue_id,
            body,
            OP_PROPERTIES,
            born_timestamp=self._clock.wall_ms(),
            born_host=self._store_host,
        )


def offsets_in(op: Record) -> Iterator[int]:
    """The half offsets that an op message names; what is none is left out."""
    if props.find(op.properties, props.TAGS) == REMOVE_TAG:
        for item in op.body.split(b","):
            if item.isdigit() and len(item) <= DIGITS_MAX:
                yield int(item)
