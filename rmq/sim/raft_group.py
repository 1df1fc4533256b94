"""A Raft group of production members: nodes, files, connections; and its invariants."""

from dataclasses import dataclass, field
from functools import partial

from twisted.python.failure import Failure

from rmq.dledger.disk_log import DiskLog
from rmq.dledger.errors import ProposalError
from rmq.dledger.member import Member, MemberPorts
from rmq.dledger.saved_term import SavedTerm
from rmq.dledger.settings import LedgerSettings, MemberSettings
from rmq.net.client import RemotingClient
from rmq.net.memory_disk import MemoryDisk
from rmq.net.server import RemotingServer
from rmq.raft.config import RaftConfig
from rmq.raft.invariants import BrokenInvariantError, Invariants
from rmq.raft.messages import NO_INDEX, Entry, Role
from rmq.raft.ready import HardState
from rmq.remoting.handling import handler_table
from rmq.sim.cluster import Cluster
from rmq.sim.process import DiskThreads, Machine, Process, ProcessClock
from rmq.sim.world import SimulationError

PORT = 9878
DATA_FILE_SIZE = 16_384
INDEX_FILE_SIZE = 32 * 128
TRANSFERS_ONE_IN = 50
"""How often, beside a proposal, a leader is asked to give its place to another."""


@dataclass(frozen=True, slots=True)
class GroupShape:
    """How a group is set up."""

    members: int
    fast: bool
    durable: bool
    propose_ms: tuple[int, int]
    """How long, at least and at most, until a leader is asked for something new."""


@dataclass(slots=True)
class Agreed:
    """What a group was asked for, and what it said is committed."""

    proposed: int = 0
    acked: dict[bytes, int] = field(default_factory=dict)
    """Bodies and their indexes."""
    last_begun_us: int = -1
    """When the proposal was made that was acknowledged last."""

    def take(self, body: bytes, begun_us: int, entries: list[Entry]) -> None:
        """A proposal was acknowledged."""
        self.acked[body] = entries[0].index
        self.last_begun_us = max(self.last_begun_us, begun_us)


class MemberServer:
    """One member in its process, with its port, and somebody who proposes."""

    def __init__(
        self, group: "RaftGroup", process: Process, settings: MemberSettings, seen: "Watched"
    ) -> None:
        self._group, self._process = group, process
        self._clock = ProcessClock(process)
        reactor = group.cluster.reactor(process)
        disk = process.machine.disk
        caller = RemotingClient(reactor, self._clock)
        self.member = Member(
            settings,
            MemberPorts(disk, self._clock, process.dice, caller, DiskThreads(process, disk)),
        )
        server = RemotingServer(
            reactor,
            self._clock,
            handler_table(self.member.processors),
            port=PORT,
            closed=self.member.channel_closed,
        )
        seen.begin(self.member)
        self.member.on_apply(partial(group.applied, seen))
        server.start()
        self.member.start()
        self._next()

    def _next(self) -> None:
        self._clock.call_later(
            self._process.dice.between(*self._group.shape.propose_ms), self._propose
        )

    def _propose(self) -> None:
        group, member = self._group, self.member
        if member.is_leader and not group.stopped:
            agreed = group.agreed
            agreed.proposed += 1
            body = f"{member.self_id}#{agreed.proposed}".encode()
            body += b"." * self._process.dice.below(300)
            if self._process.dice.one_in(TRANSFERS_ONE_IN):
                others = [one for one in member.peers if one != member.self_id]
                member.transfer(self._process.dice.pick(others)).addErrback(_refused)
            done = member.propose([body])
            done.addCallbacks(partial(agreed.take, body, group.cluster.world.now_us), _refused)
        self._next()


def _refused(failure: Failure) -> None:
    failure.trap(ProposalError)  # type: ignore[no-untyped-call]  # Twisted left it so


class Watched:
    """A member as the invariants see it, running or not; as of the last ``look``."""

    def __init__(self, machine: Machine, self_id: str, ledger: LedgerSettings) -> None:
        self._machine = machine
        self._ledger = ledger
        self._term_path = f"{ledger.folder}/currterm"
        self._member: Member | None = None
        self._facts: tuple[object, ...] = ()
        self._disk_at_rest: MemoryDisk | None = None
        self.self_id = self_id
        self.starts = 0
        self.role = Role.UNKNOWN
        self.term = -1
        self.persisted = HardState()
        self.committed_index = NO_INDEX
        self.log: DiskLog = DiskLog(machine.disk, ledger)

    def begin(self, member: Member) -> None:
        """It starts, and applies what it knows to be committed before the next look."""
        self._member = member
        self.starts, self.log = self._machine.runs, member.log

    def look(self) -> bool:
        """See what it is now; whether that is anything new.

        While it is down its log is what is on its disk, and it is nobody's leader.
        """
        machine, member = self._machine, self._member
        disk = machine.disk
        term = disk.read(self._term_path)
        if member is None or machine.process is None or member.term < 0:
            facts: tuple[object, ...] = (disk, term)
            if facts == self._facts:
                return False
            self.role, self.term, self.committed_index = Role.UNKNOWN, -1, NO_INDEX
            if self._disk_at_rest is not disk:
                self._disk_at_rest = disk
                self.log = DiskLog(disk.outlive(), self._ledger)
                self.log.open()
        else:
            log = member.log
            ends = (log.begin_index, log.end_index, log.end_term, log.cuts)
            facts = (member, term, member.role, member.term, member.committed_index, ends)
            if facts == self._facts:
                return False
            self.role, self.term = member.role, member.term
            self.committed_index, self.log = member.committed_index, log
            self._disk_at_rest = None
        if not self._facts or term != self._facts[1]:
            self.persisted = SavedTerm(disk, self._ledger.folder).load()
        self._facts, self.starts = facts, machine.runs
        return True


