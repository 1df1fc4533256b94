"""A follower's side of replication: pushes are queued, put in order, stored and answered.

COMPARE, TRUNCATE and COMMIT wait in one queue, which is served first. APPENDs wait in a table by
first index until the log ends just before them. Nothing is served while this member does not
follow anybody: then orders are refused with NOT_FOLLOWER, appends wait for the leader to be heard.
Source: DLedgerEntryPusher.java, EntryHandler, 0.3.1.2; differences: ``roles``, 4, 5 and 8.
"""

from collections import deque
from typing import NamedTuple

from codec.codes import DLedgerResponseCode as Code
from rmq.base.errors import StoreError
from rmq.raft.messages import NO_INDEX, SUCCESS, Entry, Push, PushKind, PushReply, Role
from rmq.raft.roles import FAR, Standing


class Waiting(NamedTuple):
    """An append that cannot be stored yet."""

    push: Push
    token: object
    since_ms: int


class Following:
    """What a member does with pushes."""

    __slots__ = (
        "_appends",
        "_checked_ms",
        "_equal_index",
        "_equal_term",
        "_orders",
        "_overlaps",
        "_standing",
    )

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._orders: deque[tuple[Push, object]] = deque()
        self._appends: dict[int, Waiting] = {}
        self._overlaps = False
        """Some append begins in what is stored already: pushed again."""
        self._checked_ms = standing.now_ms
        self._equal_index = NO_INDEX
        self._equal_term = -1
        """Entries up to ``_equal_index`` were found equal to those of this term's leader."""

    @property
    def next_due_ms(self) -> int:
        """When ``check_gaps`` has something to do at the latest."""
        if not self._appends:
            return FAR
        return self._checked_ms + self._standing.config.fast_forward_check_ms

    def step(self, push: Push, token: object) -> None:
        """Take a push into its queue, or refuse it at once."""
        standing, config, count = self._standing, self._standing.config, len(push.entries)
        if push.kind is PushKind.APPEND:
            if count == 0:
                self._answer_malformed(push, token)
            elif standing.role is Role.LEADER:
                self._answer(push, token, Code.NOT_FOLLOWER)
            elif push.first_index in self._appends:
                self._answer(push, token, Code.REPEATED_PUSH)
            elif len(self._appends) >= config.append_queue_max:
                self._answer(push, token, Code.PUSH_REQUEST_IS_FULL)
            else:
                self._appends[push.first_index] = Waiting(push, token, standing.now_ms)
                self._overlaps |= push.first_index <= standing.log.end_index
            return
        if push.kind is not PushKind.COMMIT:
            if count != 1:
                self._answer_malformed(push, token)
                return
            self._drop_appends()
        if len(self._orders) >= config.push_queue_max:
            self._answer(push, token, Code.PUSH_REQUEST_IS_FULL)
        else:
            self._orders.append((push, token))

    def work(self) -> None:
        """Serve what can be served now."""
        standing = self._standing
        orders, appends = self._orders, self._appends
        if standing.role is not Role.FOLLOWER:
            while orders:
                self._answer(*orders.popleft(), Code.NOT_FOLLOWER)
            if standing.role is Role.LEADER:
                self._drop_appends()
            return
        while orders:
            push, token = orders.popleft()
            if push.kind is PushKind.COMPARE:
                self._compare(push, token)
            elif push.kind is PushKind.TRUNCATE:
                self._truncate(push, token)
            else:
                self._answer(push, token, SUCCESS)
                self._commit(push)
        while waiting := appends.pop(standing.log.end_index + 1, None):
            self._append(waiting.push, waiting.token)
        if self._overlaps:
            self._work_off_stored()

    def check_gaps(self) -> None:
        """Tell the leader of a gap before appends that have waited long, so that it compares.

        Source: DLedgerEntryPusher.java, checkAbnormalFuture(), 0.3.1.2.
        """
        standing, config = self._standing, self._standing.config
        if standing.now_ms - self._checked_ms < config.fast_forward_check_ms:
            return
        self._checked_ms = standing.now_ms
        if standing.role is not Role.FOLLOWER:
            return
        self._work_off_stored()
        late_ms = standing.now_ms - config.max_push_timeout_ms
        late = [index for index, one in self._appends.items() if one.since_ms <= late_ms]
        if late:
            waiting = self._appends.pop(min(late))
            self._answer(waiting.push, waiting.token, Code.INCONSISTENT_STATE)

    def _work_off_stored(self) -> None:
        """Serve appends that begin at or before the log's end: pushed again, or overlapping."""
        appends, log = self._appends, self._standing.log
        self._overlaps = False
        while (first_index := min(appends, default=FAR)) <= log.end_index + 1:
            waiting = appends.pop(first_index)
            self._append(waiting.push, waiting.token)

    def _drop_appends(self) -> None:
        """Forget waiting appends: their leader compares now, and will push them again."""
        for waiting in self._appends.values():
            self._answer(waiting.push, waiting.token, Code.REPEATED_PUSH)
        self._appends.clear()
        self._overlaps = False

    # Answers.

    def _answer(self, push: Push, token: object, code: int) -> None:
        log = self._standing.log
        commit = push.kind is PushKind.COMMIT
        reply = PushReply(
            code=code,
            term=push.term,
            index=None if commit else push.first_index,
            count=len(push.entries),
            begin_index=log.begin_index,
            end_index=log.end_index,
        )
        self._standing.answer(push, token, reply)

    def _answer_malformed(self, push: Push, token: object) -> None:
        reply = PushReply(
            code=Code.UNEXPECTED_ARGUMENT,
            term=push.term,
            leader_id=self._standing.leader_id,
            echo=True,
        )
        self._standing.answer(push, token, reply)

    # The four kinds.

    def _equal_up_to(self) -> int:
        """The last entry known to be this term's leader's too.

        All of them, if the last is of this term: only its leader makes such entries.
        """
        standing = self._standing
        if standing.log.end_term == standing.term:
            return standing.log.end_index
        return self._equal_index if self._equal_term == standing.term else NO_INDEX

    def _found_equal(self, index: int) -> None:
        self._equal_index = max(self._equal_up_to(), index)
        self._equal_term = self._standing.term

    def _compare(self, push: Push, token: object) -> None:
        entry, standing = push.entries[0], self._standing
        if push.term != standing.term:
            self._answer(push, token, Code.INCONSISTENT_TERM)
        elif push.leader_id != standing.leader_id:
            self._answer(push, token, Code.INCONSISTENT_LEADER)
        elif standing.log.entry(entry.index) == entry:
            self._found_equal(entry.index)
            self._answer(push, token, SUCCESS)
        else:
            self._answer(push, token, Code.INCONSISTENT_STATE)

    def _truncate(self, push: Push, token: object) -> None:
        entry, standing = push.entries[0], self._standing
        stored = standing.follows(push.leader_id, push.term)
        try:
            stored = stored and self._make_last(entry)
        except StoreError:
            stored = False
        if stored:
            self._found_equal(entry.index)
            self._answer(push, token, SUCCESS)
            self._commit(push)
        else:
            self._answer(push, token, Code.INCONSISTENT_STATE)

    def _make_last(self, entry: Entry) -> bool:
        """Cut what is behind the entry, and hold it; False if that would cut what must stay.

        :raises StoreError: the disk failed, or the entry's position is not the log's end.
        """
        standing, log = self._standing, self._standing.log
        index, equal_index = entry.index, self._equal_up_to()
        if log.entry(index) == entry:
            keep_index = max(index, equal_index)
            if keep_index < log.committed_index:
                standing.refused_cuts += 1
                return False
            if keep_index < log.end_index:
                log.truncate_after(keep_index)
                standing.log_was_cut(keep_index)
            return True
        if index <= max(log.committed_index, equal_index):
            standing.refused_cuts += 1
            return False
        if NO_INDEX < log.committed_index == index - 1:
            log.truncate_after(index - 1)
            standing.log_was_cut(index - 1)
            log.append_as_follower(entry)
        else:
            log.restart_at(entry)
            standing.log_was_cut(NO_INDEX)
        return True

    def _append(self, push: Push, token: object) -> None:
        """Store a push's entries behind the log, or find them stored."""
        standing, log = self._standing, self._standing.log
        if not standing.follows(push.leader_id, push.term) or not self._store(push.entries):
            self._answer(push, token, Code.INCONSISTENT_STATE)
            return
        self._equal_index = log.end_index
        self._equal_term = push.term
        self._answer(push, token, SUCCESS)
        if push.commit_index > log.committed_index:
            self._commit(push)

    def _store(self, entries: tuple[Entry, ...]) -> bool:
        """Hold entries that follow each other; False if that cannot be."""
        log = self._standing.log
        next_index = log.end_index + 1
        held = 0
        try:
            for entry in entries:
                if entry.index >= next_index:
                    break
                if log.entry(entry.index) != entry:
                    return False
                held += 1
            new = entries[held:]
            if new and new[0].index > next_index:
                return False
            log.append_run_as_follower(new)
        except StoreError:
            return False
        return True

    def _commit(self, push: Push) -> None:
        """Take the leader's committed index: it pushes only to whom it has compared with."""
        if self._standing.follows(push.leader_id, push.term):
            self._standing.commit(push.commit_index)
