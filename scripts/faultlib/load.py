"""Producers of our own: bursts of sends on one connection, to whoever leads.

A producer puts a burst on its way at once, and waits for all its answers. When one does not come in
time, or says anything but SEND_OK, the rest is given up with the connection: nothing is sent again.
"""

import random
import time
from collections.abc import Sequence
from typing import Protocol

import wire

import servers  # isort: skip
from scripts.faultlib.attempts import QUEUES, Attempts, queue_of
from scripts.faultlib.repeating import Repeating

TIMEOUT_S = 1.5
"""For a connection, and for a burst to be answered: more than a leader of the ``fast`` profile is
missed, less than a send waits without a majority."""
IDLE_S = 0.02
BURST = 64
BODY_BYTES = 128


class Leader(Protocol):
    """Who is asked where to send."""

    def __call__(self) -> servers.Server | None:
        """The broker that leads, if the NameServer knows one."""
        ...


class Producer(Repeating):
    """One thread and its connection; it stops after the last answers."""

    def __init__(self, name: int, topic: str, leader: Leader, per_second: float) -> None:
        super().__init__(f"producer {name}")
        self.attempts = Attempts(name)
        self._topic = topic
        self._leader = leader
        self._pause_s = BURST / per_second
        self._padding = b"x" * BODY_BYTES

    def again(self) -> None:
        """Send to who leads, and wait a little before the next one is looked for."""
        self.connect()
        time.sleep(IDLE_S)

    def connect(self) -> None:
        """Send to who leads as long as it answers."""
        leader = self._leader()
        if leader is None:
            return
        try:
            with leader.peer(TIMEOUT_S) as peer:
                due = time.monotonic() + random.random() * self._pause_s  # noqa: S311 - to spread
                while not self._stopping.is_set() and self.burst(peer):
                    due = max(due + self._pause_s, time.monotonic())
                    self._stopping.wait(due - time.monotonic())
        except OSError as error:
            self.attempts.failures[type(error).__name__] += 1

    def burst(self, peer: wire.Peer) -> bool:
        """Send some and take their answers; whether all were acknowledged.

        :raises OSError: no answer in time, or no connection any more.
        """
        attempts = self.attempts
        numbers = attempts.begin(BURST)
        peer.socket.sendall(b"".join(map(self._request, numbers)))
        before = attempts.acknowledged
        end = time.monotonic() + TIMEOUT_S
        try:
            for _ in numbers:
                answer = peer.read()
                if answer.opaque not in numbers:
                    raise RuntimeError(f"an answer to {answer.opaque}, which nobody asked")
                if answer.code != wire.SUCCESS:
                    attempts.failures[f"code {answer.code}"] += 1
                    return False
                attempts.acked(answer.opaque, int(answer.fields["queueOffset"]))
                if time.monotonic() > end:
                    raise TimeoutError
        finally:
            if attempts.acknowledged > before:
                attempts.ack_times.append(time.monotonic())
        return True

    def _request(self, number: int) -> bytes:
        fields = wire.send_fields(self._topic, queue_of(number), {})
        fields["d"] = QUEUES
        return wire.request(wire.SEND, fields, number, self.attempts.body(number, self._padding))


def all_acked_since(producers: Sequence[Producer], begin: float) -> bool:
    """Whether each got an acknowledgement from an instant on.

    :raises RuntimeError: one has ended by itself.
    """
    for one in producers:
        if one.failure is not None:
            raise RuntimeError(f"producer {one.attempts.name}: {one.failure!r}")
    return all(one.attempts.has_acked_since(begin) for one in producers)
