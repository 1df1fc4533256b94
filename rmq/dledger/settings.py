"""How a member of a DLedger group is set up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from codec.disk.dledger import UNIT_SIZE
from rmq.base.errors import ConfigError
from rmq.raft.config import RaftConfig

DATA_FILE_SIZE = 1 << 30
"""mappedFileSizeForEntryData, bytes."""
INDEX_FILE_SIZE = 5 * 1024 * 1024 * UNIT_SIZE
"""mappedFileSizeForEntryIndex, bytes."""


def utc(_now_ms: int) -> int:
    """No offset from UTC."""
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSettings:
    """Where the log lies, how its files are made, and when they are deleted."""

    folder: str
    """``<storeBaseDir>/dledger-<selfId>``."""
    data_folder: str = ""
    """Of the entries; ``<folder>/data`` if empty."""
    data_file_size: int = DATA_FILE_SIZE
    index_file_size: int = INDEX_FILE_SIZE
    """A multiple of 32."""
    place: int | None = None
    """Where in a leader's new body, counted from its begin, 8 bytes are to become the position of
    that body in the log: 28 for a commit log's records. None: bodies stay as they are."""

    checked: bool = False
    """Whether a leader's new entries carry the checksum of their body, in the field that Java has
    for it, leaves 0, and passes on: else a start after a loss of power takes a body for whole of
    which only some pages were written, if the entry's head was."""

    cleaned: bool = False
    """Whether old files are deleted. Not where the log's entries make up a state."""
    file_reserved_hours: int = 72
    delete_hours: frozenset[int] = frozenset({4})
    """deleteWhen: hours of the day, 0 to 23."""
    share_to_check_expired: float = 0.70
    """diskSpaceRatioToCheckExpired: above, expired files are deleted at any hour."""
    share_to_force_clean: float = 0.85
    """diskSpaceRatioToForceClean: above, files are deleted whatever their age."""
    enable_disk_force_clean: bool = True
    local_offset_ms: Callable[[int], int] = utc
    """How far local time is ahead of UTC, milliseconds, at a time given in ms since 1970."""

    @property
    def full_share(self) -> float:
        """Above this share of the disk in use nothing is appended."""
        return min(self.share_to_force_clean + 0.05, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSettings:
    """A member: its consensus, its files, its peers. Times in ms, defaults of DLedger 0.3.1.2."""

    raft: RaftConfig
    addresses: Mapping[str, str]
    """``host:port`` of every member by id, this one's among them."""
    ledger: LedgerSettings
    durable: bool = False
    """Whether entries are synced before they are acknowledged. Java's are not: there a member
    that loses power forgets what it acknowledged in the last 10 ms."""
    call_timeout_ms: int = 3000
    flush_interval_ms: int = 10
    check_point_interval_ms: int = 3000
    clean_interval_ms: int = 1000
    """How often the disk is looked at (Java: every 100 ms)."""


def parse_peers(peers: str) -> dict[str, str]:
    """Read ``n0-host:port;n1-host:port`` as addresses by id.

    Source: MemberState.java, MemberState(), 0.3.1.2.

    :raises ConfigError: a part has another form, or an id comes twice.
    """
    addresses: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in peers.split(";"))):
        peer_id, dash, address = part.partition("-")
        host, colon, port = address.rpartition(":")
        if not (peer_id and dash and host and colon and port.isdecimal()):
            raise ConfigError(f"peer {part!r}, expected id-host:port")
        if peer_id in addresses:
            raise ConfigError(f"peers {peers!r} have {peer_id} twice")
        addresses[peer_id] = address
    if not addresses:
        raise ConfigError("no peers, expected id-host:port;id-host:port")
    return addresses
