from dataclasses import replace

import pytest

from rmq.store.retention import DiskState, files_to_delete
from rmq.store.tests.stores import SMALL

HOUR = 3_600_000
NOW = 20_000 * 24 * HOUR + 4 * HOUR  # 04:00
OLD = NOW - 72 * HOUR


@pytest.mark.parametrize(
    ("now_ms", "share", "at_once", "count"),
    [
        (NOW, 0.1, False, 2),
        (NOW + HOUR - 1, 0.1, False, 2),
        (NOW + HOUR, 0.1, False, 0),
        (NOW + HOUR, 0.1, True, 2),
        (NOW + HOUR, 0.75, False, 0),
        (NOW + HOUR, 0.76, False, 2),
        (NOW + HOUR, 0.86, False, 4),
    ],
)
def test_files_are_deleted_by_hour_command_or_share(
    now_ms: int, share: float, at_once: bool, count: int
) -> None:
    state = DiskState(now_ms, share, [OLD, OLD, OLD + 2 * HOUR, OLD, OLD])

    assert files_to_delete(state, SMALL, at_once=at_once) == count


def test_hour_is_local() -> None:
    state = DiskState(NOW + 2 * HOUR, 0.1, [OLD, OLD])
    local = replace(SMALL, local_offset_ms=lambda _: -2 * HOUR)

    assert files_to_delete(state, SMALL) == 0
    assert files_to_delete(state, local) == 1


@pytest.mark.parametrize(("files", "count"), [(0, 0), (1, 0), (2, 1), (30, 10)])
def test_last_file_stays_and_a_round_has_a_limit(files: int, count: int) -> None:
    state = DiskState(NOW, 0.99, [OLD] * files)

    assert files_to_delete(state, SMALL) == count
