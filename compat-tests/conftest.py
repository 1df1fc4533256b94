"""Fixtures of the compatibility tests: one lab, one shared cluster, drivers that stay alive."""

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
sys.path.insert(0, str(Path(__file__).parent))

import artifacts
import containers
import drivers

TEST_MAX_S = 120
SERVERS_SAID_S = 20
"""How long before a test that failed what servers said may have to do with it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the suite judge itself: what it asks of us, Apache's servers must do."""
    parser.addoption("--server", choices=list(containers.FLAVOURS), default="ours")
    parser.addoption("--members", type=int, default=3, help="brokers of each DLedger group")
    parser.addoption("--long", action="store_true", help="run tests that are marked long, too")


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers of tests that may take longer than others."""
    config.addinivalue_line("markers", "max_s(seconds): the test's hard limit")
    config.addinivalue_line("markers", "long: runs with --long only, as scripts/test --all does")
    config.addinivalue_line("markers", "alone(reason): is not about brokers in DLedger groups")


def chosen(config: pytest.Config) -> containers.Flavour:
    """Whose servers are asked for."""
    one = containers.FLAVOURS[config.getoption("--server")]
    return one.in_groups(config.getoption("--members")) if one.is_group else one


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long tests out, unless they are asked for; skip what has no sense in groups."""
    if chosen(config).is_group:
        for item in items:
            if marker := item.get_closest_marker("alone"):
                item.add_marker(pytest.mark.skip(reason=marker.args[0]))
    if not config.getoption("--long"):
        left_out = [item for item in items if item.get_closest_marker("long")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """End every test that takes longer than it may."""
    marker = item.get_closest_marker("max_s")
    limit_s = marker.args[0] if marker else TEST_MAX_S

    def late(*_: object) -> None:
        raise TimeoutError(f"the test took more than {limit_s} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(limit_s)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo
) -> Iterator[pytest.TestReport]:
    """Show with a failure what the servers said last, of those that said anything meanwhile."""
    report = yield
    if report.failed and (lab := item.funcargs.get("lab")):
        since = time.time() - SERVERS_SAID_S - call.duration
        for server in lab.servers:
            if server.log(since):
                said = server.tail(lines=25, since=since)
                report.sections.append((f"server {server.name}", said))
    return report


@pytest.fixture(scope="session")
def flavour(request: pytest.FixtureRequest) -> containers.Flavour:
    """Whose servers are under test."""
    return chosen(request.config)


@pytest.fixture(scope="session")
def lab(flavour: containers.Flavour) -> Iterator[containers.Lab]:
    """The network, with everything built that will run on it."""
    artifacts.all_drivers()
    opened = containers.opened()
    try:
        flavour.image(opened.engine)
        yield opened
    finally:
        opened.close()


@pytest.fixture(scope="session")
def cluster(lab: containers.Lab, flavour: containers.Flavour) -> containers.Cluster:
    """One NameServer and one Broker, shared by all tests that harm neither."""
    namesrv = lab.namesrv(flavour, "main-ns")
    return containers.Cluster([namesrv], [lab.broker(flavour, "main-broker", [namesrv])]).ready()


Start = Callable[..., drivers.Driver]


@pytest.fixture(scope="session")
def shared(lab: containers.Lab, cluster: containers.Cluster) -> Iterator[Start]:
    """Give the one driver of a version and its options on the shared cluster."""
    pool: dict[tuple, drivers.Driver] = {}

    def driver(version: str, **options: object) -> drivers.Driver:
        key = (version, *sorted(options.items()))
        if key not in pool:
            # So long that only the broker's notice can make a member look for its share in time.
            options.setdefault("rebalance_ms", 300_000)
            pool[key] = drivers.start(lab, version, cluster.addresses, **options).ready()
        return pool[key]

    yield driver
    drivers.close(pool.values())


@pytest.fixture(scope="session")
def mqadmin(lab: containers.Lab, cluster: containers.Cluster) -> Callable[..., str]:
    """Run one mqadmin command against the shared cluster; gives what it printed."""
    host = lab.host("mqadmin").get_wrapped_container()

    def run(command: str, *words: str, addresses: str = cluster.addresses) -> str:
        line = " ".join([containers.MQADMIN, command, "-n", addresses, *words])
        done = host.exec_run(["sh", "-c", f"timeout 40 {line} 2>&1"])
        said = re.sub(r"(?m)^[\d:,]+ \|-.*\n", "", done.output.decode())
        assert done.exit_code == 0, said
        assert "Exception" not in said, said
        return said

    return run


@pytest.fixture
def own(lab: containers.Lab) -> Iterator[Start]:
    """Start drivers that end with the test: own(version, name servers, options).

    They obey as soon as they are ready, and so become ready at once.
    """
    started: list[drivers.Driver] = []

    def driver(version: str, addresses: str, **options: object) -> drivers.Driver:
        one = drivers.start(lab, version, addresses, **options)
        started.append(one)
        return one

    yield driver
    drivers.close(started)


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A topic's name that no other test uses."""
    return f"{request.function.__name__[5:40]}-{uuid4().hex[:6]}"


@pytest.fixture
def group() -> str:
    """A consumer group's name that no other test uses."""
    return f"group-{uuid4().hex[:8]}"
