"""Work that asks others, again and again: one round at a time, and at once when wanted."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from codec.errors import CodecError
from rmq.base.errors import RmqError
from rmq.base.ports import Clock, Timer

logger = logging.getLogger(__name__)

EXPECTED = (RmqError, CodecError)
"""Failures of peers and disks; the next round is their cure."""


class Rounds:
    """Runs a coroutine every ``period_ms``, counted from the end of the last round.

    A round that fails is logged and the next one comes: expected failures without a traceback, and
    the same failure again and again as a warning only once.
    """

    def __init__(
        self,
        clock: Clock,
        period_ms: int,
        work: Callable[[], Coroutine[Deferred[Any], Any, None]],
    ) -> None:
        assert period_ms >= 1, f"{period_ms=}"
        self._clock = clock
        self._period_ms = period_ms
        self._work = work
        self._is_running = False
        self._timer: Timer | None = None
        self._is_busy = False
        self._is_wanted = False
        self._last_cause = ""

    @property
    def running(self) -> bool:
        """Whether rounds are to come."""
        return self._is_running

    def start(self, first_ms: int = 0) -> None:
        """Begin; the first round comes after ``first_ms``, 0: at once. Nothing if it runs."""
        if self._is_running:
            return
        self._is_running = True
        if first_ms:
            self._arm(first_ms)
        else:
            self.soon()

    def stop(self) -> None:
        """Begin no more rounds; one under way goes on to its end. May start again."""
        self._is_running = False
        self._disarm()

    def soon(self) -> None:
        """Have a round at once, or right after the present one; nothing if it does not run."""
        if not self._is_running:
            return
        self._disarm()
        if self._is_busy:
            self._is_wanted = True
        else:
            self._begin()

    def _begin(self) -> None:
        self._timer = None
        self._is_wanted = False
        self._is_busy = True
        ensureDeferred(self._work()).addErrback(self._failed).addCallback(self._ended)

    def _failed(self, failure: Failure) -> str:
        cause = str(failure.value)
        if not isinstance(failure.value, EXPECTED):
            logger.error("event=round_failed", exc_info=failure.value)
        else:
            level = logging.DEBUG if cause == self._last_cause else logging.WARNING
            logger.log(level, "event=round_failed cause=%s", cause)
        return cause

    def _ended(self, cause: str | None) -> None:
        self._last_cause = cause or ""
        self._is_busy = False
        if self._is_running:
            self._disarm()
            self._arm(0 if self._is_wanted else self._period_ms)

    def _arm(self, delay_ms: int) -> None:
        self._timer = self._clock.call_later(delay_ms, self._begin)

    def _disarm(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
