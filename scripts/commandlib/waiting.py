"""Waiting for what other processes do."""

import time
from collections.abc import Callable
from typing import TypeVar

from scripts.commandlib.frame import FailedError

Found = TypeVar("Found")

POLL_S = 0.01


class TooLateError(FailedError):
    """What should happen did not in time."""


def until(what: str, look: Callable[[], Found | None], seconds: float) -> Found:
    """What ``look`` gives as soon as it gives something.

    :raises TooLateError: it did not in time.
    """
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise TooLateError(f"{what}: not within {seconds:g} s")
        time.sleep(POLL_S)
    return found
