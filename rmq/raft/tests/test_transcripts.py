"""Each story of ``rmq/raft/transcripts`` goes as it is written."""

import pytest

from rmq.raft.tests.transcripts import play, stories


@pytest.mark.parametrize("path", stories(), ids=lambda path: path.stem)
def test_the_story_goes_as_written(path):
    written = path.read_text()

    assert play(written) == written


def test_a_story_that_breaks_off_is_told_up_to_there():
    with pytest.raises(AssertionError, match="n0 dances"):
        play("member n0 of n0\nn0 dances\n")


def test_members_that_never_come_to_rest_are_told():
    beats = "\n".join(["n0 < push APPEND from n1 term=0"] * 3)

    assert "411" in play(f"member n0 of n0 n1\n{beats}\nrun\n")
