import errno
from collections.abc import Callable

import pytest

from rmq.base.errors import StoreError
from rmq.base.manual import ManualClock
from rmq.base.ports import Disk
from rmq.broker.controlled.identity import Identity, IdentityFiles
from rmq.net.memory_disk import MemoryDisk

PATH = "/store/brokerIdentity"
WANTED = Identity("cluster", "broker-a", 2, "127.0.0.1:10911;1700000000000")
OURS = Identity("cluster", "broker-a", 2)


def files_on(disk: Disk) -> IdentityFiles:
    return IdentityFiles(disk, PATH, cluster_name="cluster", broker_name="broker-a")


def new_disk() -> MemoryDisk:
    return MemoryDisk(ManualClock())


def test_a_new_broker_has_none() -> None:
    assert files_on(new_disk()).load() is None


def test_a_wanted_identity_is_kept_as_java_keeps_it() -> None:
    disk = new_disk()

    files_on(disk).save(WANTED)

    assert disk.read(f"{PATH}-temp") == b"cluster#broker-a#2#127.0.0.1:10911;1700000000000"
    assert files_on(disk).load() == WANTED


def test_the_final_identity_replaces_the_wanted_one() -> None:
    disk = new_disk()
    files_on(disk).save(WANTED)

    files_on(disk).save(OURS)

    assert disk.read(PATH) == b"cluster#broker-a#2"
    assert not disk.exists(f"{PATH}-temp")
    assert files_on(disk).load() == OURS


def test_after_a_crash_between_both_the_final_one_counts() -> None:
    disk = new_disk()
    files_on(disk).save(OURS)
    disk.replace(f"{PATH}-temp", WANTED.line.encode())

    assert files_on(disk).load() == OURS


def test_what_is_given_up_is_gone_but_for_a_backup() -> None:
    disk = new_disk()
    files_on(disk).save(OURS)

    files_on(disk).give_up()

    assert files_on(disk).load() is None
    assert disk.read(f"{PATH}.bak") == b"cluster#broker-a#2"


def test_a_wanted_identity_is_given_up_for_good() -> None:
    disk = new_disk()
    files_on(disk).save(WANTED)

    files_on(disk).give_up()

    assert files_on(disk).load() is None


def test_an_empty_file_counts_as_none() -> None:
    disk = new_disk()
    disk.replace(PATH, b"")

    assert files_on(disk).load() is None


@pytest.mark.parametrize(
    "content", [b"cluster#broker-a", b"cluster#broker-a#x", b"a#b#c#d", b"\xff"]
)
def test_a_broken_file_is_refused(content: bytes) -> None:
    disk = new_disk()
    disk.replace(PATH, content)

    with pytest.raises(StoreError, match="is no broker identity; repair or remove it"):
        files_on(disk).load()


@pytest.mark.parametrize("content", [b"other#broker-a#1", b"cluster#broker-b#1"])
def test_the_identity_of_another_broker_is_refused(content: bytes) -> None:
    disk = new_disk()
    disk.replace(PATH, content)

    with pytest.raises(StoreError, match="the configuration says broker-a in cluster"):
        files_on(disk).load()


class BrokenDisk(MemoryDisk):
    """A disk that fails."""

    def read(self, path: str) -> bytes | None:
        raise OSError(errno.EIO, "broken", path)

    def replace(self, path: str, content: bytes) -> None:
        raise OSError(errno.EIO, "broken", path)

    def exists(self, path: str) -> bool:
        raise OSError(errno.EIO, "broken", path)


@pytest.mark.parametrize(
    "act", [IdentityFiles.load, IdentityFiles.give_up, lambda files: files.save(OURS)]
)
def test_a_disk_that_fails_is_an_error_of_the_store(act: Callable[[IdentityFiles], object]) -> None:
    with pytest.raises(StoreError, match="broken"):
        act(files_on(BrokenDisk(ManualClock())))
