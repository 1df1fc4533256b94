import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmq.base.errors import StoreError
from rmq.dledger.disk_log import DiskLog
from rmq.dledger.tests.ledgers import (
    DATA_SIZE,
    FOLDER,
    INDEX_SIZE,
    contents,
    filled,
    opened,
    reopened,
)
from rmq.net.memory_disk import MemoryDisk
from rmq.raft.messages import Entry

DATA = f"{FOLDER}/data/"
INDEX = f"{FOLDER}/index/"


def overwritten(disk: MemoryDisk, path: str, at: int, content: bytes) -> None:
    """Change a closed file."""
    whole = bytearray(disk.read(path) or b"")
    whole[at : at + len(content)] = content
    disk.replace(path, bytes(whole))


@pytest.mark.parametrize("at", range(300, 400))
def test_a_torn_entry_ends_the_log_if_its_header_is_torn(at):
    disk, log = filled(4)
    before = contents(log)
    log.close()
    overwritten(disk, f"{DATA}{0:020d}", at, bytes(400 - at))

    again = opened(disk)

    kept = 3 if at < 348 else 4
    assert len(contents(again)) == kept
    assert contents(again)[:3] == before[:3]


@pytest.mark.parametrize("at", range(300, 400, 7))
def test_with_checksums_a_torn_entry_ends_the_log_if_its_body_is_torn(at):
    disk, log = filled(4, checked=True)
    before = contents(log)
    log.close()
    assert contents(opened(disk, checked=True)) == before
    overwritten(disk, f"{DATA}{0:020d}", at, bytes(400 - at))

    assert contents(opened(disk, checked=True)) == before[:3]


@pytest.mark.parametrize(
    ("at", "content"),
    [
        (300, b"\0\0\0\2"),  # magic
        (304, b"\0\0\0\x63"),  # size
        (308, (4).to_bytes(8, "big")),  # index
        (316, (-1).to_bytes(8, "big", signed=True)),  # term
        (324, (301).to_bytes(8, "big")),  # pos
        (344, (-1).to_bytes(4, "big", signed=True)),  # body length
    ],
)
def test_an_entry_with_a_wrong_field_ends_the_log(at, content):
    disk, log = filled(5, term=1)
    log.close()
    overwritten(disk, f"{DATA}{0:020d}", at, content)

    again = opened(disk)

    assert again.end_index == 2
    assert again.append(1, b"").pos == 300
    assert len(contents(reopened(disk, again))) == 4


def test_an_entry_that_would_reach_beyond_its_file_ends_the_log():
    disk, log = filled(5)
    log.close()
    overwritten(disk, f"{DATA}{0:020d}", 404, (112).to_bytes(4, "big"))
    overwritten(disk, f"{DATA}{0:020d}", 444, (64).to_bytes(4, "big"))

    assert opened(disk).end_index == 3


def test_a_file_that_ends_without_a_blank_ends_the_log():
    disk, log = filled(4)
    log.append(0, bytes(24))  # 72 bytes, to 472: 40 are left, less than a header
    log.close()

    assert opened(disk).end_index == 4


def test_a_file_that_ends_with_a_blank_may_be_the_last():
    disk, log = filled(6)
    log.close()
    disk.delete(f"{DATA}{DATA_SIZE:020d}")

    again = opened(disk)

    assert (again.end_index, again.end_position) == (4, DATA_SIZE)
    assert again.append(0, b"").pos == DATA_SIZE


@pytest.mark.parametrize("number", range(12))
def test_an_index_that_lies_is_made_true(number):
    disk, log = filled(12)
    before = contents(log)
    log.close()
    start, at = divmod(number * 32, INDEX_SIZE)
    overwritten(disk, f"{INDEX}{start * INDEX_SIZE:020d}", at, b"\xff" * 32)

    again = opened(disk)

    assert contents(again) == before
    assert contents(reopened(disk, again)) == before


def test_an_index_that_is_gone_is_made_again():
    disk, log = filled(27)
    before = contents(log)
    log.close()
    disk.delete(INDEX.rstrip("/"))

    assert contents(opened(disk)) == before


def test_an_index_whose_begin_is_gone_is_made_again():
    disk, log = filled(12)
    before = contents(log)
    log.close()
    disk.delete(f"{INDEX}{0:020d}")

    assert contents(opened(disk)) == before


