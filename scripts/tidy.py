"""Style as a test: what docs/style.md demands and neither ruff nor mypy can see.

Run as ``python -m scripts.tidy``; prints one line for each complaint and fails if there is one.

A limit may be exceeded only by an entry of ``ALLOWANCES``, with its size and its reason. The list
is a ratchet: an entry that is larger than what it allows, or allows what is no longer there, is a
complaint too, so it can only shrink.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from scripts.sources import SourceFile, handlers, read_files

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60

_UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
_REGISTRIES = re.compile(
    r"\b(?:pypi|pythonhosted|repo1?\.maven|repo\.maven\.apache|npmjs|yarnpkg|rubygems|crates"
    r"|(?:proxy|sum)\.golang)\.(?:org|com|io)\b"
)
_OUTSIDE_PATHS = re.compile(r"(?<![\w.$}])/[w]ork/|\.\./shared\b")
_MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(?:tmp|root|Users)/")


@dataclass(frozen=True, slots=True)
class Allowance:
    """A size above the limit that is borne for a reason."""

    size: int
    reason: str


ALLOWANCES: Mapping[str, Allowance] = {}
"""``path`` or ``path:function`` to what it is allowed."""

UNMIRRORED: Mapping[str, str] = {
    "rmq/base/ports.py": "protocols only: nothing runs",
    "rmq/net/twisted_ports.py": "protocols only: nothing runs",
    "rmq/remoting/channel.py": "protocols only: nothing runs",
}
"""Modules without a test of their own, and why."""


CONF_THAT_OBEYS = (
    "rmq/conf/controller_startup.py",
    "rmq/conf/running.py",
    "rmq/conf/startup.py",
)
"""What reads settings to obey them within the folder that declares them."""


@dataclass(frozen=True, slots=True)
class House:
    """What is judged, and the exceptions that are granted."""

    files: list[SourceFile]
    allowances: Mapping[str, Allowance] = field(default_factory=dict)
    unmirrored: Mapping[str, str] = field(default_factory=dict)

    def python(self) -> Iterator[SourceFile]:
        """The project's own Python, tests included, drivers of foreign software not."""
        return (
            file
            for file in self.files
            if file.is_python and file.path.startswith(("codec/", "rmq/", "scripts/"))
        )


Rule = Callable[[House], Iterator[str]]


def lengths(house: House) -> Iterator[str]:
    """Files of 600 lines at most, functions of 60 without their docstring; the ratchet."""
    sizes: dict[str, tuple[int, int]] = {}
    for file in house.python():
        sizes[file.path] = (file.text.count("\n"), FILE_LINES_MAX)
        for name, lines in _functions(file.tree, ""):
            sizes[f"{file.path}:{name}"] = (lines, FUNCTION_LINES_MAX)
    for name, (lines, limit) in sizes.items():
        allowance = house.allowances.get(name)
        if allowance is None and lines > limit:
            yield f"{name}: {lines} lines, at most {limit}; split it by meaning"
        elif allowance is not None and lines <= limit:
            yield f"{name}: {lines} lines; remove its allowance"
        elif allowance is not None and lines != allowance.size:
            verb = "lower its allowance" if lines < allowance.size else "it may only shrink"
            yield f"{name}: {lines} lines, allowed {allowance.size}; {verb}"
    for name in house.allowances:
        if name not in sizes:
            yield f"{name}: not there; remove its allowance"


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
    """Qualified names of functions and their lines without the docstring."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}{child.name}"
            if not isinstance(child, ast.ClassDef):
                yield name, _lines(child)
            yield from _functions(child, f"{name}.")
        else:
            yield from _functions(child, prefix)


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        assert first.end_lineno is not None
        lines -= first.end_lineno - first.lineno + 1
    return lines


def mirrored_tests(house: House) -> Iterator[str]:
    """Every module has ``tests/test_<module>.py`` beside it."""
    paths = {file.path for file in house.files}
    for file in house.python():
        path = PurePosixPath(file.path)
        if file.is_test or path.name == "__init__.py":
            continue
        expected = str(path.parent / "tests" / f"test_{path.name}")
        if file.path in house.unmirrored:
            if expected in paths:
                yield f"{file.path}: has its test now; remove it from UNMIRRORED"
        elif expected not in paths:
            yield f"{file.path}: no test of its own; expected {expected}"
    for name in house.unmirrored:
        if name not in paths:
            yield f"{name}: not there; remove it from UNMIRRORED"


def finished(house: House) -> Iterator[str]:
    """No mark of unfinished work."""
    return _forbidden(
        house.files, _UNFINISHED, "a mark of unfinished work; do it, or open an issue"
    )


def no_registries(house: House) -> Iterator[str]:
    """No package registry's host: an installation asks what its user has configured."""
    return _forbidden(
        house.files, _REGISTRIES, "a package registry's host; leave it to configuration"
    )


