"""The body of a batch: what SEND_BATCH_MESSAGE carries and an inner-batch record keeps.

Items follow each other without anything between. Java reads an item's magic and checksum and
does not look at them; nor does it look at the total size, where we insist that it is true.
Source: MessageDecoder.java, encodeMessage(), decodeMessage(), 5.3.3.
"""

import struct
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from construct import Bytes, Check, Default, Int16sb, Int32sb, Rebuild, Struct, len_, this

from codec.errors import CodecError

BATCH_ITEMS_MAX: Final = 65536
"""Messages of one batch, at most: more than 4 MiB of body hold if each has an id."""

_FIXED: Final = 22
"""Bytes of an item without body and properties."""


def _total_size(item: Any) -> int:
    return _FIXED + len(item.body) + len(item.properties)


BATCH_ITEM = Struct(
    "total_size" / Rebuild(Int32sb, _total_size),
    "magic" / Default(Int32sb, 0),  # not looked at
    "body_crc" / Default(Int32sb, 0),  # not looked at
    "flag" / Int32sb,
    "body_length" / Rebuild(Int32sb, len_(this.body)),
    "body" / Bytes(this.body_length),
    "properties_length" / Rebuild(Int16sb, len_(this.properties)),
    "properties" / Bytes(this.properties_length),
    Check(lambda item: item.total_size == _total_size(item)),
)
"""One message of a batch. Source: MessageDecoder.java, encodeMessage(), 5.3.3."""

_HEAD: Final = struct.Struct(">iiiii")


class BatchItem(NamedTuple):
    """What one message of a batch has for itself; the rest it shares with all."""

    body: bytes
    properties: bytes = b""
    flag: int = 0


def split_batch(body: bytes, limit: int = BATCH_ITEMS_MAX) -> list[BatchItem]:
    """The messages of a batch, at most ``limit`` of them. Twin of ``BATCH_ITEM.parse``, repeated.

    :raises CodecError: lengths do not agree with each other or with the body, or more items.
    """
    items: list[BatchItem] = []
    offset, end = 0, len(body)
    while offset < end:
        if len(items) == limit:
            raise CodecError(f"batch has more than {limit} messages")
        if end - offset < _FIXED:
            raise CodecError(f"{end - offset} bytes are left at {offset}, an item has {_FIXED}")
        total_size, _, _, flag, body_length = _HEAD.unpack_from(body, offset)
        body_at = offset + _HEAD.size
        body_end = body_at + body_length
        item_end = offset + total_size
        if not (body_length >= 0 and body_end + 2 <= item_end <= end):
            raise CodecError(f"{body_length=} in an item of {total_size} bytes at {offset}")
        properties_length = int.from_bytes(body[body_end : body_end + 2], "big", signed=True)
        if properties_length < 0 or body_end + 2 + properties_length != item_end:
            raise CodecError(f"{properties_length=} in an item of {total_size} bytes at {offset}")
        items.append(BatchItem(body[body_at:body_end], body[body_end + 2 : item_end], flag))
        offset = item_end
    return items


def pack_batch(items: Iterable[BatchItem]) -> bytes:
    """The body of a batch. Twin of ``BATCH_ITEM.build``, repeated."""
    parts: list[bytes] = []
    for body, properties, flag in items:
        size = _FIXED + len(body) + len(properties)
        parts += (
            _HEAD.pack(size, 0, 0, flag, len(body)),
            body,
            len(properties).to_bytes(2, "big"),
            properties,
        )
    return b"".join(parts)
