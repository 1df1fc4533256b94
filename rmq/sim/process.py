"""Machines of a simulated world, and the processes that run on them.

A process is one run of a program: its timers, connections and threads die with it. A machine has a
disk, an address and clocks of its own, a little wrong as all clocks are; they outlive processes.

States of a process: *running*, *paused* (as by SIGSTOP: its machine still takes bytes for it), and
*dead*, from which nothing leads back. Whatever a dead process's objects still try goes nowhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rmq.net.memory_disk import PAGE_SIZE, MemoryDisk
from rmq.sim.dice import Dice
from rmq.sim.world import BEGIN_MS, Event, World

SECTOR_SIZE = 512
"""Bytes of a page that reach a disk together or not at all."""

SYNC_US = (200, 8_000)
"""How long a sync takes, at least and at most."""

RATE = 1_000_000
"""A clock that is right counts this many of its microseconds in a second."""


class MachineClock:
    """A machine's clocks: people's time is off by ``skew_ms``, and both may be fast or slow."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.skew_ms = 0
        self._rate = RATE

    def drift(self, ppm: int) -> None:
        """Be fast by so many millionths; before anything reads the time."""
        self._rate = RATE + ppm

    def wall_ms(self) -> int:
        """Milliseconds since 1970, as this machine believes."""
        return BEGIN_MS + self.skew_ms + self.monotonic_ms()

    def monotonic_ms(self) -> int:
        """Milliseconds since the world began, as this machine counts them."""
        return self._world.now_us * self._rate // (RATE * 1_000)

    def world_us(self, own_us: int) -> int:
        """How long the world takes for ``own_us`` of this clock, rounded up."""
        return -(-own_us * RATE // self._rate)


class ProcessEvent(Event):
    """A call that a process is owed."""

    __slots__ = ("_process",)

    def __init__(
        self, due_us: int, order: int, call: Callable[[], object], process: "Process"
    ) -> None:
        super().__init__(due_us, order, call)
        self._process = process

    def fall_due(self) -> None:
        """It is time; a paused process makes the call when it goes on, unless it is cancelled."""
        self._process.enter(self.make)


class Process:
    """One run of a program."""

    def __init__(self, world: World, machine: "Machine", process_id: int) -> None:
        self.world = world
        self.machine = machine
        self.process_id = process_id
        self.alive = True
        self.paused = False
        self.name = f"{machine.name}.{process_id}"
        self.dice = world.dice.split(self.name)
        self._waiting: list[Callable[[], object]] = []
        self._at_death: list[Callable[[bool], object]] = []

    def later(self, delay_us: int, call: Callable[[], object]) -> Event:
        """Arrange for ``call``, unless the process is dead by then."""
        world = self.world
        event = ProcessEvent(world.now_us + delay_us, world.next_order(), call, self)
        if self.alive:
            world.expect(event)
        return event

    def enter(self, call: Callable[[], object]) -> None:
        """Have the process do something now, or when it is no longer paused, or never."""
        if not self.alive:
            return
        if self.paused:
            self._waiting.append(call)
        else:
            call()

    def at_death(self, call: Callable[[bool], object]) -> None:
        """Have the world told of the end: True if the machine lost its power."""
        self._at_death.append(call)

    def pause(self) -> None:
        """Stop, but stay."""
        self.paused = True

    def resume(self) -> None:
        """Go on; what waited happens at once, in order."""
        self.paused = False
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            self.enter(call)

    def die(self, *, power: bool) -> None:
        """End without another word."""
        self.alive = False
        self._waiting.clear()
        for call in self._at_death:
            call(power)


class ProcessClock:
    """A ``Clock`` of a process: the machine's time, the process's calls."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._clock = process.machine.clock
        self.wall_ms = self._clock.wall_ms
        self.monotonic_ms = self._clock.monotonic_ms

    def call_later(self, delay_ms: int, call: Callable[[], object]) -> Event:
        """Arrange for ``call`` once, ``delay_ms`` (0 or more) from now."""
        assert delay_ms >= 0, f"{delay_ms=}"
        return self._process.later(self._clock.world_us(delay_ms * 1_000), call)


class DiskThreads:
    """The worker of a process: what it syncs is true a little later, if power stays until then."""

    def __init__(self, process: Process, disk: MemoryDisk) -> None:
        self._process = process
        self._disk = disk

    def start(self) -> None:
        """Nothing is to be done."""

    def stop(self) -> None:
        """Nothing is to be done."""

    def run(self, call: Callable[[], None]) -> Deferred[None]:
        """Run ``call`` now, let its syncs be true later, and then say so."""
        done: Deferred[None] = Deferred()
        held: list[Callable[[], None]] = []
        self._disk.hold_sync = held.append
        failure: Failure | None = None
        try:
            call()
        except OSError:
            failure = Failure()  # type: ignore[no-untyped-call]  # Twisted left it so
        finally:
            self._disk.hold_sync = None

        def finish() -> None:
            if failure is not None:
                done.errback(failure)
                return
            for settle in held:
                settle()
            done.callback(None)

        self._process.later(self._process.dice.between(*SYNC_US), finish)
        return done


@dataclass(eq=False)
class Machine:
    """A computer: ``program`` is what it starts, given each new process."""

    world: World
    name: str
    ip: str
    program: Callable[[Process], object]
    clock: MachineClock = field(init=False)
    disk: MemoryDisk = field(init=False)
    process: Process | None = None
    has_power: bool = True
    runs: int = 0

    def __post_init__(self) -> None:
        self.clock = MachineClock(self.world)
        self.disk = MemoryDisk(_DiskClock(self.clock))

    def start(self) -> Process:
        """Run the program; nothing may run yet."""
        assert self.process is None, f"{self.name} runs"
        self.has_power = True
        self.runs += 1
        self.process = process = Process(self.world, self, self.runs)
        self.world.note(f"start {process.name}")
        self.program(process)
        return process

    def kill(self) -> None:
        """End the process as SIGKILL does: the system still has all that was written."""
        self._end(power=False)
        self.disk = self.disk.outlive()

    def lose_power(self) -> None:
        """End everything: of what was not synced some sectors are there, and some are not."""
        self._end(power=True)
        self.has_power = False
        dice = self.world.dice.split(f"{self.name}/power/{self.runs}")
        self.disk = self.disk.lose_power(lambda _path, old, new: torn(dice, old, new))

    def _end(self, *, power: bool) -> None:
        process, self.process = self.process, None
        assert process is not None, f"{self.name} does not run"
        self.world.note(f"{'power' if power else 'kill'} {process.name}")
        process.die(power=power)


class _DiskClock:
    """The times of files; a disk needs no calls."""

    def __init__(self, clock: MachineClock) -> None:
        self.wall_ms = clock.wall_ms
        self.monotonic_ms = clock.monotonic_ms

    def call_later(self, delay_ms: int, call: Callable[[], object]) -> Event:
        """Never asked for."""
        raise AssertionError(f"a disk wants a call in {delay_ms} ms: {call}")


def torn(dice: Dice, old: bytes, new: bytes) -> bytes:
    """A page after a loss of power: as it was, as it was to be, or some sectors of each."""
    fate = dice.below(3)
    if fate == 0:
        return old
    if fate == 1:
        return new
    return b"".join(
        (new if dice.below(2) else old)[at : at + SECTOR_SIZE]
        for at in range(0, PAGE_SIZE, SECTOR_SIZE)
    )
