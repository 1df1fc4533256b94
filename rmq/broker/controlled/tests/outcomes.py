"""What coroutines come to."""

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred


def outcome_of(asked: Coroutine[Deferred[Any], Any, Any]) -> list[Any]:
    """Filled with the result, or the error, when there is one."""
    outcome: list[Any] = []
    ensureDeferred(asked).addCallbacks(
        outcome.append, lambda failure: outcome.append(failure.value)
    )
    return outcome
