"""Work that comes again and again, whatever happens to one round of it."""

import logging
from collections.abc import Callable

from rmq.base.ports import Clock, Timer

logger = logging.getLogger(__name__)


class Periodic:
    """Makes a call every ``period_ms``, counted from the end of the last one.

    So calls never overlap and never pile up. A call that raises is logged with its traceback
    and comes again: one bad round must not end the service. Source: Java's
    ScheduledExecutorService, scheduleWithFixedDelay(), which on the contrary stops for good.
    """

    def __init__(
        self,
        clock: Clock,
        period_ms: int,
        call: Callable[[], object],
        *,
        first_ms: int | None = None,
    ) -> None:
        """``first_ms`` is the wait before the first call, a whole period if None."""
        assert period_ms >= 1, f"{period_ms=}"
        self._clock = clock
        self._period_ms = period_ms
        self._call = call
        self._first_ms = period_ms if first_ms is None else first_ms
        self._timer: Timer | None = None

    @property
    def running(self) -> bool:
        """Whether calls are to come."""
        return self._timer is not None

    def start(self) -> None:
        """Begin; nothing if it runs."""
        if self._timer is None:
            self._timer = self._clock.call_later(self._first_ms, self._round)

    def stop(self) -> None:
        """End; a call in progress finishes and is the last. May start again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _round(self) -> None:
        due = self._timer
        try:
            self._call()
        except Exception:
            logger.exception("event=periodic_call_failed call=%r", self._call)
        if self._timer is due:  # neither stopped nor started anew by the call itself
            self._timer = self._clock.call_later(self._period_ms, self._round)
