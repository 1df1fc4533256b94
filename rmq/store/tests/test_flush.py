import pytest

from rmq.store.flush import FlushPolicy, FlushWork
from rmq.store.tests.stores import a_disk


def test_enough_counts_page_borders_between_flushed_and_written() -> None:
    policy = FlushPolicy(2, 1000, 0)

    assert not policy.is_enough(0, 8191)
    assert policy.is_enough(0, 8192)
    assert policy.is_enough(4095, 8192)
    assert not policy.is_enough(4096, 8192)


def test_thorough_round_comes_once_in_its_time() -> None:
    policy = FlushPolicy(2, 1000, 500)

    assert not policy.is_thorough(1499)
    assert policy.is_thorough(1500)
    assert not policy.is_thorough(2499)
    assert policy.is_thorough(2500)


def test_work_syncs_all_its_files_or_raises() -> None:
    disk = a_disk()
    files = tuple(disk.map(f"/{name}", 10) for name in "ab")
    for file in files:
        file.reserve(10)
        file.memory[0:1] = b"x"
    work = FlushWork(files, 0, 0, of_log=True)

    work.sync()

    assert [disk.crash().read(f"/{name}") for name in "ab"] == [b"x" + bytes(9)] * 2
    disk.fail_sync = OSError(5, "Input/output error")
    with pytest.raises(OSError, match="Input/output"):
        work.sync()
