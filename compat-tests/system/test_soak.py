"""A short soak keeps every promise; the long one is ``sh scripts/soak``."""

import re

import pytest

import commands


@pytest.mark.max_s(180)
@pytest.mark.parametrize(
    "flush", ["SYNC_FLUSH", pytest.param("ASYNC_FLUSH", marks=pytest.mark.long)]
)
def test_a_short_soak_keeps_every_promise(flush, tmp_path):
    options = ["--minutes", "0.25", "--kill-every", "4", "--flush", flush, "--rate", "800"]

    said = commands.ran("soak", tmp_path, 170, *options)

    assert "every promise was kept" in said
    kills = re.findall(r"checking: .* kills (\d+)", said)
    assert int(kills[0]) >= 2, said
