"""What is simulated: clusters, loads, faults, and how each run ends.

A run has three parts: the *storm*, faults while clients work; the *calm*, everything is healed and
must serve again within a limit; the *judgement*, a new consumer reads everything, and the history
is compared with it.
"""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b

from rmq.app.broker import Broker
from rmq.broker.names import CHECK_MAX_TIME_TOPIC
from rmq.sim.clients import QUEUES, Consumer, Load, Producer
from rmq.sim.cluster import Cluster, Results
from rmq.sim.faults import Faults, Menu
from rmq.sim.history import Fate, GivenUp, Promises, Queue, Reads
from rmq.sim.process import Machine, Process
from rmq.sim.raft_group import GroupShape, RaftGroup
from rmq.sim.world import SimulationError, World, watched_log
from rmq.store.store import MessageStore

TOPIC = "SimTopic"
STORM_MS = 15_000
CALM_MS = 90_000
"""After the faults end, everything has to serve again within this time."""

TRANSACTED_OF = 6
"""One message of so many begins a transaction."""

DOUBLED_MS = 3_000
"""What comes again does so within this time: some rounds of checks."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to."""

    seed: int
    scenario: str
    digest: str
    events: int
    faults: int
    acked: int
    attempts: int
    reads: int
    committed: int
    transactions: int
    simulated_ms: int

    @property
    def line(self) -> str:
        """For people."""
        return (
            f"{self.scenario} seed={self.seed} trace={self.digest} events={self.events} "
            f"faults={self.faults} acked={self.acked}/{self.attempts} reads={self.reads} "
            f"committed={self.committed}/{self.transactions} "
            f"simulated={self.simulated_ms / 1_000:.1f}s"
        )


