"""One of Apache's brokers takes over from ours under load, and ours from Apache's; a longer run is
``sh scripts/takeover``.
"""

import re

import pytest

import clusters
import commands

MAX_S = 600
"""Most of it is Apache's slave, which copies topics a minute after its start."""


@pytest.mark.max_s(MAX_S)
@pytest.mark.skipif(not clusters.java_is_there(), reason="needs Java")
@pytest.mark.parametrize("kind", [pytest.param("classic", marks=pytest.mark.long), "controller"])
def test_nothing_is_lost_there_and_back(kind, tmp_path):
    said = commands.ran("takeover", tmp_path, MAX_S - 5, "--kinds", kind, "--seconds", "2")

    assert "every promise was kept" in said
    assert said.count("clients moved") == 2
    assert len(re.findall(" 0 lost, .* 0 out of order, 0 never sent", said)) == 2
