"""The project's files as the house's tools see them: paths, texts, syntax trees, handlers."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

FOLDERS = ("codec", "rmq", "conf", "compat-tests", "docs", "scripts", ".ci", ".github")
SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "target", "build", "dist"})
TEXT_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class SourceFile:
    """One text file; ``path`` is relative to the project, with slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree of a Python file."""
        return ast.parse(self.text, self.path)

    @property
    def is_python(self) -> bool:
        """Whether this is Python."""
        return self.path.endswith(".py")

    @property
    def is_test(self) -> bool:
        """Whether this lies in a folder of tests, foreign drivers included."""
        return "/tests/" in self.path or self.path.startswith("compat-tests/")


def read_files(root: Path = ROOT) -> list[SourceFile]:
    """Every text file of the project, in order of path; what is not UTF-8 is not text."""
    return [
        SourceFile(path.relative_to(root).as_posix(), text)
        for path in sorted(_paths(root))
        if (text := _text(path)) is not None
    ]


def _paths(root: Path) -> Iterator[Path]:
    yield from (path for path in root.iterdir() if path.is_file())
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            below = path.relative_to(root).parts
            if path.is_file() and not SKIPPED_FOLDERS.intersection(below):
                yield path


def _text(path: Path) -> str | None:
    if path.stat().st_size > TEXT_MAX_BYTES:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


@dataclass(frozen=True, slots=True)
class Handler:
    """A method marked ``@handles(RequestCode.CODE, ...)``, found without importing it."""

    role: str
    code: str
    path: str
    line: int
    name: str


def handlers(files: list[SourceFile]) -> Iterator[Handler]:
    """The marked methods of all roles; a role is a package of ``rmq``, like ``broker``.

    Simulated clients answer, too, but play no role.
    """
    for file in files:
        if not file.path.startswith("rmq/") or not file.is_python or file.is_test:
            continue
        if file.path.startswith("rmq/sim/"):
            continue
        for node in ast.walk(file.tree):
            if isinstance(node, ast.ClassDef):
                yield from _marked_methods(file, node)


def _marked_methods(file: SourceFile, owner: ast.ClassDef) -> Iterator[Handler]:
    role = file.path.split("/")[1]
    for method in owner.body:
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            for code in _handled_codes(method):
                yield Handler(role, code, file.path, method.lineno, f"{owner.name}.{method.name}")


def _handled_codes(method: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for mark in method.decorator_list:
        if (
            isinstance(mark, ast.Call)
            and isinstance(mark.func, ast.Name)
            and mark.func.id == "handles"
        ):
            for argument in mark.args:
                if (
                    isinstance(argument, ast.Attribute)
                    and isinstance(argument.value, ast.Name)
                    and argument.value.id == "RequestCode"
                ):
                    yield argument.attr
