import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.disk.epoch import EpochStart, pack_epochs, parse_epochs
from codec.errors import CodecError
from codec.tests.golden_files import GOLDEN

epochs = st.builds(EpochStart, st.integers(0, (1 << 31) - 1), st.integers(0, (1 << 63) - 1))


def test_the_epoch_files_of_java_are_read_and_written_again():
    for name, expected in {
        "epochFileCheckpoint": [(1, 0), (2, 5790)],
        "epochFileCheckpoint.bak": [(1, 0)],
    }.items():
        data = (GOLDEN / "store-autoswitch" / name).read_bytes()

        assert parse_epochs(data) == expected
        assert pack_epochs(parse_epochs(data)) == data


@given(st.lists(epochs, max_size=5))
def test_what_was_written_is_read(entries):
    assert parse_epochs(pack_epochs(entries)) == entries


@given(st.lists(epochs, min_size=1, max_size=3), st.data())
def test_no_changed_digit_goes_unseen(entries, data):
    text = pack_epochs(entries)
    at = data.draw(st.integers(0, len(text) - 2))
    changed = (
        text[:at] + data.draw(st.sampled_from([b"7", b"-", b"\n", b"\xff", b""])) + text[at + 1 :]
    )
    try:
        found = parse_epochs(changed)
    except CodecError:
        return

    assert found == entries


def test_a_checksum_of_0_is_not_checked():
    assert parse_epochs(b"1\n0\n3-4\n") == [(3, 4)]


def test_line_ends_of_another_system_are_read():
    assert parse_epochs(pack_epochs([EpochStart(1, 2)]).replace(b"\n", b"\r\n")) == [(1, 2)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1\n",
        b"\xff\n0\n",
        b"2\n0\n3-4\n",
        b"0\n0\n3-4\n",
        b"1\n1\n3-4\n",
        b"x\n0\n3-4\n",
        b"1\n-1\n3-4\n",
        b"1\n0\n3\n",
        b"1\n0\n3-4-5\n",
        b"1\n0\n2147483648-4\n",
        b"1\n0\n3-9223372036854775808\n",
        b"9" * 5000 + b"\n0\n",
    ],
)
def test_a_file_that_is_not_true_is_refused(data):
    with pytest.raises(CodecError):
        parse_epochs(data)
