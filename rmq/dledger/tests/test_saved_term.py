from errno import EIO

import pytest

from rmq.base.errors import StoreError
from rmq.dledger.saved_term import SavedTerm
from rmq.dledger.tests.ledgers import FOLDER, new_disk
from rmq.raft.ready import HardState


def test_what_was_saved_is_loaded():
    disk = new_disk()

    SavedTerm(disk, FOLDER).save(HardState(7, "n1"))

    assert disk.read(f"{FOLDER}/currterm") == b"voteLeader=n1\ncurrTerm=7\n"
    assert SavedTerm(disk, FOLDER).load() == HardState(7, "n1")


def test_nothing_was_saved_yet():
    assert SavedTerm(new_disk(), FOLDER).load() == HardState()


@pytest.mark.parametrize("suffix", [".tmp", ".bak"])
def test_the_file_that_java_left_half_renamed_is_found(suffix):
    disk = new_disk()
    disk.replace(f"{FOLDER}/currterm{suffix}", b"currTerm=7\nvoteLeader=\n")

    assert SavedTerm(disk, FOLDER).load() == HardState(7, None)


def test_a_file_that_cannot_be_read_is_no_file_that_is_not_there():
    disk = new_disk()
    disk.replace(f"{FOLDER}/currterm", b"currTerm=x")

    with pytest.raises(StoreError, match="cannot read /store/dledger-n0/currterm"):
        SavedTerm(disk, FOLDER).load()


def test_a_disk_that_cannot_read_stops_the_start():
    disk = new_disk()
    disk.replace(f"{FOLDER}/currterm/below", b"")

    with pytest.raises(StoreError, match="restore it"):
        SavedTerm(disk, FOLDER).load()


def test_a_disk_that_cannot_write_is_told_of():
    disk = new_disk()
    disk.fail_replace = OSError(EIO, "broken")

    with pytest.raises(OSError, match="broken"):
        SavedTerm(disk, FOLDER).save(HardState(1, None))
