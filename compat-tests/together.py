"""Cases of a test that wait for the same thing, a client's period or a broker's, all at once."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Case = TypeVar("Case")
Result = TypeVar("Result")


def each(cases: Iterable[Case], test: Callable[[Case], None]) -> None:
    """Run a test for each of some cases, in threads of their own.

    :raises ExceptionGroup: what failed, each with a note of its case.
    """
    known = list(cases)
    failures: list[Exception] = []

    def run(case: Case) -> None:
        try:
            test(case)
        except Exception as error:
            error.add_note(f"case: {case}")
            failures.append(error)

    with ThreadPoolExecutor(len(known)) as pool:
        list(pool.map(run, known))
    if failures:
        raise ExceptionGroup(f"{len(failures)} of {len(known)} cases failed", failures)


def at_once(*calls: Callable[[], Result]) -> list[Result]:
    """Make some calls in threads of their own; gives what they gave."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: call(), calls))


def name_of(version: str) -> str:
    """A client's version as a part of a topic's or group's name."""
    return version.replace(".", "-")