class RaftGroup:
    """Members on machines ``r0``, ``r1``...; invariants are checked after every event."""

    def __init__(self, cluster: Cluster, shape: GroupShape) -> None:
        self.cluster = cluster
        self.shape = shape
        self.agreed = Agreed()
        self.stopped = False
        self._invariants = Invariants()
        self.members: list[Watched] = []
        ids = [f"n{number}" for number in range(shape.members)]
        first = len(cluster.machines) + 1
        addresses = {one: f"10.0.0.{first + number}:{PORT}" for number, one in enumerate(ids)}
        for number, self_id in enumerate(ids):
            self._add(f"r{number}", self_id, addresses, shape)
        cluster.world.after_each_event(self._check)

    def _add(self, name: str, self_id: str, addresses: dict[str, str], shape: GroupShape) -> None:
        raft = RaftConfig.fast if shape.fast else RaftConfig.dledger
        settings = MemberSettings(
            raft=raft("g", self_id, frozenset(addresses)),
            addresses=addresses,
            ledger=LedgerSettings(
                folder=f"/ledger/dledger-{self_id}",
                data_file_size=DATA_FILE_SIZE,
                index_file_size=INDEX_FILE_SIZE,
                checked=shape.durable,
            ),
            durable=shape.durable,
        )

        def program(process: Process) -> MemberServer:
            return MemberServer(self, process, settings, watched)

        machine = self.cluster.machine(name, program)
        assert addresses[self_id] == f"{machine.ip}:{PORT}", addresses
        watched = Watched(machine, self_id, settings.ledger)
        self.members.append(watched)
        self.cluster.servers.append(machine)

    def applied(self, seen: Watched, entry: Entry) -> None:
        """A member applies an entry."""
        try:
            self._invariants.applied(seen, entry)
        except BrokenInvariantError as error:
            self.cluster.world.find(str(error))

    def _check(self) -> None:
        news = [one.look() for one in self.members]
        if any(news):
            self._invariants.check(self.members)
            for one in self.members:
                self._check_vote(one)

    def _check_vote(self, one: Watched) -> None:
        """Who leads is there by votes that were written down before they were given.

        Its own need not be among them: one that voted for another may still ask, as Java's do. Who
        has gone on to a later term may have given one.

        :raises BrokenInvariantError: too few were.
        """
        if one.role is not Role.LEADER:
            return
        term, vote = one.term, HardState(one.term, one.self_id)
        given = [it for it in self.members if it.persisted == vote or it.persisted.term > term]
        if one.persisted.term < term or len(given) <= len(self.members) // 2:
            states = {it.self_id: it.persisted for it in self.members}
            raise BrokenInvariantError(f"{one.self_id} leads {term} with {states}")

    def serves_since(self, begun_us: int) -> bool:
        """Whether something was agreed on that was proposed at or after a time."""
        return self.agreed.last_begun_us >= begun_us

    def ends(self) -> dict[str, int]:
        """Each member's last committed entry."""
        return {one.self_id: one.committed_index for one in self.members}

    def agrees(self) -> bool:
        """Whether all members have committed the same."""
        return len(set(self.ends().values())) == 1

    def judge(self) -> None:
        """Compare the log with what was acknowledged; all members run, and have the same end.

        :raises SimulationError: something acknowledged is not there, or is there twice.
        """
        log, end_index = self.members[0].log, self.members[0].committed_index
        places: dict[bytes, int] = {}
        for index in range(end_index + 1):
            entry = log.entry(index)
            if entry is None:
                raise SimulationError(f"committed entry {index} is not there")
            if entry.body and entry.body in places:
                raise SimulationError(f"doubled: {entry.body!r} at {index} too")
            places[entry.body] = index
        for body, index in self.agreed.acked.items():
            if places.get(body) != index:
                raise SimulationError(
                    f"lost: {body!r} was agreed on at {index}, it is at {places.get(body)}"
                )
