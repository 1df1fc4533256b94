import fcntl
import os
import subprocess
import sys
from errno import EINVAL, EIO, ENOSPC
from pathlib import Path

import pytest

from rmq.net.disk import RealDisk


def test_mapped_file_is_sparse_zero_filled_and_keeps_what_is_written(tmp_path: Path) -> None:
    path = f"{tmp_path}/a/b/file"
    disk = RealDisk()

    file = disk.map(path, 1 << 30)

    assert (file.path, file.size, len(file.memory)) == (path, 1 << 30, 1 << 30)
    assert Path(path).stat().st_blocks == 0
    file.reserve(100)
    file.memory[0:3] = b"abc"
    file.sync()
    file.sync()
    file.close()
    file.close()
    again = disk.map(path, 1 << 30)
    assert again.memory[0:4] == b"abc\0"
    again.close()


def test_reserving_takes_room_once_and_never_beyond_the_file(tmp_path: Path) -> None:
    file = RealDisk().map(f"{tmp_path}/file", 1 << 20)

    file.reserve(64 << 10)
    file.reserve(10)
    taken = Path(file.path).stat().st_blocks * 512
    file.reserve(1 << 30)

    assert 64 << 10 <= taken < 1 << 20
    assert Path(file.path).stat().st_size == 1 << 20
    file.close()


def test_where_the_system_cannot_reserve_the_bytes_are_written_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, offset: int, length: int) -> None:
        raise OSError(EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    file = RealDisk().map(f"{tmp_path}/file", 4 << 20)
    file.memory[5:8] = b"abc"

    file.reserve(3 << 20)

    assert Path(file.path).stat().st_blocks * 512 >= 3 << 20
    assert file.memory[4:9] == b"\0abc\0"
    file.close()


def test_full_disk_is_an_error_of_reserving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, offset: int, length: int) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    file = RealDisk().map(f"{tmp_path}/file", 4096)

    with pytest.raises(OSError, match="No space left") as caught:
        file.reserve(10)

    assert caught.value.errno == ENOSPC
    file.close()


def test_other_platforms_write_and_sync_their_own_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda _, command: calls.append(command))
    file = RealDisk().map(f"{tmp_path}/file", 4096)

    file.reserve(4096)
    file.sync()
    file.close()

    assert calls == [51]


def test_sync_of_a_deleted_file_has_nothing_to_do_and_a_failing_one_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = RealDisk()
    file = disk.map(f"{tmp_path}/file", 4096)

    def fail(descriptor: int) -> None:
        raise OSError(EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        with pytest.raises(OSError, match="Input/output"):
            file.sync()
    disk.delete(file.path)
    file.sync()
    file.close()


def test_file_is_made_longer_but_never_shorter(tmp_path: Path) -> None:
    disk = RealDisk()
    path = f"{tmp_path}/file"
    Path(path).write_bytes(b"abc")

    file = disk.map(path, 10)

    assert file.memory[:] == b"abc" + bytes(7)
    file.close()
    with pytest.raises(OSError, match="file of 10 bytes, map of 5"):
        disk.map(path, 5)


def test_entries_are_sorted_with_size_and_time(tmp_path: Path) -> None:
    disk = RealDisk()
    Path(tmp_path, "b").write_bytes(b"abc")
    Path(tmp_path, "a").mkdir()
    os.utime(tmp_path / "b", ns=(0, 1_700_000_000_123_456_789))

    entries = [(e.name, e.is_folder, e.size, e.modified_ms) for e in disk.entries(f"{tmp_path}")]

    assert entries == [("a", True, 0, 0), ("b", False, 3, 1_700_000_000_123)]
    assert disk.entries(f"{tmp_path}/none") == []


def test_replacing_leaves_no_trace_but_the_new_content(tmp_path: Path) -> None:
    disk = RealDisk()
    path = f"{tmp_path}/config/topics.json"

    assert disk.read(path) is None
    disk.replace(path, b"old")
    disk.replace(path, b"new")

    assert disk.read(path) == b"new"
    assert [e.name for e in disk.entries(f"{tmp_path}/config")] == ["topics.json"]
    assert disk.exists(path)


def test_deleting_and_renaming(tmp_path: Path) -> None:
    disk = RealDisk()
    disk.replace(f"{tmp_path}/a/b", b"x")
    disk.rename(f"{tmp_path}/a/b", f"{tmp_path}/a/c")
    assert disk.read(f"{tmp_path}/a/c") == b"x"

    disk.delete(f"{tmp_path}/a/c")
    disk.delete(f"{tmp_path}/a/c")
    assert disk.exists(f"{tmp_path}/a")
    disk.delete(f"{tmp_path}/a")

    assert not disk.exists(f"{tmp_path}/a")


def test_share_in_use_is_told_of_a_folder_still_to_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = RealDisk()

    share = disk.used_share(f"{tmp_path}/not/there")

    told = os.statvfs(tmp_path)
    assert share == pytest.approx(1 - told.f_bavail / told.f_blocks, abs=0.01)
    assert 0 <= disk.used_share("no-such-folder") <= 1
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((1,) * 2 + (0,) * 8))
    assert disk.used_share(f"{tmp_path}") == 0


def test_lock_keeps_another_process_out_until_it_is_given_back(tmp_path: Path) -> None:
    path = f"{tmp_path}/lock"
    unlock = RealDisk().lock(path)
    other = [sys.executable, "-c", f"from rmq.net.disk import RealDisk; RealDisk().lock({path!r})"]

    refused = subprocess.run(other, capture_output=True, check=False, cwd=Path.cwd())
    unlock()
    allowed = subprocess.run(other, capture_output=True, check=False, cwd=Path.cwd())

    assert (refused.returncode, b"BlockingIOError" in refused.stderr) == (1, True)
    assert allowed.returncode == 0
    assert Path(path).read_bytes() == b"lock"


def test_folder_cannot_be_the_lock(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        RealDisk().lock(f"{tmp_path}")
