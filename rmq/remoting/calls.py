"""Requests that we send: matched to their answers by opaque, given up in time."""

from typing import Protocol

from twisted.internet.defer import Deferred

from codec.command import Command
from rmq.base.errors import CallError, CallTimeoutError
from rmq.base.ports import Clock, Timer


class Caller(Protocol):
    """Sends requests to addresses, connecting when needed."""

    def call(self, address: str, command: Command, timeout_ms: int) -> Deferred[Command]:
        """Send to ``host:port`` and await the answer; fails with ``CallError``."""
        ...

    def send(self, address: str, command: Command) -> None:
        """Send one way, best effort."""
        ...


class WaitingCalls:
    """The calls of one connection that have no answer yet.

    Opaques count up from 0 for each connection and direction; an answer to nothing is ignored.
    """

    def __init__(self, clock: Clock, peer: str) -> None:
        self._clock = clock
        self._peer = peer
        self._next_opaque = 0
        self._waiting: dict[int, tuple[Deferred[Command], Timer]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def take_opaque(self) -> int:
        """A number that no unanswered call of this connection has."""
        opaque = self._next_opaque
        self._next_opaque = (opaque + 1) & 0x7FFFFFFF
        return opaque

    def expect(self, opaque: int, timeout_ms: int) -> Deferred[Command]:
        """The answer to ``opaque``, or ``CallTimeoutError`` after ``timeout_ms``."""
        answer: Deferred[Command] = Deferred(lambda _: self._forget(opaque))

        def late() -> None:
            self._waiting.pop(opaque, None)
            answer.errback(CallTimeoutError(f"{self._peer} did not answer within {timeout_ms} ms"))

        self._waiting[opaque] = (answer, self._clock.call_later(timeout_ms, late))
        return answer

    def answered(self, command: Command) -> bool:
        """Hand an answer to whoever waits for it; False if nobody does."""
        waiting = self._waiting.pop(command.opaque, None)
        if waiting is None:
            return False
        answer, timer = waiting
        timer.cancel()
        answer.callback(command)
        return True

    def closed(self, reason: str) -> None:
        """Fail all that still wait: no answer can come any more."""
        waiting, self._waiting = self._waiting, {}
        for answer, timer in waiting.values():
            timer.cancel()
            answer.errback(CallError(f"connection to {self._peer} closed: {reason}"))

    def _forget(self, opaque: int) -> None:
        _, timer = self._waiting.pop(opaque)
        timer.cancel()
