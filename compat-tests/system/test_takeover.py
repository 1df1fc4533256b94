"""One of Apache's brokers takes over from ours under load, and ours from Apache's; a longer run is
``sh scripts/takeover``.
"""

import re
import subprocess
import sys

import pytest

import clusters
import servers

MAX_S = 600
"""Most of it is Apache's slave, which copies topics a minute after its start."""


@pytest.mark.max_s(MAX_S)
@pytest.mark.skipif(not clusters.java_is_there(), reason="needs Java")
@pytest.mark.parametrize("kind", [pytest.param("classic", marks=pytest.mark.long), "controller"])
def test_nothing_is_lost_there_and_back(kind, tmp_path):
    options = ["--kinds", kind, "--seconds", "2", "--work", str(tmp_path)]

    ran = subprocess.run(
        [sys.executable, "-m", "scripts.takeover", *options],
        cwd=servers.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=MAX_S - 5,
    )

    assert ran.returncode == 0, ran.stdout
    assert "every promise was kept" in ran.stdout
    assert ran.stdout.count("clients moved") == 2
    assert len(re.findall(" 0 lost, .* 0 out of order, 0 never sent", ran.stdout)) == 2
    assert not list(tmp_path.iterdir())
