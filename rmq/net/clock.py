"""Real time and real chance."""

import random  # noqa: TID251 - the one place where chance comes from the system
import time  # noqa: TID251 - the one place where time comes from the system
from collections.abc import Callable

from rmq.net.twisted_ports import DelayedCall, Reactor


class ReactorTimer:
    """A call that the reactor will make."""

    __slots__ = ("_call",)

    def __init__(self, call: DelayedCall) -> None:
        self._call = call

    def cancel(self) -> None:
        """Make it not happen; harmless when it has happened or was cancelled."""
        if self._call.active():
            self._call.cancel()


class ReactorClock:
    """The system's clocks, and the reactor's calls."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Milliseconds that only grow."""
        return time.monotonic_ns() // 1_000_000

    def call_later(self, delay_ms: int, call: Callable[[], None]) -> ReactorTimer:
        """Arrange for ``call`` once, ``delay_ms`` from now."""
        return ReactorTimer(self._reactor.callLater(delay_ms / 1000, call))


class SystemChance:
    """Random numbers, good enough to spread load; not for secrets."""

    def below(self, limit: int) -> int:
        """A number from 0 to ``limit - 1``."""
        return random.randrange(limit)  # noqa: S311 - spreads load, guards nothing
