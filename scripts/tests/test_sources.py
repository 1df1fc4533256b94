"""Tests of reading the project's files."""

from scripts.sources import TEXT_MAX_BYTES, Handler, SourceFile, handlers, read_files

PROCESSOR = """
class QueueProcessor:
    @handles(RequestCode.GET_MAX_OFFSET, Header)
    def max_offset(self, request): ...

    @other
    @handles(RequestCode.GET_MIN_OFFSET, Header)
    async def min_offset(self, request): ...

    @handles(code, Header)
    def unknown(self, request): ...

    @module.handles(RequestCode.PULL_MESSAGE, Header)
    def foreign(self, request): ...

    LIMIT = 1
"""


def test_text_files_are_read_with_their_paths(tmp_path):
    for name in ("rmq/a.py", "docs/b.md", "other/c.py", "rmq/__pycache__/d.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "README.md").write_text("readme")
    (tmp_path / "docs/picture").write_bytes(b"\xff\xfe")
    (tmp_path / "docs/huge").write_bytes(b"x" * (TEXT_MAX_BYTES + 1))

    files = read_files(tmp_path)

    assert [file.path for file in files] == ["README.md", "docs/b.md", "rmq/a.py"]
    assert [file.is_python for file in files] == [False, False, True]


def test_tests_are_told_from_modules():
    assert SourceFile("rmq/tests/test_a.py", "").is_test
    assert SourceFile("compat-tests/a.py", "").is_test
    assert not SourceFile("rmq/a.py", "").is_test


def test_marked_methods_are_found_without_importing_them():
    file = SourceFile("rmq/broker/processors/queues.py", PROCESSOR)

    assert list(handlers([file])) == [
        Handler("broker", "GET_MAX_OFFSET", file.path, 4, "QueueProcessor.max_offset"),
        Handler("broker", "GET_MIN_OFFSET", file.path, 8, "QueueProcessor.min_offset"),
    ]


def test_marks_outside_the_roles_do_not_count():
    files = [
        SourceFile("scripts/a.py", PROCESSOR),
        SourceFile("rmq/a.md", PROCESSOR),
        SourceFile("rmq/broker/tests/test_a.py", PROCESSOR),
        SourceFile("rmq/sim/a.py", PROCESSOR),
    ]

    assert list(handlers(files)) == []
