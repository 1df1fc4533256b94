"""A cluster of production servers on simulated machines."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from rmq.app.broker import Broker
from rmq.app.controller import ControllerServer
from rmq.app.namesrv import NameServer
from rmq.app.outside import Outside
from rmq.conf.controller_startup import controller_settings
from rmq.conf.settings import Machine as MachineFacts
from rmq.conf.startup import broker_settings, namesrv_settings
from rmq.sim.history import History
from rmq.sim.network import Network
from rmq.sim.process import DiskThreads, Machine, Process, ProcessClock
from rmq.sim.reactor import SimReactor
from rmq.sim.world import World

NAMESRV_PORT = 9876
BROKER_PORT = 10911
CONTROLLER_PORT = 9878
SKEW_MS = 500
"""Clocks are off by so much at most, to either side."""

DRIFT_PPM = 200
"""Clocks are fast or slow by so much at most."""

MEMORY_SIZE = 1 << 34

SMALL = {
    "mappedFileSizeCommitLog": "32768",
    "mappedFileSizeConsumeQueue": "2000",
    "maxHashSlotNum": "100",
    "maxIndexNum": "400",
    "maxMessageSize": "4096",
    "storePathRootDir": "/store",
    "flushConsumerOffsetInterval": "300",
    "transactionTimeOut": "1000",
    "transactionCheckInterval": "700",
    "transactionOpBatchInterval": "1500",
}
"""Files so small that runs see many of them, and transactions asked about soon."""

CHECK_MAX = {True: "8", False: "1000"}
"""transactionCheckMax where brokers give up, and where they do not."""


@dataclass(frozen=True, slots=True)
class Results:
    """What clients got done."""

    acked: int = 0
    attempts: int = 0
    reads: int = 0
    committed: int = 0
    transactions: int = 0


@dataclass(slots=True)
class Cluster:
    """Machines, by their part in the cluster. ``servers`` are what faults may hit."""

    world: World
    network: Network = field(init=False)
    history: History = field(default_factory=History)
    machines: dict[str, Machine] = field(default_factory=dict)
    servers: list[Machine] = field(default_factory=list)
    name_servers: list[str] = field(default_factory=list)
    controller_addresses: list[str] = field(default_factory=list)
    results: Results = Results()
    running: dict[str, object] = field(default_factory=dict)
    """What runs on each machine: the server or client object, by the machine's name."""

    def __post_init__(self) -> None:
        self.network = Network(self.world)

    def machine(self, name: str, program: Callable[[Process], object]) -> Machine:
        """A new machine that runs ``program``; not yet started."""
        ip = f"10.0.0.{len(self.machines) + 1}"

        def run(process: Process) -> None:
            self.running[name] = program(process)

        machine = Machine(self.world, name, ip, run)
        dice = self.world.dice.split(f"{name}/clock")
        machine.clock.skew_ms = dice.between(-SKEW_MS, SKEW_MS)
        machine.clock.drift(dice.between(-DRIFT_PPM, DRIFT_PPM))
        self.machines[name] = machine
        self.network.add(machine)
        return machine

    def client(self, name: str, program: Callable[[Process], object]) -> Machine:
        """A machine that no fault hits; started."""
        machine = self.machine(name, program)
        machine.start()
        return machine

    def name_server(self, name: str) -> Machine:
        """A name server; its address is known to what is made later."""

        def program(process: Process) -> NameServer:
            settings = namesrv_settings({}, _facts(process), overrides={"listenPort": "9876"})
            server = NameServer(
                self.reactor(process), settings, process.machine.disk, outside=outside(process)
            )
            server.start()
            return server

        machine = self.machine(name, program)
        self.name_servers.append(f"{machine.ip}:{NAMESRV_PORT}")
        self.servers.append(machine)
        return machine

    def broker(self, name: str, values: Mapping[str, str]) -> Machine:
        """A broker with these settings, and the usual ones of a small store."""

        def program(process: Process) -> Broker:
            ip = process.machine.ip
            fixed = {
                "listenPort": str(BROKER_PORT),
                "brokerIP1": ip,
                "brokerIP2": ip,
                "namesrvAddr": ";".join(self.name_servers),
                "controllerAddr": ";".join(self.controller_addresses),
                "transactionCheckMax": CHECK_MAX[self.history.promises.gives_up],
            }
            settings = broker_settings(SMALL | fixed | dict(values), _facts(process))
            server = Broker(self.reactor(process), settings, process.machine.disk, outside(process))
            server.start()
            return server

        machine = self.machine(name, program)
        self.servers.append(machine)
        return machine

    def controllers(self, count: int, values: Mapping[str, str]) -> None:
        """A group of Controllers, ``k0`` and on; known to the brokers that are made later."""
        first = len(self.machines) + 1
        self.controller_addresses = [
            f"10.0.0.{first + number}:{CONTROLLER_PORT}" for number in range(count)
        ]
        peers = ";".join(
            f"n{number}-{address}" for number, address in enumerate(self.controller_addresses)
        )
        for number in range(count):
            fixed = {
                "controllerDLegerGroup": "g",
                "controllerDLegerPeers": peers,
                "controllerDLegerSelfId": f"n{number}",
                "controllerStorePath": "/controller",
                "mappedFileSize": "16384",
            }
            self.servers.append(
                self.machine(f"k{number}", partial(self._controller, fixed | dict(values)))
            )

    def _controller(self, values: Mapping[str, str], process: Process) -> ControllerServer:
        server = ControllerServer(
            self.reactor(process),
            controller_settings(values, _facts(process)),
            process.machine.disk,
            outside(process),
        )
        server.start()
        return server

    def reactor(self, process: Process) -> SimReactor:
        """Twisted's reactor for a process."""
        return SimReactor(self.network, process)

    def start(self) -> None:
        """Switch on every server that does not run."""
        for machine in self.servers:
            if machine.process is None:
                machine.start()
        self.network.retry()


def outside(process: Process) -> Outside:
    """What a server gets from its simulated machine."""
    return Outside(
        clock=ProcessClock(process),
        chance=process.dice,
        worker=DiskThreads(process, process.machine.disk),
        process_id=process.process_id,
        memory_size=MEMORY_SIZE,
    )


def _facts(process: Process) -> MachineFacts:
    machine = process.machine
    return MachineFacts(host_name=machine.name, address=machine.ip, home="/home", processors=4)