def test_an_index_that_knows_more_is_cut():
    disk, log = filled(12)
    log.close()
    overwritten(disk, f"{DATA}{2 * DATA_SIZE:020d}", 0, bytes(8))

    again = opened(disk)

    assert again.end_index == 9
    assert again._index.position == 320
    assert again.append(0, b"").index == 10


def test_entries_of_an_older_life_behind_the_end_are_wiped():
    disk, log = filled(4)
    log.close()
    overwritten(disk, f"{DATA}{0:020d}", 200, bytes(4))

    opened(disk).close()

    assert disk.read(f"{DATA}{0:020d}")[200:] == bytes(DATA_SIZE - 200)


def test_only_the_last_files_are_read():
    disk, log = filled(27)  # six files
    log.close()
    overwritten(disk, f"{DATA}{DATA_SIZE:020d}", 148, b"changed")

    again = opened(disk)

    assert again.end_index == 26
    assert (again.begin_index, again.entry(0).pos) == (0, 0)


def test_if_the_index_does_not_know_a_file_an_earlier_one_is_read():
    disk, log = filled(27)
    log.close()
    overwritten(disk, f"{INDEX}{15 * 32 // INDEX_SIZE * INDEX_SIZE:020d}", 0, bytes(128))

    assert opened(disk).end_index == 26


def test_a_log_damaged_long_before_its_end_is_refused():
    disk, log = filled(27)
    log.close()
    overwritten(disk, f"{DATA}{3 * DATA_SIZE:020d}", 4, bytes(4))
    overwritten(disk, f"{INDEX}{0:020d}", 0, bytes(128))

    with pytest.raises(StoreError, match="restore the damaged file"):
        opened(disk)


def test_files_without_a_whole_entry_are_begun_again():
    disk, log = filled(1)
    log.close()
    overwritten(disk, f"{DATA}{0:020d}", 0, bytes(8))

    again = opened(disk)

    assert (again.begin_index, again.end_index) == (-1, -1)
    assert disk.entries(f"{FOLDER}/data") == disk.entries(f"{FOLDER}/index") == []
    again.append_as_follower(Entry(0, 0, b"", 0))


def test_a_first_file_that_begins_otherwise_is_refused():
    disk, log = filled(27)
    log.close()
    overwritten(disk, f"{DATA}{0:020d}", 0, bytes(8))

    with pytest.raises(StoreError, match="does not begin with an entry"):
        opened(disk)


def test_a_log_does_not_begin_with_an_index_that_cannot_be():
    disk, log = filled(1)
    log.close()
    overwritten(disk, f"{DATA}{0:020d}", 8, (7).to_bytes(8, "big"))

    assert opened(disk).end_index == -1


def test_a_log_whose_first_files_were_deleted_is_read():
    disk, log = filled(27)
    log.close()
    for number in range(4):
        disk.delete(f"{DATA}{number * DATA_SIZE:020d}")

    again = opened(disk)

    assert (again.begin_index, again.end_index) == (20, 26)
    assert disk.entries(f"{FOLDER}/index")[0].name == f"{20 * 32:020d}"


def test_an_entry_of_a_lower_term_than_the_one_before_ends_the_log():
    disk, log = filled(2, term=5)
    log.append(4, b"")

    assert reopened(disk, log).end_index == 1


PAGES = st.lists(st.integers(0, 7), max_size=8)


@settings(max_examples=60, deadline=None)
@given(PAGES, PAGES, st.integers(0, 12), st.integers(1, 6))
def test_after_a_loss_of_power_what_was_synced_is_there(data_pages, index_pages, kept, more):
    size = {"data_file_size": 32_768, "index_file_size": 32_768}
    disk, log = filled(kept, size=3000, **size)
    work = log.sync_work()
    if work is not None:
        work.sync()
        log.synced(work)
    before = contents(log)
    for _ in range(more):
        log.append(1, bytes(range(200)) * 14)

    crashed = disk.crash({f"{DATA}{0:020d}": data_pages, f"{INDEX}{0:020d}": index_pages})
    after = DiskLog(crashed, log._settings)
    after.open()

    assert contents(after)[:kept] == before
    assert after.append(9, b"goes on").index == after.end_index
