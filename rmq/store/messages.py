"""What goes into the store and what comes out of it."""

from enum import IntEnum
from typing import Protocol

import msgspec


class PutStatus(IntEnum):
    """How a put ended. Source: PutMessageStatus.java, 5.3.3 (same names, same order)."""

    PUT_OK = 0
    FLUSH_DISK_TIMEOUT = 1
    FLUSH_SLAVE_TIMEOUT = 2
    SLAVE_NOT_AVAILABLE = 3
    SERVICE_NOT_AVAILABLE = 4
    CREATE_MAPPED_FILE_FAILED = 5
    MESSAGE_ILLEGAL = 6
    PROPERTIES_SIZE_EXCEEDED = 7
    OS_PAGE_CACHE_BUSY = 8
    UNKNOWN_ERROR = 9
    IN_SYNC_REPLICAS_NOT_ENOUGH = 10
    PUT_TO_REMOTE_BROKER_FAIL = 11
    LMQ_CONSUME_QUEUE_NUM_EXCEEDED = 12
    WHEEL_TIMER_FLOW_CONTROL = 13
    WHEEL_TIMER_MSG_ILLEGAL = 14
    WHEEL_TIMER_NOT_ENABLE = 15


class GetStatus(IntEnum):
    """How a get ended. Source: GetMessageStatus.java, 5.3.3 (same names, same order)."""

    FOUND = 0
    NO_MATCHED_MESSAGE = 1
    MESSAGE_WAS_REMOVING = 2
    OFFSET_FOUND_NULL = 3
    OFFSET_OVERFLOW_BADLY = 4
    OFFSET_OVERFLOW_ONE = 5
    OFFSET_TOO_SMALL = 6
    NO_MATCHED_LOGIC_QUEUE = 7
    NO_MESSAGE_IN_QUEUE = 8
    OFFSET_RESET = 9


class PutMessage(msgspec.Struct, gc=False):
    r"""One message to be stored.

    ``born_host`` is IP (4 or 16 bytes) and port (4 bytes, big-endian); the bits of ``sys_flag``
    for the width of both hosts are set by the store. ``properties`` is the encoded text
    (``name \x01 value \x02 ...``). Times are milliseconds since 1970.
    """

    topic: str
    queue_id: int
    body: bytes
    properties: bytes = b""
    flag: int = 0
    sys_flag: int = 0
    born_timestamp: int = 0
    born_host: bytes = b"\0\0\0\0\0\0\0\0"
    reconsume_times: int = 0
    prepared_transaction_offset: int = 0
    wanted: dict[bytes, bytes] | None = None
    """UNIQ_KEY, TAGS and KEYS of ``properties``, those that are there, if the sender knows them."""


class PutResult(msgspec.Struct, gc=False):
    """What became of a put.

    When ``status`` is PUT_OK: the (first) record lies at ``position`` of the commit log, is
    message ``queue_offset`` of its queue, and all that was written ends below ``end``: a put
    that must survive is safe once ``store.flushed_position >= end``. ``size`` counts the bytes
    of all records. ``positions`` names each record of a batch, and is empty for a single put.
    Otherwise ``remark`` says the cause and the rest is 0.
    """

    status: PutStatus
    position: int = 0
    queue_offset: int = 0
    size: int = 0
    store_timestamp: int = 0
    end: int = 0
    remark: str = ""
    positions: tuple[int, ...] = ()


class RecordFilter(Protocol):
    """Judges records by their properties."""

    @property
    def cost(self) -> int:
        """How many comparisons judging one takes at most, 1 or more."""
        ...

    def matches(self, properties: bytes) -> bool:
        """Whether a record with these properties is wanted."""
        ...


class GetResult(msgspec.Struct, gc=False):
    """What a queue holds from an offset on.

    ``slices`` are whole commit-log records back to back; records that all lie side by side in
    the log come as one slice. ``count`` records, ``size`` bytes in all. The reader goes on at
    ``next_begin_offset``. ``queue_offsets`` names each record's offset in its queue.
    ``fell_behind`` is true when the reader lags more than what fits in memory
    (RocketMQ then suggests a slave).
    """

    status: GetStatus
    next_begin_offset: int
    min_offset: int
    max_offset: int
    slices: list[bytes] = []
    count: int = 0
    size: int = 0
    queue_offsets: range | list[int] = range(0)
    fell_behind: bool = False


class QueryResult(msgspec.Struct, gc=False):
    """Records found by key, newest first, and how far the index has got.

    The index compares hashes: a record may have another key with the same hash.
    """

    positions: list[int]
    records: list[bytes]
    index_last_timestamp: int
    index_last_position: int


class QueueState(msgspec.Struct, gc=False, frozen=True):
    """One queue: messages ``min_offset`` to ``max_offset - 1`` can be read."""

    topic: str
    queue_id: int
    min_offset: int
    max_offset: int
