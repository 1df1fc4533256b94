"""200 seeds of the simulator; ``docs/simulation.md`` tells how to run more, and one of them again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SEEDS = "1-200"


@pytest.mark.max_s(1_800)
def test_200_seeds_find_nothing():
    jobs = str(min(4, os.cpu_count() or 1))
    command = (sys.executable, "-m", "rmq.sim", "--seeds", SEEDS, "--jobs", jobs, "--quiet")

    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("200 runs, 0 failed")
