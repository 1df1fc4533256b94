"""A short soak keeps every promise; the long one is ``sh scripts/soak``."""

import re
import subprocess
import sys

import pytest

import servers


@pytest.mark.max_s(180)
@pytest.mark.parametrize("flush", ["SYNC_FLUSH", "ASYNC_FLUSH"])
def test_a_short_soak_keeps_every_promise(flush, tmp_path):
    options = ["--minutes", "0.25", "--kill-every", "4", "--flush", flush, "--work", str(tmp_path)]
    options += ["--rate", "800"]

    ran = subprocess.run(
        [sys.executable, "-m", "scripts.soak", *options],
        cwd=servers.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=170,
    )

    assert ran.returncode == 0, ran.stdout
    assert "every promise was kept" in ran.stdout
    kills = re.findall(r"checking: .* kills (\d+)", ran.stdout)
    assert int(kills[0]) >= 2, ran.stdout
    assert not list(tmp_path.iterdir())
