"""Tests of clocks that are wrong."""

from scripts.faultlib import clocks
from scripts.faultlib.clocks import RIGHT, WrongClock


def test_the_library_is_found_where_systems_put_it(tmp_path, monkeypatch):
    monkeypatch.setattr(clocks, "LIBRARIES", (f"{tmp_path}/none", f"{tmp_path}/*/lib.so"))
    assert clocks.library() is None

    path = tmp_path / "x86" / "lib.so"
    path.parent.mkdir()
    path.touch()

    assert clocks.library() == path


def test_a_clock_is_right_at_first_and_told_by_its_file(tmp_path):
    file = tmp_path / "clock.txt"
    clock = WrongClock(tmp_path / "lib.so", file)
    assert file.read_text() == f"{RIGHT}\n"

    clock.set("-90 x2")

    assert file.read_text() == "-90 x2\n"
    prefix = clock.prefix()
    assert prefix[0] == "env"
    assert f"FAKETIME_TIMESTAMP_FILE={file}" in prefix
    assert f"LD_PRELOAD={tmp_path / 'lib.so'}" in prefix
    assert list(tmp_path.iterdir()) == [file]


def test_a_library_that_changes_nothing_is_found(tmp_path):
    assert not WrongClock(tmp_path / "none.so", tmp_path / "clock.txt").works()


def test_a_process_that_believes_it_is_found(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import time\nright = time.time\ntime.time = lambda: right() + 3600\n"
    )

    class Believed(WrongClock):
        def prefix(self):
            return ("env", f"PYTHONPATH={tmp_path}")

    assert Believed(tmp_path / "none.so", tmp_path / "clock.txt").works()
    assert (tmp_path / "clock.txt").read_text() == f"{RIGHT}\n"
