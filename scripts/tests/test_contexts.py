"""Tests of noting which test reached what."""

from coverage import Coverage

from scripts.contexts import pytest_runtest_logstart


class Measuring:
    def __init__(self):
        self.contexts = []

    def switch_context(self, context):
        self.contexts.append(context)


def test_what_a_test_reaches_counts_for_its_file(monkeypatch):
    measuring = Measuring()
    monkeypatch.setattr(Coverage, "current", lambda: measuring)

    pytest_runtest_logstart("codec/tests/test_frame.py::test_one[1::2]")

    assert measuring.contexts == ["codec/tests/test_frame.py"]


def test_without_coverage_nothing_is_noted(monkeypatch):
    monkeypatch.setattr(Coverage, "current", lambda: None)

    pytest_runtest_logstart("codec/tests/test_frame.py::test_one")
