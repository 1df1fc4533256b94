"""Each module measured by its own test alone: code that only others' tests reach is not tested.

Run as ``python -m scripts.own_coverage [--least PERCENT] [--jobs N] [MODULE or FOLDER ...]``;
without names, all of ``FOLDERS``. Prints a table, fails if a module is below the least share of
lines and branches. All tests run once, and note by ``scripts.contexts`` which of them reached what.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Container, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from coverage import Coverage
from coverage.exceptions import NoDataError

from scripts.sources import ROOT
from scripts.tidy import UNMIRRORED

FOLDERS = (
    "codec",
    "rmq/base",
    "rmq/conf",
    "rmq/controller",
    "rmq/dledger",
    "rmq/raft",
    "rmq/remoting",
    "rmq/replication",
    "rmq/store",
)
STORIES = {"rmq/raft/": "rmq/raft/tests/test_transcripts.py"}
"""Tests that count for every module below a folder: one rule each, told as a transcript."""

PYTEST = ("pytest", "-q", "-p", "scripts.contexts", "--hypothesis-profile=sketch")
SHARES_OF_A_JOB = 4  # so that no job waits long for the last
LEAST_PERCENT = 95.0
TESTS_TIMEOUT_S = 900


@dataclass(frozen=True, slots=True)
class Measured:
    """How much of a module its own test reaches."""

    module: str
    percent: float
    missing: str
    failed: bool = False

    def is_enough(self, least: float) -> bool:
        """Whether the test passed and reached ``least`` per cent."""
        return not self.failed and self.percent >= least


def modules(names: Iterable[str], root: Path = ROOT) -> list[str]:
    """The modules meant by paths of files and folders; tests and empty packages are none."""
    files: list[Path] = []
    for name in names:
        path = root / name
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    found = [file.relative_to(root).as_posix() for file in files if file.name != "__init__.py"]
    return [module for module in found if "/tests/" not in module and module not in UNMIRRORED]


def own_test(module: str) -> str:
    """Where the test of a module lies: ``codec/frame.py`` has ``codec/tests/test_frame.py``."""
    folder, _, name = module.rpartition("/")
    return f"{folder}/tests/test_{name}"


def own_tests(module: str, root: Path = ROOT) -> list[str]:
    """The own test, what goes on as ``test_<module>_<aspect>.py``, and its folder's stories."""
    first = root / own_test(module)
    others = {f"test_{path.stem}" for path in (root / module).parent.glob("*.py")}
    more = sorted(first.parent.glob(f"{first.stem}_*.py"))
    own = [path for path in more if not _continues(path.stem, others - {first.stem}, first.stem)]
    stories = [root / test for folder, test in STORIES.items() if module.startswith(folder)]
    tests = dict.fromkeys(path for path in (first, *own, *stories) if path.exists())
    return [path.relative_to(root).as_posix() for path in tests]


def _continues(test: str, others: Iterable[str], than: str) -> bool:
    """Whether a test is that of another module with a longer name than ``than``."""
    return any(len(other) > len(than) and f"{test}_".startswith(f"{other}_") for other in others)


def settings_text(measured: Iterable[str], exclusions: Sequence[str]) -> str:
    """The settings of coverage for some modules."""
    included = "".join(f"\n    {module}" for module in measured)
    listed = "".join(f"\n    {line}" for line in exclusions)
    return (
        f"[run]\nbranch = true\nrelative_files = true\ninclude ={included}\n"
        f"[report]\nexclude_also ={listed}\n"
    )


def shares(tests: Sequence[str], most: int) -> list[list[str]]:
    """Tests dealt out to at most ``most`` runs; neighbours, alike in length, are parted."""
    return [list(tests[first::most]) for first in range(min(most, len(tests)))]


def failures(output: str) -> set[str]:
    """The files of tests that pytest's short summary calls failed."""
    lines = [line.split(" ", 2) for line in output.splitlines()]
    return {words[1].partition("::")[0] for words in lines if words[0] in ("FAILED", "ERROR")}


