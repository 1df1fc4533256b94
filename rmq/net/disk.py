"""The real ``Disk``: memory-mapped files of the operating system.

Python's mmap keeps a descriptor of its own for each map (until 3.13, where it need not), so no
other is kept: reserving and syncing open the file again, microseconds beside what the disk takes.
A process with many queues calls ``rmq.net.limits.raise_descriptor_limit`` first.
"""

import fcntl
import mmap
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from errno import EINVAL, EOPNOTSUPP

from rmq.base.ports import MappedFile

_ZEROS = bytes(1 << 20)
_MAP_OPTIONS = {"trackfd": False} if sys.version_info >= (3, 13) else {}
REPLACE_SUFFIX = ".rmq-new"
"""Ends the name of a file that is being written to replace another."""


@dataclass(frozen=True, slots=True)
class DiskEntry:
    """One file or folder; times in milliseconds since 1970."""

    name: str
    is_folder: bool
    size: int
    modified_ms: int


class DiskFile:
    """A file of fixed size mapped into memory.

    ``new_folders`` are those whose entries came with it: the first ``sync`` syncs them, too.
    """

    def __init__(
        self, path: str, size: int, memory: mmap.mmap, new_folders: tuple[str, ...] = ()
    ) -> None:
        self._path = path
        self._size = size
        self._memory = memory
        self._new_folders = new_folders
        self._reserved = 0

    @property
    def path(self) -> str:
        """Where it lay when it was opened."""
        return self._path

    @property
    def size(self) -> int:
        """Its full length in bytes."""
        return self._size

    @property
    def memory(self) -> mmap.mmap:
        """Its bytes, ``size`` of them."""
        return self._memory

    def reserve(self, end: int) -> None:
        """Have the disk keep room for all bytes below ``end``, which is cut to ``size``.

        :raises OSError: no room, or the disk failed.
        """
        begin, end = self._reserved, min(end, self._size)
        if end <= begin:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            _allocate(descriptor, begin, end)
        finally:
            os.close(descriptor)
        self._reserved = end

    def sync(self) -> None:
        """Block until all that was written is on disk; other threads run meanwhile.

        Nothing is to be done for a file that was deleted.

        :raises OSError: the disk failed; what was written may be lost.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            _sync_data(descriptor)
        finally:
            os.close(descriptor)
        for folder in self._new_folders:
            _sync_folder(folder)
        self._new_folders = ()

    def close(self) -> None:
        """Give the memory back; harmless when closed.

        :raises BufferError: somebody still holds a view of the memory.
        """
        self._memory.close()


def _sync_data(descriptor: int) -> None:
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(descriptor)


def _allocate(descriptor: int, begin: int, end: int) -> None:
    """Reserve room; where the system cannot, by writing what is there back, zeros for holes."""
    if sys.platform != "darwin":
        try:
            os.posix_fallocate(descriptor, begin, end - begin)
        except OSError as error:
            if error.errno not in {EINVAL, EOPNOTSUPP}:
                raise
        else:
            return
    _rewrite(descriptor, begin, end)


def _rewrite(descriptor: int, begin: int, end: int) -> None:
    while begin < end:
        content = os.pread(descriptor, min(end - begin, len(_ZEROS)), begin)
        begin += os.pwrite(descriptor, content, begin)


class RealDisk:
    """The file system; see ``rmq.base.ports.Disk``."""

    def entries(self, folder: str) -> list[DiskEntry]:
        """What lies in a folder, sorted by name; nothing if there is no such folder."""
        try:
            with os.scandir(folder) as found:
                return sorted((_entry(entry) for entry in found), key=lambda entry: entry.name)
        except FileNotFoundError:
            return []

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        return os.path.exists(path)

    def map(self, path: str, size: int) -> MappedFile:
        """Open a file of ``size`` bytes, creating it (zero-filled, sparse) and its folders.

        :raises OSError: it is there and longer, or the system refuses.
        """
        descriptor, new_folders = _open_or_create(path)
        try:
            present = os.fstat(descriptor).st_size
            if present > size:
                raise OSError(EINVAL, f"file of {present} bytes, map of {size}", path)
            if present < size:
                os.ftruncate(descriptor, size)
            memory = mmap.mmap(descriptor, size, **_MAP_OPTIONS)
        finally:
            os.close(descriptor)
        return DiskFile(path, size, memory, new_folders)

    def read(self, path: str) -> bytes | None:
        """A whole file, or None if it is not there."""
        try:
            with open(path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def replace(self, path: str, content: bytes) -> None:
        """Write a whole file so that, whatever happens, the old or the new content is found."""
        folder = os.path.dirname(path) or "."
        os.makedirs(folder, exist_ok=True)
        new_path = path + REPLACE_SUFFIX
        with open(new_path, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(new_path, path)
        _sync_folder(folder)

    def delete(self, path: str) -> None:
        """Remove a file, or a folder with all below it; nothing if it is not there."""
        try:
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        except FileNotFoundError:
            return

    def rename(self, path: str, new_path: str) -> None:
        """Move a file; replaces ``new_path``."""
        os.rename(path, new_path)
        _sync_folder(os.path.dirname(new_path) or ".")

    def used_share(self, path: str) -> float:
        """The share in use, 0 to 1, of the file system that holds ``path`` or will hold it.

        What only root may use counts as used.
        Source: UtilAll.java, getDiskPartitionSpaceUsedPercent(), 5.3.3.
        """
        while path and not os.path.exists(path):
            path = os.path.dirname(path)
        told = os.statvfs(path or ".")
        return 1 - told.f_bavail / told.f_blocks if told.f_blocks else 0.0

    def lock(self, path: str) -> Callable[[], None]:
        """Take the process lock on ``path`` (fcntl, byte 0); call the answer to give it back.

        :raises BlockingIOError: another process holds it.
        """
        descriptor, _ = _open_or_create(path)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0, os.SEEK_SET)
            os.pwrite(descriptor, b"lock", 0)
        except OSError:
            os.close(descriptor)
            raise
        return lambda: os.close(descriptor)


def _entry(entry: os.DirEntry[str]) -> DiskEntry:
    if entry.is_dir():
        return DiskEntry(entry.name, is_folder=True, size=0, modified_ms=0)
    told = entry.stat()
    return DiskEntry(
        entry.name, is_folder=False, size=told.st_size, modified_ms=told.st_mtime_ns // 1_000_000
    )


def _open_or_create(path: str) -> tuple[int, tuple[str, ...]]:
    """A descriptor to read and write, and the folders that got a new entry by it."""
    flags = os.O_RDWR | os.O_CLOEXEC
    try:
        return os.open(path, flags), ()
    except FileNotFoundError:
        folder = os.path.dirname(path) or "."
        new_folders = [folder]
        while not os.path.exists(folder):
            folder = os.path.dirname(folder) or "."
            new_folders.append(folder)
        os.makedirs(new_folders[0], exist_ok=True)
        return os.open(path, flags | os.O_CREAT, 0o644), tuple(new_folders)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
