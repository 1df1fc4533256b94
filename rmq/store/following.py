"""Following a master: its log as bytes, the cut where both logs part, and the way to lead.

A store *leads* (puts are taken) or *follows* (bytes are). Without a dispatch limit a leading store
dispatches within each put, so all of its log is dispatched; in all other cases the ``Dispatcher``
has what lies between its position and the log's end, which may be torn while it follows.

Source: CommitLog.java, appendData(); DefaultMessageStore.java, truncateDirtyFiles(), 5.3.3.
"""

from codec.message.record import BLANK_SIZE, pack_blank
from rmq.base.errors import StoreError
from rmq.store import recovery
from rmq.store.checkpoint import CheckpointFile
from rmq.store.commit_log import CommitLog
from rmq.store.dispatching import Dispatcher
from rmq.store.gate import Gate
from rmq.store.index import Index
from rmq.store.queue_table import QueueTable
from rmq.store.writer import Writer


class Follower:
    """Switches a store between leading and following, and cuts it."""

    def __init__(
        self,
        gate: Gate,
        log: CommitLog,
        queues: QueueTable,
        index: Index,
        dispatcher: Dispatcher,
        writer: Writer,
    ) -> None:
        self.follows = False
        self._gate = gate
        self._log = log
        self._queues = queues
        self._index = index
        self._dispatcher = dispatcher
        self._writer = writer

    @property
    def dispatched_position(self) -> int:
        """All records below were dispatched."""
        return self._dispatcher.position if self.is_behind else self._log.position

    @property
    def dispatched_timestamp(self) -> int:
        """Store time (ms) of the last record dispatched."""
        return self._dispatcher.timestamp if self.is_behind else self._log.last_timestamp

    @property
    def is_behind(self) -> bool:
        """Whether dispatch is not part of the puts."""
        return self.follows or self._writer.dispatches_later

    def _fall_behind(self) -> None:
        """Have the dispatcher take over from the puts."""
        if not self.is_behind:
            dispatcher, log = self._dispatcher, self._log
            dispatcher.position, dispatcher.timestamp = log.position, log.last_timestamp
            dispatcher.recount()

    def begin(self) -> None:
        """After a load: the dispatcher knows how far it got, puts come next."""
        self._dispatcher.recount()
        self._writer.dispatch_later(self._dispatcher.limit is not None and not self.follows)

    def recount(self) -> None:
        """Queues are gone of which messages may not be dispatched yet."""
        if self.is_behind:
            self._dispatcher.recount()

    def follow(self, reason: str) -> None:
        """See ``MessageStore.follow``."""
        self._fall_behind()
        self.follows = self._dispatcher.follows = True
        self._writer.dispatch_later(False)
        self._gate.forbid(reason)

    def lead(self) -> None:
        """See ``MessageStore.lead``."""
        if not self.follows:
            return
        self.drop_torn_tail()
        if self._dispatcher.limit is None:
            self._dispatcher.dispatch()
        self.follows = self._dispatcher.follows = False
        self._writer.dispatch_later(self._dispatcher.limit is not None)
        self._gate.forbid(None)

    def limit(self, position: int | None) -> None:
        """See ``MessageStore.limit_dispatch``."""
        dispatcher = self._dispatcher
        if position is not None:
            if not self.follows and not self._writer.dispatches_later:
                self._fall_behind()
                self._writer.dispatch_later(True)
            dispatcher.limit = position
            return
        before, dispatcher.limit = dispatcher.limit, None
        if self._writer.dispatches_later:
            try:
                dispatcher.dispatch()
            except StoreError:
                dispatcher.limit = before
                raise
            self._writer.dispatch_later(False)

    def append(self, position: int, data: bytes) -> None:
        """See ``MessageStore.append_raw``."""
        log = self._log
        segments = log.segments
        if log.entry_header:
            raise StoreError("no bytes are taken: the log is a ledger's")
        if not self.follows or self._gate.final:
            raise StoreError(f"no bytes are taken: {self._gate.refusal or 'this store leads'}")
        is_empty = log.position == segments.begin
        start = position % segments.file_size
        if position != log.position and not (is_empty and not start):
            raise StoreError(f"bytes for {position}, but the log ends at {log.position}")
        if start + len(data) > segments.file_size:
            raise StoreError(f"{len(data)} bytes for {position} reach into the next file")
        if not data:
            return
        before = log.position
        if position != before:
            self._begin_at(position)
        try:
            log.append(data)
        except OSError as error:
            if position != before:
                self._begin_at(before)
            raise StoreError(f"no bytes are taken: {self._gate.no_room(error)}") from error

    def _begin_at(self, position: int) -> None:
        """Have a log of which nothing is written begin at ``position``, a file's begin."""
        log = self._log
        log.segments.delete_from(0)
        log.segments.start_at(position)
        log.start_at(position)
        self._dispatcher.position = position

    def drop_torn_tail(self) -> int:
        """See ``MessageStore.drop_torn_tail``."""
        log = self._log
        end = self._dispatcher.recount() if self.is_behind else log.position
        if log.entry_header:
            return log.position
        if end < log.position:
            try:
                log.cut(end)
            except OSError as error:
                raise self._broken(error) from error
        return end

    def truncate(self, position: int, checkpoint: CheckpointFile) -> None:
        """See ``MessageStore.truncate``."""
        if self._log.entry_header:
            raise StoreError("the log is not cut: it is a ledger's")
        if not self.is_behind:
            raise StoreError("a store that leads without a dispatch limit is not cut")
        end = self.drop_torn_tail()
        if not self._is_boundary(position, end):
            raise StoreError(f"cannot cut at {position}: no record begins there")
        if position == end:
            return
        try:
            start = self._cut(position, checkpoint)
        except OSError as error:
            raise self._broken(error) from error
        dispatcher = self._dispatcher
        is_whole = start >= min(dispatcher.position, position)
        dispatcher.position = min(dispatcher.position, start)
        dispatcher.timestamp = self._log.last_timestamp
        dispatcher.recount()
        if not is_whole:
            dispatcher.dispatch()

    def _cut(self, position: int, checkpoint: CheckpointFile) -> int:
        """End everything at ``position``; from which record on to dispatch again.

        What the checkpoint says must stay true: the next records may be older than those that go.
        """
        log, queues = self._log, self._queues
        for queue in list(queues):
            if position == log.begin:
                queues.drop(queue)
            elif queue.end_position > position:
                queue.truncate(position)
                queue.correct_min(log.begin)
                queues.note_dirty(queue)
        log.last_timestamp = recovery.last_time(log, queues)
        checkpoint.go_back(log.last_timestamp)
        log.cut(position)
        return recovery.index_start(log, self._index, position)

    def _broken(self, error: OSError) -> StoreError:
        """Nobody knows what is on disk: puts and bytes are refused until a restart."""
        reason = f"the log could not be cut, restart after repair: {error}"
        self._gate.shut(reason)
        return StoreError(reason)

    def _is_boundary(self, position: int, end: int) -> bool:
        """Whether a record begins at ``position``, or what no more record follows."""
        log = self._log
        if position == end or not log.begin <= position < end:
            return position == end
        if position % log.segments.file_size == 0 or recovery.head_at(log, position) is not None:
            return True
        segments = log.segments
        rest = segments.file_size - position % segments.file_size
        return log.read(position, BLANK_SIZE) == pack_blank(rest)
