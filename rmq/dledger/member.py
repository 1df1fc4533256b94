"""A member of a DLedger group: runs the Raft node over connections, time and disk.

What a turn of the reactor brings (requests, replies, proposals, time) goes into the node at once;
at the end of the turn the node's work is done, each ``Ready`` in the order that ``rmq.raft.ready``
lays down: persist, send, sync, answer, apply. So all that came in one turn shares one sync and one
look at the node.

While a sync runs that answers wait for, pushes wait as well, to share the next one. Heart-beats and
votes do not: what they promise is the hard state, which is on disk by then, and nothing of the log.
But a sync that lasts longer than others are patient with a leader silences the member until it
ends: a leader that cannot write must not be kept. A disk that fails ends the membership.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace
from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from codec.codes import DLedgerResponseCode, ResponseCode
from codec.command import Command
from codec.errors import CodecError
from rmq.base.errors import CallError, CommandError
from rmq.base.periodic import Periodic
from rmq.base.ports import Timer
from rmq.dledger.disk_log import DiskLog, LedgerSync
from rmq.dledger.errors import ProposalError
from rmq.dledger.member_ports import MemberPorts, Submitted, Worker
from rmq.dledger.processor import DLedgerProcessor
from rmq.dledger.promises import Promises
from rmq.dledger.saved_term import SavedTerm
from rmq.dledger.settings import MemberSettings
from rmq.dledger.unfinished import Backlog, give, is_urgent
from rmq.dledger.wire import Requests, decode_reply
from rmq.raft.messages import Entry, Reply, Request, Role, Vote
from rmq.raft.node import Node
from rmq.raft.ready import Answer, HardState, Ready
from rmq.remoting.channel import Channel
from rmq.remoting.together import TOGETHER

log = logging.getLogger(__name__)

SUCCESS = DLedgerResponseCode.SUCCESS

WAITING_MAX = 8192
"""Requests of peers that may wait for the disk; a leader has far fewer under way."""


class Member:
    """One member. ``start`` it once; what it answers is in ``processors``.

    The reactor's thread calls it. Listeners are called in it too, and are added before ``start``.
    """

    def __init__(self, settings: MemberSettings, ports: MemberPorts) -> None:
        self._settings = settings
        self._raft = settings.raft
        self._ports = ports
        self._clock = ports.clock
        self.log = DiskLog(ports.disk, settings.ledger)
        self._saved_term = SavedTerm(ports.disk, settings.ledger.folder)
        self.processors: tuple[object, ...] = (DLedgerProcessor(self),)
        self._requests = Requests()
        self._state: HardState | None = None
        self._node: Node | None = None
        self._stopped = False
        self._failure: str | None = None
        self._applied = -1
        self._apply: list[Callable[[Entry], None]] = []
        self._on_commit: list[Callable[[int], None]] = []
        self._on_role: list[Callable[[Role, int], None]] = []
        self._on_joined: list[Callable[[str], None]] = []
        self._promises = Promises()
        self._backlog = Backlog()
        self._channels: dict[str, Channel] = {}
        """Over which connection each member leads us, or did last."""
        self._waiting: deque[tuple[Request, Deferred[Reply]]] = deque()
        self._soon: Timer | None = None
        self._due: Timer | None = None
        self._due_ms = 0
        self._flush: Timer | None = None
        self._syncing = False
        self._idle: list[Deferred[None]] = []
        self._periodic = (
            Periodic(ports.clock, settings.check_point_interval_ms, self._save_checkpoint),
            Periodic(ports.clock, settings.clean_interval_ms, self._clean),
        )

    @property
    def group(self) -> str:
        """The group's name."""
        return self._raft.group

    @property
    def self_id(self) -> str:
        """The member's own id, as ``n0``."""
        return self._raft.self_id

    @property
    def peers(self) -> dict[str, str]:
        """``host:port`` of all members by id, this one's among them."""
        return dict(self._settings.addresses)

    @property
    def role(self) -> Role:
        """What it is now; UNKNOWN while it does not take part."""
        return Role.UNKNOWN if self._node is None else self._node.role

    @property
    def is_leader(self) -> bool:
        """Whether it leads, as far as it knows."""
        return self.role is Role.LEADER

    @property
    def leader_id(self) -> str | None:
        """Who leads, as far as it knows."""
        return None if self._node is None else self._node.leader_id

    @property
    def term(self) -> int:
        """The term it is in; -1 while it does not take part."""
        return -1 if self._node is None else self._node.term

    @property
    def committed_index(self) -> int:
        """The last entry known to be committed, -1 if none is."""
        return self.log.committed_index

    @property
    def committed_position(self) -> int:
        """Where the last committed entry ends, bytes; 0 if none is."""
        return self.log.committed_position

    @property
    def failure(self) -> str | None:
        """Why it takes part no more; None if it does, or was stopped."""
        return self._failure

    def on_apply(self, apply: Callable[[Entry], None]) -> None:
        """Have ``apply`` called with each committed entry, in order, once in the member's life.

        With what is known to be committed during ``start``, with more as it is committed. Entries
        with an empty body (a leader's first) are among them. Without any such listener no entry is
        read back.
        """
        self._apply.append(apply)

    def on_commit(self, listener: Callable[[int], None]) -> None:
        """Tell ``listener`` the committed index, after applying, and when old files are deleted."""
        self._on_commit.append(listener)

    def on_role(self, listener: Callable[[Role, int], None]) -> None:
        """Tell ``listener`` role and term whenever they, or the leader, are others.

        What was committed before is applied by then. Who leads is in ``leader_id``. UNKNOWN: the
        disk failed, and the member takes part no more.
        """
        self._on_role.append(listener)

    def on_joined(self, listener: Callable[[str], None]) -> None:
        """Tell ``listener`` of each member that accepts this leader and did not before.

        The leader's role is told before. Why it matters: ``rmq.raft.ready.Ready.joined``.
        """
        self._on_joined.append(listener)

    def open(self) -> None:
        """Read the files, apply what is committed; nothing if that is done.

        For who needs the log before the member takes part.

        :raises StoreError: the files cannot be used.
        """
        if self._state is not None:
            return
        state = self._saved_term.load()
        self.log.open()
        if self._settings.durable:
            self.log.sync_now()
        if state.term < self.log.end_term:  # the file was lost, and a vote with it
            state = HardState(self.log.end_term + 1)
        self._state = state
        self._apply_up_to(self.log.committed_index)

    def start(self) -> None:
        """Begin to take part, after ``open`` if that is not done.

        :raises StoreError: the files cannot be used.
        """
        self.open()
        state = self._state
        assert state is not None, "the files are read"
        now_ms = self._now_ms
        self._node = Node(self._raft, self.log, state, self._ports.chance, now_ms)
        for periodic in self._periodic:
            periodic.start()
        self._run_soon()

    def stop(self) -> Deferred[None]:
        """Take part no more; fires when all is synced and the files are closed.

        What was proposed and is undecided fails with TERM_CHANGED.
        """
        done: Deferred[None] = Deferred()
        took_part = self._node is not None
        self._stopped = True
        self._end_membership(DLedgerResponseCode.TERM_CHANGED, "the member stops")
        if took_part:
            self._idle.append(done)
            self._sync_last()
        else:
            if self._state is not None:
                self.log.close()
            done.callback(None)
        return done

    def propose(self, bodies: Sequence[bytes]) -> Deferred[list[Entry]]:
        """Have the group agree on ``bodies``, one entry each.

        Fires with the entries when they are committed and were applied here. Fails with
        ProposalError: NOT_LEADER, LEADER_TRANSFERRING, LEADER_PENDING_FULL, DISK_FULL, DISK_ERROR,
        REQUEST_WITH_EMPTY_BODYS at once; TERM_CHANGED, WAIT_QUORUM_ACK_TIMEOUT later.
        """
        try:
            return self.submit(bodies).done
        except ProposalError as error:
            return fail(error)

    def submit(self, bodies: Sequence[bytes]) -> Submitted:
        """The same for who must know at once where the entries lie.

        :raises ProposalError: it was refused.
        """
        node = self._node
        if node is None:
            raise ProposalError(DLedgerResponseCode.NOT_LEADER, f"{self.self_id} is down")
        if self.log.full and node.role is Role.LEADER:
            folder = self._settings.ledger.folder
            raise ProposalError(DLedgerResponseCode.DISK_FULL, f"the disk of {folder} is full")
        node.tick(self._now_ms)
        proposal = node.propose(bodies)
        self._run_soon()
        if proposal.code != SUCCESS:
            raise ProposalError(proposal.code, f"leader is {proposal.leader_id}")
        return Submitted(proposal.entries, self._promises.of_proposal(proposal))

    def transfer(self, transferee: str) -> Deferred[None]:
        """Give leadership to a peer; fires when this member leads no more.

        Fails with ProposalError: NOT_LEADER, UNKNOWN_MEMBER, FALL_BEHIND_TOO_MUCH,
        LEADER_TRANSFERRING, UNEXPECTED_ARGUMENT at once; TAKE_LEADERSHIP_FAILED later.
        """
        node = self._node
        if node is None:
            return fail(ProposalError(DLedgerResponseCode.NOT_LEADER, f"{self.self_id} is down"))
        node.tick(self._now_ms)
        code = node.transfer(transferee)
        self._run_soon()
        if code != SUCCESS:
            return fail(ProposalError(code, f"transfer to {transferee}"))
        return self._promises.of_transfer()

    def asked(self, request: Request, channel: Channel) -> Deferred[Reply]:
        """Take a peer's request; fires with the answer, or never if the member ends before.

        Fails with CommandError: SYSTEM_BUSY, too many wait for the disk.
        """
        answer: Deferred[Reply] = Deferred()
        node = self._node
        if node is None:
            return answer
        if not isinstance(request, Vote):
            self._note_channel(node, request.sender, channel)
        if not self._backlog or (is_urgent(request) and not self._stalls):
            self._step(node, request, answer)
        elif len(self._waiting) < WAITING_MAX:
            self._waiting.append((request, answer))
        else:
            return fail(
                CommandError(
                    ResponseCode.SYSTEM_BUSY,
                    f"{WAITING_MAX} requests wait for the disk of {self.self_id}; ask again later",
                )
            )
        return answer

    def channel_closed(self, channel: Channel) -> None:
        """Learn that a connection to our port has ended: if it was the leader's, doubt it.

        Whoever owns the port tells this; without it only silence is noticed.
        """
        node = self._node
        if node is None:
            return
        for peer in [peer for peer, known in self._channels.items() if known is channel]:
            del self._channels[peer]
            log.info("event=dledger_peer_lost member=%s peer=%s", self.self_id, peer)
            node.tick(self._now_ms)
            node.peer_lost(peer)
            self._run_soon()

    def _note_channel(self, node: Node, sender: str | None, channel: Channel) -> None:
        known = sender in self._settings.addresses
        if sender is not None and known and self._channels.get(sender) is not channel:
            self._channels[sender] = channel
            node.peer_found(sender)

    def _step(self, node: Node, request: Request, answer: Deferred[Reply]) -> None:
        node.tick(self._now_ms)
        node.step(request, answer)
        self._run_soon()

    def _run_soon(self) -> None:
        """Do the node's work when this turn is over."""
        if self._soon is None:
            self._soon = self._clock.call_later(0, self._run)

    def _run(self) -> None:
        self._soon = None
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 - half done work must not be gone on with
            self._broke(error)

    @property
    def _now_ms(self) -> int:
        return self._clock.monotonic_ms()

    @property
    def _stalls(self) -> bool:
        """Whether the disk takes so long that this member must not seem well."""
        return bool(self._backlog) and (
            self._now_ms - self._backlog.since_ms > self._raft.patience_ms
        )

    def _work(self) -> None:
        node = self._node
        while node is not None and not self._stalls:
            ready = node.ready()
            if ready is None:
                break
            self._do(node, ready)
            node = self._node
        if node is not None:
            self._settle(node)

    def _settle(self, node: Node) -> None:
        """See when to come back."""
        if self.log.refusal is not None:
            self._fail(self.log.refusal)
            return
        if self._promises.is_transfer_awaited and node.transferee is None:
            self._promises.end_transfers(self.self_id if node.is_leader else None)
        if self._flush is None and self.log.flushed_index < self.log.end_index:
            self._flush = self._clock.call_later(self._settings.flush_interval_ms, self._flush_due)
        due_ms = node.next_due_ms
        if self._due is not None:
            if self._due_ms <= due_ms:
                return
            self._due.cancel()
        self._due_ms = due_ms
        delay_ms = max(due_ms - self._now_ms, 1)
        self._due = self._clock.call_later(delay_ms, self._time_passed)

    def catch_up(self) -> None:
        """See what time it is, now: who slept may lead no more. For who is to tell others."""
        if self._node is not None:
            self._node.tick(self._now_ms)
            self._run()

    def _time_passed(self) -> None:
        self._due = None
        self.catch_up()

    def _do(self, node: Node, ready: Ready) -> None:
        """Persist, send; then finish, now or when the log is synced."""
        if ready.hard_state is not None:
            try:
                self._saved_term.save(ready.hard_state)
            except OSError as error:
                self._fail(f"cannot save term {ready.hard_state.term}: {error}")
                return
        for request in ready.requests:
            self._send(request)
        is_synced = not self._settings.durable or self.log.flushed_index >= ready.durable_index
        if is_synced and not self._backlog:
            self._finish(node, ready, ready.answers)
        else:
            if not self._backlog and ready.committed_index == self._applied:
                # nothing is to be applied before: what a new leader proposes shares this sync
                self._tell_roles(ready)
                if self._node is None:
                    return
                ready = replace(ready, role_changes=(), joined=())
            self._backlog.add(ready, self.log.cuts, self._now_ms)
            self._flush_for_backlog()

    def _flush_for_backlog(self) -> None:
        if not self._flush_now():
            self._fail(self.log.refusal or "nothing to sync")

    def _finish(self, node: Node, ready: Ready, answers: Sequence[Answer]) -> None:
        for answer in answers:
            give(answer)
        node.advance(ready)
        self._apply_up_to(ready.committed_index)
        self._tell_roles(ready)
        if ready.ended:
            with TOGETHER:
                self._promises.end_proposals(ready.ended)

    def _tell_roles(self, ready: Ready) -> None:
        for change in ready.role_changes:
            self._tell_role(change.role, change.term)
        for member in ready.joined:
            log.info(
                "event=dledger_joined group=%s leader=%s member=%s",
                *(self.group, self.self_id, member),
            )
            for listener in self._on_joined:
                listener(member)

    def _tell_role(self, role: Role, term: int) -> None:
        log.info(
            "event=dledger_role group=%s member=%s role=%s term=%d leader=%s",
            *(self.group, self.self_id, role.name, term, self.leader_id),
        )
        for listener in self._on_role:
            listener(role, term)

    def _apply_up_to(self, committed: int) -> None:
        if committed == self._applied or committed < 0:
            return
        if self._apply:
            for index in range(max(self._applied + 1, self.log.begin_index), committed + 1):
                entry = self.log.entry(index)
                assert entry is not None, f"committed entry {index} is not there"
                for apply in self._apply:
                    apply(entry)
                self._applied = index
        self._applied = committed
        self._tell_committed()

    def _tell_committed(self) -> None:
        for listener in self._on_commit:
            listener(self._applied)

    def _send(self, request: Request) -> None:
        code, body = self._requests.encode(request)
        address = self._settings.addresses[request.target]
        answer = self._ports.caller.call(
            address, Command(code=code, body=body), self._settings.call_timeout_ms
        )
        answer.addCallback(partial(self._replied, request))
        answer.addErrback(partial(self._not_replied, request))

    def _replied(self, request: Request, command: Command) -> None:
        if command.code != SUCCESS:
            raise CallError(f"{request.target} refuses: {command.code} {command.remark}")
        reply = decode_reply(request, command.body)
        if self._node is not None:
            self._node.tick(self._now_ms)
            self._node.replied(request, reply)
            self._run_soon()

    def _not_replied(self, request: Request, failure: Failure) -> None:
        if not isinstance(failure.value, CallError | CodecError):
            log.error("event=dledger_reply_failed", exc_info=failure.value)
        else:
            log.debug("event=dledger_no_reply peer=%s cause=%s", request.target, failure.value)
        if self._node is not None:
            self._node.tick(self._now_ms)
            self._node.failed(request)
            self._run_soon()

    def _flush_due(self) -> None:
        self._flush = None
        self._flush_now()

    def _flush_now(self) -> bool:
        """Start a sync unless one runs or all is synced; whether one runs, or ran just now."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        if self._syncing:
            return True
        work = self.log.sync_work()
        if work is None:
            return False
        self._syncing = True
        running = self._ports.worker.run(work.sync)
        running.addCallbacks(partial(self._synced, work), partial(self._not_synced, work))
        running.addErrback(self._sync_broke)
        return True

    def _synced(self, work: LedgerSync, _: None) -> None:
        self._syncing = False
        self.log.synced(work)
        node = self._node
        if node is None:
            self._sync_last()
        elif not self._backlog:
            self._settle(node)
        else:
            node.tick(self._now_ms)
            self._finish_synced()

    def _finish_synced(self) -> None:
        """Finish what the sync was for; what came after it began needs another one."""
        while (node := self._node) is not None:
            done = self._backlog.take(self.log.cuts, self.log.flushed_index, self._now_ms)
            if done is None:
                break
            self._finish(node, done.ready, done.answers)
        if self._backlog:
            self._flush_for_backlog()
        while self._waiting and not self._backlog and (node := self._node) is not None:
            self._step(node, *self._waiting.popleft())
        if self._node is not None:
            self._run_soon()

    def _not_synced(self, work: LedgerSync, failure: Failure) -> None:
        self._syncing = False
        error = failure.value
        cause = error if isinstance(error, OSError) else OSError(f"{type(error).__name__}: {error}")
        self.log.sync_failed(work, cause)
        self._fail(f"cannot sync: {cause}")
        self._sync_last()

    def _sync_broke(self, failure: Failure) -> None:
        self._broke(failure.value)

    def _broke(self, error: BaseException | None) -> None:
        log.error("event=dledger_broke member=%s", self.self_id, exc_info=error)
        self._fail(f"{type(error).__name__}: {error}")

    def _sync_last(self) -> None:
        """Go on to end: sync what is left, then close the files and tell who waits for it."""
        if not self._stopped or not self._idle or self._flush_now():
            return
        self._save_checkpoint()
        self.log.close()
        idle, self._idle = self._idle, []
        for done in idle:
            done.callback(None)

    def _save_checkpoint(self) -> None:
        try:
            self.log.save_checkpoint()
        except OSError as error:  # only a hint for the next start
            log.warning("event=checkpoint_not_saved cause=%s", error)

    def _clean(self) -> None:
        try:
            if not self.log.clean(self._clock.wall_ms()):
                return
        except OSError as error:
            log.warning("event=ledger_not_cleaned cause=%s", error)
        self._tell_committed()

    def _fail(self, reason: str) -> None:
        """Fall silent: the disk failed."""
        if self._node is None:
            return
        log.error(
            "event=dledger_failed group=%s member=%s cause=%s", self.group, self.self_id, reason
        )
        self._failure = reason
        self._end_membership(DLedgerResponseCode.DISK_ERROR, reason)
        self._tell_role(Role.UNKNOWN, -1)

    def _end_membership(self, code: DLedgerResponseCode, reason: str) -> None:
        self._node = None
        self._backlog.clear()
        self._waiting.clear()
        self._channels.clear()
        for periodic in self._periodic:
            periodic.stop()
        for timer in (self._soon, self._due, self._flush):
            if timer is not None:
                timer.cancel()
        self._soon = self._due = self._flush = None
        self._promises.fail(code, reason)


__all__ = ["Member", "MemberPorts", "ProposalError", "Submitted", "Worker"]
