"""Each module measured by its own test alone: code that only others' tests reach is not tested.

Run as ``python -m scripts.own_coverage [--least PERCENT] [--jobs N] [MODULE or FOLDER ...]``;
without names, all of ``codec``, ``rmq/conf`` and ``rmq/store``. Prints a table, fails if a module
is below the least share of lines and branches.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts.sources import ROOT
from scripts.tidy import UNMIRRORED

FOLDERS = ("codec", "rmq/conf", "rmq/store")
LEAST_PERCENT = 95.0
TEST_TIMEOUT_S = 300


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
    """The own test, and what continues it: ``test_<module>_<aspect>.py`` of no other module."""
    first = root / own_test(module)
    others = {f"test_{path.stem}" for path in (root / module).parent.glob("*.py")}
    more = sorted(first.parent.glob(f"{first.stem}_*.py"))
    own = [path for path in more if not _continues(path.stem, others - {first.stem}, first.stem)]
    return [path.relative_to(root).as_posix() for path in (first, *own) if path.exists()]


def _continues(test: str, others: Iterable[str], than: str) -> bool:
    """Whether a test is that of another module with a longer name than ``than``."""
    return any(len(other) > len(than) and f"{test}_".startswith(f"{other}_") for other in others)


def report_of(module: str, report: str) -> Measured:
    """What coverage's JSON ``report`` says of ``module``; nothing measured is 0 per cent."""
    file = json.loads(report)["files"].get(module)
    if file is None:
        return Measured(module, 0.0, "never imported")
    lines = [str(line) for line in file["missing_lines"]]
    branches = [f"{start}->{end}" for start, end in file.get("missing_branches", [])]
    return Measured(module, file["summary"]["percent_covered"], " ".join(lines + branches))


def settings_text(module: str, exclusions: Sequence[str]) -> str:
    """The settings of coverage for one module."""
    listed = "".join(f"\n    {line}" for line in exclusions)
    return (
        f"[run]\nbranch = true\nrelative_files = true\ninclude = {module}\n"
        f"[report]\nexclude_also ={listed}\n"
    )


def measure(module: str, exclusions: Sequence[str]) -> Measured:
    """Run the module's own test under coverage."""
    tests = own_tests(module)
    if not tests:
        return Measured(module, 0.0, f"no {own_test(module)}", failed=True)
    with tempfile.TemporaryDirectory() as folder:
        settings, data, report = (Path(folder, name) for name in ("settings", "data", "report"))
        settings.write_text(settings_text(module, exclusions), encoding="utf-8")
        environment = {**os.environ, "COVERAGE_FILE": str(data)}
        coverage = (sys.executable, "-m", "coverage")
        run = subprocess.run(
            [*coverage, "run", f"--rcfile={settings}", "-m", "pytest", "-q", "-x", *tests],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TEST_TIMEOUT_S,
            check=False,
        )
        if run.returncode != 0:
            return Measured(module, 0.0, run.stdout.strip().rpartition("\n")[2], failed=True)
        subprocess.run(
            [*coverage, "json", f"--rcfile={settings}", "-q", "-o", str(report)],
            cwd=ROOT,
            env=environment,
            check=False,
        )
        text = report.read_text(encoding="utf-8") if report.exists() else '{"files": {}}'
        return report_of(module, text)


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
    with ThreadPoolExecutor(chosen.jobs) as pool:
        results = list(pool.map(lambda module: measure(module, exclusions), modules(chosen.names)))
    print("\n".join(table(results, chosen.least)))
    poor = sum(not result.is_enough(chosen.least) for result in results)
    print(f"{len(results)} modules, {poor} below {chosen.least:g} %")
    return min(poor, 1)


if __name__ == "__main__":
    sys.exit(main())