def no_machine_paths(house: House) -> Iterator[str]:
    """No path that exists on one machine only; drivers name paths inside their containers."""
    yield from _forbidden(house.files, _OUTSIDE_PATHS, "a path outside the project")
    ours = [file for file in house.files if not file.path.startswith("compat-tests/")]
    yield from _forbidden(ours, _MACHINE_PATHS, "a path of one machine; make it relative")


def _forbidden(files: list[SourceFile], pattern: re.Pattern[str], what: str) -> Iterator[str]:
    for file in files:
        for number, line in enumerate(file.text.splitlines(), 1):
            if found := pattern.search(line):
                yield f"{file.path}:{number}: {found.group()!r} is {what}"


def one_handler_a_code(house: House) -> Iterator[str]:
    """No two methods of a role answer one request code."""
    seen: dict[tuple[str, str], str] = {}
    for handler in handlers(house.files):
        first = seen.setdefault((handler.role, handler.code), handler.name)
        if first != handler.name:
            yield (
                f"{handler.path}:{handler.line}: {handler.name} answers {handler.code}, "
                f"which {first} answers already"
            )


def honest_settings(house: House) -> Iterator[str]:
    """A setting is declared ``setting`` if the server reads it, and ``accepted`` if it does not."""
    read = _attributes_read(house)
    for path, key, honoured in _declared_settings(house):
        if honoured and key not in read:
            yield f"{path}: nothing reads {key}; declare it with accepted or honoured=False"
        elif not honoured and key in read:
            yield f"{path}: {key} is read; declare it with setting"


def _attributes_read(house: House) -> set[str]:
    return {
        node.attr
        for file in house.python()
        if file.path.startswith("rmq/") and not file.is_test
        if not file.path.startswith("rmq/conf/") or file.path in CONF_THAT_OBEYS
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Attribute)
    }


def _declared_settings(house: House) -> Iterator[tuple[str, str, bool]]:
    for file in house.python():
        if not file.path.startswith("rmq/conf/") or file.is_test:
            continue
        for node in ast.walk(file.tree):
            if (
                isinstance(node, ast.AnnAssign)
                and isinstance(node.target, ast.Name)
                and isinstance(node.value, ast.Call)
                and isinstance(node.value.func, ast.Name)
                and node.value.func.id in ("setting", "accepted")
            ):
                unused = any(word.arg == "honoured" for word in node.value.keywords)
                honoured = node.value.func.id == "setting" and not unused
                yield file.path, node.target.id, honoured


RULES: tuple[Rule, ...] = (
    lengths,
    mirrored_tests,
    finished,
    no_registries,
    no_machine_paths,
    one_handler_a_code,
    honest_settings,
)


def complaints(house: House) -> list[str]:
    """What every rule has to say."""
    return [complaint for rule in RULES for complaint in rule(house)]


def main() -> int:
    """Judge the project; the number of complaints, 1 at most, is the exit code."""
    found = complaints(House(read_files(), ALLOWANCES, UNMIRRORED))
    for complaint in found:
        print(complaint)
    print(f"tidy: {len(found)} complaints" if found else "tidy")
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main())
