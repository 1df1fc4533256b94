"""A register on the log: clients that write and read it, and note when they did.

Each operation is a message of its own in one queue. A write is done when its message is
acknowledged. A read sends a message, too: its acknowledgement says at which offset it stands, and
what was written last before that offset is what it reads. To know that, the client pulls from a
broker that it takes by chance, leader or follower, backwards from its own message. So a read tells
what brokers show at that time, and any that shows another history than its fellows is found by
``scripts.faultlib.linearizability``.

Registers are numbered, and all clients go on to the next one now and then: each is in the queue of
its number, and begins with nothing. A message says ``register kind value``.
"""

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import wire

import servers  # isort: skip
from scripts.faultlib.linearizability import NEVER, READ, WRITE, Operation
from scripts.faultlib.load import IDLE_S, TIMEOUT_S, Leader
from scripts.faultlib.repeating import Repeating

QUEUES = 4
PAUSE_S = 0.03
WRITE_SHARE = 0.5
COUNT = 32
"""Messages pulled at once."""
READ_MAX_S = 15.0
"""How long a client looks for what its read is to give; after that it says nothing."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A message of a register that was acknowledged."""

    queue: int
    offset: int
    body: bytes


@dataclass
class Board:
    """Which register is in use, and all that was done; shared by all clients."""

    number: int = 0
    operations: dict[int, list[Operation]] = field(default_factory=lambda: {0: []})
    placed: list[Placed] = field(default_factory=list)
    _begins: dict[int, int] = field(default_factory=lambda: {0: 0})
    """Of each register: an offset before which it has no message."""
    _ends: list[int] = field(default_factory=lambda: [0] * QUEUES)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def turn(self) -> None:
        """Go on to the next register."""
        with self._lock:
            number = self.number + 1
            self.operations[number] = []
            self._begins[number] = self._ends[number % QUEUES]
            self.number = number

    def begin_of(self, number: int) -> int:
        """From where on its messages are: all after what was acknowledged before it was made."""
        return self._begins[number]

    def done(self, number: int, operation: Operation) -> None:
        """Note an operation, of known outcome or not."""
        with self._lock:
            self.operations[number].append(operation)

    def place(self, queue: int, offset: int, body: bytes) -> None:
        """Note where a message is."""
        with self._lock:
            self.placed.append(Placed(queue, offset, body))
            self._ends[queue] = max(self._ends[queue], offset + 1)


class Client(Repeating):
    """One thread that does one operation at a time."""

    def __init__(
        self,
        name: str,
        topic: str,
        board: Board,
        leader: Leader,
        brokers: Sequence[servers.Server],
        chance: random.Random,
    ) -> None:
        super().__init__(f"register client {name}", READ_MAX_S)
        self.name = name
        self._topic = topic
        self._board = board
        self._leader = leader
        self._brokers = brokers
        self._chance = chance
        self._count = 0
        self._peer: wire.Peer | None = None

    def again(self) -> None:
        """One operation, and a pause."""
        self.once()
        self._stopping.wait(PAUSE_S * (0.5 + self._chance.random()))

    def once(self) -> None:
        """One operation, and its entry on the board."""
        peer = self._connected()
        if peer is None:
            time.sleep(IDLE_S)
            return
        number = self._board.number
        is_write = self._chance.random() < WRITE_SHARE
        self._count += 1
        value = f"{self.name}.{self._count}"
        begin = time.monotonic()
        offset = self._send(peer, number, WRITE if is_write else READ, value)
        if is_write:
            end = NEVER if offset is None else time.monotonic()
            self._board.done(number, Operation(WRITE, value, begin, end, self.name))
        elif offset is not None and (found := self._looked(number, offset)) is not None:
            operation = Operation(READ, found.value, begin, time.monotonic(), self.name)
            self._board.done(number, operation)

    def _connected(self) -> wire.Peer | None:
        if self._peer is None and (leader := self._leader()) is not None:
            try:
                self._peer = leader.peer(TIMEOUT_S)
            except OSError:
                return None
        return self._peer

    def hang_up(self) -> None:
        """Close its connection; the next operation makes a new one."""
        if self._peer is not None:
            self._peer.close()
            self._peer = None

    def _send(self, peer: wire.Peer, number: int, kind: str, value: str) -> int | None:
        """Where the message is; None: nobody knows."""
        queue = number % QUEUES
        body = f"{number} {kind} {value}".encode()
        try:
            answer = peer.call(wire.SEND, wire.send_fields(self._topic, queue, {}), body)
        except OSError:
            self.hang_up()
            return None
        if answer.code != wire.SUCCESS:
            self.hang_up()
            return None
        offset = int(answer.fields["queueOffset"])
        self._board.place(queue, offset, body)
        return offset

    def _looked(self, number: int, offset: int) -> "Found | None":
        """What was written last before an offset; None: nobody tells in time."""
        end = time.monotonic() + READ_MAX_S
        while time.monotonic() < end and not self._stopping.is_set():
            broker = self._chance.choice(self._brokers)
            try:
                with broker.peer(TIMEOUT_S) as peer:
                    found = self.look(peer, number, offset)
            except OSError:
                found = None
            if found is not None:
                return found
            time.sleep(IDLE_S)
        return None

    def look(self, peer: wire.Peer, number: int, offset: int) -> "Found | None":
        """What a broker shows as written last before an offset; None: it does not have so much.

        :raises OSError: it does not answer.
        """
        queue, first = number % QUEUES, self._board.begin_of(number)
        end = offset + 1
        while end > first:
            begin = max(first, end - COUNT)
            bodies = _pulled(peer, self._topic, queue, range(begin, end))
            if bodies is None:
                return None
            for body in reversed(bodies):
                words = body.decode().split()
                if words[:2] == [str(number), WRITE]:
                    return Found(words[2])
            end = begin
        return Found(None)


@dataclass(frozen=True, slots=True)
class Found:
    """What a read gives."""

    value: str | None


def _pulled(peer: wire.Peer, topic: str, queue: int, offsets: range) -> list[bytes] | None:
    """The bodies at some offsets, or None if the broker does not show them all."""
    bodies: list[bytes] = []
    while len(bodies) < len(offsets):
        at = offsets.start + len(bodies)
        answer = peer.call(wire.PULL, wire.pull_fields(topic, queue, at, offsets.stop - at))
        if answer.code != wire.SUCCESS:
            return None
        bodies += [one.body for one in wire.messages(answer.body) if one.queue_offset >= at]
    return bodies
