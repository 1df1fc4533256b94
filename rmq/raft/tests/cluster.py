"""A group in memory, with a network and disks that misbehave as one seed says.

Each member has a strict driver: it may crash between any two steps of a ``Ready``. What was not
made durable is then gone: a cut of the log too.
"""

import heapq
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from rmq.base.manual import FixedChance
from rmq.raft.config import RaftConfig
from rmq.raft.invariants import Invariants
from rmq.raft.log import MemoryLog
from rmq.raft.messages import Entry, Role
from rmq.raft.node import Node
from rmq.raft.ready import HardState, Ready

RPC_TIMEOUT_MS = 120


class CrashError(Exception):
    """A member dies here."""


class Dice:
    """Chance, with the questions a story asks."""

    def __init__(self, seed: int) -> None:
        self.below = FixedChance.seeded(seed).below

    def happens(self, share: float) -> bool:
        return self.below(1_000_000) < share * 1_000_000

    def choice(self, things):
        return things[self.below(len(things))]


class Host:
    """A member, its disk and its driver."""

    def __init__(self, cluster: "Cluster", config: RaftConfig) -> None:
        self.cluster, self.config, self.self_id = cluster, config, config.self_id
        self.starts = 0
        self.persisted = HardState()
        self.disk: tuple[tuple[Entry, ...], int] = ((), -1)  # entries, committed index: survive
        self.node: Node | None = None
        self.applied_index = -1
        self.unfinished: list[tuple[Ready, tuple[Entry, ...], int]] = []
        self.start()

    def start(self) -> None:
        self.starts += 1
        self.memory = MemoryLog(*self.disk)
        self.applied_index = -1
        chance = FixedChance.seeded(self.cluster.dice.below(1 << 60))
        self.node = Node(self.config, self.memory, self.persisted, chance, self.cluster.now_ms)

    def crash(self) -> None:
        self.node = None
        self.cluster.hang_up(self.self_id)
        self.unfinished.clear()
        self.memory = MemoryLog(*self.disk)

    def clean(self, index: int) -> None:
        """Lose old entries, all of them applied."""
        if self.cluster.cleans and self.memory.begin_index < index <= self.applied_index:
            self.memory.clean_before(index)

    # Seen by invariants.

    @property
    def role(self) -> Role:
        return self.node.role if self.node else Role.UNKNOWN

    @property
    def term(self) -> int:
        return self.node.term if self.node else self.persisted.term

    @property
    def log(self) -> MemoryLog:
        return self.memory

    @property
    def committed_index(self) -> int:
        return self.node.committed_index if self.node else -1

    # The driver.

    def call(self, act: Callable[[Node], object]) -> None:
        if self.node is None:
            return
        self.node.tick(self.cluster.now_ms)
        try:
            act(self.node)
            self.drive(self.node)
        except CrashError:
            self.crash()
        self.cluster.invariants.check(self.cluster.hosts)

    def drive(self, node: Node) -> None:
        dice, cluster = self.cluster.dice, self.cluster
        while ready := node.ready():
            crash_at = dice.below(6) if dice.happens(cluster.crash_share) else -1
            if crash_at == 0:
                raise CrashError
            if ready.hard_state:
                self.persisted = ready.hard_state
            if crash_at == 1:
                raise CrashError
            for request in ready.requests:
                cluster.request(self, request)
            if crash_at == 2:
                raise CrashError
            self.unfinished.append((ready, self.memory.entries, crash_at))
            if dice.happens(cluster.slow_disk_share):
                cluster.at(dice.below(20) + 1, partial(self.call_again, self.starts))
            else:
                self.finish(node)

    def call_again(self, starts: int) -> None:
        if self.starts == starts and self.unfinished:
            self.call(self.finish)

    def finish(self, node: Node) -> None:
        """Do the rest for all readies so far: their log is on disk now."""
        while self.unfinished:
            ready, entries, crash_at = self.unfinished.pop(0)
            committed_index = self.disk[1]
            if self.cluster.dice.happens(0.5):
                committed_index = ready.committed_index
            self.disk = (entries, min(committed_index, entries[-1].index if entries else -1))
            if crash_at == 3:
                raise CrashError
            for answer in ready.answers:
                self.cluster.answer(self, answer)
            if crash_at == 4:
                raise CrashError
            node.advance(ready)
            self.cluster.changed(self, ready)
            self.apply(ready.committed_index)
            if crash_at == 5:
                raise CrashError

    def apply(self, committed_index: int) -> None:
        first_index = max(self.applied_index + 1, self.memory.begin_index)
        for index in range(first_index, committed_index + 1):
            entry = self.memory.entry(index)
            assert entry is not None
            self.cluster.invariants.applied(self, entry)
        self.applied_index = max(self.applied_index, committed_index)


