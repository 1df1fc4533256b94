"""A leader's side of replication: what each peer has, what it is sent, what is committed.

A peer's progress, renewed in each term::

    COMPARE --equal, no more behind--> APPEND --406, failed--> COMPARE
       |                                 ^
       +--equal at i, more behind--------+-- TRUNCATE(i) done
       +--nothing in common: TRUNCATE(our begin) done

COMPARE and TRUNCATE: one request at a time. APPEND: up to ``max_pending_size`` requests under way.
An answer to an append says that all before it is stored too, so the oldest unanswered one is the
only one whose age matters. Each push tells what is committed; a COMMIT tells it to a peer that has
been sent nothing since for ``commit_pause_ms``, and to each idle one every ``commit_interval_ms``.
Source: DLedgerEntryPusher.java, EntryDispatcher, QuorumAckChecker, 0.3.1.2; differences: ``roles``.
"""

from collections import deque
from collections.abc import Sequence

from codec.codes import DLedgerResponseCode as Code
from rmq.base.errors import StoreError
from rmq.raft.config import CommitRule
from rmq.raft.messages import NO_INDEX, SUCCESS, Entry, Push, PushKind, PushReply, Role
from rmq.raft.ready import Ended, Proposal
from rmq.raft.roles import FAR, Standing

BATCHES_MAX = 64
"""Batches that are kept for the peers that have not been sent them."""


class Progress:
    """What a leader knows of one peer's log."""

    __slots__ = (
        "awaited",
        "awaited_until_ms",
        "compare_index",
        "in_flight",
        "kind",
        "last_push_ms",
        "next_index",
        "peer",
        "retry_ms",
        "told_index",
        "watermark",
    )

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.last_push_ms = -FAR
        self.begin()

    def begin(self) -> None:
        """Know nothing, as at the start of a term."""
        self.kind = PushKind.COMPARE
        self.compare_index = NO_INDEX
        self.next_index = NO_INDEX
        self.watermark = NO_INDEX
        """The peer holds the leader's entries up to this one."""
        self.told_index = NO_INDEX
        """The peer has been told that entries up to this one are committed, and takes it as soon as
        it has stored what is in flight."""
        self.retry_ms = -FAR
        """No COMPARE or TRUNCATE before."""
        self.awaited: Push | None = None
        """The COMPARE or TRUNCATE under way."""
        self.awaited_until_ms = FAR
        self.in_flight: deque[list[int]] = deque()
        """Unanswered appends: first index, last index, when sent; in order."""


