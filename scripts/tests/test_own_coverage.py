"""Tests of measuring each module by its own test."""

import json

import pytest
from coverage import Coverage

from scripts import own_coverage
from scripts.own_coverage import Measured


def test_modules_are_found_below_folders(tmp_path):
    for name in ("codec/a.py", "codec/__init__.py", "codec/tests/test_a.py", "codec/deep/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert own_coverage.modules(["codec"], tmp_path) == ["codec/a.py", "codec/deep/b.py"]
    assert own_coverage.modules(["codec/a.py"], tmp_path) == ["codec/a.py"]


def test_the_own_test_lies_beside_the_module():
    assert own_coverage.own_test("codec/disk/index.py") == "codec/disk/tests/test_index.py"


def test_a_large_module_s_test_may_be_continued_in_more_files(tmp_path):
    for name in ("a.py", "a_b.py", "tests/test_a.py", "tests/test_a_c.py", "tests/test_a_b.py"):
        (tmp_path / "codec" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "codec" / name).touch()
    (tmp_path / "codec/tests/test_a_b_d.py").touch()

    assert own_coverage.own_tests("codec/a.py", tmp_path) == [
        "codec/tests/test_a.py",
        "codec/tests/test_a_c.py",
    ]
    assert own_coverage.own_tests("codec/a_b.py", tmp_path) == [
        "codec/tests/test_a_b.py",
        "codec/tests/test_a_b_d.py",
    ]


def test_stories_count_for_every_module_of_their_folder(tmp_path):
    for name in ("log.py", "tests/test_log.py", "tests/test_transcripts.py"):
        (tmp_path / "rmq/raft" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "rmq/raft" / name).touch()

    assert own_coverage.own_tests("rmq/raft/log.py", tmp_path) == [
        "rmq/raft/tests/test_log.py",
        "rmq/raft/tests/test_transcripts.py",
    ]


TESTS = ["codec/tests/test_a.py"]


def test_a_report_gives_the_share_and_what_is_missing():
    report = {
        "files": {
            "codec/a.py": {
                "missing_lines": [3],
                "missing_branches": [[1, 3]],
                "summary": {"percent_covered": 75.0},
            }
        }
    }

    measured = own_coverage.report_of("codec/a.py", TESTS, json.dumps(report))

    assert measured == Measured("codec/a.py", 75.0, "3 1->3")


def test_a_module_that_is_never_imported_has_nothing():
    measured = own_coverage.report_of("codec/a.py", TESTS, '{"files": {}}')

    assert measured == Measured("codec/a.py", 0.0, "never imported by codec/tests/test_a.py")


def test_settings_name_the_modules_and_the_exclusions():
    text = own_coverage.settings_text(["codec/a.py", "rmq/b.py"], ["if TYPE_CHECKING:"])

    assert "include =\n    codec/a.py\n    rmq/b.py\n" in text
    assert "exclude_also =\n    if TYPE_CHECKING:\n" in text


def test_tests_are_dealt_out_like_cards():
    assert own_coverage.shares(["a", "b", "c", "d", "e"], 2) == [["a", "c", "e"], ["b", "d"]]
    assert own_coverage.shares(["a"], 2) == [["a"]]


def test_files_with_a_failed_test_are_found_in_the_summary():
    output = (
        "....F\n"
        "FAILED codec/tests/test_a.py::test_one[x y] - assert 1 == 2\n"
        "ERROR codec/tests/test_b.py - ImportError\n"
        "1 failed, 4 passed, 1 error in 0.10s\n"
    )

    assert own_coverage.failures(output) == {"codec/tests/test_a.py", "codec/tests/test_b.py"}


def test_the_table_explains_what_is_not_enough():
    results = [
        Measured("codec/a.py", 100.0, ""),
        Measured("codec/b.py", 94.9, "7"),
        Measured("codec/c.py", 100.0, "1 failed", failed=True),
    ]

    assert own_coverage.table(results, 95) == [
        "  100.00 %  codec/a.py",
        "!  94.90 %  codec/b.py  (7)",
        "! 100.00 %  codec/c.py  (1 failed)",
    ]


def test_a_module_is_judged_by_its_own_test_alone():
    chosen = ["rmq/conf/live.py", "rmq/base/units.py", "codec/absent.py"]

    measured = own_coverage.measure(chosen, [], 1)

    assert measured[0] == Measured("rmq/conf/live.py", 100.0, "")
    assert measured[1].percent == 100
    assert measured[2] == Measured(
        "codec/absent.py", 0.0, "no codec/tests/test_absent.py", failed=True
    )


def test_a_module_whose_test_failed_is_not_reached(tmp_path):
    chosen, tests = "rmq/conf/live.py", {"rmq/conf/tests/test_live.py"}

    measured = own_coverage.judge(chosen, tests, Coverage(), tmp_path / "report")

    assert measured == Measured(chosen, 0.0, "rmq/conf/tests/test_live.py failed", failed=True)


def test_tests_that_cannot_be_run_have_all_failed(tmp_path, capsys):
    settings = tmp_path / "settings"
    settings.write_text(own_coverage.settings_text(["codec/a.py"], []), encoding="utf-8")

    failed = own_coverage.run_tests(["codec/absent.py"], settings, tmp_path / "data")

    assert failed == {"codec/absent.py"}
    assert "not found" in capsys.readouterr().out


@pytest.mark.parametrize(("percent", "code"), [(96.0, 0), (94.0, 1)])
def test_the_least_share_decides(percent, code, monkeypatch, capsys):
    monkeypatch.setattr(own_coverage, "modules", lambda _names: ["codec/a.py"])
    measured = [Measured("codec/a.py", percent, "3")]
    monkeypatch.setattr(own_coverage, "measure", lambda *_: measured)

    assert own_coverage.main(["--least", "95", "--jobs", "1"]) == code
    assert f"1 modules, {code} below 95 %" in capsys.readouterr().out
