"""The epochs of a commit log: where in it each master's reign began.

An epoch ends where the next one begins, the last one with the log. Invariant: epochs ascend, and
their starts never descend. Two may begin at one position: the first of them wrote nothing that has
stayed, and is kept for those that know of it. So the logs of two brokers are the same up to a
*consistent point*: the end, as far as both have it, of the last epoch that both have with the same
start, for one master alone wrote it, and wrote all before it as it was.

The file is as Java has it, with the version before as ``.bak``, and is written before anything that
relies on it. Of no epochs there is no file.

Source: EpochFileCache.java, CheckpointFile.java, 5.3.3. On purpose different: Java leaves the file
as it is when the last epoch goes, and begins with no epochs when it finds a broken one; and it does
not note a reign that begins where one began that wrote nothing: what it writes then passes for that
one's, which may be writing too.
"""

import logging
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from codec.disk.epoch import EpochStart, pack_epochs, parse_epochs
from codec.errors import CodecError
from rmq.base.errors import StoreError
from rmq.base.ports import Disk

log = logging.getLogger(__name__)


class Epoch(NamedTuple):
    """A master's reign: ``start <= its records < end``; ``end`` is None while it is the last."""

    epoch: int
    start: int
    end: int | None


class Epochs:
    """The epochs of our own log. ``load`` first."""

    def __init__(self, disk: Disk, path: str) -> None:
        self._disk = disk
        self._path = path
        self._entries: list[EpochStart] = []

    def load(self) -> None:
        """Read the file, or the one before if it is broken; none: no epochs.

        :raises StoreError: neither can be used, or the disk failed.
        """
        try:
            self._entries = self._read(self._path)
        except CodecError as error:
            log.warning(
                "epoch file broken path=%s cause=%s: the one before counts", self._path, error
            )
            try:
                self._entries = self._read(f"{self._path}.bak")
            except CodecError as worse:
                raise StoreError(
                    f"{self._path}: {error}; and {self._path}.bak: {worse}; if both are deleted, "
                    "this broker begins as a new one"
                ) from worse

    @property
    def entries(self) -> Sequence[EpochStart]:
        """All, ascending."""
        return self._entries

    @property
    def last(self) -> EpochStart | None:
        """The present one."""
        return self._entries[-1] if self._entries else None

    @property
    def last_epoch(self) -> int:
        """The present one's number; -1 if there is none."""
        return self._entries[-1].epoch if self._entries else -1

    def at(self, position: int) -> Epoch | None:
        """The epoch to which what lies, or will lie, at ``position`` belongs.

        None if it is older than all that are known.
        """
        entries = self._entries
        after = bisect_right(entries, position, key=_start)
        if not after:
            return None
        end = entries[after].start_position if after < len(entries) else None
        return Epoch(*entries[after - 1], end)

    def append(self, epoch: int, start: int) -> bool:
        """Note that ``epoch`` begins at ``start``; False, and nothing done, if it is not after all.

        Source: appendEntry(), which also refuses one that begins where the last one does.

        :raises StoreError: the file cannot be written; nothing has changed.
        """
        last = self.last
        if last is not None and (last.epoch >= epoch or last.start_position > start):
            return False
        self._save([*self._entries, EpochStart(epoch, start)])
        return True

    def cut(self, position: int) -> None:
        """Forget epochs that begin at ``position`` or later. Source: truncateSuffixByOffset().

        :raises StoreError: the file cannot be written; nothing has changed.
        """
        self._keep([entry for entry in self._entries if entry.start_position < position])

    def forget_before(self, position: int) -> None:
        """Forget epochs that end before ``position``: their files are deleted.

        Source: truncatePrefixByOffset().

        :raises StoreError: the file cannot be written; nothing has changed.
        """
        entries = self._entries
        first = max(0, bisect_left(entries, position, key=_start) - 1)
        self._keep(entries[first:])

    def adopt(self, entries: Sequence[EpochStart]) -> None:
        """Have these and no others: those of the master, up to where our log is the same.

        :raises StoreError: the file cannot be written; nothing has changed.
        """
        if list(entries) != self._entries:
            self._save(list(entries))

    def _keep(self, entries: list[EpochStart]) -> None:
        if len(entries) != len(self._entries):
            self._save(entries)

    def _save(self, entries: list[EpochStart]) -> None:
        backup = f"{self._path}.bak"
        try:
            if entries:
                previous = self._disk.read(self._path)
                if previous is not None:
                    self._disk.replace(backup, previous)
                self._disk.replace(self._path, pack_epochs(entries))
            else:
                self._disk.delete(backup)
                self._disk.delete(self._path)
        except OSError as error:
            raise StoreError(f"cannot write {self._path}: {error}") from error
        self._entries = entries

    def _read(self, path: str) -> list[EpochStart]:
        try:
            content = self._disk.read(path)
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error}") from error
        if content is None:
            return []
        entries = parse_epochs(content)
        for before, after in pairwise(entries):
            if after.epoch <= before.epoch or after.start_position < before.start_position:
                raise CodecError(f"{before} before {after}")
        return entries


def consistent_point(
    ours: Sequence[EpochStart], our_end: int, theirs: Sequence[EpochStart], their_end: int
) -> int | None:
    """Up to where two logs are the same, by their epochs and ends; None if they share no epoch.

    Source: EpochFileCache.java, findConsistentPoint(), 5.3.3.
    """
    their_ends = dict(zip(theirs, _ends(theirs, their_end), strict=True))
    for entry, end in reversed(list(zip(ours, _ends(ours, our_end), strict=True))):
        their = their_ends.get(entry)
        if their is not None:
            return min(end, their)
    return None


def _ends(entries: Sequence[EpochStart], end: int) -> list[int]:
    return [entry.start_position for entry in entries[1:]] + [end] * bool(entries)


def _start(entry: EpochStart) -> int:
    return entry.start_position
