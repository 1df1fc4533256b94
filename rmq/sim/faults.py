"""What goes wrong in a simulated cluster, and when: a schedule that follows from the seed.

Each fault begins and, after a while, ends: a killed process starts again, a blocked line is
opened. A *menu* says how often each comes, by weight; ``down_max`` how many machines of a group
may be without their process, or a good disk, at once, which is what the configuration under test
promises to bear.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from errno import EIO

from rmq.sim.cluster import Cluster
from rmq.sim.network import Weather
from rmq.sim.process import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """What may happen: weights, 0: never. Times in milliseconds."""

    kill: int = 0
    power: int = 0
    disk: int = 0
    pause: int = 0
    isolate: int = 0
    one_way: int = 0
    break_connection: int = 0
    storm: int = 0
    clock: int = 0
    pause_between_ms: tuple[int, int] = (300, 4_000)
    lasts_ms: tuple[int, int] = (100, 6_000)
    down_max: int = 1
    powered: frozenset[str] = frozenset()
    """Groups of machines that never lose power: it is a kill instead."""
    aims: Mapping[str, int] = field(default_factory=dict)
    """How often each group of machines is hit, by weight; 1 if it is not named."""

    def weights(self) -> list[str]:
        """Each fault's name as often as its weight."""
        names = (
            "kill",
            "power",
            "disk",
            "pause",
            "isolate",
            "one_way",
            "break_connection",
            "storm",
            "clock",
        )
        return [name for name in names for _ in range(int(getattr(self, name)))]


class Faults:
    """Makes trouble until ``stop``."""

    def __init__(self, cluster: Cluster, menu: Menu, victims: Mapping[str, list[Machine]]) -> None:
        """``victims`` are the machines in groups: of each ``down_max`` may be down at once."""
        self._cluster = cluster
        self._world = cluster.world
        self._menu = menu
        self._groups = dict(victims)
        self._aims = [name for name in sorted(victims) for _ in range(menu.aims.get(name, 1))]
        self._dice = cluster.world.dice.split("faults")
        self._names = menu.weights()
        self._stopped = False
        self.count = 0

    def start(self) -> None:
        """Begin."""
        if self._names:
            self._next()

    def stop(self) -> None:
        """No more trouble: everything heals now, and everything runs."""
        self._stopped = True
        network = self._cluster.network
        network.weather = Weather()
        network.heal()
        for machines in self._groups.values():
            for machine in machines:
                if machine.process is not None and machine.process.paused:
                    machine.process.resume()
                if machine.process is not None and machine.disk.fail_sync is not None:
                    machine.kill()
        self._cluster.start()
        self._world.note("calm")

    def _next(self) -> None:
        wait_us = self._dice.between(*self._menu.pause_between_ms) * 1_000
        self._world.later(wait_us, self._strike)

    def _strike(self) -> None:
        if self._stopped:
            return
        name = self._dice.pick(self._names)
        group = self._dice.pick(self._aims)
        machine = self._dice.pick(self._groups[group])
        lasts_us = self._dice.between(*self._menu.lasts_ms) * 1_000
        self.count += 1
        if name == "power" and group in self._menu.powered:
            name = "kill"
        if name not in {"kill", "power", "disk"} or self._may_fall(group, machine):
            self._world.note(f"fault {name} {machine.name} for {lasts_us}")
            strike: Callable[[Machine, int], None] = getattr(self, f"_{name}")
            strike(machine, lasts_us)
        self._next()

    def _may_fall(self, group: str, machine: Machine) -> bool:
        down = sum(
            one.process is None or one.disk.fail_sync is not None for one in self._groups[group]
        )
        return machine.process is not None and down < self._menu.down_max

    def _after(self, lasts_us: int, end: Callable[[], object]) -> None:
        self._world.later(lasts_us, lambda: None if self._stopped else end())

    def _kill(self, machine: Machine, lasts_us: int) -> None:
        machine.kill()
        self._after(lasts_us, lambda: self._start(machine))

    def _power(self, machine: Machine, lasts_us: int) -> None:
        machine.lose_power()
        self._after(lasts_us, lambda: self._start(machine))

    def _disk(self, machine: Machine, lasts_us: int) -> None:
        """Its syncs fail; then somebody ends the process, gives it a good disk, and starts it."""
        process = machine.process
        machine.disk.fail_sync = OSError(EIO, "the disk failed")

        def replace() -> None:
            if machine.process is process and process is not None:
                machine.kill()
            self._start(machine)

        self._after(lasts_us, replace)

    def _start(self, machine: Machine) -> None:
        if machine.process is None:
            machine.start()
            self._cluster.network.retry()

    def _pause(self, machine: Machine, lasts_us: int) -> None:
        process = machine.process
        if process is not None and not process.paused:
            process.pause()
            self._after(lasts_us, process.resume)

    def _isolate(self, machine: Machine, lasts_us: int) -> None:
        """Cut it off, from all others or from some."""
        others = [one for one in self._cluster.machines.values() if one is not machine]
        some = others if self._dice.below(2) else [one for one in others if self._dice.below(2)]
        for other in some:
            self._cluster.network.block(machine.ip, other.ip)
            self._cluster.network.block(other.ip, machine.ip)
        self._after(lasts_us, self._heal)

    def _one_way(self, machine: Machine, lasts_us: int) -> None:
        """Nothing gets out of it, or nothing gets in."""
        outwards = self._dice.below(2) == 0
        for other in self._cluster.machines.values():
            if other is machine or self._dice.below(4) == 0:
                continue
            pair = (machine.ip, other.ip) if outwards else (other.ip, machine.ip)
            self._cluster.network.block(*pair)
        self._after(lasts_us, self._heal)

    def _heal(self) -> None:
        """Everything gets through again; some connections did not survive."""
        network = self._cluster.network
        for _ in range(self._dice.below(3)):
            network.break_one()
        network.heal()

    def _break_connection(self, _machine: Machine, _lasts_us: int) -> None:
        self._cluster.network.break_one()

    def _storm(self, _machine: Machine, lasts_us: int) -> None:
        """Packets are lost, and everything is late."""
        weather = self._cluster.network.weather = Weather()
        weather.lost_one_in = self._dice.between(4, 40)
        weather.slow_one_in = self._dice.between(2, 40)

        def calm() -> None:
            self._cluster.network.weather = Weather()

        self._after(lasts_us, calm)

    def _clock(self, machine: Machine, _lasts_us: int) -> None:
        """Somebody corrects the time."""
        machine.clock.skew_ms += self._dice.between(-5_000, 5_000)