class Cluster:
    """Members, the wires between them, and time."""

    def __init__(self, seed: int, size: int, **settings: Any) -> None:
        self.dice = Dice(seed)
        self.now_ms = 0
        self.events: list[tuple[int, int, Callable[[], None]]] = []
        self.order = 0
        self.drop_share = self.twice_share = self.crash_share = self.slow_disk_share = 0.0
        self.delay_ms = 5
        self.cleans = self.dice.happens(0.3)
        self.cut: set[frozenset[str]] = set()
        self.deaf: set[str] = set()  # who learns nothing from connections, as Java's members
        self.acknowledged: list[bytes] = []
        self.invariants = Invariants()
        ids = frozenset(f"n{number}" for number in range(size))
        batch = self.dice.happens(0.7)
        self.hosts: list[Host] = []
        for self_id in sorted(ids):
            config = RaftConfig.fast("g", self_id, ids)
            changed: dict[str, Any] = {
                "is_enable_batch_push": batch,
                "max_batch_push_size": 256,
                **settings,
            }
            self.hosts.append(Host(self, replace(config, **changed)))
        self.by_id = {host.self_id: host for host in self.hosts}

    def at(self, delay_ms: int, act: Callable[[], None]) -> None:
        self.order += 1
        heapq.heappush(self.events, (self.now_ms + delay_ms, self.order, act))

    def carries(self, one: str, other: str) -> bool:
        return frozenset((one, other)) not in self.cut and not self.dice.happens(self.drop_share)

    def send(self, one: str, other: str, act: Callable[[], None]) -> None:
        for _ in range(2 if self.dice.happens(self.twice_share) else 1):
            if self.carries(one, other):
                self.at(self.dice.below(self.delay_ms) + 1, act)

    def hang_up(self, one: str, *others: str) -> None:
        """End the connections that a member has to others, or to all; who hears of it doubts it."""
        for other in self.hosts:
            told = other.self_id != one and (not others or other.self_id in others)
            if told and other.self_id not in self.deaf and self.carries(one, other.self_id):
                lost = partial(other.call, lambda node: node.peer_lost(one))
                self.at(self.dice.below(self.delay_ms) + 1, lost)

    def request(self, host: Host, request) -> None:
        target, starts = self.by_id[request.target], host.starts
        wait = [True]

        def arrive() -> None:
            target.call(lambda node: node.step(request, (host, starts, wait)))

        def fail() -> None:
            if wait[0] and host.starts == starts:
                wait[0] = False
                host.call(lambda node: node.failed(request))

        self.send(host.self_id, request.target, arrive)
        self.at(RPC_TIMEOUT_MS, fail)

    def answer(self, host: Host, answer) -> None:
        if answer.token is None:
            return
        asker, starts, wait = answer.token

        def arrive() -> None:
            if wait[0] and asker.starts == starts:
                wait[0] = False
                asker.call(lambda node: node.replied(answer.request, answer.reply))

        self.send(host.self_id, asker.self_id, arrive)

    def changed(self, host: Host, ready) -> None:
        for ended in ready.ended:
            if ended.code == 200:
                self.acknowledged += [entry.body for entry in ended.proposal.entries]

    def run(self, until_ms: int) -> None:
        while self.now_ms < until_ms:
            due_ms = min(
                (host.node.next_due_ms for host in self.hosts if host.node), default=until_ms
            )
            if self.events and self.events[0][0] <= max(due_ms, self.now_ms):
                when_ms, _, act = heapq.heappop(self.events)
                if when_ms > until_ms:
                    self.at(when_ms - self.now_ms, act)
                    break
                self.now_ms = max(self.now_ms, when_ms)
                act()
                continue
            if due_ms > until_ms:
                break
            self.now_ms = max(self.now_ms, due_ms)
            for host in self.hosts:
                if host.node and host.node.next_due_ms <= self.now_ms:
                    host.call(lambda node: None)
        self.now_ms = until_ms

    @property
    def logs(self) -> list[tuple[Entry, ...]]:
        """Of each member what all of them have kept."""
        first_index = max(host.memory.begin_index for host in self.hosts)
        return [
            tuple(entry for entry in host.memory.entries if entry.index >= first_index)
            for host in self.hosts
        ]

    @property
    def leader(self) -> Host | None:
        leaders = [host for host in self.hosts if host.role is Role.LEADER]
        return max(leaders, key=lambda host: host.term, default=None)

    def propose(self, *bodies: bytes) -> None:
        for host in self.hosts:
            if host.role is Role.LEADER:
                host.call(lambda node: node.propose(bodies))

    def trouble(self) -> None:
        """One random mishap."""
        dice, host = self.dice, self.dice.choice(self.hosts)
        kind = dice.below(10)
        if kind == 0:
            host.crash()
        elif kind == 1 and host.node is None:
            host.start()
        elif kind == 2:
            side = {one.self_id for one in self.hosts if dice.happens(0.5)}
            self.cut = {
                frozenset((one.self_id, other.self_id))
                for one in self.hosts
                for other in self.hosts
                if (one.self_id in side) != (other.self_id in side)
            }
        elif kind == 3:
            self.cut = set()
        elif kind == 4:
            self.drop_share = dice.choice((0.0, 0.05, 0.3))
        elif kind == 5:
            self.delay_ms = dice.choice((2, 10, 60))
        elif kind == 6:
            leader = self.leader
            if leader:
                leader.call(lambda node: node.transfer(host.self_id))

        elif kind == 7:
            host.clean(host.committed_index - dice.below(20))
        elif kind == 8:
            self.hang_up(host.self_id)
        elif kind == 9:
            self.hang_up(host.self_id, dice.choice(self.hosts).self_id)

    def heal(self) -> None:
        self.cut, self.drop_share, self.twice_share, self.crash_share = set(), 0.0, 0.0, 0.0
        self.slow_disk_share = 0.0
        self.delay_ms = 5
        for host in self.hosts:
            host.unfinished = [(ready, entries, -1) for ready, entries, _ in host.unfinished]
            if host.node is None:
                host.start()
