"""A disk in memory for tests and the simulator: it fills up, fails and loses power on demand.

It lives with the true disk because it hands out real ``mmap`` objects: what is written through
one behaves as on the true disk, slices and exported buffers included.

A file has two contents: the one programs see and the one that survives ``crash``. ``sync`` and
``replace`` bring the second up to the first; creating, renaming and deleting survive at once.
Both are kept as 4096-byte pages, absent when zero, so a file of 1 GiB costs what was written.
"""

import mmap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from errno import EAGAIN, EINVAL, EISDIR, ENOENT

from rmq.base.ports import Clock

PAGE_SIZE = 4096
"""Bytes that reach a disk together or not at all."""

_RUN_SIZE = 256 * PAGE_SIZE
_ZERO_RUN = bytes(_RUN_SIZE)
_ZERO_PAGE = bytes(PAGE_SIZE)


@dataclass(frozen=True, slots=True)
class MemoryEntry:
    """One file or folder of a ``MemoryDisk``."""

    name: str
    is_folder: bool
    size: int
    modified_ms: int


@dataclass(slots=True)
class _File:
    """``pages`` is what programs see while no map is open; an open map has the newer content."""

    size: int
    modified_ms: int
    reserved: int = 0
    pages: dict[int, bytes] = field(default_factory=dict)
    synced: dict[int, bytes] = field(default_factory=dict)
    memory: mmap.mmap | None = None
    maps: int = 0
    syncs: int = 0
    settled: int = 0

    def current(self) -> dict[int, bytes]:
        """The pages that programs see now."""
        if self.memory is None:
            return self.pages
        return _pages_of(self.memory, self.reserved)


class MemoryMappedFile:
    """A ``MappedFile`` of a ``MemoryDisk``; all maps of one file share their memory.

    Only bytes below the reserved end live on after ``sync`` or ``close``: a caller that writes
    beyond it, and so would risk its life on the true disk, loses them here.
    """

    def __init__(self, disk: "MemoryDisk", path: str, file: _File) -> None:
        if file.memory is None:
            file.memory = _mapped(file.size, file.pages)
        file.maps += 1
        self._disk, self._path, self._file = disk, path, file
        self._memory: mmap.mmap | None = file.memory

    @property
    def path(self) -> str:
        """Where it lay when it was opened."""
        return self._path

    @property
    def size(self) -> int:
        """Its full length in bytes."""
        return self._file.size

    @property
    def memory(self) -> mmap.mmap:
        """Its bytes, ``size`` of them; not after ``close``."""
        assert self._memory is not None, f"{self._path} is closed"
        return self._memory

    def reserve(self, end: int) -> None:
        """Have the disk keep room for all bytes below ``end``.

        :raises OSError: what the disk was told to raise as ``fail_reserve``, unless there is room.
        """
        if self._disk.fail_reserve is not None and min(end, self._file.size) > self._file.reserved:
            raise self._disk.fail_reserve
        self._file.reserved = max(self._file.reserved, min(end, self._file.size))

    def sync(self) -> None:
        """Let the content below the reserved end survive ``MemoryDisk.crash``.

        It does at once, or when what ``hold_sync`` was given is called.

        :raises OSError: what the disk was told to raise as ``fail_sync``.
        """
        if self._disk.fail_sync is not None:
            raise self._disk.fail_sync
        file, pages = self._file, _pages_of(self.memory, self._file.reserved)
        file.modified_ms = self._disk.clock.wall_ms()
        file.syncs = number = file.syncs + 1

        def settle() -> None:
            if file.settled < number:  # else a later sync was faster, and had it all
                file.synced, file.settled = pages, number

        if self._disk.hold_sync is None:
            settle()
        else:
            self._disk.hold_sync(settle)

    def close(self) -> None:
        """Give the memory back; harmless when closed. The last map's content goes to the disk.

        :raises BufferError: somebody still holds a view of the memory.
        """
        if self._memory is None:
            return
        if self._file.maps == 1:
            pages = _pages_of(self._memory, self._file.reserved)
            self._memory.close()
            self._file.pages, self._file.memory = pages, None
        self._file.maps -= 1
        self._memory = None


Survivor = Callable[[str, bytes, bytes], bytes]
"""Of a page of a file, as synced and as written since: what is found after a loss of power."""


