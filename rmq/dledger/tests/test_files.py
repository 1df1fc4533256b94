import pytest

from rmq.dledger.files import DataFiles, IndexFiles
from rmq.dledger.tests.ledgers import DATA_SIZE, FOLDER, INDEX_SIZE, new_disk
from rmq.store.segments import Holds


@pytest.fixture
def data() -> DataFiles:
    return DataFiles(new_disk(), f"{FOLDER}/data", DATA_SIZE, Holds())


@pytest.fixture
def index() -> IndexFiles:
    return IndexFiles(new_disk(), f"{FOLDER}/index", INDEX_SIZE, Holds())


def put(data: DataFiles, size: int) -> int:
    position = data.make_room(size)
    data.write(position, b"x" * size)
    return position


def test_what_fits_follows_and_what_does_not_begins_a_file(data):
    assert [put(data, 252), put(data, 252), put(data, 1)] == [0, 252, DATA_SIZE]
    assert data.segments.read(504, 8) == b"\xff\xff\xff\xff\0\0\0\x08"


def test_where_an_entry_goes_is_known_before(data):
    put(data, 300)

    assert (data.next_position(204), data.next_position(205)) == (300, DATA_SIZE)


def test_behind_a_cut_all_is_zero(data):
    for _ in range(4):
        put(data, 200)

    data.cut(200)

    assert data.segments.end == DATA_SIZE
    assert data.segments.read(200, 312) == bytes(312)
    assert put(data, 100) == 200


def test_a_cut_at_the_begin_of_a_file_leaves_none_there(data):
    for _ in range(3):
        put(data, 200)

    data.cut(DATA_SIZE)

    assert data.segments.end == DATA_SIZE


def test_a_restart_begins_anywhere(data):
    put(data, 200)

    data.restart(5 * DATA_SIZE)

    assert put(data, 10) == 5 * DATA_SIZE
    assert data.segments.begin == 5 * DATA_SIZE


def test_only_what_was_written_has_files_to_sync(data):
    assert data.mapped(0) == ()
    put(data, 200)
    put(data, 400)

    assert len(data.mapped(0)) == 2
    assert len(data.mapped(DATA_SIZE)) == 1
    assert data.mapped(data.position) == ()


def test_units_lie_at_their_number(index):
    for number in range(5, 10):
        index.make_room(number)
        index.write(number * 32, bytes([number]) * 32)

    assert index.segments.begin == INDEX_SIZE
    assert index.read(9) == b"\x09" * 32
    assert index.read(4) == bytes(32)
    assert index.read(3) == b""
    assert index.has(11)
    assert not index.has(12)


def test_room_must_be_reserved_first(data):
    with pytest.raises(AssertionError, match="no room was reserved"):
        data.write(0, b"x")


def test_units_fill_a_file():
    with pytest.raises(AssertionError, match="a unit has 32"):
        IndexFiles(new_disk(), FOLDER, 100, Holds())
