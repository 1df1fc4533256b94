"""Tests of measuring each module by its own test."""

import json

import pytest

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

    measured = own_coverage.report_of("codec/a.py", json.dumps(report))

    assert measured == Measured("codec/a.py", 75.0, "3 1->3")


def test_a_module_that_is_never_imported_has_nothing():
    assert own_coverage.report_of("codec/a.py", '{"files": {}}').percent == 0


def test_settings_name_the_module_and_the_exclusions():
    text = own_coverage.settings_text("codec/a.py", ["if TYPE_CHECKING:", "@overload"])

    assert "include = codec/a.py\n" in text
    assert "exclude_also =\n    if TYPE_CHECKING:\n    @overload\n" in text


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


def test_a_module_without_a_test_fails():
    measured = own_coverage.measure("codec/absent.py", [])

    assert measured.failed
    assert measured.missing == "no codec/tests/test_absent.py"


def test_a_module_is_run_with_its_own_test_alone():
    assert own_coverage.measure("rmq/conf/live.py", []) == Measured("rmq/conf/live.py", 100.0, "")


@pytest.mark.parametrize(("percent", "code"), [(96.0, 0), (94.0, 1)])
def test_the_least_share_decides(percent, code, monkeypatch, capsys):
    monkeypatch.setattr(own_coverage, "modules", lambda _names: ["codec/a.py"])
    monkeypatch.setattr(own_coverage, "measure", lambda module, _: Measured(module, percent, "3"))

    assert own_coverage.main(["--least", "95", "--jobs", "1"]) == code
    assert f"1 modules, {code} below 95 %" in capsys.readouterr().out