class Leadership:
    """Replication by a leader; idle in another role."""

    __slots__ = (
        "_batches",
        "_first_own_index",
        "_pending",
        "_progress",
        "_standing",
        "_tell_ms",
        "ended",
    )

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._progress = {peer: Progress(peer) for peer in standing.config.others}
        self._pending: deque[Proposal] = deque()
        self._first_own_index = 0
        self._batches: dict[int, tuple[Entry, ...]] = {}
        self._tell_ms = -FAR
        """When idle peers are told what is committed."""
        self.ended: list[Ended] = []

    def role_changed(self, role: Role, term: int) -> None:
        """Start as leader, or tell proposers of another term that it is over."""
        pending, standing = self._pending, self._standing
        if pending and (role is Role.FOLLOWER or pending[0].term != standing.term):
            self.ended += [Ended(proposal, Code.TERM_CHANGED) for proposal in pending]
            pending.clear()
        if role is not Role.LEADER:
            return
        for progress in self._progress.values():
            progress.begin()
        self._batches.clear()
        log = standing.log
        self._first_own_index = log.end_index + (log.end_term != term)
        if standing.config.no_op_on_election:
            try:
                log.append(term, standing.config.no_op_body())
            except StoreError:
                return  # it leads; its first proposal will meet the same disk, or a better one
        self.commit()

    # Proposals.

    def propose(self, bodies: Sequence[bytes]) -> Proposal:
        """Append bodies, or say why not. Source: DLedgerServer.java, handleAppend(), 0.3.1.2."""
        standing = self._standing
        config = standing.config
        if standing.role is not Role.LEADER:
            return self._refused(Code.NOT_LEADER)
        if standing.transferee is not None:
            return self._refused(Code.LEADER_TRANSFERRING)
        if len(self._pending) > config.max_pending_requests_num:
            return self._refused(Code.LEADER_PENDING_FULL)
        if not bodies:
            return self._refused(Code.REQUEST_WITH_EMPTY_BODYS)
        term = standing.term
        try:
            entries = tuple(standing.log.append_run(term, bodies))
        except StoreError:
            return self._refused(Code.DISK_ERROR)
        due_ms = standing.now_ms + config.max_wait_ack_time_ms
        proposal = Proposal(SUCCESS, term, config.self_id, entries, due_ms)
        self._pending.append(proposal)
        return proposal

    def _refused(self, code: Code) -> Proposal:
        standing = self._standing
        return Proposal(code, standing.term, standing.leader_id, (), FAR)

    def fall_behind(self, peer: str) -> int:
        """Entries that a peer is not known to hold."""
        return self._standing.log.end_index - self._progress[peer].watermark

    def watermark(self, peer: str) -> int:
        """The last entry a peer is known to hold, -1 if none."""
        return self._progress[peer].watermark

    # What is sent.

    @property
    def next_due_ms(self) -> int:
        """When ``pump`` or ``expire`` has something to do at the latest."""
        standing, config = self._standing, self._standing.config
        due_ms = self._pending[0].due_ms if self._pending else FAR
        if standing.role is not Role.LEADER:
            return due_ms
        end_index, committed_index = standing.log.end_index, standing.log.committed_index
        for progress in self._progress.values():
            if progress.kind is PushKind.APPEND:
                if progress.next_index > end_index:
                    due_ms = min(due_ms, progress.last_push_ms + config.commit_interval_ms)
                if progress.in_flight:
                    due_ms = min(due_ms, progress.in_flight[0][2] + config.max_push_timeout_ms)
                elif progress.next_index > end_index and progress.told_index < committed_index:
                    due_ms = min(due_ms, self._tell_ms)
            elif progress.awaited is not None:
                due_ms = min(due_ms, progress.awaited_until_ms)
            elif end_index != NO_INDEX:
                due_ms = min(due_ms, progress.retry_ms)
        return due_ms

    def expire(self) -> None:
        """End proposals whose time is over, oldest first."""
        pending, now_ms = self._pending, self._standing.now_ms
        while pending and pending[0].due_ms <= now_ms:
            self.ended.append(Ended(pending.popleft(), Code.WAIT_QUORUM_ACK_TIMEOUT))

    def pump(self) -> None:
        """Send each peer what it may be sent now."""
        for progress in self._progress.values():
            if progress.kind is PushKind.APPEND:
                self._pump_appends(progress)
            if progress.kind is not PushKind.APPEND:
                self._pump_handshake(progress)

    def _push(
        self, progress: Progress, kind: PushKind, entries: tuple[Entry, ...], *, batch: bool = False
    ) -> Push:
        standing = self._standing
        push = Push(
            group=standing.config.group,
            sender=standing.config.self_id,
            target=progress.peer,
            term=standing.term,
            leader_id=standing.config.self_id,
            kind=kind,
            entries=entries,
            commit_index=standing.log.committed_index,
            batch=batch,
        )
        standing.requests.append(push)
        return push

    def _pump_appends(self, progress: Progress) -> None:
        config, now_ms = self._standing.config, self._standing.now_ms
        log, in_flight = self._standing.log, progress.in_flight
        end_index = log.end_index
        batch = config.is_enable_batch_push
        while progress.next_index <= end_index and len(in_flight) < config.max_pending_size:
            entries = self._entries_from(progress.next_index, end_index)
            if not entries:
                progress.begin()
                return
            push = self._push(progress, PushKind.APPEND, entries, batch=batch)
            last_index = entries[-1].index
            in_flight.append([progress.next_index, last_index, now_ms])
            progress.next_index = last_index + 1
            progress.last_push_ms = now_ms
            progress.told_index = min(push.commit_index, last_index)
        if progress.next_index > end_index and (
            now_ms - progress.last_push_ms >= config.commit_interval_ms
            or (
                not in_flight
                and progress.told_index < log.committed_index
                and now_ms >= self._tell_ms
            )
        ):
            push = self._push(progress, PushKind.COMMIT, ())
            progress.last_push_ms = now_ms
            progress.told_index = min(push.commit_index, progress.watermark)
        if in_flight and now_ms - in_flight[0][2] >= config.max_push_timeout_ms:
            self._push_again(progress, in_flight[0])

    def _push_again(self, progress: Progress, sent: list[int]) -> None:
        entries = []
        for index in range(sent[0], sent[1] + 1):
            entry = self._standing.log.entry(index)
            if entry is None:
                progress.begin()
                return
            entries.append(entry)
        batch = self._standing.config.is_enable_batch_push
        push = self._push(progress, PushKind.APPEND, tuple(entries), batch=batch)
        sent[2] = progress.last_push_ms = self._standing.now_ms
        progress.told_index = min(push.commit_index, sent[1])

    def _entries_from(self, index: int, end_index: int) -> tuple[Entry, ...]:
        """The next batch (or single entry); peers that keep pace share one tuple.

        Nothing if the log was cleaned beyond ``index``.
        """
        batches = self._batches
        batch = batches.get(index)
        if batch is not None:
            return batch
        config, entry_at = self._standing.config, self._standing.log.entry
        left = config.max_batch_push_size if config.is_enable_batch_push else 1
        first = index
        entries: list[Entry] = []
        while left > 0 and index <= end_index:
            entry = entry_at(index)
            if entry is None:
                break
            entries.append(entry)
            left -= entry.size
            index += 1
        batch = tuple(entries)
        if batch:
            batches[first] = batch
            if len(batches) > BATCHES_MAX:
                del batches[next(iter(batches))]
        return batch

    def _pump_handshake(self, progress: Progress) -> None:
        standing, log = self._standing, self._standing.log
        now_ms, end_index = standing.now_ms, standing.log.end_index
        if progress.awaited is not None and now_ms >= progress.awaited_until_ms:
            self._handshake_failed(progress)
        if progress.awaited is not None or now_ms < progress.retry_ms or end_index == NO_INDEX:
            return
        if not log.begin_index <= progress.compare_index <= end_index:
            progress.kind, progress.compare_index = PushKind.COMPARE, end_index
        entry = log.entry(progress.compare_index)
        assert entry is not None, (progress.compare_index, log.begin_index, end_index)
        progress.awaited = self._push(progress, progress.kind, (entry,))
        progress.awaited_until_ms = now_ms + standing.config.compare_timeout_ms

    # What comes back.

    def pushed(self, push: Push, reply: PushReply | None) -> None:
        """Take the answer to a push; None: there is none."""
        standing = self._standing
        if standing.role is not Role.LEADER or push.term != standing.term:
            return
        progress = self._progress[push.target]
        if push.kind is PushKind.APPEND:
            if progress.kind is PushKind.APPEND:
                self._appended(progress, push, reply)
        elif progress.awaited is push:
            progress.awaited = None
            if reply is None:
                self._handshake_failed(progress)
            elif push.kind is PushKind.COMPARE:
                self._compared(progress, push, reply)
            elif reply.code == SUCCESS:
                progress.last_push_ms = standing.now_ms
                self._append(progress, push.last_index)
            else:
                self._handshake_failed(progress)

    def accepted_by(self, peer: str) -> None:
        """Learn that a peer follows now: what it refused before, it may take."""
        self._progress[peer].retry_ms = -FAR

    def _appended(self, progress: Progress, push: Push, reply: PushReply | None) -> None:
        if reply is None:
            progress.begin()
            self._handshake_failed(progress)
        elif reply.code == SUCCESS:
            if push.last_index > progress.watermark:
                progress.watermark = watermark = push.last_index
                in_flight = progress.in_flight
                while in_flight and in_flight[0][1] <= watermark:
                    in_flight.popleft()
                self.commit()
        elif reply.code == Code.INCONSISTENT_STATE:
            progress.begin()

    def _compared(self, progress: Progress, push: Push, reply: PushReply) -> None:
        """Decide where to compare next, or where to cut. Source: as module, doCompare()."""
        log, index = self._standing.log, push.first_index
        if reply.code not in (SUCCESS, Code.INCONSISTENT_STATE):
            self._handshake_failed(progress)
        elif reply.code == SUCCESS:
            if index == reply.end_index:
                self._append(progress, index)
            else:
                self._truncate(progress, index)
        elif (
            reply.end_index < log.begin_index
            or reply.begin_index > log.end_index
            or index < reply.begin_index
        ):
            self._truncate(progress, log.begin_index)
        else:
            index = reply.end_index if index > reply.end_index else index - 1
            if index < log.begin_index:
                self._truncate(progress, log.begin_index)
            else:
                progress.compare_index = index

    def _handshake_failed(self, progress: Progress) -> None:
        """Compare after a pause, at the same index if it was a COMPARE that failed."""
        progress.awaited = None
        if progress.kind is PushKind.TRUNCATE:
            progress.begin()
        progress.retry_ms = self._standing.now_ms + self._standing.config.push_retry_ms

    def _truncate(self, progress: Progress, index: int) -> None:
        progress.kind, progress.compare_index = PushKind.TRUNCATE, index

    def _append(self, progress: Progress, index: int) -> None:
        """The peer's log is the leader's up to ``index``, and ends there."""
        progress.kind = PushKind.APPEND
        progress.compare_index = NO_INDEX
        progress.watermark = index
        progress.next_index = index + 1
        self.commit()

    # What is committed.

    def commit(self) -> None:
        """Move the committed index to what a majority holds, as far as the rule allows.

        Source: DLedgerEntryPusher.java, QuorumAckChecker, doWork(), 0.3.1.2.
        """
        standing = self._standing
        marks = [progress.watermark for progress in self._progress.values()]
        marks.append(standing.durable_index)
        marks.sort()
        index = marks[(len(marks) - 1) // 2]
        if index <= standing.log.committed_index or (
            index < self._first_own_index and standing.config.commit_rule is CommitRule.CURRENT_TERM
        ):
            return
        if standing.commit(index):
            self._tell_ms = standing.now_ms + standing.config.commit_pause_ms
            pending, ended = self._pending, self.ended
            committed_index = standing.log.committed_index
            while pending and pending[0].last_index <= committed_index:
                ended.append(Ended(pending.popleft(), SUCCESS))
