"""The picture of quickstart."""

from pathlib import Path

import pytest

from scripts.record_quickstart import COMMAND, picture, written


def script(folder: Path, text: str) -> Path:
    (folder / "scripts").mkdir()
    (folder / "scripts" / "quickstart").write_text(text)
    return folder


def test_the_picture_shows_the_command_and_what_it_wrote():
    svg = picture("making\r\n\x1b[32mHello\x1b[0m\r\n")

    plain = svg.replace("&#160;", " ")
    assert COMMAND in plain
    assert "Hello" in plain
    assert "^C" in plain


def test_the_picture_fetches_nothing():
    svg = picture("Hello")

    assert "@font-face" not in svg
    assert "url(http" not in svg


def test_a_terminal_sees_the_output_until_ctrl_c(tmp_path):
    says = "echo begun; echo 'Ctrl-C stops the server.'"
    text = f"trap 'exit 0' INT; {says}; while sleep 0.05; do :; done"
    checkout = script(tmp_path, text)

    assert written(checkout, tmp_path).splitlines()[:2] == ["begun", "Ctrl-C stops the server."]


def test_a_run_that_fails_is_no_picture(tmp_path):
    checkout = script(tmp_path, "echo 'no room' >&2; exit 1")

    with pytest.raises(RuntimeError, match="no room"):
        written(checkout, tmp_path)