class MemoryDisk:
    """A ``Disk`` whose troubles are attributes.

    ``fail_reserve``, ``fail_sync``, ``fail_replace`` are raised by those calls while not None;
    ``used_share_told`` is what ``used_share`` answers. ``hold_sync``, unless None, is given what
    makes a sync true, to call it when the sync is done: it takes time. Paths are absolute or not,
    but the same file must always be named alike.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.fail_reserve: OSError | None = None
        self.fail_sync: OSError | None = None
        self.fail_replace: OSError | None = None
        self.used_share_told = 0.1
        self.hold_sync: Callable[[Callable[[], None]], None] | None = None
        self._files: dict[str, _File] = {}
        self._locked: set[str] = set()

    def entries(self, folder: str) -> list[MemoryEntry]:
        """What lies in a folder, sorted by name; a folder exists while a file lies below it."""
        prefix = _clean(folder) + "/"
        found: dict[str, MemoryEntry] = {}
        for path, file in self._files.items():
            if not path.startswith(prefix):
                continue
            name, below, _ = path[len(prefix) :].partition("/")
            if below:
                found[name] = MemoryEntry(name, is_folder=True, size=0, modified_ms=0)
            else:
                found[name] = MemoryEntry(name, False, file.size, file.modified_ms)
        return [found[name] for name in sorted(found)]

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        return _clean(path) in self._files or bool(self.entries(path))

    def map(self, path: str, size: int) -> MemoryMappedFile:
        """Open a file of ``size`` bytes, creating it zero-filled if absent.

        :raises OSError: the file is there with more bytes, or open with fewer.
        """
        path = _clean(path)
        file = self._files.get(path)
        if file is None:
            file = self._files[path] = _File(size, self.clock.wall_ms())
        elif file.size > size or (file.size < size and file.maps):
            raise OSError(EINVAL, f"file of {file.size} bytes, map of {size}", path)
        file.size = size
        return MemoryMappedFile(self, path, file)

    def read(self, path: str) -> bytes | None:
        """A whole file, or None if it is not there.

        :raises OSError: it is a folder.
        """
        path = _clean(path)
        file = self._files.get(path)
        if file is None:
            if self.entries(path):
                raise IsADirectoryError(EISDIR, "is a folder", path)
            return None
        if file.memory is not None:
            return file.memory[:]
        return _content(file.size, file.pages)

    def replace(self, path: str, content: bytes) -> None:
        """Write a whole file; it survives ``crash`` at once.

        :raises OSError: what the disk was told to raise as ``fail_replace``.
        """
        if self.fail_replace is not None:
            raise self.fail_replace
        pages = _pages_of(content, len(content))
        self._files[_clean(path)] = _File(
            len(content), self.clock.wall_ms(), len(content), pages, dict(pages)
        )

    def delete(self, path: str) -> None:
        """Remove a file, or a folder with all below it; open maps keep their memory."""
        path = _clean(path)
        for name in [name for name in self._files if name == path or name.startswith(path + "/")]:
            del self._files[name]

    def rename(self, path: str, new_path: str) -> None:
        """Move a file or folder; a file replaces ``new_path``.

        :raises FileNotFoundError: there is nothing at ``path``.
        """
        path, new_path = _clean(path), _clean(new_path)
        moved = [name for name in self._files if name == path or name.startswith(path + "/")]
        if not moved:
            raise FileNotFoundError(ENOENT, "nothing to rename", path)
        for name in moved:
            self._files[new_path + name[len(path) :]] = self._files.pop(name)

    def used_share(self, path: str) -> float:  # noqa: ARG002  one file system holds all
        """``used_share_told``, whatever the path."""
        return self.used_share_told

    def lock(self, path: str) -> Callable[[], None]:
        """Take the lock on ``path``; call the answer to give it back.

        :raises BlockingIOError: it is taken.
        """
        path = _clean(path)
        if path in self._locked:
            raise BlockingIOError(EAGAIN, "another process holds the lock", path)
        self._locked.add(path)
        return lambda: self._locked.discard(path)

    def crash(self, written_pages: Mapping[str, Iterable[int]] | None = None) -> "MemoryDisk":
        """The disk as the next process finds it after a loss of power.

        Files have their content as of the last ``sync``, except ``written_pages``: for a path the
        numbers of pages (of 4096 bytes, from 0) that the system had happened to write since.
        Locks and troubles are gone; this disk stays as it is.
        """
        after = MemoryDisk(self.clock)
        written = {_clean(path): numbers for path, numbers in (written_pages or {}).items()}
        for path, file in self._files.items():
            pages = dict(file.synced)
            newer = file.current()
            for number in written.get(path, ()):
                pages[number] = newer.get(number, _ZERO_PAGE)
            after._files[path] = _File(
                file.size, file.modified_ms, file.reserved, pages, dict(pages)
            )
        return after

    def lose_power(self, survivor: Survivor) -> "MemoryDisk":
        """As ``crash``, but ``survivor`` says for each page written since the last sync what it
        holds: it may be torn.
        """
        after = MemoryDisk(self.clock)
        for path, file in self._files.items():
            newer, pages = file.current(), {}
            for number in sorted(file.synced.keys() | newer.keys()):
                old = file.synced.get(number, b"").ljust(PAGE_SIZE, b"\0")
                new = newer.get(number, b"").ljust(PAGE_SIZE, b"\0")
                pages[number] = new if old == new else survivor(path, old, new)
            after._files[path] = _File(
                file.size, file.modified_ms, file.reserved, pages, dict(pages)
            )
        return after

    def outlive(self) -> "MemoryDisk":
        """The disk as the next process finds it after this one was killed.

        The system still has all that was written, whether synced or not; locks and troubles are
        gone; this disk stays as it is.
        """
        after = MemoryDisk(self.clock)
        for path, file in self._files.items():
            pages = file.pages
            if file.memory is not None:
                pages = _pages_of(file.memory, file.size)
            after._files[path] = _File(
                file.size, file.modified_ms, file.reserved, dict(pages), dict(file.synced)
            )
        return after


def _clean(path: str) -> str:
    return path.rstrip("/")


def _pages_of(memory: mmap.mmap | bytes, end: int) -> dict[int, bytes]:
    """The pages below ``end`` that are not zero, by number; the last is cut at ``end``."""
    pages = {}
    for start in range(0, end, _RUN_SIZE):
        run = memory[start : min(start + _RUN_SIZE, end)]
        if _ZERO_RUN.startswith(run):
            continue
        for offset in range(0, len(run), PAGE_SIZE):
            page = run[offset : offset + PAGE_SIZE]
            if not _ZERO_PAGE.startswith(page):
                pages[(start + offset) // PAGE_SIZE] = page
    return pages


def _mapped(size: int, pages: Mapping[int, bytes]) -> mmap.mmap:
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for number, page in pages.items():
        start = number * PAGE_SIZE
        memory[start : min(start + len(page), size)] = page[: size - start]
    return memory


def _content(size: int, pages: Mapping[int, bytes]) -> bytes:
    content = bytearray(size)
    for number, page in pages.items():
        start = number * PAGE_SIZE
        content[start : start + len(page)] = page
    return bytes(content[:size])
