"""Tests of writing and checking the generated documents."""

import pytest

from scripts import generate_docs


@pytest.fixture
def _one_document(monkeypatch):
    monkeypatch.setattr(generate_docs, "documents", lambda: {"docs/a.md": "new\n"})


def test_both_documents_follow_from_the_code():
    documents = generate_docs.documents()

    assert documents["docs/configuration.md"].startswith("# Configuration\n")
    assert documents["docs/protocol.md"].startswith("# Protocol\n")


@pytest.mark.usefixtures("_one_document")
def test_what_is_written_is_up_to_date(tmp_path):
    assert generate_docs.main(["--check"], tmp_path) == 1

    assert generate_docs.main([], tmp_path) == 0

    assert generate_docs.main(["--check"], tmp_path) == 0


@pytest.mark.usefixtures("_one_document")
def test_a_stale_document_shows_its_difference(tmp_path, capsys):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("old\n")

    assert generate_docs.main(["--check"], tmp_path) == 1

    assert "-old\n+new" in capsys.readouterr().out
