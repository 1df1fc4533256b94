import pytest

from codec.errors import CodecError
from rmq.base.errors import StoreError
from rmq.base.manual import ManualClock
from rmq.broker.saving import TableFile
from rmq.net.memory_disk import MemoryDisk

PATH = "/store/config/topics.json"


class BrokenDisk:
    """Refuses to write while ``broken``."""

    def __init__(self, disk):
        self.disk = disk
        self.broken = True

    def read(self, path):
        return self.disk.read(path)

    def replace(self, path, content):
        if self.broken:
            raise OSError(28, "No space left on device")
        self.disk.replace(path, content)


@pytest.fixture
def disk():
    return MemoryDisk(ManualClock())


def decode(text):
    if b"broken" in text:
        raise CodecError("broken")
    return text.decode()


def test_absent_table_is_none(disk):
    assert TableFile(disk, PATH).load(decode) is None


def test_table_comes_back(disk):
    TableFile(disk, PATH).save("one")

    assert TableFile(disk, PATH).load(decode) == "one"
    assert disk.read(PATH + ".bak") is None


def test_previous_text_is_kept_as_backup(disk):
    file = TableFile(disk, PATH)
    file.save("one")
    file.save("two")

    assert disk.read(PATH) == b"two"
    assert disk.read(PATH + ".bak") == b"one"


def test_text_of_an_earlier_run_becomes_the_backup(disk):
    disk.replace(PATH, b"one")
    file = TableFile(disk, PATH)

    file.save("two")

    assert disk.read(PATH + ".bak") == b"one"


def test_loaded_text_becomes_the_backup(disk):
    disk.replace(PATH, b"one")
    file = TableFile(disk, PATH)
    file.load(decode)

    file.save("two")

    assert disk.read(PATH + ".bak") == b"one"


def test_unchanged_text_is_not_written_again(disk):
    file = TableFile(disk, PATH)
    file.save("one")
    file.save("two")

    assert file.save("two")

    assert disk.read(PATH + ".bak") == b"one"


@pytest.mark.parametrize("text", [None, b"", b"broken"])
def test_backup_stands_in_for_an_unusable_file(disk, text):
    if text is not None:
        disk.replace(PATH, text)
    disk.replace(PATH + ".bak", b"old")

    assert TableFile(disk, PATH).load(decode) == "old"


@pytest.mark.parametrize(("text", "backup"), [(b"broken", b"broken"), (b"broken", None)])
def test_start_is_refused_when_nothing_readable_is_there(disk, text, backup):
    disk.replace(PATH, text)
    if backup is not None:
        disk.replace(PATH + ".bak", backup)

    with pytest.raises(StoreError, match=r"repair or remove /store/config/topics\.json: broken"):
        TableFile(disk, PATH).load(decode)


def test_broken_file_does_not_become_the_backup(disk):
    disk.replace(PATH, b"broken")
    disk.replace(PATH + ".bak", b"old")
    file = TableFile(disk, PATH)
    file.load(decode)

    file.save("new")

    assert disk.read(PATH + ".bak") == b"old"
    assert disk.read(PATH) == b"new"


def test_refusing_disk_is_told_and_tried_again(disk):
    refusing = BrokenDisk(disk)
    file = TableFile(refusing, PATH)

    assert not file.save("one")
    refusing.broken = False
    assert file.save("one")

    assert disk.read(PATH) == b"one"