class BrokerRun:
    """One broker group under load: the storm, the calm and the judgement."""

    def __init__(self, cluster: Cluster, broker: str, producers: int, *, slaves_too: bool) -> None:
        """``slaves_too``: consumers read from slaves."""
        self.cluster = cluster
        self.world = cluster.world
        self.broker = broker
        self.load = Load(broker, TOPIC, transacted_of=TRANSACTED_OF)
        self.given_up = Queue(broker, CHECK_MAX_TIME_TOPIC, 0)
        self.queues = [Queue(broker, TOPIC, number) for number in range(QUEUES)]
        for number in range(producers):
            cluster.client(f"p{number}", self._producer)
        for queue in self.queues:
            consumer = partial(self._consumer, queue, cluster.history, slaves_too)
            cluster.client(f"c{queue.queue_id}", consumer)

    def _producer(self, process: Process) -> Producer:
        cluster = self.cluster
        return Producer(cluster.network, process, cluster.name_servers, cluster.history, self.load)

    def _consumer(self, queue: Queue, reads: Reads, slaves_too: bool, process: Process) -> Consumer:
        cluster = self.cluster
        return Consumer(
            cluster.network,
            process,
            cluster.name_servers,
            reads,
            queue,
            slaves_too=slaves_too,
        )

    def calm(self) -> None:
        """Wait until a message is acknowledged that was begun now.

        :raises SimulationError: none is.
        """
        begun_us, history = self.world.now_us, self.cluster.history
        before = len(history.acked())

        def serves() -> bool:
            new = history.acked()[before:]
            return any(one.begun_us >= begun_us for one in new)

        for _ in range(CALM_MS // 1_000):
            self.world.run_for(1_000)
            if serves():
                return
        raise SimulationError(f"nothing was acknowledged within {CALM_MS} ms of calm")

    def judge(self) -> None:
        """Read everything anew and compare.

        :raises SimulationError: something is wrong with it, or it cannot be read.
        """
        self.load.stopped = True
        self.world.run_for(5_000)
        cluster = self.cluster
        history = cluster.history
        judges = [
            cluster.client(f"j{queue.queue_id}", partial(self._consumer, queue, history, False))
            for queue in self.queues
        ]
        cluster.client("g", partial(self._consumer, self.given_up, GivenUp(history), False))
        readers = [cluster.running[machine.name] for machine in judges]

        def tables() -> dict[Queue, list[bytes]]:
            return {
                queue: reader.bodies
                for queue, reader in zip(self.queues, readers, strict=True)
                if isinstance(reader, Consumer)
            }

        def all_read() -> bool:
            return all(isinstance(one, Consumer) and one.reached_end for one in readers)

        def all_came() -> bool:
            return all_read() and not history.missing(tables())

        if not self.world.run_for(CALM_MS, done=all_came) and not all_read():
            raise SimulationError(f"the queues could not be read within {CALM_MS} ms of calm")
        self.world.run_for(DOUBLED_MS)
        history.judge(tables())
        transactions = history.transactions()
        cluster.results = Results(
            acked=len(history.acked()),
            attempts=len(history.attempts),
            reads=history.reads,
            committed=sum(one.fate is Fate.COMMITTED for one in transactions),
            transactions=len(transactions),
        )


def _broker_run(
    world: World,
    menu: Menu,
    promises: Promises,
    build: Callable[[Cluster], str],
    storm_ms: int = STORM_MS,
    *,
    slaves_too: bool = False,
) -> tuple[Cluster, Faults]:
    cluster = Cluster(world)
    gives_up = world.dice.split("checks").below(2) == 0
    cluster.history.promises = replace(promises, gives_up=gives_up)
    broker = build(cluster)
    cluster.start()
    run = BrokerRun(cluster, broker, producers=2, slaves_too=slaves_too)
    world.run_for(2_000)
    victims: dict[str, list[Machine]] = {}
    for machine in cluster.servers:
        victims.setdefault(machine.name.rstrip("0123456789"), []).append(machine)
    faults = Faults(cluster, menu, victims)
    faults.start()
    world.run_for(storm_ms)
    faults.stop()
    run.calm()
    run.judge()
    return cluster, faults


def single(world: World) -> tuple[Cluster, Faults]:
    """A name server, and one master that flushes before it answers; anything may fail."""
    menu = Menu(
        kill=3, power=3, disk=1, pause=2, isolate=2, one_way=2, break_connection=2, storm=1, clock=1
    )

    def build(cluster: Cluster) -> str:
        cluster.name_server("n1")
        cluster.name_server("n2")
        cluster.broker("b1", {"brokerName": "a", "flushDiskType": "SYNC_FLUSH"})
        return "a"

    return _broker_run(world, menu, Promises(reads_survive=False), build)


def single_async(world: World) -> tuple[Cluster, Faults]:
    """The same without flushing, and without loss of power: the system keeps what was written."""
    menu = Menu(kill=4, disk=1, pause=2, isolate=2, one_way=2, break_connection=2, storm=1, clock=1)

    def build(cluster: Cluster) -> str:
        cluster.name_server("n1")
        cluster.name_server("n2")
        cluster.broker("b1", {"brokerName": "a"})
        return "a"

    return _broker_run(world, menu, Promises(), build)


def dledger(world: World) -> tuple[Cluster, Faults]:
    """Three brokers in a DLedger group, with the profile that fails over sooner; in half of the
    seeds they flush before they acknowledge, and may lose power.
    """
    flushes = world.dice.split("shape").below(2) == 0
    menu = replace(STORMY, pause_between_ms=(50, 1_500), lasts_ms=(50, 4_000), aims=AIMS)
    if not flushes:
        menu = replace(menu, powered=frozenset("b"))

    def build(cluster: Cluster) -> str:
        cluster.name_server("n1")
        cluster.name_server("n2")
        first = len(cluster.machines) + 1
        peers = ";".join(f"n{number}-10.0.0.{first + number}:40911" for number in range(3))
        for number in range(3):
            own = {"dLegerPeers": peers, "dLegerSelfId": f"n{number}"}
            own["flushDiskType"] = "SYNC_FLUSH" if flushes else "ASYNC_FLUSH"
            cluster.broker(f"b{number}", DLEDGER | own)
        return "a"

    return _broker_run(world, menu, Promises(), build, 25_000)


DLEDGER = {
    "brokerName": "a",
    "enableDLegerCommitLog": "true",
    "dLegerGroup": "a",
    "failoverProfile": "fast",
}
"""Brokers that elect their master, and acknowledge what most of them have."""


def classic(world: World) -> tuple[Cluster, Faults]:
    """A master and two slaves whose roles are fixed; all are read from; processes may die."""
    menu = replace(STORMY, power=0, aims=AIMS, down_max=2, pause_between_ms=(100, 3_000))

    def build(cluster: Cluster) -> str:
        cluster.name_server("n1")
        for broker_id in range(3):
            role = "SLAVE" if broker_id else "SYNC_MASTER"
            fixed = {"brokerId": str(broker_id), "brokerRole": role}
            cluster.broker(f"b{broker_id}", CLASSIC | fixed)
        return "a"

    cluster, faults = _broker_run(world, menu, Promises(), build, 40_000, slaves_too=True)
    stores = [broker.store for broker in cluster.running.values() if isinstance(broker, Broker)]

    def equal() -> bool:
        return len({store.written_position for store in stores}) == 1

    if not world.run_for(CALM_MS, done=equal):
        raise SimulationError(f"slaves do not catch up within {CALM_MS} ms of calm")
    begin = max(store.min_position for store in stores)  # a slave begins at a later file
    if len({_log_hash(store, begin) for store in stores}) != 1:
        raise SimulationError("the logs of master and slaves differ")
    return cluster, faults


CLASSIC = {
    "brokerName": "a",
    "inSyncReplicas": "2",
    "slaveTimeout": "2000",
    "slaveReadEnable": "true",
}
"""A master that acknowledges what one slave has, too."""


def _log_hash(store: MessageStore, position: int) -> str:
    digest = blake2b()
    while position < store.written_position:
        data = store.log_bytes(position, 1 << 20)
        digest.update(data)
        position += len(data)
    return digest.hexdigest()


def _raft_run(world: World, shape: GroupShape, menu: Menu, storm_ms: int) -> tuple[Cluster, Faults]:
    cluster = Cluster(world)
    group = RaftGroup(cluster, shape)
    cluster.start()
    faults = Faults(cluster, menu, {"r": list(cluster.servers)})
    world.run_for(2_000)
    faults.start()
    world.run_for(storm_ms)
    faults.stop()
    begun_us = world.now_us
    if not world.run_for(CALM_MS, done=lambda: group.serves_since(begun_us)):
        raise SimulationError(f"nothing was agreed on within {CALM_MS} ms of calm")
    group.stopped = True
    world.run_for(2_000)
    if not world.run_for(CALM_MS, done=group.agrees):
        raise SimulationError(f"after {CALM_MS} ms of calm members differ: {group.ends()}")
    group.judge()
    cluster.results = Results(
        acked=len(group.agreed.acked), attempts=group.agreed.proposed, reads=0
    )
    return cluster, faults


STORMY = Menu(
    kill=4,
    power=3,
    disk=1,
    pause=2,
    isolate=4,
    one_way=3,
    break_connection=2,
    storm=2,
    clock=1,
    pause_between_ms=(300, 5_000),
    lasts_ms=(100, 8_000),
)
QUICK = replace(STORMY, pause_between_ms=(30, 500), lasts_ms=(10, 1_000))


def raft(world: World) -> tuple[Cluster, Faults]:
    """Three members with DLedger's timing that sync before they answer; anything may fail."""
    shape = GroupShape(members=3, fast=False, durable=True, propose_ms=(5, 300))
    return _raft_run(world, shape, STORMY, 60_000)


def raft_fast(world: World) -> tuple[Cluster, Faults]:
    """Five members with the timing of the Raft paper, two of them down; anything may fail."""
    shape = GroupShape(members=5, fast=True, durable=True, propose_ms=(2, 60))
    return _raft_run(world, shape, replace(QUICK, down_max=2), 5_000)


def raft_lax(world: World) -> tuple[Cluster, Faults]:
    """Three members as lax as Java's, which do not sync: processes may die, power must stay."""
    shape = GroupShape(members=3, fast=True, durable=False, propose_ms=(2, 60))
    return _raft_run(world, shape, replace(QUICK, power=0), 8_000)


CONTROLLED = {"brokerName": "a", "enableControllerMode": "true", "slaveTimeout": "2000"}
SAFE = ({"inSyncReplicas": "2"}, {"allAckInSyncStateSet": "true"})
"""What makes brokers acknowledge only what their whole SyncStateSet has."""


AIMS = {"b": 4, "k": 2, "n": 1}
"""Brokers are hit most."""


def _controlled_run(
    world: World, menu: Menu, values: Mapping[str, str], storm_ms: int
) -> tuple[Cluster, Faults]:
    dice = world.dice.split("shape")
    safe, slaves_too = dice.pick(SAFE), dice.below(2) == 0
    reading = {"slaveReadEnable": "true" if slaves_too else "false"}

    def build(cluster: Cluster) -> str:
        cluster.name_server("n1")
        cluster.name_server("n2")
        cluster.controllers(3, values)
        for number in range(3):
            cluster.broker(f"b{number}", CONTROLLED | safe | reading | dict(values))
        return "a"

    return _broker_run(world, menu, Promises(), build, storm_ms, slaves_too=slaves_too)


def controller(world: World) -> tuple[Cluster, Faults]:
    """Three Controllers, three brokers of one group, Apache's timing; brokers keep their power."""
    menu = replace(STORMY, powered=frozenset("b"), lasts_ms=(100, 20_000), aims=AIMS)
    return _controlled_run(world, menu, {}, 60_000)


def controller_fast(world: World) -> tuple[Cluster, Faults]:
    """The same with the profile that fails over sooner."""
    menu = replace(
        STORMY,
        powered=frozenset("b"),
        pause_between_ms=(50, 1_200),
        lasts_ms=(50, 4_000),
        aims=AIMS,
    )
    return _controlled_run(world, menu, {"failoverProfile": "fast"}, 20_000)


SCENARIOS: Mapping[str, Callable[[World], tuple[Cluster, Faults]]] = {
    "single": single,
    "single-async": single_async,
    "classic": classic,
    "controller": controller,
    "controller-fast": controller_fast,
    "dledger": dledger,
    "raft": raft,
    "raft-fast": raft_fast,
    "raft-lax": raft_lax,
}


def scenario_of(seed: int) -> str:
    """Which scenario a seed is of, if nobody chooses."""
    return list(SCENARIOS)[seed % len(SCENARIOS)]


def simulate(scenario: str, seed: int, world: World | None = None) -> Result:
    """One run.

    :raises SimulationError: it found something that must not be.
    """
    world = world or World(seed)
    gc.collect()  # whatever an earlier run left says so here, where it is no finding of this one
    with watched_log(world):
        cluster, faults = SCENARIOS[scenario](world)
    results = cluster.results
    return Result(
        seed=seed,
        scenario=scenario,
        digest=world.trace.digest,
        events=world.events,
        faults=faults.count,
        acked=results.acked,
        attempts=results.attempts,
        reads=results.reads,
        committed=results.committed,
        transactions=results.transactions,
        simulated_ms=world.now_us // 1_000,
    )
