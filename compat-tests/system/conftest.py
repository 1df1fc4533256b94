"""Fixtures of tests against whole server processes."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import servers

Start = Callable[..., servers.Server]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[servers.Server]]:
    """The servers of a test; they end with it."""
    running: list[servers.Server] = []
    yield running
    for server in reversed(running):
        server.end()


@pytest.fixture
def broker(started: list[servers.Server], tmp_path: Path) -> Start:
    """Make a broker that is not started yet: broker(name, **settings)."""

    return _maker("broker", servers.broker_settings, started, tmp_path)


@pytest.fixture
def namesrv(started: list[servers.Server], tmp_path: Path) -> Start:
    """Make a NameServer that is not started yet."""

    return _maker("namesrv", servers.namesrv_settings, started, tmp_path)


def _maker(
    role: str,
    complete: Callable[..., dict[str, object]],
    started: list[servers.Server],
    tmp_path: Path,
) -> Start:
    def make(name: str = role, **settings: object) -> servers.Server:
        folder = tmp_path / name
        server = servers.Server(role, folder, complete(folder, **settings))
        started.append(server)
        return server

    return make
