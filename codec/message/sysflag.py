"""The bits of a record's system flag, and what is asked of them.

Source: MessageSysFlag.java, 5.3.3.
"""

from typing import Final

COMPRESSED: Final = 0x1
MULTI_TAGS: Final = 0x2
"""The whole of TAGS is one tag, whatever it contains."""

TRANSACTION_NORMAL: Final = 0x0
TRANSACTION_PREPARED: Final = 0x4
TRANSACTION_COMMIT: Final = 0x8
TRANSACTION_ROLLBACK: Final = 0xC
TRANSACTION_MASK: Final = 0xC

BORN_HOST_V6: Final = 0x10
"""bornHost has 16 bytes of address, not 4."""
STORE_HOST_V6: Final = 0x20
"""storeHost has 16 bytes of address, not 4."""
NEED_UNWRAP: Final = 0x40
INNER_BATCH: Final = 0x80
"""The body holds several messages (only in batch consume queues)."""

COMPRESSION_LZ4: Final = 0x100
COMPRESSION_ZSTD: Final = 0x200
COMPRESSION_ZLIB: Final = 0x300
COMPRESSION_MASK: Final = 0x700
"""No bit of it set on a compressed body means zlib: clients before 4.9 knew nothing else."""


def transaction_type(sys_flag: int) -> int:
    """One of the ``TRANSACTION_`` values."""
    return sys_flag & TRANSACTION_MASK


def with_transaction_type(sys_flag: int, transaction: int) -> int:
    """The same flag with another ``TRANSACTION_`` value."""
    return sys_flag & ~TRANSACTION_MASK | transaction


def host_sizes(sys_flag: int) -> tuple[int, int]:
    """Bytes of bornHost and of storeHost in a record, each 8 (IPv4 and port) or 20 (IPv6)."""
    return (20 if sys_flag & BORN_HOST_V6 else 8), (20 if sys_flag & STORE_HOST_V6 else 8)


def with_hosts(sys_flag: int, born_host: bytes, store_host: bytes) -> int:
    """The same flag, saying of these two hosts whether they are IPv6."""
    born = BORN_HOST_V6 if len(born_host) == 20 else 0
    store = STORE_HOST_V6 if len(store_host) == 20 else 0
    return sys_flag & ~(BORN_HOST_V6 | STORE_HOST_V6) | born | store
