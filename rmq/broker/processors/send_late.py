"""Answers to sends that came together and wait for the same: told together, by one Deferred.

A wait ends for all of the log below a position, so the last put of a run decides for all: when it
is safe, they are. When it is not in time each sender hears so, also of those whose own wait might
have ended well; they are stored, and safe or not as a timeout always leaves it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rmq.broker.replicas import Wait
from rmq.remoting.dispatch import frame_of
from rmq.remoting.handling import Request, Response
from rmq.store.messages import PutResult, PutStatus

PUT_OK = PutStatus.PUT_OK


class Late(NamedTuple):
    """A send that is stored, and answered later."""

    request: Request[Any]
    result: PutResult
    queue_id: int
    unique_key: str
    reply: bytes
    """Its answer if all goes well."""


class LateRun:
    """Sends of one connection that wait together, in the order of the log."""

    def __init__(self, respond: Callable[[PutResult, int, str], Response]) -> None:
        """``respond`` answers a put by its status, or raises CommandError."""
        self._respond = respond
        self._sends: list[Late] = []

    def __bool__(self) -> bool:
        return bool(self._sends)

    def add(self, late: Late) -> None:
        """Have another one wait, whose request is not one-way; its put is behind all before."""
        self._sends.append(late)

    def answer(self, safe: Wait) -> bytes | Deferred[bytes]:
        """The answers to all, one after the other, once the last put is safe or will not be."""
        done = safe(self._sends[-1].result.end)
        if done.called and isinstance(done.result, PutStatus):
            return self._told(done.result)
        return done.addCallbacks(self._told, self._failed)

    def _told(self, status: PutStatus) -> bytes:
        if status is PUT_OK:
            return b"".join([late.reply for late in self._sends])
        frames = []
        for late in self._sends:
            late.result.status = status
            answer: Response | Exception
            try:
                answer = self._respond(late.result, late.queue_id, late.unique_key)
            except Exception as error:  # noqa: BLE001 - a failure of one is not the others'
                answer = error
            frames.append(frame_of(answer, late.request, "LateRun"))
        return b"".join(frames)

    def _failed(self, failure: Failure) -> bytes:
        error = failure.value
        assert isinstance(error, Exception), failure
        return b"".join([frame_of(error, late.request, "LateRun") for late in self._sends])
