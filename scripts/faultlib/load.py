"""Producers of our own: bursts of sends on one connection, to whoever leads.

A producer puts a burst on its way at once, and waits for all its answers. When one does not come in
time, or says anything but SEND_OK, the rest is given up with the connection: nothing is sent again.
"""

import random
import threading
import time
from collections.abc import Sequence
from typing import Protocol

import wire

import servers  # isort: skip
from scripts.faultlib.attempts import QUEUES, Attempts, queue_of

TIMEOUT_S = 1.5
"""For a connection, and for a burst to be answered: more than a leader of the ``fast`` profile is
missed, less than a send waits without a majority."""
IDLE_S = 0.02
BURST = 64
BODY_BYTES = 128
JOIN_MAX_S = 10


class Leader(Protocol):
    """Who is asked where to send."""

    def __call__(self) -> servers.Server | None:
        """The broker that leads, if the NameServer knows one."""
        ...


class Producer:
    """One thread and its connection."""

    def __init__(self, name: int, topic: str, leader: Leader, per_second: float) -> None:
        self.attempts = Attempts(name)
        self.failure: BaseException | None = None
        """What ended the thread, if it should not have."""
        self._topic = topic
        self._leader = leader
        self._pause_s = BURST / per_second
        self._padding = b"x" * BODY_BYTES
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more, and wait for the last answers.

        :raises RuntimeError: it had ended by itself, or does not end.
        """
        self._stopping.set()
        self._thread.join(JOIN_MAX_S)
        if self.failure is not None or self._thread.is_alive():
            raise RuntimeError(f"producer {self.attempts.name}: {self.failure or 'does not end'}")

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self.connect()
                time.sleep(IDLE_S)
        except BaseException as error:  # noqa: BLE001 - told by stop
            self.failure = error

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
