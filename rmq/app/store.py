"""From configuration keys to a store's settings."""

import os
import time  # noqa: TID251 - the local time zone is the system's knowledge

from rmq.base.errors import ConfigError
from rmq.conf.store import MessageStoreConfig
from rmq.store.settings import StoreSettings

UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def delay_levels_ms(text: str) -> tuple[int, ...]:
    """The delays of messageDelayLevel, in milliseconds.

    :raises ConfigError: there is none, or one is not a number with s, m, h or d.
    """
    delays = []
    for delay in text.split():
        number, unit = delay[:-1], delay[-1]
        if not number.isascii() or not number.isdigit() or unit not in UNITS_MS:
            raise ConfigError(
                f"messageDelayLevel={text!r}: {delay!r} is no delay; "
                "write numbers with s, m, h or d, like 1s 5s 10s"
            )
        delays.append(int(number) * UNITS_MS[unit])
    if not delays:
        raise ConfigError("messageDelayLevel is empty: write one delay or more, like 1s 5s 10s")
    return tuple(delays)


def delete_hours(text: str) -> tuple[int, ...]:
    """The hours of deleteWhen.

    :raises ConfigError: one is no hour from 0 to 23.
    """
    hours = [hour.strip() for hour in text.split(";") if hour.strip()]
    if any(not hour.isascii() or not hour.isdigit() or int(hour) > 23 for hour in hours):
        raise ConfigError(f"deleteWhen={text!r}: expected hours from 00 to 23 joined by ;")
    return tuple(int(hour) for hour in hours)


def local_offset_ms(wall_ms: int) -> int:
    """Local time less UTC at a time, milliseconds."""
    return time.localtime(wall_ms / 1000).tm_gmtoff * 1000


def memory_size() -> int:
    """Bytes of this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def ledger_folder(config: MessageStoreConfig) -> str:
    """Where the member of a DLedger group keeps everything but its entries.

    Source: DLedgerConfig.java, getDefaultPath(), 0.3.1.2.
    """
    return f"{config.storePathRootDir}/dledger-{config.dLegerSelfId}"


def log_folder(config: MessageStoreConfig) -> str:
    """Where the commit log lies."""
    if not config.enableDLegerCommitLog:
        return config.storePathCommitLog
    return config.storePathDLedgerCommitLog or f"{ledger_folder(config)}/data"


def store_settings(config: MessageStoreConfig, store_host: bytes) -> StoreSettings:
    """What the store must know of its configuration; the process and its machine are the caller's.

    :raises ConfigError: messageDelayLevel or deleteWhen cannot be read.
    """
    return StoreSettings(
        root=config.storePathRootDir,
        store_host=store_host,
        commit_log_folder=log_folder(config),
        local_offset_ms=local_offset_ms,
        commit_log_file_size=config.mappedFileSizeCommitLog,
        consume_queue_file_size=-(-config.mappedFileSizeConsumeQueue // 20) * 20,
        index_enabled=config.messageIndexEnable,
        index_slots=config.maxHashSlotNum,
        index_units=config.maxIndexNum,
        message_size_max=config.maxMessageSize,
        version_by_topic_length=config.autoMessageVersionOnTopicLen,
        append_crc=config.enabledAppendPropCRC,
        check_crc_on_recover=config.checkCRCOnRecover,
        delay_levels_ms=delay_levels_ms(config.messageDelayLevel),
        memory_share=config.accessMessageInMemoryMaxRatio / 100,
        scan_bytes_max=config.maxFilterMessageSize,
        memory_bytes_max=config.maxTransferBytesOnMessageInMemory,
        memory_count_max=config.maxTransferCountOnMessageInMemory,
        disk_bytes_max=config.maxTransferBytesOnMessageInDisk,
        disk_count_max=config.maxTransferCountOnMessageInDisk,
        query_count_max=config.maxMsgsNumBatch,
        flush_least_pages=config.flushCommitLogLeastPages,
        flush_thorough_ms=config.flushCommitLogThoroughInterval,
        queue_flush_least_pages=config.flushConsumeQueueLeastPages,
        queue_flush_thorough_ms=config.flushConsumeQueueThoroughInterval,
        delete_hours=delete_hours(config.deleteWhen),
        reserved_ms=config.fileReservedTime * 3_600_000,
        delete_files_max=config.deleteFileBatchMax,
        used_share_delete=min(max(config.diskMaxUsedSpaceRatio, 10), 95) / 100,
        used_share_force=config.diskSpaceCleanForciblyRatio / 100,
        used_share_full=config.diskSpaceWarningLevelRatio / 100,
    )