def run_tests(tests: Sequence[str], settings: Path, data: Path) -> set[str]:
    """Run tests under coverage, a context for each file; the files that failed."""
    run = subprocess.run(
        [sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", "-m", *PYTEST, *tests],
        cwd=ROOT,
        env={**os.environ, "COVERAGE_FILE": str(data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TESTS_TIMEOUT_S,
        check=False,
    )
    if run.returncode == 0:
        return set()
    print(run.stdout)
    return failures(run.stdout) or set(tests)


def report_of(module: str, tests: Iterable[str], report: str) -> Measured:
    """What coverage's JSON ``report`` says of ``module``; nothing measured is 0 per cent."""
    file = json.loads(report)["files"].get(module)
    if file is None:
        return Measured(module, 0.0, f"never imported by {', '.join(tests)}")
    lines = [str(line) for line in file["missing_lines"]]
    branches = [f"{start}->{end}" for start, end in file.get("missing_branches", [])]
    return Measured(module, file["summary"]["percent_covered"], " ".join(lines + branches))


def judge(module: str, failed: Container[str], coverage: Coverage, report: Path) -> Measured:
    """What a module's own tests reached of it; importing it counts, whoever did it first."""
    tests = own_tests(module)
    if not tests:
        return Measured(module, 0.0, f"no {own_test(module)}", failed=True)
    if broken := [test for test in tests if test in failed]:
        return Measured(module, 0.0, f"{', '.join(broken)} failed", failed=True)
    report.write_text('{"files": {}}', encoding="utf-8")
    contexts = ["^$", *(f"^{re.escape(test)}$" for test in tests)]
    with suppress(NoDataError):
        coverage.json_report(include=[module], contexts=contexts, outfile=str(report))
    return report_of(module, tests, report.read_text(encoding="utf-8"))


def measure(chosen: Sequence[str], exclusions: Sequence[str], jobs: int) -> list[Measured]:
    """Run the modules' own tests, ``jobs`` runs at a time, and say what each reached of its own."""
    tests = list(dict.fromkeys(test for module in chosen for test in own_tests(module)))
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(jobs) as pool:
        folder = Path(name)
        settings = folder / "settings"
        settings.write_text(settings_text(chosen, exclusions), encoding="utf-8")
        parts = shares(tests, jobs * SHARES_OF_A_JOB)
        data = [folder / f"data.{number}" for number in range(len(parts))]
        failed = set[str]().union(*pool.map(run_tests, parts, [settings] * len(parts), data))
        coverage = Coverage(str(folder / "data"), config_file=str(settings), messages=False)
        coverage.combine([str(path) for path in data if path.exists()])
        return [judge(module, failed, coverage, folder / "report") for module in chosen]


def table(results: Iterable[Measured], least: float) -> list[str]:
    """One line for each module, those that fail marked and explained."""
    lines: list[str] = []
    for result in results:
        if result.is_enough(least):
            lines.append(f"  {result.percent:6.2f} %  {result.module}")
        else:
            lines.append(f"! {result.percent:6.2f} %  {result.module}  ({result.missing})")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 1 if a module is below the least share."""
    parser = argparse.ArgumentParser(description="Measure each module by its own test.")
    parser.add_argument("names", nargs="*", default=list(FOLDERS), help="modules or folders")
    parser.add_argument("--least", type=float, default=LEAST_PERCENT, help="per cent (95)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    exclusions: list[str] = project["tool"]["coverage"]["report"]["exclude_also"]
    results = measure(modules(chosen.names), exclusions, chosen.jobs)
    print("\n".join(table(results, chosen.least)))
    poor = sum(not result.is_enough(chosen.least) for result in results)
    print(f"{len(results)} modules, {poor} below {chosen.least:g} %")
    return min(poor, 1)


if __name__ == "__main__":
    sys.exit(main())
