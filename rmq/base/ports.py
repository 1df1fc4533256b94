"""What the cores need of the world: time, chance, disk, peers. Implemented by rmq.net and by tests.

Every name here is a ``Protocol``; nobody inherits from them. One thread calls all of them, except
``MappedFile.sync``, which may run in a worker thread and sees bytes and positions, never tables.
"""

from collections.abc import Callable, Iterable
from typing import SupportsIndex, overload

from typing_extensions import Buffer, Protocol


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Make it not happen; harmless when it has happened or was cancelled."""
        ...


class Clock(Protocol):
    """Time, and calls in the future."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970, as people and records count; may jump."""
        ...

    def monotonic_ms(self) -> int:
        """Milliseconds that only grow: for leases and expiries."""
        ...

    def call_later(self, delay_ms: int, call: Callable[[], None]) -> Timer:
        """Arrange for ``call`` once, ``delay_ms`` (0 or more) from now."""
        ...


class Chance(Protocol):
    """Random numbers."""

    def below(self, limit: int) -> int:
        """A number from 0 to ``limit - 1``; ``limit`` is 1 or more."""
        ...


class Memory(Buffer, Protocol):
    """A run of bytes that can be read and written in place, like ``mmap``."""

    def __len__(self) -> int: ...

    @overload
    def __getitem__(self, key: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, key: slice, /) -> bytes: ...
    @overload
    def __setitem__(self, key: SupportsIndex, value: int, /) -> None: ...
    @overload
    def __setitem__(self, key: slice, value: Buffer, /) -> None: ...


class MappedFile(Protocol):
    """A file of fixed size seen as memory.

    Writing to ``memory`` below the reserved end cannot fail; beyond it the process may be killed
    by the system when the disk is full. So: ``reserve`` first, then write.
    """

    @property
    def path(self) -> str:
        """Where it lies."""
        ...

    @property
    def size(self) -> int:
        """Its full length in bytes, fixed from creation."""
        ...

    @property
    def memory(self) -> Memory:
        """Its bytes, ``size`` of them."""
        ...

    def reserve(self, end: int) -> None:
        """Have the disk keep room for all bytes below ``end``.

        :raises OSError: no room, or the disk failed.
        """
        ...

    def sync(self) -> None:
        """Block until all that was written is on disk. Safe in a worker thread.

        :raises OSError: the disk failed; what was written may be lost.
        """
        ...

    def close(self) -> None:
        """Give the memory back. Nothing may touch ``memory`` afterwards."""
        ...


class FileEntry(Protocol):
    """One file or folder as ``Disk.entries`` tells it."""

    @property
    def name(self) -> str:
        """Without its folder."""
        ...

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        ...

    @property
    def size(self) -> int:
        """Bytes; 0 for a folder."""
        ...

    @property
    def modified_ms(self) -> int:
        """When it was last written, milliseconds since 1970."""
        ...


class Disk(Protocol):
    """A tree of files. Paths are text with ``/``. All raise ``OSError`` with the true cause."""

    def entries(self, folder: str) -> Iterable[FileEntry]:
        """What lies in a folder, sorted by name; nothing if there is no such folder."""
        ...

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        ...

    def map(self, path: str, size: int) -> MappedFile:
        """Open a file of ``size`` bytes; if absent it and its folders are made, full of zeros."""
        ...

    def read(self, path: str) -> bytes | None:
        """A whole file, or None if it is not there."""
        ...

    def replace(self, path: str, content: bytes) -> None:
        """Write a whole file so that, whatever happens, the old or the new content is found."""
        ...

    def delete(self, path: str) -> None:
        """Remove a file, or a folder with all below it; nothing if it is not there."""
        ...

    def rename(self, path: str, new_path: str) -> None:
        """Move a file; replaces ``new_path``."""
        ...

    def used_share(self, path: str) -> float:
        """The share in use, 0 to 1, of the file system that holds ``path``."""
        ...

    def lock(self, path: str) -> Callable[[], None]:
        """Take the process lock on ``path`` (fcntl, byte 0); call the answer to give it back.

        :raises BlockingIOError: another process holds it.
        """
        ...
