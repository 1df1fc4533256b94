"""The two ids of a message: where the broker put it, and what the client called it.

Both are upper-case hexadecimal text of big-endian fields, 32 characters with an IPv4 address and
56 with an IPv6 one:

- offset message id: the storing broker's address and port, and the position in its commit log;
- unique key (property UNIQ_KEY): the client's address, process and class loader, milliseconds
  since the month began (client's clock and time zone), and a counter.

Readers take lower case too, as Java does.
"""

import struct
from typing import Final, NamedTuple

from construct import Bytes, Int16ub, Int32sb, Int32ub, Int64sb, Struct

from codec.errors import CodecError


def _offset_message_id(host_size: int) -> Struct:
    return Struct("store_host" / Bytes(host_size), "position" / Int64sb)


OFFSET_MESSAGE_ID = _offset_message_id(8)
"""With an IPv4 address. Source: MessageDecoder.java, createMessageId(), 5.3.3."""
OFFSET_MESSAGE_ID_V6 = _offset_message_id(20)
"""With an IPv6 address."""


def _unique_key(ip_size: int) -> Struct:
    return Struct(
        "ip" / Bytes(ip_size),
        "pid" / Int16ub,  # the low 16 bits
        "class_loader_hash" / Int32ub,
        "month_elapsed_ms" / Int32sb,
        "counter" / Int16ub,  # starts again after 65535
    )


UNIQUE_KEY = _unique_key(4)
"""With an IPv4 address. Source: MessageClientIDSetter.java, createUniqID(), 5.3.3."""
UNIQUE_KEY_V6 = _unique_key(16)
"""With an IPv6 address."""

_POSITION: Final = struct.Struct(">q")
_UNIQUE_KEY_REST: Final = struct.Struct(">HIiH")
_CLOCK_STEP_MAX_MS: Final = 1_000_000
"""A clock this little before the month's start was set back; it counts as the start."""


class OffsetMessageId(NamedTuple):
    """Which broker stored a message, and where."""

    store_host: bytes
    position: int


class UniqueKey(NamedTuple):
    """Who sent a message, and when in a month."""

    ip: bytes
    pid: int
    class_loader_hash: int
    month_elapsed_ms: int
    counter: int


def build_offset_message_id(store_host: bytes, position: int) -> str:
    """The offset message id; ``store_host`` is address and port in 8 or 20 bytes.

    Source: MessageDecoder.java, createMessageId(), 5.3.3.
    """
    return (store_host + position.to_bytes(8, "big", signed=True)).hex().upper()


def parse_offset_message_id(text: str) -> OffsetMessageId:
    """Where the message lies.

    Source: MessageDecoder.java, decodeMessageId(), 5.3.3.

    :raises CodecError: it is not an id.
    """
    data = _bytes_of(text)
    return OffsetMessageId(data[:-8], _POSITION.unpack(data[-8:])[0])


def build_unique_key(
    ip: bytes, *, pid: int, class_loader_hash: int, month_start_ms: int, now_ms: int, counter: int
) -> str:
    """A unique key; ``ip`` has 4 or 16 bytes, of ``pid`` and ``counter`` the low 16 bits count.

    ``month_start_ms`` is when the month of ``now_ms`` began where the client is.
    Source: MessageClientIDSetter.java, createUniqID(), 5.3.3.
    """
    elapsed = now_ms - month_start_ms
    if -_CLOCK_STEP_MAX_MS < elapsed < 0:
        elapsed = 0
    elapsed = (elapsed + 0x80000000 & 0xFFFFFFFF) - 0x80000000
    rest = (pid & 0xFFFF, class_loader_hash & 0xFFFFFFFF, elapsed, counter & 0xFFFF)
    return (ip + _UNIQUE_KEY_REST.pack(*rest)).hex().upper()


def parse_unique_key(text: str) -> UniqueKey:
    """Who sent the message. Clients of other languages may fill these fields with other things.

    Source: MessageClientIDSetter.java, getIPFromID(), getPidFromID(), getNearlyTimeFromID(), 5.3.3.

    :raises CodecError: it is not an id.
    """
    data = _bytes_of(text)
    return UniqueKey(data[:-12], *_UNIQUE_KEY_REST.unpack(data[-12:]))


def _bytes_of(text: str) -> bytes:
    if len(text) not in (32, 56):
        raise CodecError(f"message id of {len(text)} characters, expected 32 or 56")
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise CodecError(f"message id {text!r} is not hexadecimal") from error
    if len(data) * 2 != len(text):
        raise CodecError(f"message id {text!r} has blanks")
    return data
