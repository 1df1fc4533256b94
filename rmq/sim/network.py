"""A network between simulated machines: TCP as a program sees it, and what may happen to it.

Theory. A *stream* is one direction of a connection. What is written to it arrives in order, each
*segment* after a delay; the order between streams is chance's. A lost packet is a delay, as TCP
sends it again. A *block* from one address to another holds segments up; they arrive after it ends,
unless the connection was broken meanwhile. So a full partition is two blocks, and a one-way one is
one: then requests arrive but answers do not, or the reverse.

A segment is data, or the news that a connection begins (``open``), was closed (``close``), or is
unknown (``reset``). A machine without power says nothing: who writes to it waits, and is told that
the connection is unknown when the machine has power again.

Flow. At most ``WINDOW`` bytes of a stream are on their way; the sender keeps the rest.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol
from zlib import crc32

from rmq.sim.process import Machine, Process
from rmq.sim.world import World

WINDOW = 1 << 18
"""Bytes of a stream that may be on their way."""

RESEND_US = 200_000
"""After how long a lost packet is sent again, the first time; then twice as long each time."""

CONNECT_TRIES = 3
"""How often, a second apart, a connection is asked for of a machine that does not answer."""

Address = tuple[str, int]
"""IP and port."""


@dataclass(slots=True)
class Weather:
    """How the network is now; of ``one_in`` counts 0 means never."""

    least_us: int = 50
    most_us: int = 400
    slow_one_in: int = 300
    slow_most_us: int = 30_000
    lost_one_in: int = 0
    split_one_in: int = 24


class Receiver(Protocol):
    """One end of a connection, in its process."""

    def received(self, data: bytes) -> None:
        """Bytes came."""
        ...

    def closed(self, *, clean: bool) -> None:
        """The other side closed, or, not ``clean``, knows of no such connection."""
        ...

    def sent(self) -> None:
        """All that was written is on its way."""
        ...


class Segment(NamedTuple):
    """What travels: ``data``, or the news that ``kind`` names; not there before ``due_us``."""

    due_us: int
    kind: str
    data: bytes


class Stream:
    """One direction of a connection. ``receiver`` is the target's end, ``sender`` the source's."""

    def __init__(self, network: "Network", source: Process, target: Process) -> None:
        self._network = network
        self.source, self.target = source, target
        self.back: Stream = self
        self.opened: Callable[[], None] | None = None
        self.receiver: Receiver | None = None
        self.sender: Receiver | None = None
        self.unsent = 0
        self._unsent: list[bytes] = []
        self._flushing = False
        self._flying = 0
        self._on_way: deque[Segment] = deque()
        self._last_us = 0
        self._moving = False
        self._reading = True
        self.ended = False
        self._kept: deque[Segment] = deque()

    # the source's side

    def write(self, data: bytes) -> None:
        """Send, or keep until there is room."""
        self._unsent.append(data)
        self.unsent += len(data)
        self._flush_soon()

    def news(self, kind: str) -> None:
        """Tell the other side something, behind all that is on its way; drops what is not."""
        self._unsent.clear()
        self.unsent = 0
        self._put(kind, b"")

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self.source.later(0, self._flush)

    def _flush(self) -> None:
        self._flushing = False
        room = WINDOW - self._flying
        if not self._unsent or room <= 0:
            return
        data = b"".join(self._unsent)
        self._unsent = [data[room:]] if len(data) > room else []
        data = data[:room]
        self.unsent -= len(data)
        self._flying += len(data)
        dice = self._network.dice
        if len(data) > 1 and dice.one_in(self._network.weather.split_one_in):
            cut = dice.between(1, len(data) - 1)
            self._put("data", data[:cut])
            data = data[cut:]
        self._put("data", data)
        if not self.unsent and self.sender is not None:
            self.sender.sent()

    # between them

    def _put(self, kind: str, data: bytes) -> None:
        due_us = self._network.world.now_us + self._network.delay_us()
        self._on_way.append(Segment(due_us, kind, data))
        self._move(0)

    def _move(self, pause_us: int) -> None:
        if self._on_way and not self._moving:
            self._moving = True
            world = self._network.world
            self._last_us = max(self._on_way[0].due_us, self._last_us, world.now_us + pause_us)
            world.later(self._last_us - world.now_us, self._arrive)

    def _arrive(self) -> None:
        self._moving = False
        if self._network.reaches(self.source.machine, self.target.machine):
            self._deliver(self._on_way.popleft())
            self._move(0)

    @property
    def is_over(self) -> bool:
        """Whether nothing will travel any more."""
        return not self._on_way and (self.ended or not self.source.alive)

    def retry(self) -> None:
        """What was in the way may be gone."""
        self._move(self._network.dice.between(0, RESEND_US))

    def _deliver(self, segment: Segment) -> None:
        target = self.target
        note = f"{self.source.name}>{target.name} {segment.kind} {crc32(segment.data):x}"
        self._network.world.note(note)
        if target.alive:
            target.enter(lambda: self._take(segment))
        elif segment.kind in {"data", "open"}:
            self.back.news("reset")

    # the target's side

    def stop_reading(self) -> None:
        """Keep what comes."""
        self._reading = False

    def go_on_reading(self) -> None:
        """Give what was kept, in turns of its own, and what comes."""
        if not self._reading:
            self._reading = True
            self.target.later(0, self._give_kept)

    def _give_kept(self) -> None:
        while self._reading and self._kept:
            self._give(self._kept.popleft())

    def _take(self, segment: Segment) -> None:
        if segment.kind == "open":
            assert self.opened is not None, "only a stream to a listening port is opened"
            self.opened()
        elif self._reading and not self._kept:
            self._give(segment)
        else:
            self._kept.append(segment)

    def _give(self, segment: Segment) -> None:
        self._flying -= len(segment.data)
        if self._unsent and self.source.alive:
            self._flush_soon()
        if self.receiver is None:
            return
        if segment.kind == "data":
            self.receiver.received(segment.data)
        else:
            self.receiver.closed(clean=segment.kind == "close")


class Network:
    """All machines, what listens where, every connection, and what is blocked."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dice = world.dice.split("network")
        self.weather = Weather()
        self._machines: dict[str, Machine] = {}
        self._listening: dict[Address, tuple[Process, Callable[[Stream, Address], None]]] = {}
        self._blocks: dict[tuple[str, str], bool] = {}
        self._streams: dict[Stream, None] = {}
        self._next_port = 40_000

    def add(self, machine: Machine) -> None:
        """Give a machine its place."""
        self._machines[machine.ip] = machine

    def delay_us(self) -> int:
        """How long a segment takes now."""
        dice, weather = self.dice, self.weather
        delay_us = dice.between(weather.least_us, weather.most_us)
        if dice.one_in(weather.slow_one_in):
            delay_us += dice.below(weather.slow_most_us)
        resend_us = RESEND_US
        while dice.one_in(weather.lost_one_in):
            delay_us += resend_us
            resend_us *= 2
        return delay_us

    # what is in the way

    def reaches(self, source: Machine, target: Machine) -> bool:
        """Whether a packet gets there now."""
        return target.has_power and (source.ip, target.ip) not in self._blocks

    def block(self, source_ip: str, target_ip: str) -> None:
        """Let nothing through, one way, until ``heal``."""
        self._blocks[source_ip, target_ip] = True

    def heal(self) -> None:
        """Let everything through."""
        self._blocks.clear()
        self.retry()

    def retry(self) -> None:
        """Something may no longer be in the way: a block, or a machine without power."""
        self._streams = {stream: None for stream in self._streams if not stream.is_over}
        for stream in self._streams:
            stream.retry()

    def break_one(self) -> None:
        """Break one connection in the middle, as a router that forgot it does."""
        streams = [one for one in self._streams if not one.ended and one.source.alive]
        if streams:
            stream = self.dice.pick(streams)
            self.world.note(f"break {stream.source.name}>{stream.target.name}")
            stream.news("reset")
            stream.back.news("reset")

    # connections

    def listen(
        self, process: Process, port: int, accept: Callable[[Stream, Address], None]
    ) -> Callable[[], None] | None:
        """Have ``accept`` called for each connection; gives how to end it, None: port is taken.

        ``accept`` gets the stream to the client, whose ``back`` comes from it.
        """
        place = (process.machine.ip, port)
        if place in self._listening and self._listening[place][0].alive:
            return None
        mine = self._listening[place] = (process, accept)

        def end() -> None:
            if self._listening.get(place) is mine:
                del self._listening[place]

        process.at_death(lambda _power: end())
        return end

    def port(self) -> int:
        """A port for the client's end of a connection."""
        self._next_port += 1
        return self._next_port

    def connect(
        self,
        process: Process,
        here: Address,
        there: Address,
        done: Callable[[Stream | None], None],
    ) -> None:
        """Ask for a connection; ``done`` gets the stream to the server, None: it was refused.

        Of a machine that is not reached nothing is heard.
        """
        self._ask(process, here, there, done, CONNECT_TRIES)

    def _ask(
        self,
        process: Process,
        here: Address,
        there: Address,
        done: Callable[[Stream | None], None],
        tries: int,
    ) -> None:
        machine = self._machines.get(there[0])

        def asked() -> None:
            if machine is None or not self.reaches(process.machine, machine):
                again()
                return
            self.world.later(self.delay_us(), answered)

        def again() -> None:
            if tries > 1 and process.alive:
                retry = lambda: self._ask(process, here, there, done, tries - 1)  # noqa: E731
                self.world.later(1_000_000, retry)

        def answered() -> None:
            if machine is None or not self.reaches(machine, process.machine):
                again()
                return
            listening = self._listening.get(there)
            stream = None
            if listening is not None and listening[0].alive:
                stream = self._connection(process, listening[0], here, listening[1])
            self.world.note(f"{process.name}>{there[0]}:{there[1]} {'yes' if stream else 'no'}")
            process.enter(lambda: done(stream))

        self.world.later(self.delay_us(), asked)

    def _connection(
        self,
        client: Process,
        server: Process,
        here: Address,
        accept: Callable[[Stream, Address], None],
    ) -> Stream:
        there, back = Stream(self, client, server), Stream(self, server, client)
        there.back, back.back = back, there
        there.opened = lambda: accept(back, here)
        for stream in (there, back):
            self._streams[stream] = None
            stream.source.at_death(partial(self._died, stream))
        there.news("open")
        return there

    @staticmethod
    def _died(stream: Stream, power: bool) -> None:
        if not stream.ended and not power:
            stream.news("reset")
