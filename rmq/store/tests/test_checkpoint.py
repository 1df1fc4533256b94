import pytest

from codec.disk.checkpoint import Checkpoint
from rmq.base.errors import StoreError
from rmq.store.checkpoint import CheckpointFile
from rmq.store.tests.stores import a_disk


def test_times_are_set_one_by_one_and_found_again() -> None:
    disk = a_disk()
    checkpoint = CheckpointFile(disk, "/checkpoint")
    assert checkpoint.values == Checkpoint()

    checkpoint.set()
    was_dirty = checkpoint.dirty
    checkpoint.set(log=5000)
    checkpoint.set(queues=4000)
    checkpoint.set(index=3000)

    assert (was_dirty, checkpoint.dirty) == (False, True)
    assert CheckpointFile(disk, "/checkpoint").values == Checkpoint(5000, 4000, 3000)


def test_checkpoint_goes_back_on_disk_and_keeps_the_confirmed_position() -> None:
    disk = a_disk()
    checkpoint = CheckpointFile(disk, "/checkpoint")
    checkpoint.set(log=5000, queues=4000, index=3000, confirmed=77)

    checkpoint.go_back(4500)
    checkpoint.set(log=9000)
    after = CheckpointFile(disk.crash(), "/checkpoint")

    assert after.values == Checkpoint(4500, 4000, 3000, 0, 77)


def test_checkpoint_that_cannot_be_opened_is_a_store_error() -> None:
    disk = a_disk()
    disk.fail_reserve = OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="cannot open checkpoint /checkpoint"):
        CheckpointFile(disk, "/checkpoint")
