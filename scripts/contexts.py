"""Coverage's context is the file of the test that runs: a plugin of pytest.

Loaded by ``scripts.own_coverage`` with ``-p scripts.contexts``; without coverage it does nothing.
"""

from coverage import Coverage


def pytest_runtest_logstart(nodeid: str) -> None:
    """Count what comes, fixtures included, for the file of the test that begins."""
    measuring = Coverage.current()
    if measuring is not None:
        measuring.switch_context(nodeid.partition("::")[0])
