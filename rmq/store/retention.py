"""Which log files to delete, decided by age, hour and disk share; no I/O here.

Source: DefaultMessageStore.java, CleanCommitLogService; MappedFileQueue.java,
deleteExpiredFileByTime(), 5.3.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rmq.store.local_time import hour_of_day
from rmq.store.settings import StoreSettings


@dataclass(frozen=True, slots=True)
class DiskState:
    """What a round of cleaning looks at; times in ms, ``used_share`` 0 to 1."""

    now_ms: int
    used_share: float
    modified_ms: Sequence[int]
    """Last-modified time of each log file, oldest file first; the last is never deleted."""


def files_to_delete(state: DiskState, settings: StoreSettings, *, at_once: bool = False) -> int:
    """How many log files to delete now, from the front.

    In the hour of deletion, or when the disk fills up, or ``at_once`` by command: files past
    their time, up to the first that is not. When the disk is dangerously full: whatever their age.
    """
    deletable = min(max(len(state.modified_ms) - 1, 0), settings.delete_files_max)
    if state.used_share > settings.used_share_force:
        return deletable
    local_ms = state.now_ms + settings.local_offset_ms(state.now_ms)
    in_hour = hour_of_day(local_ms) in settings.delete_hours
    if not (in_hour or at_once or state.used_share > settings.used_share_delete):
        return 0
    count = 0
    while count < deletable and state.now_ms >= state.modified_ms[count] + settings.reserved_ms:
        count += 1
    return count
