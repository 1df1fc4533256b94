"""The log of a member: what consensus needs of the disk, and one that is in memory.

begin_index <= committed_index <= end_index, or all are -1: the log is empty (or, for the
committed index, nothing is known to be committed).
"""

from collections.abc import Sequence
from typing import Protocol

from rmq.base.errors import StoreError
from rmq.raft.messages import NO_INDEX, NO_TERM, Entry


class Log(Protocol):
    """Entries with consecutive indexes, from 0 or from where old ones were cleaned away."""

    @property
    def begin_index(self) -> int:
        """Index of the first entry, -1 if empty."""
        ...

    @property
    def end_index(self) -> int:
        """Index of the last entry, -1 if empty."""
        ...

    @property
    def end_term(self) -> int:
        """Term of the last entry, -1 if empty."""
        ...

    @property
    def committed_index(self) -> int:
        """What was last committed; after a restart it may be less than it was."""
        ...

    def entry(self, index: int) -> Entry | None:
        """The entry, or None if the log does not hold it.

        :raises StoreError: the disk failed.
        """
        ...

    def append(self, term: int, body: bytes) -> Entry:
        """Write a leader's new entry behind the last one; gives it as it is on disk.

        The log may fill in places of the body (append hook of a commit log).

        :raises StoreError: disk full or failed; nothing was written.
        """
        ...

    def append_run(self, term: int, bodies: Sequence[bytes]) -> Sequence[Entry]:
        """``append`` of several.

        :raises StoreError: as ``append``; some of them may have been written.
        """
        ...

    def append_as_follower(self, entry: Entry) -> None:
        """Write a leader's entry as it is; its index is ``end_index + 1``, or the log is empty.

        :raises StoreError: disk full or failed, or ``pos`` is not where it would be written.
        """
        ...

    def append_run_as_follower(self, entries: Sequence[Entry]) -> None:
        """``append_as_follower`` of several that follow each other.

        :raises StoreError: as ``append_as_follower``; some of them may have been written.
        """
        ...

    def truncate_after(self, index: int) -> None:
        """Forget all entries behind ``index``, which is ``begin_index`` or more.

        Never reaches committed entries.
        """
        ...

    def restart_at(self, entry: Entry) -> None:
        """Forget everything, then hold just this entry, at its ``index`` and ``pos``.

        What a follower does that is so far behind that the leader has cleaned away what it lacks.
        Nothing is committed afterwards (``committed_index`` is -1) until ``commit`` tells it.

        :raises StoreError: disk full or failed.
        """
        ...

    def commit(self, index: int) -> None:
        """Note what is committed: more than before, at most ``end_index``."""
        ...


class MemoryLog:
    """A log in a list, for tests, transcripts and measurements."""

    __slots__ = ("_begin", "_entries", "_next_pos", "committed_index")

    def __init__(self, entries: tuple[Entry, ...] = (), committed_index: int = NO_INDEX) -> None:
        self._entries = list(entries)
        self._begin = entries[0].index if entries else 0
        self._next_pos = entries[-1].pos + entries[-1].size if entries else 0
        self.committed_index = committed_index

    @property
    def begin_index(self) -> int:
        """Index of the first entry, -1 if empty."""
        return self._begin if self._entries else NO_INDEX

    @property
    def end_index(self) -> int:
        """Index of the last entry, -1 if empty."""
        entries = self._entries
        return self._begin + len(entries) - 1 if entries else NO_INDEX

    @property
    def end_term(self) -> int:
        """Term of the last entry, -1 if empty."""
        return self._entries[-1].term if self._entries else NO_TERM

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All of it."""
        return tuple(self._entries)

    def entry(self, index: int) -> Entry | None:
        """The entry, or None if the log does not hold it."""
        place = index - self._begin
        return self._entries[place] if 0 <= place < len(self._entries) else None

    def append(self, term: int, body: bytes) -> Entry:
        """Write a leader's new entry behind the last one."""
        entry = Entry(self._begin + len(self._entries), term, body, self._next_pos)
        self._entries.append(entry)
        self._next_pos += entry.size
        return entry

    def append_as_follower(self, entry: Entry) -> None:
        """Write a leader's entry as it is.

        :raises StoreError: its index or position is not the log's end.
        """
        due = self._begin + len(self._entries)
        if entry.index != due or entry.pos != self._next_pos:
            raise StoreError(
                f"entry {entry.index} at {entry.pos}, expected {due} at {self._next_pos}"
            )
        self._entries.append(entry)
        self._next_pos += entry.size

    def append_run(self, term: int, bodies: Sequence[bytes]) -> list[Entry]:
        """``append`` of several."""
        return [self.append(term, body) for body in bodies]

    def append_run_as_follower(self, entries: Sequence[Entry]) -> None:
        """``append_as_follower`` of several.

        :raises StoreError: as ``append_as_follower``.
        """
        for entry in entries:
            self.append_as_follower(entry)

    def truncate_after(self, index: int) -> None:
        """Forget all entries behind ``index``."""
        assert index >= self.committed_index, (index, self.committed_index)
        del self._entries[index - self._begin + 1 :]
        last = self._entries[-1]
        self._next_pos = last.pos + last.size

    def restart_at(self, entry: Entry) -> None:
        """Forget everything, then hold just this entry."""
        self._entries = [entry]
        self._begin = entry.index
        self._next_pos = entry.pos + entry.size
        self.committed_index = NO_INDEX

    def commit(self, index: int) -> None:
        """Note what is committed."""
        assert self.committed_index < index <= self.end_index, (self.committed_index, index)
        self.committed_index = index

    def clean_before(self, index: int) -> None:
        """Forget old entries, as a disk does whose files expired; at least one stays."""
        del self._entries[: index - self._begin]
        self._begin = index
