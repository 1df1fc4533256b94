"""Write the documents that follow from tables in the code, or check that they are up to date.

Run as ``python -m scripts.generate_docs``; with ``--check`` it writes nothing and fails if a
document is not what the tables say.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from pathlib import Path

from codec.headers.registry import HEADERS
from scripts import configuration_doc, protocol_doc
from scripts.sources import ROOT, handlers, read_files

DIFFERENCE_LINES_MAX = 20


def documents() -> dict[str, str]:
    """Paths below the project, and the texts that belong there."""
    return {
        "docs/configuration.md": configuration_doc.text(),
        "docs/protocol.md": protocol_doc.text(HEADERS, handlers(read_files())),
    }


def stale(wanted: Mapping[str, str], root: Path) -> dict[str, list[str]]:
    """The documents that are missing or differ, each with the first lines that do."""
    found: dict[str, list[str]] = {}
    for path, text in wanted.items():
        file = root / path
        there = file.read_text(encoding="utf-8") if file.exists() else ""
        if there != text:
            difference = unified_diff(there.splitlines(), text.splitlines(), lineterm="", n=0)
            found[path] = list(difference)[2 : DIFFERENCE_LINES_MAX + 2]
    return found


def write(wanted: Mapping[str, str], root: Path) -> None:
    """Put every document where it belongs."""
    for path, text in wanted.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write, or check; 1 if ``--check`` finds a document that is not up to date."""
    parser = argparse.ArgumentParser(description="Generate docs from the tables in the code.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if stale")
    wanted = documents()
    if not parser.parse_args(arguments).check:
        write(wanted, root)
        return 0
    found = stale(wanted, root)
    for path, difference in found.items():
        print(f"{path} is not up to date; run python -m scripts.generate_docs")
        print("\n".join(difference))
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main())
