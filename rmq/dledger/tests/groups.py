"""A group of whole members in one process: manual time, disks in memory, a wire of bytes."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from codec.command import Command
from rmq.base.errors import CallError, CallTimeoutError
from rmq.base.manual import FixedChance, ManualClock
from rmq.dledger.member import Member, MemberPorts
from rmq.dledger.settings import LedgerSettings, MemberSettings
from rmq.net.memory_disk import MemoryDisk
from rmq.raft.config import RaftConfig
from rmq.raft.messages import Entry, Role
from rmq.remoting.handling import Handler, Request, Response, handler_table
from rmq.remoting.testing import FakeChannel

DELAY_MS = 1


class InlineWorker:
    """Blocks at once."""

    def run(self, call: Callable[[], None]) -> Deferred[None]:
        try:
            call()
        except OSError:
            failed: Deferred[None] = Deferred()
            failed.errback(Failure())
            return failed
        return succeed(None)


class SlowWorker:
    """Runs what it has when told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Callable[[], None], Deferred[None]]] = []

    def run(self, call: Callable[[], None]) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        self.calls.append((call, done))
        return done

    def finish(self) -> None:
        calls, self.calls = self.calls, []
        for call, done in calls:
            call()
            done.callback(None)


class Wire:
    """Carries requests of one member to the others; those that are cut off hear nothing."""

    def __init__(self, group: "Group", self_id: str) -> None:
        self.group = group
        self.self_id = self_id
        self.sent: list[tuple[str, Command]] = []

    def call(self, address: str, command: Command, timeout_ms: int) -> Deferred[Command]:
        answer: Deferred[Command] = Deferred()
        self.sent.append((address, command))
        clock = self.group.clock
        late = clock.call_later(timeout_ms, lambda: answer.errback(CallTimeoutError(address)))

        def arrived() -> None:
            response = self.group.ask(address, command, self.self_id)
            if response is not None:
                response.addCallback(
                    lambda said: clock.call_later(DELAY_MS, lambda: answered(said))
                )

        def answered(said: Response) -> None:
            if late.active and self.self_id not in self.group.cut_off:
                late.cancel()
                answer.callback(Command(code=said.code, body=said.body))

        clock.call_later(DELAY_MS, arrived)
        return answer

    def hang_up(self) -> None:
        """Close the connections to the others; the next requests open new ones."""
        for (sender, target), channel in list(self.group.channels.items()):
            if sender == self.self_id:
                del self.group.channels[sender, target]
                self.group.clock.call_later(DELAY_MS, partial(self._closed, target, channel))

    def _closed(self, target: str, channel: FakeChannel) -> None:
        if target in self.group.members:
            self.group.members[target].channel_closed(channel)

    def send(self, address: str, command: Command) -> None:
        raise CallError(address)


class Group:
    """Members n0, n1, ... with their disks and what they applied."""

    def __init__(self, size: int = 3, seed: int = 1, **changes) -> None:
        self.clock = ManualClock()
        self.chance = FixedChance.seeded(seed)
        self.ids = [f"n{number}" for number in range(size)]
        self.addresses = {one: f"10.0.0.{n}:40911" for n, one in enumerate(self.ids)}
        self.changes = changes
        self.disks = {one: MemoryDisk(self.clock) for one in self.ids}
        self.workers: dict[str, InlineWorker | SlowWorker] = {
            one: InlineWorker() for one in self.ids
        }
        self.wires = {one: Wire(self, one) for one in self.ids}
        self.members: dict[str, Member] = {}
        self.tables: dict[str, dict[int, Handler]] = {}
        self.applied: dict[str, list[Entry]] = {}
        self.roles: dict[str, list[tuple[Role, int]]] = {}
        self.joined: dict[str, list[str]] = {}
        self.cut_off: set[str] = set()
        self.channels: dict[tuple[str, str], FakeChannel] = {}

    def settings(self, self_id: str) -> MemberSettings:
        raft = RaftConfig.dledger("g", self_id, frozenset(self.ids))
        ledger = LedgerSettings(
            folder=f"/{self_id}/dledger-{self_id}", data_file_size=4096, index_file_size=1024
        )
        raft_changes = {k: v for k, v in self.changes.items() if hasattr(raft, k)}
        ledger_changes = {k: v for k, v in self.changes.items() if hasattr(ledger, k)}
        others = self.changes.keys() - raft_changes.keys() - ledger_changes.keys()
        return MemberSettings(
            raft=replace(raft, **raft_changes),
            addresses=self.addresses,
            ledger=replace(ledger, **ledger_changes),
            **{key: self.changes[key] for key in others},
        )

    def start(self, *ids: str) -> "Group":
        for one in ids or self.ids:
            ports = MemberPorts(
                self.disks[one], self.clock, self.chance, self.wires[one], self.workers[one]
            )
            member = self.members[one] = Member(self.settings(one), ports)
            self.tables[one] = handler_table(member.processors)
            self.applied[one], self.roles[one], self.joined[one] = [], [], []
            member.on_apply(self.applied[one].append)
            member.on_role(partial(self._role_changed, one))
            member.on_joined(self.joined[one].append)
            member.start()
        return self

    def _role_changed(self, one: str, role: Role, term: int) -> None:
        self.roles[one].append((role, term))

    def ask(self, address: str, command: Command, sender: str) -> Deferred[Response] | None:
        """What the member at an address answers; None if it cannot be reached."""
        target = next(one for one, known in self.addresses.items() if known == address)
        if target not in self.members or {target, sender} & self.cut_off:
            return None
        channel = self.channels.setdefault((sender, target), FakeChannel())
        said = self.say(target, command.code, command.body, channel)
        return said if isinstance(said, Deferred) else succeed(said)

    def say(
        self, target: str, code: int, body: bytes, channel: FakeChannel | None = None
    ) -> Response | Deferred[Response]:
        handler = self.tables[target][code]
        channel = channel or FakeChannel()
        request = Request(
            handler.header(), body, channel, code, 0, 479, "JAVA", 0, b"", oneway=False
        )
        answer = handler.answer(request)
        assert isinstance(answer, Response | Deferred)
        return answer

    def kill(self, one: str) -> None:
        """End a member as SIGKILL would: what it wrote is there, its timers are gone."""
        member = self.members.pop(one)
        member._node = None
        member.log.close()
        self.wires[one].hang_up()

    def run(self, ms: int) -> None:
        self.clock.advance(ms)

    def until(self, true: Callable[[], object], ms: int = 30_000) -> None:
        for _ in range(ms // 5):
            if true():
                return
            self.clock.advance(5)
        raise AssertionError(f"not within {ms} ms: {self.roles}")

    @property
    def leader(self) -> Member | None:
        led = [m for one, m in self.members.items() if m.is_leader and one not in self.cut_off]
        return led[0] if len(led) == 1 else None

    def elected(self) -> Member:
        self.until(lambda: self.leader)
        leader = self.leader
        assert leader is not None
        return leader

    def proposed(self, *bodies: bytes) -> list[Entry]:
        found: list[list[Entry]] = []
        self.elected().propose(bodies).addCallback(found.append)
        self.until(lambda: found, 5000)
        return found[0]
