"""A run of fixed-size files seen as one long file.

Each file is named by its start, 20 decimal digits, and the next one starts where it ends. Files
have their full size from creation (sparse), so that Apache RocketMQ can load them. They are mapped
when first used.
"""

from collections.abc import Callable

from rmq.base.errors import StoreError
from rmq.base.ports import Disk, MappedFile

NAME_DIGITS = 20
CUT_HEAD = 4096
"""Bytes that make a file's beginning: without them nobody takes it for one with records."""
CUT_STEP = 8 << 20
"""Bytes zeroed between two syncs, fewer than what a recovery takes for quiet."""


class Holds:
    """Who still needs a mapped file: closing one that a sync runs on waits for its end."""

    def __init__(self) -> None:
        self._held: dict[MappedFile, int] = {}
        self._closing: set[MappedFile] = set()

    def hold(self, files: tuple[MappedFile, ...]) -> None:
        """Keep files open until ``release``."""
        for file in files:
            self._held[file] = self._held.get(file, 0) + 1

    def release(self, files: tuple[MappedFile, ...]) -> None:
        """Undo one ``hold``; closes what was to be closed meanwhile."""
        for file in files:
            self._held[file] -= 1
            if not self._held[file]:
                del self._held[file]
                if file in self._closing:
                    self._closing.remove(file)
                    file.close()

    def close(self, file: MappedFile) -> None:
        """Close a file, now or when nobody holds it any more."""
        if file in self._held:
            self._closing.add(file)
        else:
            file.close()


class Segments:
    """Files ``begin`` <= position < ``end``; ``begin`` is a multiple of ``file_size``."""

    __slots__ = ("_disk", "_files", "_holds", "_on_map", "begin", "file_size", "folder")

    def __init__(
        self,
        disk: Disk,
        folder: str,
        file_size: int,
        holds: Holds,
        on_map: Callable[[int], None] | None = None,
    ) -> None:
        self.folder = folder
        self.file_size = file_size
        self.begin = 0
        self._disk = disk
        self._holds = holds
        self._on_map = on_map
        self._files: list[MappedFile | None] = []

    @property
    def end(self) -> int:
        """Where the last file ends; ``begin`` if there is none."""
        return self.begin + len(self._files) * self.file_size

    def load(self) -> None:
        """Find the files that are there. A last file of no bytes is deleted.

        Source: MappedFileQueue.java, doLoad(), 5.3.3.

        :raises StoreError: a file of another size or name, or a hole between two.
        """
        found = [entry for entry in self._disk.entries(self.folder) if not entry.is_folder]
        if found and found[-1].size == 0:
            self._disk.delete(f"{self.folder}/{found.pop().name}")
        for entry in found:
            path = f"{self.folder}/{entry.name}"
            if entry.size != self.file_size:
                raise StoreError(
                    f"{path} has {entry.size} bytes, configured are {self.file_size}: "
                    "restore the configured file size, or move the file away"
                )
            if len(entry.name) != NAME_DIGITS or not entry.name.isdecimal():
                raise StoreError(f"{path} is not named by {NAME_DIGITS} digits: move it away")
            start = int(entry.name)
            if not self._files:
                self.start_at(start)
            if start != self.end:
                raise StoreError(f"{path} does not follow, expected a file named {self.end:020d}")
            self._files.append(None)

    def start_at(self, position: int) -> None:
        """Have the first file, of which there is none yet, hold ``position``."""
        assert not self._files, f"{self.folder} has files"
        self.begin = position - position % self.file_size

    def path(self, start: int) -> str:
        """The path of the file that starts at ``start``."""
        return f"{self.folder}/{start:020d}"

    def start_of(self, position: int) -> int:
        """Where the file that holds ``position`` starts."""
        return position - position % self.file_size

    def file(self, position: int) -> MappedFile:
        """The file that holds ``position``, mapped now if it was not.

        :raises OSError: it cannot be mapped.
        """
        index = (position - self.begin) // self.file_size
        assert 0 <= index < len(self._files), f"{position=} outside of {self.folder}"
        file = self._files[index]
        if file is None:
            start = self.begin + index * self.file_size
            file = self._files[index] = self._disk.map(self.path(start), self.file_size)
            if self._on_map is not None:
                self._on_map(start)
        return file

    def grow(self) -> None:
        """Add a file at the end.

        :raises OSError: it cannot be created.
        """
        self._files.append(None)
        try:
            self.file(self.end - 1)
        except OSError:
            self._files.pop()
            raise

    def read(self, position: int, size: int) -> bytes:
        """Bytes that do not reach beyond their file."""
        at = position % self.file_size
        return self.file(position).memory[at : at + size]

    def unmap(self, start: int) -> None:
        """Give back the memory of a file; it is mapped again when used."""
        index = (start - self.begin) // self.file_size
        if 0 <= index < len(self._files):
            file = self._files[index]
            if file is not None:
                self._files[index] = None
                self._holds.close(file)

    def delete_first(self) -> str:
        """Delete the first file, give its path."""
        path = self.path(self.begin)
        self.unmap(self.begin)
        self._files.pop(0)
        self.begin += self.file_size
        self._disk.delete(path)
        return path

    def delete_from(self, position: int) -> None:
        """Delete all files that start at ``position`` or after."""
        while self._files and self.end - self.file_size >= position:
            start = self.end - self.file_size
            self.unmap(start)
            self._files.pop()
            self._disk.delete(self.path(start))

    def clear(self, position: int, quiet: int) -> None:
        """Zero what lies after ``position`` in its file, up to ``quiet`` bytes that are zero.

        What an earlier life of the file left there must not be taken for data later.
        """
        file = self.file(position)
        at = position % self.file_size
        while at < self.file_size:
            stop = min(at + quiet, self.file_size)
            if not file.memory[at:stop].strip(b"\0"):
                return
            file.reserve(stop)
            file.memory[at:stop] = bytes(stop - at)
            at = stop

    def cut(self, position: int) -> None:
        """End at ``position``: zero and delete what lies behind, so that no crash brings it back.

        From the end on, synced step by step: what is left of it in a crash lies side by side with
        what stays, and a file that comes back has no beginning.

        :raises OSError: the disk failed.
        """
        size = self.file_size
        while self._files and self.end - size >= position:
            start = self.end - size
            file = self.file(start)
            head = min(CUT_HEAD, size)
            if file.memory[:head].strip(b"\0"):
                file.memory[:head] = bytes(head)
                file.sync()
            self.delete_from(start)
        if position == self.end:
            return
        file = self.file(position)
        at = position % size
        for begin in range(at + (size - 1 - at) // CUT_STEP * CUT_STEP, at - 1, -CUT_STEP):
            stop = min(begin + CUT_STEP, size)
            if file.memory[begin:stop].strip(b"\0"):
                file.memory[begin:stop] = bytes(stop - begin)
                file.sync()

    def mapped(self, begin: int, end: int) -> tuple[MappedFile, ...]:
        """The mapped files that hold bytes of ``begin`` to ``end``."""
        first = max((begin - self.begin) // self.file_size, 0)
        last = (end - 1 - self.begin) // self.file_size
        return tuple(file for file in self._files[first : last + 1] if file is not None)

    def close(self) -> None:
        """Give all memory back."""
        for start in range(self.begin, self.end, self.file_size):
            self.unmap(start)
