"""What the store must be told; rmq.app fills it from the broker's configuration."""

from collections.abc import Callable
from dataclasses import dataclass

GIB = 1 << 30
DELAY_LEVELS_MS = tuple(
    1000 * seconds
    for seconds in (1, 5, 10, 30, *(60 * m for m in range(1, 11)), 1200, 1800, 3600, 7200)
)
"""RocketMQ's messageDelayLevel, levels 1 to 18."""


def utc(wall_ms: int) -> int:  # noqa: ARG001  the shape of local_offset_ms
    """Local time less UTC where local time is UTC: 0 milliseconds at any time."""
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """One store. Sizes in bytes, times in milliseconds, ratios 0 to 1.

    The comment at a field names RocketMQ's own key where it has one.
    """

    root: str  # storePathRootDir
    store_host: bytes = b"\x7f\0\0\1\0\0\x2a\x9f"  # brokerIP1:listenPort, 8 or 20 bytes
    process_id: int = 0  # text of the abort file
    commit_log_folder: str = ""  # storePathCommitLog; empty: root/commitlog
    local_offset_ms: Callable[[int], int] = utc  # wall time -> local time less UTC

    commit_log_file_size: int = GIB  # mappedFileSizeCommitLog
    consume_queue_file_size: int = 6_000_000  # mappedFileSizeConsumeQueue, a multiple of 20
    index_enabled: bool = True  # messageIndexEnable
    index_slots: int = 5_000_000  # maxHashSlotNum
    index_units: int = 20_000_000  # maxIndexNum

    message_size_max: int = 4_194_304  # maxMessageSize
    version_by_topic_length: bool = True  # autoMessageVersionOnTopicLen
    append_crc: bool = False  # enabledAppendPropCRC
    check_crc_on_recover: bool = True  # checkCRCOnRecover
    delay_levels_ms: tuple[int, ...] = DELAY_LEVELS_MS  # messageDelayLevel

    memory_size: int = 16 * GIB  # physical memory of the machine
    memory_share: float = 0.4  # accessMessageInMemoryMaxRatio
    scan_bytes_max: int = 16_000  # maxFilterMessageSize
    memory_bytes_max: int = 262_144  # maxTransferBytesOnMessageInMemory
    memory_count_max: int = 32  # maxTransferCountOnMessageInMemory
    disk_bytes_max: int = 65_536  # maxTransferBytesOnMessageInDisk
    disk_count_max: int = 8  # maxTransferCountOnMessageInDisk
    query_count_max: int = 64  # maxMsgsNumBatch

    flush_least_pages: int = 4  # flushCommitLogLeastPages
    flush_thorough_ms: int = 10_000  # flushCommitLogThoroughInterval
    queue_flush_least_pages: int = 2  # flushConsumeQueueLeastPages
    queue_flush_thorough_ms: int = 60_000  # flushConsumeQueueThoroughInterval

    delete_hours: tuple[int, ...] = (4,)  # deleteWhen
    reserved_ms: int = 72 * 3_600_000  # fileReservedTime
    delete_files_max: int = 10  # deleteFileBatchMax
    used_share_delete: float = 0.75  # diskMaxUsedSpaceRatio
    used_share_force: float = 0.85  # diskSpaceCleanForciblyRatio
    used_share_full: float = 0.90  # diskSpaceWarningLevelRatio

    queue_maps_max: int = 8_192  # consume queue files mapped at once
    retry_reserve_ms: int = 1_000  # how often a full disk is asked again
