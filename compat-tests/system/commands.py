"""The long commands of ``scripts/``, run as a user runs them."""

import subprocess
import sys
from pathlib import Path

import servers


def ran(name: str, work: Path, seconds: float, *options: str) -> str:
    """What a command said that ended well in time, and left nothing in ``work``."""
    done = subprocess.run(
        [sys.executable, "-m", f"scripts.{name}", *options, f"--work={work}"],
        cwd=servers.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stdout
    assert not list(work.iterdir())
    return done.stdout
